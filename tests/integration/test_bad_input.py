# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong is said in one sentence; if it can be found locally, nothing is sent."""

from __future__ import annotations

from typing import Any

from integration.plays import EACH_WAY, Play, checked_output
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"
INFO = "voucherify.oauth.voucherify_oauth_token_info"

INVALID_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no token to revoke": ({"state": "absent"}, "missing: access_token"),
    "an empty token to revoke": ({"state": "absent", "access_token": ""}, "access_token is empty"),
    "a token with a line end": ({"access_token": "abc\n"}, "access_token contains white space or a character that"),
    "a result for a token": (
        {"access_token": {"access_token": "a"}},
        "access_token must be a string, but it is a mapping",
    ),
    "a comma": ({"scope": ["vouchers,campaigns", "api"]}, "scope[0] is not one scope, because it contains a comma"),
    "white space": ({"scope": ["api", "vouchers campaigns"]}, "scope[1] is not one scope, because it contains white"),
    "a tab": ({"scope": ["a\tb"]}, "give several scopes as a YAML list"),
    "a quote": ({"scope": ['"a"']}, "scope[0] is not one scope, because it contains '\"'"),
    "an empty scope": ({"scope": ["vouchers", ""]}, "scope[1] is empty; give a scope"),
    "a null in a scope": ({"scope": ["vouchers", None]}, "scope[1] is empty (null); give a value"),
    "a null for a scope": ({"scope": None}, "scope is empty (null); give a list, or leave out the option"),
    "an empty list": ({"scope": []}, "scope is an empty list; list at least one scope"),
    "words for a boolean": ({"force": "perhaps"}, "force must be a boolean, but it is a string"),
    "another state": ({"state": "gone"}, "state must be one of present, absent, but it has another value"),
    "an unknown option": ({"scopes": ["api"]}, "There is no option scopes; the options are access_token, api_base_url"),
    "min_expires_in too high": ({"min_expires_in": 900}, "min_expires_in is too high; it must be from 0 to 899"),
    "min_expires_in negative": ({"min_expires_in": -1}, "min_expires_in is negative; it must be from 0 to 899"),
    "no URL": ({"api_base_url": "voucherify"}, "api_base_url is not a URL"),
}
MISSING_KEYS = (
    "missing required arguments: app_id, app_token; set these options, or the environment variables"
    " VOUCHERIFY_APP_ID and VOUCHERIFY_APP_TOKEN"
)


@EACH_WAY
def test_an_invalid_or_missing_option_is_reported_and_nothing_is_sent(play: Play, sandbox: Sandbox, way: str) -> None:
    tasks: list[dict[str, Any]] = [{TOKEN: options} for options, _sentence in INVALID_OPTIONS.values()]
    tasks.append({TOKEN: {}, "environment": {"VOUCHERIFY_APP_ID": "", "VOUCHERIFY_APP_TOKEN": ""}})
    sentences = {name: sentence for name, (_options, sentence) in INVALID_OPTIONS.items()} | {"no keys": MISSING_KEYS}
    names = [f"result_{number}" for number in range(len(tasks))]
    run = play(
        [{**task, "register": name, "ignore_errors": True} for task, name in zip(tasks, names)], fetch=names, way=way
    )
    assert run.status == 0, run.output
    assert not sandbox.requests()
    for name, (fault, sentence) in zip(names, sentences.items()):
        assert run.variables[name]["failed"], fault
        assert sentence in run.variables[name]["msg"], fault
        assert sentence[:40] in checked_output(run), fault


@EACH_WAY
def test_a_failed_call_says_what_to_do_and_only_one_that_makes_no_token_is_repeated(
    play: Play, sandbox: Sandbox, way: str
) -> None:
    message = '{"code": 402, "key": "limit", "message": "Plan limit"}'
    sandbox.fail("generate", status=402, body=message)
    sandbox.fail("generate", status=404, body="<html>Not Found</html>", headers={"Content-Type": "text/html"})
    sandbox.fail("generate", cut=True, carried_out=True)
    sandbox.fail("introspect", cut=True)
    tasks: dict[str, dict[str, Any]] = {
        "plan": {TOKEN: {}},
        "url": {TOKEN: {}},
        "lost": {TOKEN: {}},
        "key": {TOKEN: {"app_token": "another"}},
        "cut": {INFO: {"access_token": "a-token"}},
    }
    run = play(
        [{**task, "register": name, "ignore_errors": True} for name, task in tasks.items()], fetch=[*tasks], way=way
    )
    for name, sentence in {
        "plan": "answered 402, Plan limit (limit); the project's plan does not allow it",
        "url": "answered 404 to /v1/oauth/token; check api_base_url",
        "lost": "it may have made a token that was lost",
        "key": "answered 401, Unauthorized",
    }.items():
        assert sentence in run.variables[name]["msg"]
        assert sentence in checked_output(run)
    assert "check app_id and app_token" in run.variables["key"]["msg"]
    assert run.variables["cut"]["active"] is False
    assert [call.operation for call in sandbox.requests()] == ["generate"] * 4 + ["introspect"] * 2
