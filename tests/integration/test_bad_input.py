# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong is said in one sentence; if it can be found locally, nothing is sent."""

from __future__ import annotations

from typing import Any

from integration.plays import EACH_WAY, Play
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"
INFO = "voucherify.oauth.voucherify_oauth_token_info"

INVALID_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"state": "absent"}, "missing: access_token"),
    ({"state": "absent", "access_token": ""}, "access_token is empty"),
    ({"access_token": "a-token-and-a-line-end\n"}, "access_token contains white space or a character that"),
    ({"access_token": {"access_token": "a-token-in-a-mapping"}}, "access_token must be a string, but it is a mapping"),
    ({"scope": ["vouchers,campaigns", "api"]}, "scope[0] is not one scope, because it contains ','"),
    ({"scope": ["api", "a\tb"]}, "scope[1] is not one scope, because it contains white space"),
    ({"scope": []}, "scope is an empty list; list at least one scope"),
    ({"force": "perhaps"}, "force must be a boolean, but it is a string"),
    ({"min_expires_in": 900}, "min_expires_in is too high; it must be from 0 to 899"),
]
NO_KEYS = {TOKEN: {}, "environment": {"VOUCHERIFY_APP_ID": "", "VOUCHERIFY_APP_TOKEN": ""}}


@EACH_WAY
def test_an_invalid_or_missing_option_is_reported_and_nothing_is_sent(play: Play, sandbox: Sandbox, way: str) -> None:
    cases: list[tuple[dict[str, Any], str]] = [({TOKEN: options}, sentence) for options, sentence in INVALID_OPTIONS]
    cases += [(NO_KEYS, "missing required arguments: app_id, app_token; set these options, or the environment")]
    names = [f"result_{number}" for number in range(len(cases))]
    tasks = [{**task, "register": name, "ignore_errors": True} for name, (task, _sentence) in zip(names, cases)]
    run = play(tasks, fetch=names, way=way)
    assert not sandbox.requests()
    for name, (_task, sentence) in zip(names, cases):
        assert run.variables[name]["failed"], sentence
        assert sentence in run.variables[name]["msg"]
        assert sentence[:40] in run.unwrapped


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
        "key": {TOKEN: {"app_token": "a-wrong-application-key"}},
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
        assert sentence in run.unwrapped
    assert "<html>" not in run.output
    assert "check app_id and app_token" in run.variables["key"]["msg"]
    assert run.variables["cut"]["active"] is False
    assert [call.operation for call in sandbox.requests()] == ["generate"] * 4 + ["introspect"] * 2
