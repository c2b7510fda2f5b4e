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
import trustme
from integration.plays import Play, run_command, unwrapped
from integration.setups import IMPOSSIBLE_SET_UPS, SET_UPS, SetUp, merged, write_project
from leaks import find_secrets
from sandbox import ALWAYS, Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"
INFO = "voucherify.oauth.voucherify_oauth_token_info"

# The rows of the report of the playbook `check`.
CALLS = [
    "Generate a token",
    "Introspect it",
    "List vouchers with it",
    "Revoke it",
    "Introspect the revoked token",
    "Revoke it again",
    "Ask for an unknown scope",
    "Use a wrong key",
]
GENERATE, INTROSPECT, USE, REVOKE, INTROSPECT_AGAIN, REVOKE_AGAIN, SCOPE, KEY = CALLS
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
@pytest.mark.parametrize("playbook", ["check", pytest.param("demo", marks=pytest.mark.thorough)])
def test_a_playbook_says_why_it_cannot_run(
    sandbox: Sandbox, run_playbook: RunPlaybook, playbook: str, set_up: str
) -> None:
    status, output = run_playbook(playbook, IMPOSSIBLE_SET_UPS[set_up])
    assert status != 0
    assert IMPOSSIBLE_SET_UPS[set_up].refusal in unwrapped(output)
    assert "hunter2" not in output
    assert not sandbox.requests()


def test_a_certificate_authority_is_trusted_as_by_the_modules_and_a_missing_one_is_named(
    run_playbook: RunPlaybook, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    with Sandbox.start(certificate=tmp_path / "server.pem") as api:
        status, output = run_playbook("check", SetUp(environment=api.environment))
        assert status != 0
        assert "cannot be verified" in output
        assert "set ca_path" in output
        trusted = {**api.environment, "REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem")}
        status, output = run_playbook("check", SetUp(environment=trusted))
        assert status == 0, output
        assert WORKS in output


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


_NO_LIMITS = {"headers": {"X-Rate-Limit-Limit": None, "X-Rate-Limit-Remaining": ["1", "2"]}}
# What the API answers, and the rows that differ because of it.
HANDLED_DEVIATIONS: dict[str, tuple[dict[str, dict[str, Any]], list[str]]] = {
    "numbers as strings and a list of scopes": (
        {"any": {"retype": {"expires_in": "str", "expires_at": "float", "scope": "list"}}},
        [GENERATE, INTROSPECT],
    ),
    "only the essential fields": (
        {"any": {"drop": ["token_type", "client_id", "scope", "expires_in", "expires_at"]}},
        [GENERATE, INTROSPECT],
    ),
    "other success statuses and a 404 with a body": (
        {
            "generate": {"success_status": 202},
            "introspect": {"success_status": 202},
            "revoke": {"success_status": 200, "not_found_body": '{"code": 404, "message": "not found"}'},
        },
        [GENERATE, INTROSPECT, REVOKE, INTROSPECT_AGAIN, REVOKE_AGAIN],
    ),
    "no or two rate limits": ({"any": _NO_LIMITS}, CALLS),
    "errors without a code": ({"any": {"drop": ["code", "message"]}}, [SCOPE, KEY]),
    "further fields": ({"any": {"add": {"exp": 1, "a-secret-that-is-a-name": None}}}, []),
}
FAST = ("only the essential fields", "other success statuses and a 404 with a body")
EACH_HANDLED = pytest.mark.parametrize(
    "deviation",
    [pytest.param(name, marks=[] if name in FAST else pytest.mark.thorough) for name in HANDLED_DEVIATIONS],
)


def deviate(sandbox: Sandbox, deviation: str) -> list[str]:
    """Let the sandbox deviate from the documentation. Return the rows that differ."""
    faults, differing = HANDLED_DEVIATIONS[deviation]
    for operation, fault in faults.items():
        sandbox.fail(operation, times=ALWAYS, **fault)
    return differing


@pytest.mark.thorough
@EACH_HANDLED
def test_a_deviation_that_the_collection_handles_is_reported_as_handled(
    sandbox: Sandbox, check: Check, deviation: str
) -> None:
    differing = deviate(sandbox, deviation)
    report = check()
    assert report.verdicts == {call: HANDLED if call in differing else DOCUMENTED for call in CALLS}
    assert (REPORT in report.output) is bool(differing)
    assert "a-secret-that-is-a-name" not in report.output


