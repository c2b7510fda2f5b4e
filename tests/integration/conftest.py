# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures that run tasks with the ansible-core next to this interpreter, against the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.long_play import LongPlay
from integration.plays import WAYS, Play, Run, run_command, run_environment, save_task
from sandbox import Sandbox


@pytest.fixture(scope="session")
def long_play(tmp_path_factory: pytest.TempPathFactory, _running_sandbox: Sandbox) -> Iterator[LongPlay]:
    """A play that lasts as long as the tests and uses the sandbox. Each test has a folder of its own."""
    with LongPlay(tmp_path_factory.mktemp("long_play"), _running_sandbox.environment) as play:
        yield play


@pytest.fixture
def ansible_environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a run that finds this collection and none of the user's own files."""
    return run_environment(tmp_path)


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox, ansible_environment: dict[str, str]) -> Play:
    """Run tasks as a play on localhost that uses the sandbox. The variables named in `fetch` are returned."""

    def run(
        tasks: str | Sequence[Mapping[str, Any]],
        *arguments: str,
        way: str = "worker",
        fetch: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        **play: Any,
    ) -> Run:
        fetched = tmp_path / "fetched.json"
        fetched.unlink(missing_ok=True)
        book = {
            "hosts": "localhost",
            "gather_facts": False,
            **WAYS[way],
            **play,
            "tasks": [
                *(yaml.safe_load(tasks) if isinstance(tasks, str) else tasks),
                *([save_task(fetched, fetch)] if fetch else []),
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
        return Run(status, output, json.loads(fetched.read_text()) if fetched.exists() else {})

    return run
