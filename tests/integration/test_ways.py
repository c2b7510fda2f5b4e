# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task returns, and the two ways in which it does its work: which one is used when, with the same result."""

from __future__ import annotations

import json
import os
import re
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.voucherify.oauth.plugins.modules import voucherify_oauth_token as token
from ansible_collections.voucherify.oauth.plugins.modules import voucherify_oauth_token_info as info
from integration.plays import EACH_WAY, WAYS, Play, inline
from leaks import find_secrets
from sandbox import ALWAYS, Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"
INFO = "voucherify.oauth.voucherify_oauth_token_info"
TOKENS = "voucherify.oauth.vaulted_tokens"
IN_WORKER = "runs in the worker process"
AS_MODULE = "is executed as a module on the target: "
NO_KEYS = {"VOUCHERIFY_APP_ID": "", "VOUCHERIFY_APP_TOKEN": ""}

FIRST = {"access_token": "{{ result_0.access_token }}"}
SECOND = {"access_token": "{{ result_2.access_token }}"}
SCOPE = ["vouchers", "campaigns"]
CHECK = {"check_mode": True}

# Every kind of result, one after the other: a task and the summary of its result. Tokens are numbered as they are made.
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "generated": ({TOKEN: {"scope": SCOPE}}, "changed generated token 0"),
    "generated in check mode": ({TOKEN: {"scope": SCOPE}, **CHECK}, "changed generated"),
    "generated for an empty token": ({TOKEN: {"access_token": ""}}, "changed generated token 1"),
    "generated with another scope": ({TOKEN: {"scope": ["orders"]}}, "changed generated token 2"),
    "expires soon": ({TOKEN: {**FIRST, "min_expires_in": 450}}, "changed replaced token 3"),
    "kept": ({TOKEN: {**FIRST, "scope": ["CAMPAIGNS", "vouchers"], "min_expires_in": 600}}, "kept token 0"),
    "kept in check mode": ({TOKEN: FIRST, **CHECK}, "kept token 0"),
    "introspected": ({INFO: FIRST, **CHECK}, "active"),
    "has another scope": ({TOKEN: {**FIRST, "scope": ["vouchers"]}}, "changed replaced token 4"),
    "replaced in check mode": ({TOKEN: {**FIRST, "force": True}, **CHECK}, "changed replaced"),
    "replaced by force": ({TOKEN: {**FIRST, "force": True, "revoke_replaced": True}}, "changed replaced token 5"),
    "is not active": ({TOKEN: {**FIRST, "revoke_replaced": True}}, "changed replaced token 6"),
    "revoked in check mode": ({TOKEN: {**SECOND, "state": "absent"}, **CHECK}, "changed revoked"),
    "revoked": ({TOKEN: {**SECOND, "state": "absent"}}, "changed revoked"),
    "already revoked": ({TOKEN: {**SECOND, "state": "absent"}}, "none"),
    "already revoked in check mode": ({TOKEN: {**SECOND, "state": "absent"}, **CHECK}, "none"),
    "introspected when inactive": ({INFO: SECOND}, "inactive"),
    "refused by the API": ({TOKEN: {"scope": ["no-such-scope"]}}, "failed"),
    "refused keys": ({TOKEN: {"app_token": "a-wrong-application-key"}}, "failed"),
    "unreachable": ({TOKEN: {"api_base_url": "http://127.0.0.1:9", "retries": 0}}, "failed"),
    "no token to introspect": ({INFO: {}}, "failed"),
}
# What some of them return as well.
DETAILS = {"token_type": "Bearer", "scope": SCOPE, "client_id": "a client", "expires_at": 900, "expires_in": 900}
MORE: dict[str, dict[str, Any]] = {
    "generated": {**DETAILS, "reason": "There was no token."},
    "generated for an empty token": {"scope": ["api"]},
    "generated with another scope": {"scope": ["publications"]},
    "expires soon": {"reason": "The token expires in 400 s, but at least 450 s are required."},
    "kept": DETAILS,
    "introspected": DETAILS,
    "has another scope": {"reason": "The token has the scope 'vouchers campaigns', but 'vouchers' is required."},
}

# For these, a module that is executed takes the same path as for others.
IN_WORKER_ONLY = {case for case in CASES if case.endswith("in check mode") and case != "revoked in check mode"}
IN_WORKER_ONLY |= {"is not active", "introspected when inactive", "refused keys"}

# The fields that the modules return, without those that ansible-core adds to any result.
OWN_FIELDS = {"changed", "failed", "msg", *(name for module in (token, info) for name in yaml.safe_load(module.RETURN))}


