# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of the action vaulted_vars: its options, and its message when it is run without the action."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.voucherify.oauth.plugins.modules import vaulted_vars


def test_the_documented_options_are_those_that_the_action_takes() -> None:
    def facts(options: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        known = ("type", "required", "choices", "default", "elements")
        return {name: {fact: option[fact] for fact in known if fact in option} for name, option in options.items()}

    assert facts(yaml.safe_load(vaulted_vars.DOCUMENTATION)["options"]) == facts(vaulted_vars.ARGUMENT_SPEC)


def test_the_module_itself_says_that_it_is_an_action(tmp_path: Path) -> None:
    arguments = tmp_path / "arguments.json"
    arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {"path": "vars.yml", "variables": {}}}))

    finished = subprocess.run(
        [sys.executable, "-m", vaulted_vars.__name__, str(arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        check=False,
    )

    assert finished.returncode == 1
    assert json.loads(finished.stdout)["msg"] == (
        "voucherify.oauth.vaulted_vars runs on the controller; use its full name in a task"
    )
