# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of the commands of the ansible-core next to this interpreter."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

CHECKOUT = Path(__file__).parents[2]
COLLECTIONS = CHECKOUT / "build" / "collections"
# The action of `save_task`.
ACTIONS = Path(__file__).with_name("action")

# How many seconds a run may take on a busy machine. A run that hangs would otherwise stop all tests.
TIME_LIMIT = 300

# How a task does its work: in Ansible's worker process or as a module. Setting a variable that Python reads when it
# starts makes it a module.
WAYS: dict[str, dict[str, Any]] = {"worker": {}, "module": {"environment": {"PYTHONDONTWRITEBYTECODE": "1"}}}
# The module takes much longer, so that `make test` only runs the tests of the worker.
EACH_WAY = pytest.mark.parametrize("way", ["worker", pytest.param("module", marks=pytest.mark.thorough)])

PASSWORDS = {
    "default": "a-vault-password-to-search-for",
    "staging": "a-password-of-staging",
    "other": "a-password-that-few-runs-have",
}
"""The passwords of the vault ids that a run can load."""

Task = Mapping[str, Any]
# The fixture `play`.
Play = Callable[..., "Run"]

_NUMBERS = count()


@dataclass(frozen=True)
class Run:
    """A finished run: its exit status, all its output, and the variables that the test asked for."""

    status: int
    output: str = field(repr=False)
    variables: Mapping[str, Any] = field(repr=False)

    def __post_init__(self) -> None:
        # The collection uses nothing that a later ansible-core will remove. Only the tests use these two callbacks.
        warning = re.search(r"\[DEPRECATION WARNING\](?!.*\b(?:tree|oneline)\b)", self.output)
        assert not warning, self.output

    @property
    def unwrapped(self) -> str:
        return unwrapped(self.output)

    @property
    def result(self) -> Mapping[str, Any]:
        """The result that a task registered as C(outcome)."""
        result: Mapping[str, Any] = self.variables["outcome"]
        return result

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))

    @property
    def message(self) -> str:
        return str(self.result.get("msg", ""))

    @property
    def operations(self) -> dict[str, str]:
        return {token["name"]: token["operation"] for token in self.result["tokens"]}


class StartedRun:
    """A run that is going on: an ansible-playbook process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, saved: Path) -> None:
        self.process = process
        self._output = output
        self._saved = saved

    @property
    def output(self) -> str:
        return self._output.read_text()

    def end(self) -> Run:
        """Wait for its end."""
        try:
            status = self.process.wait(TIME_LIMIT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return Run(status, self.output, json.loads(self._saved.read_text()) if self._saved.exists() else {})

    def kill(self) -> None:
        """Kill it, and then its workers."""
        workers = self._workers() if self.process.poll() is None else []
        self.process.kill()
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, 9)
        self.process.wait()

    def worker(self) -> int:
        """Return the process ID of the worker that executes a task now."""
        return self._workers()[-1]

    def has_open(self, path: Path) -> bool:
        """Whether a worker has a file or a folder open."""
        for worker in self._workers():
            # The worker may have ended.
            with suppress(OSError):
                if str(path) in map(os.readlink, Path(f"/proc/{worker}/fd").iterdir()):
                    return True
        return False

    def _workers(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def start_play(
    home: Path,
    tasks: Sequence[Task],
    *arguments: str,
    environment: Mapping[str, str],
    fetch: Sequence[str] = (),
    way: str = "worker",
    vault_ids: Sequence[str] = (),
    **play: Any,
) -> StartedRun:
    """Start ansible-playbook in a folder with these tasks, on localhost unless C(play) says otherwise.

    arguments: options of ansible-playbook. fetch: names of variables to return. vault_ids: whose passwords are loaded.
    play: keywords of the play.
    """
    playbook, output, saved = (home / f"{next(_NUMBERS)}.{kind}" for kind in ("play.yml", "output", "saved"))
    saving = [{**save_task(saved, fetch), "run_once": True}] if fetch else []
    content = {"hosts": "localhost", "gather_facts": False, **WAYS[way], **play, "tasks": [*tasks, *saving]}
    playbook.write_text(json.dumps([content]))
    command = [command_path("ansible-playbook"), *arguments, str(playbook)]
    for vault_id in vault_ids:
        password = home / f"password-{vault_id}"
        # Another run may be reading it.
        if not password.exists():
            password.write_text(PASSWORDS[vault_id])
        command += ["--vault-id", f"{vault_id}@{password}"]
    with output.open("wb") as stream:
        process = subprocess.Popen(
            command,
            cwd=home,
            env={**os.environ, **run_environment(home), **environment},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    return StartedRun(process, output, saved)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until this is true. A test that waits forever would stop all tests."""
    end = time.monotonic() + TIME_LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def unwrapped(output: str) -> str:
    """Return the output on one line, because each version of ansible-core breaks long lines differently."""
    return " ".join(output.split())


