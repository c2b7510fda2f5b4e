# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of ansible-playbook, the one beside this interpreter, against the sandbox."""

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

# How a task's work is done: in Ansible's worker process, or as a module, which a variable that Python reads when it
# starts enforces.
WAYS: dict[str, dict[str, Any]] = {"worker": {}, "module": {"environment": {"PYTHONDONTWRITEBYTECODE": "1"}}}
EACH_WAY = pytest.mark.parametrize("way", WAYS)


@dataclass(frozen=True)
class Run:
    """What a run left: its status, all that it printed, and the variables that were to be kept."""

    status: int
    output: str = field(repr=False)
    kept: Mapping[str, Any] = field(repr=False)


class Play(Protocol):
    def __call__(
        self,
        tasks: str | Sequence[Mapping[str, Any]],
        *arguments: str,
        way: str = "worker",
        keep: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        **play: Any,
    ) -> Run:
        """Play tasks, with options of the command and keywords of the play, and hand back the variables to keep."""


def command(name: str) -> str:
    """Return the path of one of ansible-core's commands."""
    return str(Path(sys.executable).with_name(name))


def run_environment(home: Path) -> dict[str, str]:
    """Return the variables of a run that finds this collection and nothing of the user's."""
    return {
        "HOME": str(home),
        "ANSIBLE_HOME": str(home / ".ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_NOCOLOR": "true",
    }


def run_command(name: str, *arguments: str, environment: Mapping[str, str], cwd: Path) -> tuple[int, str]:
    """Run one of ansible-core's commands; return its status and whatever it printed."""
    finished = subprocess.run(
        [command(name), *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return finished.returncode, finished.stdout


def over_ssh(folder: Path, script: str) -> dict[str, str]:
    """Have the connection plugin ssh run a script in the place of ssh; its last argument is the command."""
    ssh = folder / "ssh"
    ssh.write_text(f"#!/usr/bin/env bash\n{script}\n")
    ssh.chmod(0o700)
    return {"ANSIBLE_SSH_EXECUTABLE": str(ssh), "ANSIBLE_SSH_TRANSFER_METHOD": "piped", "ANSIBLE_SSH_RETRIES": "0"}


def old_python(version: str) -> str | None:
    """Return the path of a Python of a version that modules no longer run on; None where there is none."""
    names = [*(Path(folder) / f"python{version}" for folder in os.get_exec_path())]
    names += Path.home().glob(f".pyenv/versions/{version}.*/bin/python3")
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    for name in names:
        if name.is_file():
            answer = subprocess.run([name, "-c", question], capture_output=True, text=True, check=False)
            if answer.stdout.strip() == version:
                return str(name)
    return None
