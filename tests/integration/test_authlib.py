# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection works with an independent OAuth server that follows the RFCs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from authlib_server import AuthlibServer, serve_authlib
from integration.plays import EACH_WAY, Play, run_command

TOKEN = "voucherify.oauth.voucherify_oauth_token"
INFO = "voucherify.oauth.voucherify_oauth_token_info"
ROLE = "voucherify.oauth.token_vault"

LIFECYCLE = f"""
- {TOKEN}:
    scope: [vouchers, campaigns]
  register: made
- {TOKEN}:
    scope: [campaigns, vouchers]
    access_token: "{{{{ made.access_token }}}}"
  register: kept
- {INFO}:
    access_token: "{{{{ made.access_token }}}}"
  register: introspected
- {TOKEN}:
    scope: [orders]
    access_token: "{{{{ made.access_token }}}}"
    revoke_replaced: true
  register: replaced
- {INFO}:
    access_token: "{{{{ made.access_token }}}}"
  register: old
- {TOKEN}:
    access_token: "{{{{ replaced.access_token }}}}"
    state: absent
  register: revoked
- {INFO}:
    access_token: "{{{{ replaced.access_token }}}}"
  register: dead
- {TOKEN}:
    access_token: "{{{{ replaced.access_token }}}}"
    state: absent
- {TOKEN}:
    scope: [no-such-scope]
  register: no_scope
  ignore_errors: true
- {TOKEN}:
    app_token: wrong
  register: no_key
  ignore_errors: true
"""


@pytest.fixture
def authlib() -> Iterator[AuthlibServer]:
    with serve_authlib() as server:
        yield server


@EACH_WAY
def test_a_token_is_made_kept_replaced_and_revoked(play: Play, authlib: AuthlibServer, way: str) -> None:
    names = ["made", "kept", "introspected", "replaced", "old", "revoked", "dead", "no_scope", "no_key"]
    run = play(LIFECYCLE, way=way, fetch=names, environment=authlib.environment)
    assert run.status == 0, run.output
    made, kept, introspected, replaced = (run.variables[name] for name in names[:4])
    operations = [run.variables[name].get("operation") for name in ("made", "kept", "replaced", "revoked")]
    assert operations == ["generated", "kept", "replaced", "revoked"]
    assert [made["access_token"], replaced["access_token"]] == list(authlib.tokens)
    assert kept["access_token"] == made["access_token"]
    assert not authlib.live_tokens()
    for result in (made, kept, introspected):
        assert result["token_type"] == "Bearer"
        assert set(result["scope"]) == {"vouchers", "campaigns"}
        assert 0 < result["expires_in"] <= 900
        # The collection computes it from the time of the answer.
        assert abs(result["expires_at"] - authlib.tokens[made["access_token"]].expires_at) <= 2
    assert replaced["scope"] == ["orders"]
    assert [run.variables[name]["active"] for name in ("introspected", "old", "dead")] == [True, False, False]
    assert [run.variables[name]["error"]["status"] for name in ("no_scope", "no_key")] == [400, 401]


@EACH_WAY
def test_the_role_keeps_tokens(play: Play, authlib: AuthlibServer, tmp_path: Path, way: str) -> None:
    (tmp_path / "password").write_text("a password")
    names = ["vouchers_token", "orders_token"]

    def run(tasks_from: str = "main", **variables: Any) -> dict[str, str]:
        role = {"ansible.builtin.include_role": {"name": ROLE, "tasks_from": tasks_from}}
        variables |= {
            "token_vault_path": str(tmp_path / "vault.yml"),
            "token_vault_tokens": [{"name": name, "scope": [name.partition("_")[0]]} for name in names],
        }
        finished = play(
            [role],
            *("--vault-password-file", str(tmp_path / "password")),
            way=way,
            fetch=["token_vault_results"] if tasks_from == "main" else [],
            vars=variables,
            environment=authlib.environment,
        )
        assert finished.status == 0, finished.output
        return {result["name"]: result["operation"] for result in finished.variables.get("token_vault_results", [])}

    assert run() == dict.fromkeys(names, "generated")
    first = authlib.live_tokens()
    assert len(first) == 2
    assert run() == dict.fromkeys(names, "kept")
    replaced = run(token_vault_force=True, token_vault_revoke_replaced=True)
    assert replaced == dict.fromkeys(names, "replaced")
    assert len(authlib.live_tokens()) == 2
    assert not set(first) & set(authlib.live_tokens())
    run("revoke")
    assert not authlib.live_tokens()


def test_check_reports_each_difference_as_handled(
    authlib: AuthlibServer, ansible_environment: dict[str, str], tmp_path: Path
) -> None:
    environment = {**ansible_environment, **authlib.environment}
    status, output = run_command("ansible-playbook", "voucherify.oauth.check", environment=environment, cwd=tmp_path)
    assert status == 0, output
    assert output.count("differs, handled") == 8
    assert len(authlib.tokens) == 1
    assert not authlib.live_tokens()