@EACH_HANDLED
def test_the_modules_work_with_a_deviation_that_check_reports_as_handled(
    play: Play, sandbox: Sandbox, deviation: str
) -> None:
    deviate(sandbox, deviation)
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
    assert "generated, scope" not in run.output, "only -v prints what was done"
    made, again = run.variables["made"], run.variables["again"]
    assert (made["scope"], made["token_type"]) == (["vouchers", "orders"], "Bearer")
    assert 800 <= made["expires_in"] <= 900
    assert abs(made["expires_at"] - sandbox.tokens()[0].expires_at) <= 5
    # A token whose scope and expiry are unknown is not kept.
    kept = deviation != "only the essential fields"
    assert again["operation"] == ("kept" if kept else "replaced")
    assert (made["access_token"] == again["access_token"]) is kept
    assert [run.variables[name]["active"] for name in ("active", "inactive")] == [True, False]
    assert [run.variables[name]["operation"] for name in "ab"] == ["revoked", "none"]
    assert run.variables["no_scope"]["error"]["status"] == 400
    assert not sandbox.live_tokens()


# What the API answers, and the verdicts of the rows that differ.
AFTER_REVOKE = dict.fromkeys([INTROSPECT_AGAIN, REVOKE_AGAIN], NOT_TRIED)
NOT_HANDLED_DEVIATIONS: dict[str, tuple[list[tuple[str, dict[str, Any]]], dict[str, str]]] = {
    "wrong fields and bodies": (
        [
            ("generate", {"headers": {"Content-Type": "text/plain"}}),
            ("introspect", {"replace": {"active": "true"}}),
            ("vouchers", {"status": 403, "body": "{}"}),
            ("revoke", {"status": 200, "body": "OK", "carried_out": True}),
            ("introspect", {"replace": {"active": True}}),
            ("generate", {"status": 500}),
        ],
        dict.fromkeys([GENERATE, INTROSPECT, USE, REVOKE, INTROSPECT_AGAIN, SCOPE], NOT_HANDLED),
    ),
    "a live token that is inactive, and a revocation without an answer": (
        [("introspect", {"replace": {"active": False}}), ("revoke", {"cut": True})],
        {INTROSPECT: NOT_HANDLED, REVOKE: NOT_HANDLED, **AFTER_REVOKE},
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


@pytest.mark.thorough
def test_a_call_without_a_result_counts_as_not_tried(sandbox: Sandbox, check: Check) -> None:
    sandbox.fail("vouchers", truncate=True)
    report = check()
    assert report.verdicts == dict.fromkeys(CALLS, DOCUMENTED) | {USE: NOT_TRIED}
    assert "Ansible's module uri returned no status" in report.output
    assert "Run the check again." in report.output


HTML = {"status": 200, "body": "<html>", "headers": {"Content-Type": "text/html"}}
REDIRECT = {"status": 307, "headers": {"Location": "http://127.0.0.1:9/"}}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        ({"cut": True}, "Check VOUCHERIFY_API_BASE_URL and the network"),
        (REDIRECT, "Set VOUCHERIFY_API_BASE_URL to the address of the API itself"),
        ({"status": 401, "body": "{}"}, "Check VOUCHERIFY_APP_ID and VOUCHERIFY_APP_TOKEN"),
        ({"status": 404, "body": "{}"}, "leave /v1 off its end"),
        ({"status": 429, "body": "{}"}, "The project has used up its calls"),
        ({"status": 503, "body": ""}, "The API could not process the first call"),
        (HTML, REPORT),
        ({"status": 200, "body": '{"access_token": 5}'}, REPORT),
    ],
    ids=["no answer", "a redirect", "a refused key", "a wrong address", "a limit", "an outage", "not JSON", "a number"],
)
def test_without_a_token_the_report_says_what_to_do(
    sandbox: Sandbox, check: Check, fault: dict[str, Any], advice: str
) -> None:
    sandbox.fail("generate", **fault)
    report = check()
    assert report.verdicts == dict.fromkeys(CALLS, DOCUMENTED) | {
        GENERATE: NOT_HANDLED,
        **dict.fromkeys([INTROSPECT, USE, REVOKE, INTROSPECT_AGAIN, REVOKE_AGAIN], NOT_TRIED),
    }
    assert "there was no token" in report.output
    assert advice in report.output
    # The other failures say nothing about the API's documentation.
    assert (REPORT in report.output) is (advice == REPORT)
