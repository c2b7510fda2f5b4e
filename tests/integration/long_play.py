# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays on localhost with vault passwords: one that lasts as long as the tests, and runs of their own."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible.parsing.vault import VaultLib, VaultSecret
from integration.plays import command_path, run_environment, save_task, unwrapped

PASSWORDS = {
    "default": "a-vault-password-to-search-for",
    "staging": "a-password-of-staging",
    "other": "a-password-that-few-runs-have",
}
"""The passwords of the vault ids that a run can load."""

Task = Mapping[str, Any]

_STEPS = 500
_SECONDS_TO_END = 300


@dataclass(frozen=True)
class FinishedRun:
    """What a run did: its output, and the variables that the test asked for."""

    output: str = field(repr=False)
    variables: Mapping[str, Any] = field(repr=False)
    status: int = 0

    @property
    def unwrapped(self) -> str:
        return unwrapped(self.output)

    @property
    def result(self) -> Mapping[str, Any]:
        """The result of the only task, from the variable C(outcome)."""
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

    def end(self) -> FinishedRun:
        """Wait for its end."""
        try:
            status = self.process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        variables = json.loads(self._saved.read_text()) if self._saved.exists() else {}
        return FinishedRun(self.output, variables, status)

    def worker_pid(self) -> int:
        return int(_children(self.process)[-1])

    def has_open(self, path: Path) -> bool:
        """Whether a worker has a file or a folder open."""
        for child in _children(self.process):
            # The worker may have ended.
            with suppress(OSError):
                if str(path) in map(os.readlink, Path(f"/proc/{child}/fd").iterdir()):
                    return True
        return False


class LongPlay:
    """A play that executes tasks whenever the test has some.

    ansible-playbook starts once for many tests, so a task costs a tenth of what it costs in a run of its own.
    A context manager that ends the play.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self.folder = folder
        self._environment = {**environment, "ANSIBLE_VAULT_ENCRYPT_IDENTITY": "default"}
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._step = self._shown = 0
        self._plays = 0
        self._is_busy = False

    def __enter__(self) -> LongPlay:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._is_busy:
            self._give_up()
        elif self._process:
            self._write_step([{"ansible.builtin.meta": "end_play"}])
            assert self._process.wait(_SECONDS_TO_END) == 0, self._new_output()

    def run(self, tasks: Sequence[Task], fetch: Sequence[str] = ()) -> FinishedRun:
        """Execute tasks, of which none may fail without C(ignore_errors). Return their output and variables."""
        self.begin(tasks, fetch)
        return self.end()

    def begin(self, tasks: Sequence[Task], fetch: Sequence[str] = ()) -> None:
        """Start to execute tasks."""
        if self._is_busy:
            # A test failed before it waited for its tasks.
            self._give_up()
        self._is_busy = True
        following = save_task(
            self._file("json", self._step), fetch, wait_for=str(self._file("yml", self._step + 1)), test=os.getpid()
        )
        self._write_step([*tasks, following])
        if self._process is None:
            steps = [{"ansible.builtin.include_tasks": str(self._file("yml", number))} for number in range(_STEPS)]
            self._process = start_play(
                self.folder / f"{self._plays}.play.yml",
                self._output,
                {"tasks": steps},
                *self._arguments,
                environment=self._environment,
                vault_ids=("default", "staging"),
            )

    def end(self) -> FinishedRun:
        """Wait until the tasks have ended."""
        assert self._process
        saved = self._file("json", self._step)
        end = time.monotonic() + _SECONDS_TO_END
        while not saved.exists():
            if self._process.poll() is not None or time.monotonic() > end:
                output = self._new_output()
                self._give_up()
                raise AssertionError(f"the play ended before the test\n{output}")
            time.sleep(0.01)
        self._is_busy = False
        self._step += 1
        return FinishedRun(self._new_output(), json.loads(saved.read_text()))

    def _give_up(self) -> None:
        """End the play. The next tasks begin another one."""
        if self._process:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._is_busy = False
        self._plays += 1
        self._step = self._shown = 0

    def worker_pid(self) -> int:
        """Return the process ID of the worker that executes a task now."""
        assert self._process
        return int(_children(self._process)[-1])

    @property
    def _output(self) -> Path:
        return self.folder / f"{self._plays}.output"

    def _new_output(self) -> str:
        output = self._output.read_text()
        new, self._shown = output[self._shown :], len(output)
        return new

    def _file(self, kind: str, step: int) -> Path:
        return self.folder / f"{self._plays}.{step}.{kind}"

    def _write_step(self, tasks: Sequence[Task]) -> None:
        file = self._file("yml", self._step)
        complete = file.with_suffix(".tmp")
        complete.write_text(json.dumps(tasks))
        complete.rename(file)


def start_play(
    playbook: Path,
    output: Path,
    play: Mapping[str, Any],
    *arguments: str,
    environment: Mapping[str, str],
    vault_ids: Sequence[str] = ("default",),
) -> subprocess.Popen[bytes]:
    """Start ansible-playbook with this play. All its output goes to a file."""
    home = playbook.parent
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, **play}]))
    command = [command_path("ansible-playbook"), *arguments, str(playbook)]
    for vault_id in vault_ids:
        password = home / f"password-{vault_id}"
        # Another run may be reading it.
        if not password.exists():
            password.write_text(PASSWORDS[vault_id])
        command += ["--vault-id", f"{vault_id}@{password}"]
    with output.open("wb") as stream:
        return subprocess.Popen(
            command,
            cwd=home,
            env={**os.environ, **run_environment(home), **environment},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )


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


def _children(process: subprocess.Popen[bytes]) -> list[str]:
    """Return the process IDs of a run's workers. The last one executes a task now."""
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
