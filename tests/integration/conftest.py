# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of ansible-playbook, the one beside this interpreter, against the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml
from sandbox import Sandbox

CHECKOUT = Path(__file__).parents[2]
COLLECTIONS = CHECKOUT / "build" / "collections"

# How a task's work is done: in Ansible's worker process, or as a module, which environment variables enforce.
WAYS: dict[str, dict[str, Any]] = {"worker": {}, "module": {"environment": {"THIS_TASK": "runs as a module"}}}
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
    ) -> Run: ...


def command(name: str) -> str:
    """Return the path of one of ansible-core's commands."""
    return str(Path(sys.executable).with_name(name))


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


@pytest.fixture
def ansible_environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a run that finds this collection and nothing of the user's."""
    return {
        "HOME": str(tmp_path),
        "ANSIBLE_HOME": str(tmp_path / ".ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_NOCOLOR": "true",
    }


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox, ansible_environment: dict[str, str]) -> Play:
    """Run tasks as a play of localhost that knows the sandbox. Variables named in `keep` are handed back."""

    def run(
        tasks: str | Sequence[Mapping[str, Any]],
        *arguments: str,
        way: str = "worker",
        keep: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        **play: Any,
    ) -> Run:
        kept = tmp_path / "kept.json"
        kept.unlink(missing_ok=True)
        keeping = {
            "name": "Keep variables for the test",
            "ansible.builtin.copy": {"dest": str(kept), "mode": "0600", "content": _as_json(keep)},
            "check_mode": False,
            "diff": False,
            "no_log": True,
        }
        book = {
            "hosts": "localhost",
            "gather_facts": False,
            **WAYS[way],
            **play,
            "tasks": [
                *(yaml.safe_load(tasks) if isinstance(tasks, str) else tasks),
                *([keeping] if keep else []),
            ],
        }
        playbook = tmp_path / "playbook.yml"
        playbook.write_text(yaml.safe_dump([book], sort_keys=False))
        status, output = run_command(
            "ansible-playbook",
            str(playbook),
            *arguments,
            environment={**ansible_environment, **sandbox.environment, **(environment or {})},
            cwd=tmp_path,
        )
        return Run(status, output, json.loads(kept.read_text()) if kept.exists() else {})

    return run


def _as_json(names: Sequence[str]) -> str:
    return "{{ {" + ", ".join(f"'{name}': {name}" for name in names) + "} | to_json }}"
