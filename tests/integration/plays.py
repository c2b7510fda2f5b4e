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
