# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of `make coverage` counts what runs outside pytest: in Ansible's workers and in modules."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.voucherify.oauth.plugins.modules import voucherify_oauth_token_info as module
from integration.plays import CHECKOUT, EACH_WAY, WAYS, command_path, run_command, run_environment
from sandbox import Sandbox

pytestmark = pytest.mark.thorough

MODULE = "plugins/modules/voucherify_oauth_token_info.py"
ACTION = "plugins/action/voucherify_oauth_token_info.py"


@EACH_WAY
def test_lines_that_a_task_runs_are_counted(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    tasks = [
        {"voucherify.oauth.voucherify_oauth_token_info": {"access_token": "unknown"}},
        # Ansible may end the last worker before that worker has saved its coverage.
        {"ansible.builtin.debug": None},
    ]
    book = tmp_path / "playbook.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, **WAYS[way], "tasks": tasks}]))
    environment = {
        **run_environment(tmp_path),
        **sandbox.environment,
        "COVERAGE_FILE": str(tmp_path / "data"),
        "CHECKOUT": str(CHECKOUT),
    }

    def coverage(subcommand: str, *arguments: str, cwd: Path) -> None:
        options = f"--rcfile={CHECKOUT / 'pyproject.toml'}"
        status, output = run_command("coverage", subcommand, options, *arguments, environment=environment, cwd=cwd)
        assert status == 0, output

    coverage("run", command_path("ansible-playbook"), str(book), cwd=tmp_path)
    coverage("combine", str(tmp_path), cwd=CHECKOUT)
    coverage("json", "--fail-under=0", "-o", str(tmp_path / "report.json"), cwd=CHECKOUT)
    files: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())["files"]

    # Without the line that defines the function, which also runs when the file is imported.
    lines, first = inspect.getsourcelines(module.work)
    assert set(range(first + 1, first + len(lines))) & set(files[MODULE]["executed_lines"])
    assert files[ACTION]["executed_lines"]
    assert not [name for name in files if not name.startswith("plugins/")], (
        "a module's copy of a file is counted separately"
    )
    # Only a module runs `main`.
    lines, first = inspect.getsourcelines(module.main)
    assert (first + 1 in files[MODULE]["executed_lines"]) == (way == "module")
