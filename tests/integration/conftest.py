# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures that play tasks with the ansible-core beside this interpreter, against the sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.plays import WAYS, Play, Run, run_command, run_environment
from sandbox import Sandbox


@pytest.fixture
def ansible_environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a run that finds this collection and nothing of the user's."""
    return run_environment(tmp_path)


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
            "delegate_to": "localhost",
            "become": False,
            "check_mode": False,
            "changed_when": False,
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
