# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The targets, played both ways, at full verbosity and without a single no_log of theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
from integration.plays import EACH_WAY, Play
from sandbox import Sandbox

TARGETS = Path(__file__).with_name("targets")


@EACH_WAY
@pytest.mark.parametrize("target", sorted(folder.name for folder in TARGETS.iterdir()))
def test_target(play: Play, sandbox: Sandbox, target: str, way: str) -> None:
    variables = {"sandbox_url": sandbox.environment["VOUCHERIFY_SANDBOX_URL"], "sandbox_api_url": sandbox.url}
    tasks = [{"ansible.builtin.include_role": {"name": str(TARGETS / target)}}]
    run = play(tasks, "-vvv", "--diff", way=way, vars=variables)
    assert run.status == 0, run.output
    assert sandbox.app_token not in run.output
    assert not [token for token in sandbox.tokens() if token.access_token in run.output]
