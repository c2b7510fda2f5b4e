# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `check` says what differs from the documentation, shows no secret and leaves no token."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from integration.deviations import (
    CALLS,
    GENERATE,
    HANDLED_DEVIATIONS,
    INTROSPECT,
    INTROSPECT_AGAIN,
    KEY,
    REVOKE,
    REVOKE_AGAIN,
    SCOPE,
    USE,
)
from integration.plays import run_command
from leaks import find_secrets
from sandbox import ALWAYS, Sandbox

REPORT = "Please report each row that differs"
DOCUMENTED, HANDLED, NOT_HANDLED, NOT_TRIED = "as documented", "differs, handled", "differs, not handled", "not tried"


@dataclass(frozen=True)
class Report:
    """The result of a run. verdicts: one for each call."""

    status: int
    output: str
    verdicts: Mapping[str, str]


Check = Callable[..., Report]


@pytest.fixture
def check(sandbox: Sandbox, ansible_environment: dict[str, str], tmp_path: Path) -> Check:
    def run(*arguments: str, live_tokens: int = 0, **environment: str) -> Report:
        status, output = run_command(
            "ansible-playbook",
            "voucherify.oauth.check",
            *arguments,
            environment={**ansible_environment, **sandbox.environment, **environment},
            cwd=tmp_path,
        )
        verdicts = "|".join((DOCUMENTED, HANDLED, NOT_HANDLED, NOT_TRIED))
        found = re.findall(rf'^ *"?({"|".join(CALLS)}) +({verdicts})', output, re.MULTILINE)
        assert [call for call, _verdict in found] in (CALLS, []), output
        assert not find_secrets(output, sandbox)
        assert len(sandbox.live_tokens()) == live_tokens
        assert len(sandbox.requests()) < 10
        return Report(status, output, dict(found))

    return run


def test_every_row_of_the_documented_api_is_as_documented(sandbox: Sandbox, check: Check) -> None:
    report = check("-vvv", "--diff")
    assert report.status == 0, report.output
    assert report.verdicts == dict.fromkeys(CALLS, DOCUMENTED)
    assert [(request.operation, request.status) for request in sandbox.requests()] == [
        ("generate", 200),
        ("introspect", 200),
        ("vouchers", 200),
        ("revoke", 204),
        ("introspect", 200),
        ("revoke", 404),
        ("generate", 400),
        ("generate", 401),
    ]
    assert "The collection works with this API." in report.output
    assert REPORT not in report.output


@pytest.mark.parametrize(("faults", "differing"), HANDLED_DEVIATIONS.values(), ids=HANDLED_DEVIATIONS)
def test_a_deviation_that_the_collection_handles_is_reported_as_handled(
    sandbox: Sandbox, check: Check, faults: dict[str, dict[str, Any]], differing: list[str]
) -> None:
    for operation, fault in faults.items():
        sandbox.fail(operation, times=ALWAYS, **fault)
    report = check("-vvv")
    assert report.status == 0, report.output
    assert report.verdicts == {call: HANDLED if call in differing else DOCUMENTED for call in CALLS}
    assert "The collection works with this API." in report.output
    assert (REPORT in report.output) is bool(differing)
    assert "a-secret-that-is-a-name" not in report.output


# What the API answers, the row that the collection cannot handle, and the rows that are not tried because of it.
TRIED_LATER = [INTROSPECT, USE, REVOKE, INTROSPECT_AGAIN, REVOKE_AGAIN]
AFTER_REVOKE = [INTROSPECT_AGAIN, REVOKE_AGAIN]
HTML = {"status": 200, "body": "<html>", "headers": {"Content-Type": "text/html"}}
REDIRECT = {"status": 307, "headers": {"Location": "http://127.0.0.1:9/"}}
NOT_HANDLED_DEVIATIONS: dict[str, tuple[str, dict[str, Any], str, list[str]]] = {
    "no answer": ("generate", {"cut": True}, GENERATE, TRIED_LATER),
    "not JSON": ("generate", HTML, GENERATE, TRIED_LATER),
    "a list": ("generate", {"status": 200, "body": "[]"}, GENERATE, TRIED_LATER),
    "a redirect": ("generate", REDIRECT, GENERATE, TRIED_LATER),
    "a used-up limit": ("generate", {"status": 429, "body": "{}"}, GENERATE, TRIED_LATER),
    "an outage": ("generate", {"status": 503, "body": ""}, GENERATE, TRIED_LATER),
    "no token": ("generate", {"status": 200, "body": '{"expires_in": 900}'}, GENERATE, TRIED_LATER),
    "not JSON according to its type": ("generate", {"headers": {"Content-Type": "text/plain"}}, GENERATE, []),
    "a number for a token": ("generate", {"status": 200, "body": '{"access_token": 5}'}, GENERATE, TRIED_LATER),
    "active as a string": ("introspect", {"replace": {"active": "true"}}, INTROSPECT, []),
    "active is missing": ("introspect", {"drop": ["active"]}, INTROSPECT, []),
    "a live token that is inactive": ("introspect", {"replace": {"active": False}}, INTROSPECT, []),
    "a revoked token that is active": ("introspect", {"skip": 1, "replace": {"active": True}}, INTROSPECT_AGAIN, []),
    "a server error": ("introspect", {"status": 500}, INTROSPECT, []),
    "no vouchers": ("vouchers", {"status": 403, "body": "{}"}, USE, []),
    "a token that cannot be revoked": ("revoke", {"status": 403, "body": "{}"}, REVOKE, AFTER_REVOKE),
    "a revocation without an answer": ("revoke", {"cut": True}, REVOKE, AFTER_REVOKE),
    "a body that is not JSON": ("revoke", {"status": 200, "body": "OK", "carried_out": True}, REVOKE, []),
    "a scope that causes a server error": ("generate", {"skip": 1, "status": 500}, SCOPE, []),
    "a wrong key that works": ("generate", {"skip": 2, "status": 200, "body": '{"access_token": "a"}'}, KEY, []),
}


