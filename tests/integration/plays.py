# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of ansible-playbook, the one next to this interpreter, against the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

CHECKOUT = Path(__file__).parents[2]
COLLECTIONS = CHECKOUT / "build" / "collections"
# The action of `save_task`.
ACTIONS = Path(__file__).with_name("action")

# How many seconds a run may take on a busy machine. A run that hangs would otherwise stop all tests.
TIME_LIMIT = 180

# How a task does its work: in Ansible's worker process or as a module. Setting a variable that Python reads when it
# starts makes it a module.
WAYS: dict[str, dict[str, Any]] = {"worker": {}, "module": {"environment": {"PYTHONDONTWRITEBYTECODE": "1"}}}
# The module takes much longer, so that `make test` only runs the tests of the worker.
EACH_WAY = pytest.mark.parametrize("way", ["worker", pytest.param("module", marks=pytest.mark.thorough)])


@dataclass(frozen=True)
class Run:
    """A finished run: its exit status, all its output, and the variables that the test asked for."""

    status: int
    output: str = field(repr=False)
    variables: Mapping[str, Any] = field(repr=False)

    @property
    def unwrapped(self) -> str:
        return unwrapped(self.output)


class Play(Protocol):
    def __call__(
        self,
        tasks: str | Sequence[Mapping[str, Any]],
        *arguments: str,
        way: str = "worker",
        fetch: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        **play: Any,
    ) -> Run:
        """Run tasks as a play.

        arguments: options of ansible-playbook. fetch: names of variables to return. play: keywords of the play.
        """


def unwrapped(output: str) -> str:
    """Return the output on one line, because each version of ansible-core breaks long lines differently."""
    return " ".join(output.split())


def checked_output(run: Run) -> str:
    """Return the output on one line, after checking that it contains neither a traceback nor HTML."""
    assert "Traceback" not in run.output
    assert "<html>" not in run.output
    return run.unwrapped


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


def fake_ssh(folder: Path, script: str) -> dict[str, str]:
    """Return the environment of a run that executes this script instead of ssh. Its last argument is the command."""
    ssh = folder / "ssh"
    ssh.write_text(f"#!/usr/bin/env bash\n{script}\n")
    ssh.chmod(0o700)
    return {"ANSIBLE_SSH_EXECUTABLE": str(ssh), "ANSIBLE_SSH_TRANSFER_METHOD": "piped", "ANSIBLE_SSH_RETRIES": "0"}


def old_python(version: str) -> str | None:
    """Return the path of a Python of this version, or None if this machine has no such Python."""
    names = [*(Path(folder) / f"python{version}" for folder in os.get_exec_path())]
    names += Path.home().glob(f".pyenv/versions/{version}.*/bin/python3")
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    for name in names:
        if name.is_file():
            answer = subprocess.run([name, "-c", code], capture_output=True, text=True, timeout=60, check=False)
            if answer.stdout.strip() == version:
                return str(name)
    return None
