# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules return what is documented, and everything that they return is documented."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml
from integration.plays import Play
from sandbox import Sandbox

# What Ansible itself adds to a result, or what every module returns.
ADDED_BY_ANSIBLE = {"changed", "failed", "msg", "warnings", "deprecations", "exception", "ansible_facts", "diff"}

# For each module, options that together make it return everything it can return, including failures.
TASKS: dict[str, list[dict[str, Any]]] = {
    "voucherify_oauth_token": [{}, {"retries": 0}, {"app_token": "a-wrong-application-key"}],
    "voucherify_oauth_token_info": [
        {"access_token": "{{ token.access_token }}"},
        {"access_token": "{{ token.access_token }}", "retries": 0},
        {"access_token": "{{ token.access_token }}", "app_token": "a-wrong-application-key"},
    ],
    "vaulted_tokens": [
        {"path": "tokens.yml", "tokens": [{"name": "one", "scope": ["api"]}]},
        {"path": "tokens.yml", "tokens": [{"name": "one", "scope": ["vouchers"]}], "retries": 0},
        {"path": "tokens.yml", "tokens": [{"name": "one", "scope": ["vouchers"]}]},
        {"path": "tokens.yml", "tokens": [{"name": "one", "state": "absent"}]},
        {"path": "tokens.yml", "tokens": [{"name": "two"}], "app_token": "a-wrong-application-key"},
    ],
    "vaulted_vars": [
        {"path": "vars.yml", "variables": {"one": "1"}},
        {"path": "vars.yml", "variables": {"one": "2"}, "backup": True},
        {"path": "vars.yml", "state": "absent", "names": ["one"]},
    ],
}


@pytest.mark.parametrize(
    "module",
    [
        *("voucherify_oauth_token", "vaulted_tokens"),
        *(pytest.param(name, marks=pytest.mark.thorough) for name in ("voucherify_oauth_token_info", "vaulted_vars")),
    ],
)
def test_a_module_returns_what_is_documented(play: Play, sandbox: Sandbox, module: str) -> None:
    # The first token is made as documented, and the next answer differs.
    sandbox.fail("generate", skip=1, success_status=201)
    sandbox.fail("introspect", success_status=201)
    # The outcome of the next call is unknown.
    for operation in ("generate", "introspect"):
        sandbox.fail(operation, status=503)
    tasks: list[dict[str, Any]] = [{"voucherify.oauth.voucherify_oauth_token": {}, "register": "token"}]
    names = [f"result_{number}" for number, _options in enumerate(TASKS[module])]
    for name, options in zip(names, TASKS[module]):
        tasks.append({f"voucherify.oauth.{module}": options, "register": name, "ignore_errors": True})
    run = play(tasks, fetch=names, vault_ids=["default"])
    results = run.variables.values()

    documented = yaml.safe_load(
        importlib.import_module(f"ansible_collections.voucherify.oauth.plugins.modules.{module}").RETURN
    )
    assert {name for result in results for name in result} - ADDED_BY_ANSIBLE == set(documented) - ADDED_BY_ANSIBLE
    for name in documented.keys() & {"error", "tokens"}:
        found = [result[name] for result in results if name in result]
        contained = [item for value in found for item in (value if isinstance(value, list) else [value])]
        assert {key for item in contained for key in item} == set(documented[name]["contains"])
        always = {key for key, value in documented[name]["contains"].items() if value["returned"] == "always"}
        assert all(always <= item.keys() for item in contained)
