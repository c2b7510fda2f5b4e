# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules handle what the playbook `check` calls handled."""

from __future__ import annotations

from typing import Any

from integration.deviations import EACH_HANDLED, HANDLED_DEVIATIONS
from integration.plays import Play
from sandbox import ALWAYS, Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"
INFO = "voucherify.oauth.voucherify_oauth_token_info"


@EACH_HANDLED
def test_a_token_is_made_introspected_kept_and_revoked_despite_deviations(
    play: Play, sandbox: Sandbox, deviation: str
) -> None:
    faults, _rows = HANDLED_DEVIATIONS[deviation]
    for operation, fault in faults.items():
        sandbox.fail(operation, times=ALWAYS, **fault)
    token = {"access_token": "{{ made.access_token }}"}
    tasks: list[dict[str, Any]] = [
        {TOKEN: {"scope": ["vouchers", "orders"]}, "register": "made"},
        {INFO: token, "register": "active"},
        {TOKEN: {**token, "scope": ["orders", "vouchers"], "revoke_replaced": True}, "register": "again"},
        *({TOKEN: {"access_token": "{{ again.access_token }}", "state": "absent"}, "register": name} for name in "ab"),
        {INFO: {"access_token": "{{ again.access_token }}"}, "register": "inactive"},
        {TOKEN: {"scope": ["no-such-scope"]}, "register": "no_scope", "ignore_errors": True},
    ]
    run = play(tasks, fetch=["made", "active", "again", "a", "b", "inactive", "no_scope"])
    assert run.status == 0, run.output
    made, again = run.variables["made"], run.variables["again"]
    assert (made["scope"], made["token_type"]) == (["vouchers", "orders"], "Bearer")
    assert 880 <= made["expires_in"] <= 900
    assert abs(made["expires_at"] - sandbox.tokens()[0].expires_at) <= 5
    # A token whose scope and expiry are unknown is not kept.
    drops = faults.get("any", {}).get("drop", ())
    kept = "scope" not in drops
    assert again["operation"] == ("kept" if kept else "replaced")
    assert (made["access_token"] == again["access_token"]) is kept
    assert [run.variables[name]["active"] for name in ("active", "inactive")] == [True, False]
    assert [run.variables[name]["operation"] for name in "ab"] == ["revoked", "none"]
    assert run.variables["no_scope"]["error"]["status"] == 400
    assert not sandbox.live_tokens()
