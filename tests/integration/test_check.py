# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `check` says what differs from the documentation, shows no secret and leaves no token.

It and the playbook `demo` run on the controller, whatever the project's inventory, ansible.cfg and environment say.
"""

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
    EACH_HANDLED,
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
from integration.plays import run_command, unwrapped
from integration.setups import IMPOSSIBLE_SET_UPS, SET_UPS, SetUp, merged, write_project
from leaks import find_secrets
from sandbox import ALWAYS, Sandbox

WORKS = "The collection works with this API."
REPORT = "Please report each row that differs"
DOCUMENTED, HANDLED, NOT_HANDLED, NOT_TRIED = "as documented", "differs, handled", "differs, not handled", "not tried"


@dataclass(frozen=True)
class Report:
    """The result of a run. verdicts: one for each call."""

    status: int
    output: str
    verdicts: Mapping[str, str]


RunPlaybook = Callable[..., tuple[int, str]]
Check = Callable[..., Report]


@pytest.fixture
def run_playbook(sandbox: Sandbox, ansible_environment: dict[str, str], tmp_path: Path) -> RunPlaybook:
    """Run a playbook of this collection in a project with these settings. It must not run anywhere else."""

    def run(name: str, set_up: SetUp = SetUp(), *arguments: str) -> tuple[int, str]:  # noqa: B008
        write_project(tmp_path, set_up)
        status, output = run_command(
            "ansible-playbook",
            f"voucherify.oauth.{name}",
            *set_up.arguments,
            *arguments,
            environment={**ansible_environment, **sandbox.environment, **set_up.environment},
            cwd=tmp_path,
        )
        assert not (tmp_path / "elsewhere").exists(), output
        assert not find_secrets(output, sandbox)
        return status, output

    return run


@pytest.fixture
def check(sandbox: Sandbox, run_playbook: RunPlaybook) -> Check:
    """Run `check`. It says that the collection works, and ends with 0, only if each call was made and handled."""

    def run(set_up: SetUp = SetUp(), *arguments: str, live_tokens: int = 0) -> Report:  # noqa: B008
        status, output = run_playbook("check", set_up, "-vvv", *arguments)
        verdicts = "|".join((DOCUMENTED, HANDLED, NOT_HANDLED, NOT_TRIED))
        found = re.findall(rf'^ *"?({"|".join(CALLS)}) +({verdicts})', output, re.MULTILINE)
        assert [call for call, _verdict in found] in (CALLS, []), output
        passed = bool(found) and all(verdict in (DOCUMENTED, HANDLED) for _call, verdict in found)
        assert (WORKS in output, status == 0) == (passed, passed), output
        assert len(sandbox.live_tokens()) == live_tokens
        assert len(sandbox.requests()) < 10
        return Report(status, output, dict(found))

    return run


def assert_all_documented(report: Report, sandbox: Sandbox) -> None:
    assert report.verdicts == dict.fromkeys(CALLS, DOCUMENTED), report.output
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
    assert REPORT not in report.output


def test_all_calls_are_made_from_the_controller_whatever_the_project_says(sandbox: Sandbox, check: Check) -> None:
    sandbox.fail("introspect", delay=1.5)  # longer than the time limit of one set-up
    assert_all_documented(check(merged([*SET_UPS.values()]), "--diff", "--check"), sandbox)


@pytest.mark.thorough
@pytest.mark.parametrize("set_up", SET_UPS)
def test_all_calls_are_made_from_the_controller(sandbox: Sandbox, check: Check, set_up: str) -> None:
    sandbox.fail("introspect", delay=1.5)
    assert_all_documented(check(SET_UPS[set_up]), sandbox)


@pytest.mark.parametrize("set_up", IMPOSSIBLE_SET_UPS)
def test_check_says_why_it_cannot_run(sandbox: Sandbox, check: Check, set_up: str) -> None:
    report = check(IMPOSSIBLE_SET_UPS[set_up])
    assert report.status != 0
    assert IMPOSSIBLE_SET_UPS[set_up].refusal in unwrapped(report.output)
    assert not sandbox.requests()


@pytest.mark.thorough
def test_the_demo_runs_on_the_controller_whatever_the_project_says(
    sandbox: Sandbox, run_playbook: RunPlaybook, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("a password")
    status, output = run_playbook("demo", merged([*SET_UPS.values()]), "--vault-password-file=password")
    assert status == 0, output
    assert "With the revoked token, GET /v1/vouchers answered 401." in output
    assert len(sandbox.tokens()) == 5
    assert not sandbox.live_tokens()


@pytest.mark.thorough
@pytest.mark.parametrize("set_up", IMPOSSIBLE_SET_UPS)
def test_the_demo_says_why_it_cannot_run(sandbox: Sandbox, run_playbook: RunPlaybook, set_up: str) -> None:
    status, output = run_playbook("demo", IMPOSSIBLE_SET_UPS[set_up])
    assert status != 0
    assert IMPOSSIBLE_SET_UPS[set_up].refusal in unwrapped(output)
    assert not sandbox.requests()


# Another test without this marker runs `check` against a server whose rows all differ.
@pytest.mark.thorough
@EACH_HANDLED
def test_a_deviation_that_the_collection_handles_is_reported_as_handled(
    sandbox: Sandbox, check: Check, deviation: str
) -> None:
    faults, differing = HANDLED_DEVIATIONS[deviation]
    for operation, fault in faults.items():
        sandbox.fail(operation, times=ALWAYS, **fault)
    report = check()
    assert report.verdicts == {call: HANDLED if call in differing else DOCUMENTED for call in CALLS}
    assert (REPORT in report.output) is bool(differing)
    assert "a-secret-that-is-a-name" not in report.output


def test_a_call_without_a_result_counts_as_not_tried(sandbox: Sandbox, check: Check) -> None:
    sandbox.fail("vouchers", truncate=True)
    report = check()
    assert report.verdicts == dict.fromkeys(CALLS, DOCUMENTED) | {USE: NOT_TRIED}
    assert "Ansible's module uri returned no status" in report.output
    assert "Run the check again." in report.output


# What the API answers, and the verdicts of the rows that differ.
AFTER_GENERATE = dict.fromkeys([INTROSPECT, USE, REVOKE, INTROSPECT_AGAIN, REVOKE_AGAIN], NOT_TRIED)
AFTER_REVOKE = dict.fromkeys([INTROSPECT_AGAIN, REVOKE_AGAIN], NOT_TRIED)
NOT_HANDLED_DEVIATIONS: dict[str, tuple[list[tuple[str, dict[str, Any]]], dict[str, str]]] = {
    "wrong fields and bodies": (
        [
            ("generate", {"headers": {"Content-Type": "text/plain"}}),
            ("introspect", {"replace": {"active": "true"}}),
            ("revoke", {"status": 200, "body": "OK", "carried_out": True}),
            ("introspect", {"replace": {"active": True}}),
            ("generate", {"status": 500}),
        ],
        dict.fromkeys([GENERATE, INTROSPECT, REVOKE, INTROSPECT_AGAIN, SCOPE], NOT_HANDLED),
    ),
    "a live token that is inactive, and a revocation without an answer": (
        [("introspect", {"replace": {"active": False}}), ("revoke", {"cut": True})],
        {INTROSPECT: NOT_HANDLED, REVOKE: NOT_HANDLED, **AFTER_REVOKE},
    ),
    "a number for a token": (
        [("generate", {"status": 200, "body": '{"access_token": 5}'})],
        {GENERATE: NOT_HANDLED, **AFTER_GENERATE},
    ),
}


@pytest.mark.thorough
@pytest.mark.parametrize("deviation", NOT_HANDLED_DEVIATIONS)
def test_a_deviation_that_is_not_handled_fails_and_leaves_no_token(
    sandbox: Sandbox, check: Check, deviation: str
) -> None:
    faults, differing = NOT_HANDLED_DEVIATIONS[deviation]
    for operation, fault in faults:
        sandbox.fail(operation, **fault)
    report = check()
    assert report.verdicts == dict.fromkeys(CALLS, DOCUMENTED) | differing
    assert REPORT in report.output


def test_tokens_that_cannot_be_revoked_and_other_faults_are_reported(sandbox: Sandbox, check: Check) -> None:
    token = {"access_token": "one-for-an-unknown-scope", "scope": "api"}
    sandbox.fail("generate", skip=1, status=200, body=json.dumps(token))
    sandbox.fail("generate", status=200, body='{"access_token": "a"}')
    sandbox.fail("introspect", drop=["active"])
    sandbox.fail("vouchers", status=403, body="{}")
    sandbox.fail("revoke", times=ALWAYS, status=500)
    report = check(live_tokens=1)
    assert report.verdicts == AFTER_REVOKE | {
        GENERATE: DOCUMENTED,
        **dict.fromkeys([INTROSPECT, USE, REVOKE, KEY], NOT_HANDLED),
        SCOPE: HANDLED,
    }
    assert "the token was not revoked" in report.output
    assert "A token could not be revoked. It expires within 15 minutes." in report.output
    assert sandbox.calls("revoke")[-1].form == {"access_token": token["access_token"]}
    assert token["access_token"] not in report.output


HTML = {"status": 200, "body": "<html>", "headers": {"Content-Type": "text/html"}}
REDIRECT = {"status": 307, "headers": {"Location": "http://127.0.0.1:9/"}}


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        pytest.param({"cut": True}, "Check VOUCHERIFY_API_BASE_URL and the network", id="no answer"),
        *(
            pytest.param(fault, advice, id=name, marks=pytest.mark.thorough)
            for name, fault, advice in [
                ("a redirect", REDIRECT, "Set VOUCHERIFY_API_BASE_URL to the address of the API itself"),
                ("a refused key", {"status": 401, "body": "{}"}, "Check VOUCHERIFY_APP_ID and VOUCHERIFY_APP_TOKEN"),
                ("a wrong address", {"status": 404, "body": "{}"}, "leave /v1 off its end"),
                ("a used-up limit", {"status": 429, "body": "{}"}, "The project has used up its calls"),
                ("an outage", {"status": 503, "body": ""}, "The API could not process the first call"),
                ("not JSON", HTML, REPORT),
                ("a list", {"status": 200, "body": "[]"}, REPORT),
                ("no token", {"status": 200, "body": '{"expires_in": 900}'}, REPORT),
            ]
        ),
    ],
)
def test_without_a_token_the_report_says_what_to_do(
    sandbox: Sandbox, check: Check, fault: dict[str, Any], advice: str
) -> None:
    sandbox.fail("generate", **fault)
    report = check()
    assert report.verdicts == dict.fromkeys(CALLS, DOCUMENTED) | {GENERATE: NOT_HANDLED, **AFTER_GENERATE}
    assert "there was no token" in report.output
    assert advice in report.output
    # The other failures say nothing about the API's documentation.
    assert (REPORT in report.output) is (advice == REPORT)