def command_path(name: str) -> str:
    """Return the path of one of ansible-core's commands."""
    return str(Path(sys.executable).with_name(name))


def run_environment(home: Path) -> dict[str, str]:
    """Return the environment of a run that finds this collection and none of the user's own files."""
    return {
        "HOME": str(home),
        "ANSIBLE_HOME": str(home / ".ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_ACTION_PLUGINS": str(ACTIONS),
    }


def save_task(file: Path, names: Sequence[str], **waiting: Any) -> dict[str, Any]:
    """Return a task that writes the variables with these names to a file on the controller, as JSON.

    It does so in check mode as well, whatever the connection and `become` are, and starts no process. waiting: further
    options of the action C(hand_over).
    """
    content = "{{ {" + ", ".join(f"'{name}': {name}" for name in names) + "} | to_json }}"
    return {
        "name": "Save variables for the test",
        "hand_over": {"content": content, "save_to": str(file), **waiting},
        "no_log": True,
    }


def run_command(name: str, *arguments: str, environment: Mapping[str, str], cwd: Path) -> tuple[int, str]:
    """Run one of ansible-core's commands. Return its exit status and all its output."""
    finished = subprocess.run(
        [command_path(name), *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )
    return finished.returncode, finished.stdout


def assert_that(*conditions: str) -> Task:
    """Return a task that fails unless these conditions are true."""
    return {"ansible.builtin.assert": {"that": list(conditions), "quiet": True}}


def vault_of(*vault_ids: str) -> VaultLib:
    """Return ansible-core's vault with the passwords of these vault ids, or all."""
    return VaultLib([(vault_id, VaultSecret(PASSWORDS[vault_id].encode())) for vault_id in vault_ids or PASSWORDS])


def encrypted(text: str, vault_id: str) -> str:
    """Return the ciphertext of a text."""
    secret = VaultSecret(PASSWORDS[vault_id].encode())
    ciphertext: str = vault_of(vault_id).encrypt(text.encode(), secret=secret, vault_id=vault_id).decode()
    return ciphertext


def inline(name: str, text: str, vault_id: str) -> str:
    """Return a line for a vars file, as C(ansible-vault encrypt_string) writes it."""
    indented = encrypted(text, vault_id).rstrip().replace("\n", "\n" + " " * 10)
    return f"{name}: !vault |\n{' ' * 10}{indented}\n"


def fake_ssh(folder: Path, script: str) -> dict[str, str]:
    """Return the environment of a run that executes this script instead of ssh. Its last argument is the command."""
    ssh = folder / "ssh"
    ssh.write_text(f"#!/usr/bin/env bash\n{script}\n")
    ssh.chmod(0o700)
    return {"ANSIBLE_SSH_EXECUTABLE": str(ssh), "ANSIBLE_SSH_TRANSFER_METHOD": "piped", "ANSIBLE_SSH_RETRIES": "0"}
