# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module behind which the action stands: its options, and what it says when it is run by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.testing import patch_module_args
from ansible_collections.voucherify.oauth.plugins.modules import vaulted_vars


def test_the_documented_options_are_those_that_the_action_takes() -> None:
    def facts(options: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        known = ("type", "required", "choices", "default", "elements")
        return {name: {fact: option[fact] for fact in known if fact in option} for name, option in options.items()}

    assert facts(yaml.safe_load(vaulted_vars.DOCUMENTATION)["options"]) == facts(vaulted_vars.ARGUMENT_SPEC)


def test_the_examples_are_tasks_whose_options_exist() -> None:
    validator = ArgumentSpecValidator(vaulted_vars.ARGUMENT_SPEC, **vaulted_vars.RULES)

    for task in yaml.safe_load(vaulted_vars.EXAMPLES):
        if "voucherify.oauth.vaulted_vars" in task:
            assert validator.validate(task["voucherify.oauth.vaulted_vars"]).error_messages == []


def test_the_module_itself_says_that_it_is_an_action(capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({"path": "vars.yml", "variables": {}}), pytest.raises(SystemExit):
        vaulted_vars.main()

    assert json.loads(capsys.readouterr().out)["msg"] == (
        "voucherify.oauth.vaulted_vars is an action that runs on the controller; call it in a task by its full name"
    )
