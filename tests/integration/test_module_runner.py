# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token module can be executed on the controller by another action, whatever the task's connection is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from integration.plays import Play, over_ssh
from sandbox import Sandbox

ACTION = """
from ansible_collections.voucherify.oauth.plugins.plugin_utils._module_runner import ModuleRunner

class ActionModule(ModuleRunner):
    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        name = "voucherify.oauth.voucherify_oauth_token"
        return self.run_module_on_controller(name, self._task.args, task_vars)
"""


@pytest.mark.parametrize("keywords", [{}, {"become": True, "become_user": "nobody"}], ids=["plain", "become"])
def test_a_module_runs_on_the_controller_although_the_target_is_unreachable(
    play: Play, sandbox: Sandbox, tmp_path: Path, keywords: dict[str, Any]
) -> None:
    actions = tmp_path / "action"
    actions.mkdir()
    (actions / "on_controller.py").write_text(ACTION)
    environment = {
        **over_ssh(tmp_path, "exit 255"),
        "ANSIBLE_ACTION_PLUGINS": str(actions),
        "ANSIBLE_LIBRARY": str(actions),
    }
    tasks = [
        {"on_controller": {}, "register": "made", "no_log": True},
        {"on_controller": {"access_token": "{{ made.access_token }}"}, "register": "kept", "no_log": True},
    ]
    run = play(tasks, "-i", "far,", "-vvv", hosts="far", environment=environment, keep=["made", "kept"], **keywords)
    assert run.status == 0, run.output
    assert len(sandbox.live_tokens()) == 1
    assert run.kept["kept"]["operation"] == "kept"
    assert run.kept["kept"]["access_token"] == run.kept["made"]["access_token"]
    assert sandbox.live_tokens()[0].access_token not in run.output
    assert sandbox.app_token not in run.output
