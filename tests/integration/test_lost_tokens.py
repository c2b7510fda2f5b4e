# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token that nobody can use is reported, however the task ends."""

from __future__ import annotations

import re
from typing import Any

import pytest
from integration.plays import EACH_WAY, Play, unwrapped
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"
INFO = "voucherify.oauth.voucherify_oauth_token_info"
NOBODY_HAS_IT = "[WARNING]: A token was made and lost, because the task has no register."
MAY_BE_LOST = "[WARNING]: The task was stopped before the API answered. If a token was made, it is lost"


@EACH_WAY
def test_a_token_is_reported_as_lost_if_it_was_made_without_register(play: Play, sandbox: Sandbox, way: str) -> None:
    token = "{{ made.access_token }}"
    tasks: list[dict[str, Any]] = [
        {TOKEN: {}, "register": "made"},
        {TOKEN: {"access_token": token}},
        {TOKEN: {}, "check_mode": True},
        {INFO: {"access_token": token}},
        {TOKEN: {"access_token": token}, "check_mode": True, "register": "kept"},
        {TOKEN: {"access_token": token, "force": True}, "check_mode": True, "register": "replaced"},
        {TOKEN: {"access_token": token, "state": "absent"}},
        {"name": "Lose a token", TOKEN: {}},
        {TOKEN: {"access_token": "an-unknown-token"}, "loop": [1, 2]},
        {TOKEN: {}, "register": "failed", "failed_when": True, "ignore_errors": True},
    ]
    run = play(tasks, way=way, fetch=["made", "kept", "replaced", "failed"])
    before, after = run.output.split("TASK [Lose a token]")
    assert NOBODY_HAS_IT not in unwrapped(before)
    assert NOBODY_HAS_IT in unwrapped(after)
    assert "use access_token of the registered result. The command ansible cannot" in unwrapped(after)
    assert len(sandbox.live_tokens()) == 4
    # Check mode returns a token that it would keep.
    assert run.variables["kept"]["access_token"] == run.variables["made"]["access_token"]
    assert "access_token" not in run.variables["replaced"]
    # A success that counts as a failure still says what was done.
    assert "Unknown error" not in run.output
    assert run.variables["failed"]["msg"].startswith("generated, scope ")


@EACH_WAY
@pytest.mark.parametrize("loop", [{}, pytest.param({"loop": [1]}, marks=pytest.mark.thorough)], ids=["alone", "loop"])
def test_a_task_timeout_mentions_a_lost_token_only_while_generating(
    play: Play, sandbox: Sandbox, way: str, loop: dict[str, Any]
) -> None:
    sandbox.fail("any", hang=True, times=9)
    # Not a short token, because ansible-core 2.22 and newer mask a secret option wherever its text occurs.
    token = {"access_token": "an-unknown-token"}
    timeout = {"timeout": 6, "ignore_errors": True, **loop}
    tasks = [
        {INFO: token, **timeout},
        {"name": "Lose a token", TOKEN: {}, "register": "made", **timeout},
    ]
    run = play(tasks, way=way)
    assert all(sandbox.calls(operation) for operation in ("introspect", "generate"))
    before, after = run.output.split("TASK [Lose a token]")
    assert MAY_BE_LOST not in unwrapped(before)
    assert MAY_BE_LOST in unwrapped(after)
    assert re.search(r"Timed out after|its timeout was reached|in the expected time frame", unwrapped(before))


@EACH_WAY
def test_the_warning_of_a_failed_try_is_shown_although_until_hides_the_failure(
    play: Play, sandbox: Sandbox, way: str
) -> None:
    sandbox.fail("generate", cut=True, carried_out=True)
    run = play([{TOKEN: {}, "register": "made", "until": "made is success", "delay": 0, "retries": 2}], way=way)
    assert len(sandbox.live_tokens()) == 2
    assert "[WARNING]: The failed call may have made a token that was lost." in run.unwrapped
