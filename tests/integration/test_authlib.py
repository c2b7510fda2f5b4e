# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection works with an independent OAuth server that follows the RFCs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from authlib_server import AuthlibServer, serve_authlib
from integration.plays import Play, run_command

TASKS = """
- voucherify.oauth.voucherify_oauth_token: {scope: [vouchers, campaigns]}
  register: made
- voucherify.oauth.voucherify_oauth_token: {scope: [campaigns, vouchers], access_token: "{{ made.access_token }}"}
  register: kept
- voucherify.oauth.voucherify_oauth_token_info: {access_token: "{{ made.access_token }}"}
  register: introspected
- voucherify.oauth.voucherify_oauth_token:
    scope: [orders]
    access_token: "{{ made.access_token }}"
    revoke_replaced: true
  register: replaced
- voucherify.oauth.voucherify_oauth_token_info: {access_token: "{{ made.access_token }}"}
  register: old
- voucherify.oauth.voucherify_oauth_token: {access_token: "{{ replaced.access_token }}", state: absent}
  register: revoked
- voucherify.oauth.voucherify_oauth_token_info: {access_token: "{{ replaced.access_token }}"}
  register: dead
- voucherify.oauth.voucherify_oauth_token: {access_token: "{{ replaced.access_token }}", state: absent}
- voucherify.oauth.voucherify_oauth_token: {scope: [no-such-scope]}
  register: no_scope
  ignore_errors: true
- voucherify.oauth.voucherify_oauth_token: {app_token: wrong}
  register: no_key
  ignore_errors: true
- voucherify.oauth.vaulted_tokens: "{{ {'path': 'tokens.yml', 'tokens': tokens} | combine(item) }}"
  loop: [{}, {}, {force: true, revoke_replaced: true}, {state: absent}]
  register: in_file
"""


@pytest.fixture
def authlib() -> Iterator[AuthlibServer]:
    with serve_authlib() as server:
        yield server


def test_tokens_are_made_kept_replaced_and_revoked(play: Play, authlib: AuthlibServer) -> None:
    names = ["made", "kept", "introspected", "replaced", "old", "revoked", "dead", "no_scope", "no_key", "in_file"]
    run = play(
        TASKS,
        fetch=names,
        vault_ids=["default"],
        environment=authlib.environment,
        vars={"tokens": [{"name": f"{scope}_token", "scope": [scope]} for scope in ("vouchers", "orders")]},
    )
    made, kept, introspected, replaced, old, revoked, dead, no_scope, no_key, in_file = (
        run.variables[name] for name in names
    )
    operations = [result["operation"] for result in (made, kept, replaced, revoked)]
    assert operations == ["generated", "kept", "replaced", "revoked"]
    assert [made["access_token"], replaced["access_token"]] == list(authlib.tokens)[:2]
    assert kept["access_token"] == made["access_token"]
    for result in (made, kept, introspected):
        assert result["token_type"] == "Bearer"
        assert set(result["scope"]) == {"vouchers", "campaigns"}
        assert 0 < result["expires_in"] <= 900
        # The collection computes it from the time of the answer.
        assert abs(result["expires_at"] - authlib.tokens[made["access_token"]].expires_at) <= 2
    assert replaced["scope"] == ["orders"]
    assert [result["active"] for result in (introspected, old, dead)] == [True, False, False]
    assert [result["error"]["status"] for result in (no_scope, no_key)] == [400, 401]
    turns = [{token["operation"] for token in turn["tokens"]} for turn in in_file["results"]]
    assert turns == [{"generated"}, {"kept"}, {"replaced"}, {"revoked"}]
    assert len(authlib.tokens) == 6
    assert not authlib.live_tokens()


@pytest.mark.thorough
def test_check_reports_each_difference_as_handled(
    authlib: AuthlibServer, ansible_environment: dict[str, str], tmp_path: Path
) -> None:
    environment = {**ansible_environment, **authlib.environment}
    status, output = run_command("ansible-playbook", "voucherify.oauth.check", environment=environment, cwd=tmp_path)
    assert status == 0, output
    assert output.count("differs, handled") == 8
    assert len(authlib.tokens) == 1
    assert not authlib.live_tokens()
