# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures that run tasks with the ansible-core next to this interpreter, against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.long_play import LongPlay
from integration.plays import Play, Run, Task, run_environment, start_play
from integration.token_file import TokenFile
from sandbox import Sandbox


@pytest.fixture(scope="session")
def _long_play(tmp_path_factory: pytest.TempPathFactory, _running_sandbox: Sandbox) -> Iterator[LongPlay]:
    with LongPlay(tmp_path_factory.mktemp("long_play"), _running_sandbox.environment) as play:
        yield play


@pytest.fixture
def long_play(_long_play: LongPlay) -> Iterator[LongPlay]:
    """A play that lasts as long as the tests and uses the sandbox. Each test has a folder of its own."""
    yield _long_play
    _long_play.give_up_unfinished()


@pytest.fixture
def vault(tmp_path: Path, sandbox: Sandbox, long_play: LongPlay) -> TokenFile:
    """A vars file of the test's own. The sandbox has no rate limit."""
    sandbox.configure(rate_limit=0)
    return TokenFile(tmp_path, sandbox, long_play)


@pytest.fixture
def ansible_environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a run that finds this collection and none of the user's own files."""
    return run_environment(tmp_path)


@pytest.fixture
def play(tmp_path: Path, sandbox: Sandbox) -> Play:
    """Run tasks as a play in the test's folder, like `start_play`. The play must succeed, or fail if `fails` is set."""

    def run(
        tasks: str | Sequence[Task],
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        fails: bool = False,
        **how: Any,
    ) -> Run:
        tasks = yaml.safe_load(tasks) if isinstance(tasks, str) else tasks
        done = start_play(
            tmp_path, tasks, *arguments, environment={**sandbox.environment, **(environment or {})}, **how
        ).end()
        assert (done.status != 0) is fails, done.output
        assert "Traceback" not in done.output
        return done

    return run