def run_cases(play: Play, sandbox: Sandbox, way: str) -> dict[str, Any]:
    """Run every case one way. Return the results, with the values that differ from run to run made equal."""
    sandbox.reset()
    sandbox.stop_clock()
    now = sandbox.now()
    sandbox.fail("introspect", replace={"expires_in": 400})
    sandbox.fail("generate", skip=2, replace={"scope": "publications"})
    cases = {
        case: f"result_{number}" for number, case in enumerate(CASES) if way == "worker" or case not in IN_WORKER_ONLY
    }
    tasks = [
        {**CASES[case][0], "register": name, "ignore_errors": CASES[case][1] == "failed"}
        for case, name in cases.items()
    ]
    keys = {"app_id": sandbox.other_app_id, "app_token": sandbox.other_app_token}
    run = play(
        tasks,
        *("-vvv", "--diff"),
        way=way,
        fetch=[*cases.values()],
        module_defaults={"group/voucherify.oauth.voucherify": keys},
        environment=NO_KEYS,
    )
    assert (IN_WORKER in run.output, AS_MODULE in run.output) == (way == "worker", way == "module")
    assert not find_secrets(run.output, sandbox)
    assert {call.headers["x-app-id"] for call in sandbox.requests()} == {sandbox.other_app_id}
    tokens = [made.access_token for made in sandbox.tokens()]
    assert [call.form["access_token"] for call in sandbox.calls("revoke")] == [tokens[0], tokens[1], tokens[1]]
    assert f"{TOKEN}: generated, scope 'vouchers campaigns', " in run.output
    assert f"{INFO}: active, scope 'vouchers campaigns', " in run.output
    assert "'orders' was requested, but the API granted 'publications'" in run.unwrapped

    text = json.dumps({case: run.variables[name] for case, name in cases.items()}).replace(
        sandbox.tokens()[0].client_id, "a client"
    )
    for number, made in enumerate(tokens):
        text = text.replace(made, f"token {number}")
    # On a busy machine, an answer can take some seconds, which are subtracted.
    found: dict[str, Any] = json.loads(re.sub(r"\b[38]9[3-9]\b", lambda close: str(round(int(close[0]), -2)), text))
    for result in found.values():
        result.get("error", {}).pop("request_id", None)
        # The second way runs some seconds after the first.
        if "expires_at" in result:
            result["expires_at"] -= now
    return {case: {name: result[name] for name in OWN_FIELDS if name in result} for case, result in found.items()}


def test_each_result_is_right_and_both_ways_give_the_same(play: Play, sandbox: Sandbox) -> None:
    in_worker, as_module = (run_cases(play, sandbox, way) for way in WAYS)
    assert {case: summary(result) for case, result in in_worker.items()} == {
        case: expected for case, (_task, expected) in CASES.items()
    }
    for case, more in MORE.items():
        assert more.items() <= in_worker[case].items(), case
    for case, result in as_module.items():
        assert in_worker[case] == result, case


def summary(result: dict[str, Any]) -> str:
    """Return what is true of a result, its operation and its token."""
    words = [word for word in ("failed", "changed", "active") if result.get(word)]
    if result.get("active") is False:
        words.append("inactive")
    return " ".join([*words, *(result[name] for name in ("operation", "access_token") if name in result)])


ELSEWHERE = """
DOCUMENTATION = "name: elsewhere\\nshort_description: as local\\ndescription: [as local]\\nauthor: [test]"
from ansible.plugins.connection.local import Connection as Local
class Connection(Local):
    transport = "elsewhere"
"""


