# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of the documentation runs."""

from __future__ import annotations

import importlib

import pytest
from integration.plays import Play
from sandbox import Sandbox

MODULES = ["voucherify_oauth_token", "voucherify_oauth_token_info"]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module_run(play: Play, sandbox: Sandbox, module: str) -> None:
    examples = importlib.import_module(f"ansible_collections.voucherify.oauth.plugins.modules.{module}").EXAMPLES
    token = play([{"voucherify.oauth.voucherify_oauth_token": {"scope": ["vouchers"]}, "register": "t"}], keep=["t"])
    variables = {
        "voucherify_app_id": sandbox.app_id,
        "voucherify_app_token": sandbox.app_token,
        "voucherify_api_base_url": sandbox.url,
        "vault_voucherify_token": token.kept["t"]["access_token"],
    }
    run = play(examples, vars=variables)
    assert run.status == 0, run.output
    assert "ignored=0" in run.output