# Failures of the first call that say nothing about the API's document.
ADVICE_INSTEAD_OF_REPORT = {
    "no answer": "Check VOUCHERIFY_API_BASE_URL and the network",
    "a redirect": "Set VOUCHERIFY_API_BASE_URL to the address of the API itself",
    "a used-up limit": "The project has used up its calls",
    "an outage": "The API could not process the first call",
}


@pytest.mark.parametrize("deviation", NOT_HANDLED_DEVIATIONS)
def test_a_deviation_that_is_not_handled_fails_and_leaves_no_token(
    sandbox: Sandbox, check: Check, deviation: str
) -> None:
    operation, fault, failing, not_tried = NOT_HANDLED_DEVIATIONS[deviation]
    sandbox.fail(operation, **fault)
    report = check("-vvv")
    assert report.status != 0
    expected = dict.fromkeys(CALLS, DOCUMENTED) | dict.fromkeys(not_tried, NOT_TRIED) | {failing: NOT_HANDLED}
    assert report.verdicts == expected
    assert (REPORT in report.output) is (deviation not in ADVICE_INSTEAD_OF_REPORT)
    assert ADVICE_INSTEAD_OF_REPORT.get(deviation, "") in report.output


@pytest.mark.parametrize(
    ("environment", "advice"),
    [
        ({"VOUCHERIFY_APP_TOKEN": "a-wrong-key"}, "Check VOUCHERIFY_APP_ID and VOUCHERIFY_APP_TOKEN"),
        ({"VOUCHERIFY_API_BASE_URL": "http://127.0.0.1:9"}, "Check VOUCHERIFY_API_BASE_URL and the network"),
        ({"VOUCHERIFY_API_BASE_URL": "{url}/v1"}, "leave /v1 off its end"),
    ],
)
def test_a_wrong_key_or_url_is_not_said_to_be_a_difference_to_report(
    sandbox: Sandbox, check: Check, environment: dict[str, str], advice: str
) -> None:
    url = sandbox.environment["VOUCHERIFY_API_BASE_URL"]
    report = check(**{name: value.format(url=url) for name, value in environment.items()})
    assert report.status != 0
    assert advice in report.output
    assert REPORT not in report.output


def test_a_token_for_an_unknown_scope_is_revoked_too(sandbox: Sandbox, check: Check) -> None:
    token = {"access_token": "one-for-an-unknown-scope", "scope": "api"}
    sandbox.fail("generate", skip=1, status=200, body=json.dumps(token))
    report = check("-vvv")
    assert report.status == 0, report.output
    assert report.verdicts[SCOPE] == HANDLED
    assert sandbox.calls("revoke")[-1].form == {"access_token": token["access_token"]}
    assert token["access_token"] not in report.output


def test_a_token_that_cannot_be_revoked_is_reported(sandbox: Sandbox, check: Check) -> None:
    sandbox.fail("revoke", times=ALWAYS, status=500)
    report = check(live_tokens=1)
    assert report.status != 0
    assert "A token could not be revoked. It expires within 15 minutes." in report.output


def test_check_mode_makes_no_difference(check: Check) -> None:
    assert check("--check").verdicts == dict.fromkeys(CALLS, DOCUMENTED)


@pytest.mark.parametrize(
    "environment",
    [{"VOUCHERIFY_APP_ID": ""}, {"VOUCHERIFY_APP_TOKEN": ""}, {"VOUCHERIFY_API_BASE_URL": "http://api.example"}],
)
def test_without_keys_or_with_plain_http_nothing_is_sent(
    sandbox: Sandbox, check: Check, environment: dict[str, str]
) -> None:
    report = check("-vvv", **environment)
    assert report.status != 0
    assert "Set VOUCHERIFY_APP_ID and VOUCHERIFY_APP_TOKEN" in " ".join(report.output.split())
    assert not sandbox.requests()