def test_the_task_decides_which_way_is_used_and_the_output_says_why(play: Play, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text(ELSEWHERE)
    venv.create(tmp_path / "bare", with_pip=False)
    bare = str(tmp_path / "bare" / "bin" / "python")
    ways: list[tuple[dict[str, Any], str]] = [
        ({}, IN_WORKER),
        ({"delegate_to": "localhost"}, IN_WORKER),
        ({"connection": "ansible.builtin.local"}, IN_WORKER),
        ({"environment": {"A": "b"}}, IN_WORKER),
        ({"environment": {"LD_LIBRARY_PATH": "/nowhere"}}, f"{AS_MODULE}environment sets LD_LIBRARY_PATH"),
        # A variable, because the implicit localhost has one that overrides the keyword.
        ({"vars": {"ansible_connection": "elsewhere"}}, f"{AS_MODULE}the connection is elsewhere"),
        (
            {"environment": {"PYTHONPATH": "/nowhere"}, "vars": {"ansible_python_interpreter": bare}},
            f"{AS_MODULE}environment sets PYTHONPATH",
        ),
    ]
    if os.geteuid() == 0:
        # Only root can use su without a password.
        ways.append(({"become": True, "become_method": "su"}, f"{AS_MODULE}become is set"))
    names = [f"result_{number}" for number in range(len(ways))]
    tasks = [
        {TOKEN: {}, **keywords, "register": name, "ignore_errors": True} for name, (keywords, _way) in zip(names, ways)
    ]
    run = play(tasks, "-vvv", fetch=names, environment={"ANSIBLE_CONNECTION_PLUGINS": str(tmp_path)})
    said = re.findall(f"{TOKEN} ({IN_WORKER}|{AS_MODULE}.*)", run.output)
    assert [line.startswith(way) for line, (_keywords, way) in zip(said, ways, strict=True)] == [True] * len(ways), said
    results = [run.variables[name] for name in names]
    assert [result.get("operation") for result in results].count("generated") == len(ways) - 1
    # The bare Python has no requests.
    assert "(requests)" in results[6]["msg"]
    assert bare in results[6]["msg"]


@pytest.mark.thorough
def test_a_controller_without_requests_leaves_the_work_to_the_module(play: Play, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "requests.py").write_text("raise ImportError\n")
    run = play([{TOKEN: {}}], "-vvv", fails=True, environment={"PYTHONPATH": str(tmp_path / "library")})
    assert f"{AS_MODULE}requests cannot be imported by {sys.executable}" in run.output


def test_a_loop_keeps_its_connections_and_two_api_keys_share_neither_them_nor_their_credentials(
    play: Play, sandbox: Sandbox
) -> None:
    keys = [
        {"app_id": sandbox.app_id, "app_token": sandbox.app_token},
        {"app_id": sandbox.other_app_id, "app_token": sandbox.other_app_token},
    ]
    # Not generate, which uses a new connection after a pause.
    play([{INFO: "{{ item | combine({'access_token': 'a-token'}) }}", "loop": keys * 2}])
    calls = sandbox.requests()
    assert [{name: call.headers[f"x-{name.replace('_', '-')}"] for name in keys[0]} for call in calls] == keys * 2
    assert len({call.connection for call in calls}) == 2


@EACH_WAY
def test_a_token_that_the_api_returns_again_is_returned_and_not_revoked(play: Play, sandbox: Sandbox, way: str) -> None:
    sandbox.fail("generate", status=200, body='{"access_token": "the-same"}')
    task = {TOKEN: {"access_token": "the-same", "force": True, "revoke_replaced": True}, "register": "token"}
    assert play([task], way=way, fetch=["token"]).variables["token"]["access_token"] == "the-same"
    assert len(sandbox.calls("generate")) == 1
    assert not sandbox.calls("revoke")


@EACH_WAY
def test_a_key_may_be_vaulted_inline_in_the_task(play: Play, sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    def task(vault_id: str) -> str:
        return f"- {TOKEN}:\n    {inline('app_token', sandbox.app_token, vault_id)}"

    (tmp_path / "tasks.yml").write_text(f"{task('other')}  ignore_errors: true\n{task('default')}")
    run = play(
        [{"ansible.builtin.include_tasks": str(tmp_path / "tasks.yml")}],
        "-vvv",
        way=way,
        vault_ids=["default"],
        environment={"VOUCHERIFY_APP_TOKEN": ""},
    )
    assert "ignored=1" in run.output
    assert len(sandbox.live_tokens()) == len(sandbox.requests()) == 1
    assert not find_secrets(run.output, sandbox)


def test_what_is_known_about_a_token_is_hidden_only_in_a_loop(play: Play, sandbox: Sandbox) -> None:
    sandbox.fail("any", times=ALWAYS, replace={"scope": "vouchers a=b"})
    tasks: list[dict[str, Any]] = [
        {TOKEN: {}, "register": "made"},
        {INFO: {"access_token": "{{ made.access_token }}"}},
        {INFO: {"access_token": "{{ item }}"}, "loop": ["{{ made.access_token }}"]},
    ]
    run = play(tasks, "-v")
    alone, looped = run.output.split(f"TASK [{INFO}]")[1:]
    assert '"active": true' in alone
    assert '["vouchers", "********"]' in alone
    assert '"active"' not in looped
    assert not find_secrets(run.output, sandbox)


def test_async_is_refused_with_the_reason(play: Play, sandbox: Sandbox) -> None:
    tasks = [
        {module: {"access_token": "a-token"}, "async": 10, "poll": poll, "ignore_errors": True}
        for module, poll in ((TOKEN, 0), (TOKEN, 1), (INFO, 0), (TOKENS, 0))
    ]
    run = play(tasks)
    for module in (TOKEN, INFO, TOKENS):
        assert f"{module} does not run with async, because Ansible would store its secrets in a file" in run.unwrapped
    assert "ignored=4" in run.output
    assert not sandbox.requests()
