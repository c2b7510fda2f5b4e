# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token that nobody can use is reported, however the task ends."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from typing import Any

import pytest
from integration.plays import EACH_WAY, Play, run_command, unwrapped
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"
INFO = "voucherify.oauth.voucherify_oauth_token_info"
NOBODY_HAS_IT = "[WARNING]: A token was made and lost, because the task has no register."
MAY_BE_LOST = "[WARNING]: The task was stopped before the API answered. If a token was made, it is lost"


@EACH_WAY
def test_a_token_made_without_register_causes_a_warning(play: Play, sandbox: Sandbox, way: str) -> None:
    run = play([{TOKEN: {}}, {TOKEN: {"access_token": "dead"}, "loop": [1, 2]}], way=way)
    assert run.status == 0, run.output
    assert len(sandbox.live_tokens()) == 3
    assert NOBODY_HAS_IT in run.unwrapped
    assert "use access_token of the registered result" in run.unwrapped


@EACH_WAY
def test_a_token_that_is_registered_kept_or_not_made_is_not_reported_as_lost(play: Play, way: str) -> None:
    tasks: list[dict[str, Any]] = [
        {TOKEN: {}, "register": "made"},
        {TOKEN: {"access_token": "{{ made.access_token }}"}},
        {TOKEN: {}, "check_mode": True},
        {INFO: {"access_token": "{{ made.access_token }}"}},
        {TOKEN: {"access_token": "{{ made.access_token }}", "state": "absent"}},
    ]
    run = play(tasks, way=way)
    assert run.status == 0, run.output
    assert NOBODY_HAS_IT not in run.unwrapped


def test_a_token_made_ad_hoc_causes_a_warning(
    sandbox: Sandbox, tmp_path: Path, ansible_environment: dict[str, str]
) -> None:
    status, output = run_command(
        *("ansible", "localhost", "-m", TOKEN),
        environment={**ansible_environment, **sandbox.environment},
        cwd=tmp_path,
    )
    assert status == 0, output
    assert NOBODY_HAS_IT in unwrapped(output)
    assert sandbox.live_tokens()[0].access_token not in output


@EACH_WAY
@pytest.mark.parametrize("loop", [{}, {"loop": [1]}], ids=["alone", "loop"])
def test_a_task_timeout_while_generating_says_that_a_token_may_have_been_made(
    play: Play, sandbox: Sandbox, way: str, loop: dict[str, Any]
) -> None:
    sandbox.fail("generate", hang=True)
    run = play([{TOKEN: {}, "register": "made", "timeout": 4, **loop}], way=way)
    assert run.status != 0
    assert sandbox.calls("generate")
    assert MAY_BE_LOST in run.unwrapped


@EACH_WAY
def test_a_task_timeout_in_a_loop_is_named(play: Play, sandbox: Sandbox, way: str) -> None:
    sandbox.fail("introspect", hang=True, times=9)
    # Not a short token, because ansible-core 2.22 and newer mask a secret option wherever its text occurs.
    run = play([{INFO: {"access_token": "an-unknown-token"}, "timeout": 3, "loop": [1]}], way=way)
    assert run.status != 0
    assert re.search(r"Timed out after|its timeout was reached", run.unwrapped)


@pytest.mark.parametrize(
    "task",
    [
        {"voucherify.oauth.vaulted_vars": {"path": "locked/a.yml", "variables": {"a": "b"}}},
        {"voucherify.oauth.vaulted_tokens": {"path": "locked/a.yml", "tokens": [{"name": "a"}]}},
    ],
)
def test_a_task_timeout_while_waiting_for_a_lock_in_a_loop_is_named(
    play: Play, tmp_path: Path, task: dict[str, Any]
) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    name, options = next(iter(task.items()))
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        run = play([{name: {**options, "path": str(folder / "a.yml")}, "timeout": 2, "loop": [1]}])
    finally:
        os.close(descriptor)
    assert run.status != 0
    assert re.search(r"Timed out after|its timeout was reached", run.unwrapped)


def test_a_task_timeout_of_another_call_does_not_mention_a_lost_token(play: Play, sandbox: Sandbox) -> None:
    sandbox.fail("introspect", hang=True, times=9)
    sandbox.fail("revoke", hang=True, times=9)
    tasks = [
        {INFO: {"access_token": "an-unknown-token"}, "timeout": 2, "ignore_errors": True},
        {TOKEN: {"access_token": "an-unknown-token", "state": "absent"}, "timeout": 2, "ignore_errors": True},
    ]
    run = play(tasks)
    assert run.status == 0, run.output
    assert MAY_BE_LOST not in run.unwrapped


@EACH_WAY
def test_the_warning_of_a_failed_try_is_shown_although_until_hides_the_failure(
    play: Play, sandbox: Sandbox, way: str
) -> None:
    sandbox.fail("generate", cut=True, carried_out=True)
    run = play([{TOKEN: {}, "register": "made", "until": "made is success", "delay": 0, "retries": 2}], way=way)
    assert run.status == 0, run.output
    assert len(sandbox.live_tokens()) == 2
    assert "[WARNING]: The failed call may have made a token that was lost." in run.unwrapped


@EACH_WAY
def test_check_mode_returns_a_token_that_it_would_keep(play: Play, sandbox: Sandbox, way: str) -> None:
    made = play([{TOKEN: {}, "register": "made"}], fetch=["made"]).variables["made"]["access_token"]
    tasks = [
        {TOKEN: {"access_token": made}, "register": "kept"},
        {TOKEN: {"access_token": made, "force": True}, "register": "replaced"},
    ]
    run = play(tasks, "--check", way=way, fetch=["kept", "replaced"])
    assert run.status == 0, run.output
    assert run.variables["kept"]["access_token"] == made
    assert "access_token" not in run.variables["replaced"]
    assert len(sandbox.live_tokens()) == 1


@EACH_WAY
def test_failed_when_on_a_hidden_success_says_what_was_done(play: Play, way: str) -> None:
    run = play([{TOKEN: {}, "register": "made", "failed_when": True, "ignore_errors": True}], way=way, fetch=["made"])
    assert run.status == 0, run.output
    assert "Unknown error" not in run.output
    assert run.variables["made"]["msg"].startswith("generated, scope ")
