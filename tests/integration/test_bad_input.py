# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mistake of the user is named in one sentence; if it can be found locally, nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme
from integration.plays import EACH_WAY, Play, checked_output
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"

INVALID_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no token to revoke": ({"state": "absent"}, "missing: access_token"),
    "an empty token to revoke": ({"state": "absent", "access_token": ""}, "access_token is empty"),
    "a token with a line end": ({"access_token": "abc\n"}, "access_token contains white space or a character that"),
    "a result for a token": (
        {"access_token": {"access_token": "a"}},
        "access_token must be a string, but it is a mapping",
    ),
    "a list for a key": ({"app_token": ["a"]}, "app_token must be a string, but it is a list"),
    "a comma": ({"scope": ["vouchers,campaigns", "api"]}, "scope[0] is not one scope, because it contains a comma"),
    "white space": ({"scope": ["api", "vouchers campaigns"]}, "scope[1] is not one scope, because it contains white"),
    "a tab": ({"scope": ["a\tb"]}, "give several scopes as a YAML list"),
    "a quote": ({"scope": ['"a"']}, "scope[0] is not one scope, because it contains '\"'"),
    "an empty scope": ({"scope": ["vouchers", ""]}, "scope[1] is empty; give a scope"),
    "a null in a scope": ({"scope": ["vouchers", None]}, "scope[1] is empty (null); give a value"),
    "a null for a scope": ({"scope": None}, "scope is empty (null); give a list, or leave out the option"),
    "a result in a scope": ({"scope": [{"access_token": "a"}]}, "scope[0] must be a string, but it is a mapping"),
    "a mapping for a scope": ({"scope": {"a": "b"}}, "scope must be a list, but it is a mapping"),
    "an empty list": ({"scope": []}, "scope is an empty list; list at least one scope"),
    "words for a number": ({"timeout": "ten"}, "timeout must be an integer, but it is a string"),
    "a list for a number": ({"timeout": [10]}, "timeout must be an integer, but it is a list"),
    "words for a boolean": ({"force": "perhaps"}, "force must be a boolean, but it is a string"),
    "another state": ({"state": "gone"}, "state must be one of present, absent, but it has another value"),
    "an unknown option": ({"scopes": ["api"]}, "There is no option scopes; the options are access_token, api_base_url"),
    "min_expires_in too high": ({"min_expires_in": 900}, "min_expires_in is too high; it must be from 0 to 899"),
    "min_expires_in negative": ({"min_expires_in": -1}, "min_expires_in is negative; it must be from 0 to 899"),
    "plain http": ({"api_base_url": "http://api.voucherify.io"}, "api_base_url must begin with https://"),
    "user info": ({"api_base_url": "https://u:p@api.voucherify.io"}, "must not contain a user name or a password"),
    "a query": ({"api_base_url": "https://api.voucherify.io/?a=b"}, "must not contain a query or a fragment"),
    "a fragment": ({"api_base_url": "https://api.voucherify.io/#a"}, "must not contain a query or a fragment"),
    "no URL": ({"api_base_url": "voucherify"}, "api_base_url is not a URL"),
    "no CA file": ({"ca_path": "/nowhere/ca.pem"}, "ca_path names a file or folder that does not exist"),
    "another grant": ({"grant_type": "password"}, "grant_type must be one of client_credentials"),
}

HTML = {"status": 404, "body": "<html>Not Found</html>", "headers": {"Content-Type": "text/html"}}
REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "plan exceeded": (
        {"status": 402, "body": '{"code": 402, "key": "limit", "message": "Plan limit"}'},
        "answered 402, Plan limit (limit); the project's plan does not allow it",
    ),
    "a wrong base URL": (HTML, "answered 404 to /v1/oauth/token; check api_base_url"),
}


@EACH_WAY
def test_an_invalid_option_is_reported_and_nothing_is_sent(play: Play, sandbox: Sandbox, way: str) -> None:
    # One play for all, because starting a play takes longer than any of these tasks.
    names = [f"result_{number}" for number in range(len(INVALID_OPTIONS))]
    tasks = [
        {TOKEN: options, "register": name, "ignore_errors": True}
        for name, (options, _sentence) in zip(names, INVALID_OPTIONS.values())
    ]
    run = play(tasks, fetch=names, way=way)
    assert run.status == 0, run.output
    assert not sandbox.requests()
    assert "Traceback" not in run.output
    for name, (fault, (_options, sentence)) in zip(names, INVALID_OPTIONS.items()):
        assert run.variables[name]["failed"], fault
        assert sentence in run.variables[name]["msg"], fault
        assert sentence[:40] in checked_output(run), fault


@EACH_WAY
def test_missing_app_id_and_app_token_are_named(play: Play, sandbox: Sandbox, way: str) -> None:
    run = play([{TOKEN: {}}], way=way, environment={"VOUCHERIFY_APP_ID": "", "VOUCHERIFY_APP_TOKEN": ""})
    assert run.status != 0
    assert (
        "missing required arguments: app_id, app_token; set these options, or the environment variables"
        " VOUCHERIFY_APP_ID and VOUCHERIFY_APP_TOKEN" in checked_output(run)
    )
    assert not sandbox.requests()


@pytest.mark.parametrize(("fault", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_by_the_api_says_what_to_do(
    play: Play, sandbox: Sandbox, fault: dict[str, Any], sentence: str
) -> None:
    sandbox.fail("generate", **fault)
    run = play([{TOKEN: {}}])
    assert run.status != 0
    assert sentence in checked_output(run)


def test_a_wrong_api_key_is_reported(play: Play) -> None:
    run = play([{TOKEN: {"app_token": "another"}}])
    assert run.status != 0
    assert "answered 401, Unauthorized" in checked_output(run)
    assert "check app_id and app_token" in checked_output(run)


def test_an_untrusted_certificate_is_reported(play: Play, tmp_path: Path) -> None:
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    with Sandbox.start(certificate=tmp_path / "server.pem") as secure:
        run = play([{TOKEN: {"api_base_url": secure.url}}])
        assert run.status != 0
        assert "cannot be verified" in checked_output(run)
        assert "set ca_path" in checked_output(run)
        assert not secure.requests()


def test_a_redirect_is_reported_and_not_followed(play: Play, sandbox: Sandbox) -> None:
    with Sandbox.start() as elsewhere:
        sandbox.fail("generate", status=307, headers={"Location": f"{elsewhere.url}/v1/oauth/token"})
        run = play([{TOKEN: {}}])
        assert run.status != 0
        assert "a redirect to 127.0.0.1, which is not followed" in checked_output(run)
        assert not elsewhere.requests()


@EACH_WAY
def test_a_cut_generate_is_not_retried_but_a_cut_introspection_is(play: Play, sandbox: Sandbox, way: str) -> None:
    sandbox.fail("generate", cut=True, carried_out=True)
    run = play([{TOKEN: {}}], way=way)
    assert run.status != 0
    assert "it may have made a token that was lost" in checked_output(run)
    assert len(sandbox.calls("generate")) == 1

    sandbox.fail("introspect", cut=True)
    info = "voucherify.oauth.voucherify_oauth_token_info"
    assert play([{info: {"access_token": "a-token"}}], way=way).status == 0
    assert len(sandbox.calls("introspect")) == 2
