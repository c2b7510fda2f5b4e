# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the task files in `tasks/` both ways with -vvv. The collection's own tasks in them have no `no_log`."""

from __future__ import annotations

from pathlib import Path

import pytest
from integration.plays import EACH_WAY, Play
from leaks import find_secrets
from sandbox import Sandbox

FILES = sorted(Path(__file__).with_name("tasks").glob("*.yml"))


@EACH_WAY
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_tasks_pass_and_print_no_secret(play: Play, sandbox: Sandbox, file: Path, way: str) -> None:
    variables = {"sandbox_url": sandbox.environment["VOUCHERIFY_SANDBOX_URL"], "sandbox_api_url": sandbox.url}
    run = play([{"ansible.builtin.include_tasks": str(file)}], "-vvv", "--diff", way=way, vars=variables)
    assert run.status == 0, run.output
    assert not find_secrets(run.output, sandbox)
