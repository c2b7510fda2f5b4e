# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two actions that edit a vars file have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import connection_loader
from ansible.template import Templar
from ansible_collections.voucherify.oauth.plugins.module_utils._options import Result
from ansible_collections.voucherify.oauth.plugins.plugin_utils._file_action import FileAction


class MovingAction(FileAction):
    """Lets the path lead to another folder while the file is locked."""

    NAME = "a.test.action"

    def work(self, task_vars: dict[str, Any]) -> Result:
        link: Path = task_vars["link"]
        settings = self.settings(
            {"path": str(link / "tokens.yml"), "format": None, "vault_id": None, "mode": None, "backup": False}
        )
        with self.opened(settings, make_folders=False):
            link.unlink()
            link.symlink_to(task_vars["target"])
        return {"changed": True, "added": ["a_name"]}


def test_a_path_that_leads_elsewhere_at_the_end_fails_the_task_and_keeps_the_result(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    link = tmp_path / "current"
    link.symlink_to(folders[0])
    loader = DataLoader()
    context = PlayContext()
    connection = connection_loader.get("local", context, "/dev/null")
    action = MovingAction(Task(), connection, context, loader, Templar(loader), None)

    result = action.run(task_vars={"link": link, "target": folders[0]})
    assert result == {"changed": True, "added": ["a_name"]}

    result = action.run(task_vars={"link": link, "target": folders[1]})
    assert result["failed"]
    assert result["added"] == ["a_name"]
    assert all(f"{folder}/tokens.yml" in result["msg"] for folder in folders)
