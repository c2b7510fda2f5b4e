# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another action can execute a token module on the controller, whatever connection the task has."""

from __future__ import annotations

from pathlib import Path

import pytest
from integration.plays import Play, fake_ssh
from leaks import find_secrets
from sandbox import Sandbox

ACTION = """
from ansible_collections.voucherify.oauth.plugins.plugin_utils._module_runner import ModuleRunner

class ActionModule(ModuleRunner):
    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        name = "voucherify.oauth.voucherify_oauth_token"
        return self.run_module_on_controller(name, self._task.args, task_vars)
"""


@pytest.mark.thorough
def test_a_module_runs_on_the_controller_although_the_target_is_unreachable(
    play: Play, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "on_controller.py").write_text(ACTION)
    folders = {"ANSIBLE_ACTION_PLUGINS": str(tmp_path), "ANSIBLE_LIBRARY": str(tmp_path)}
    tasks = [
        {"on_controller": {}, "register": "made", "no_log": True},
        {"on_controller": {"access_token": "{{ made.access_token }}"}, "register": "kept", "no_log": True},
    ]
    run = play(
        tasks,
        *("-i", "far,", "-vvv"),
        hosts="far",
        environment={**fake_ssh(tmp_path, "exit 255"), **folders},
        fetch=["made", "kept"],
        become=True,
        become_user="nobody",
    )
    assert run.status == 0, run.output
    assert len(sandbox.live_tokens()) == 1
    assert run.variables["kept"]["operation"] == "kept"
    assert run.variables["kept"]["access_token"] == run.variables["made"]["access_token"]
    assert not find_secrets(run.output, sandbox)
