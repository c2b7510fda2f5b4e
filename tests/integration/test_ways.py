# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task does its work in one of two ways: which one is used when, and that both give the same result."""

from __future__ import annotations

import json
import os
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.voucherify.oauth.plugins.modules import voucherify_oauth_token as token
from ansible_collections.voucherify.oauth.plugins.modules import voucherify_oauth_token_info as info
from integration.plays import EACH_WAY, WAYS, Play, run_command
from leaks import find_secrets
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"
INFO = "voucherify.oauth.voucherify_oauth_token_info"
IN_WORKER = "runs in the worker process"
AS_MODULE = "is executed as a module on the target: "

# Every kind of result, one after the other. {{ token }} is a live token with the scope 'vouchers'.
CASES: dict[str, dict[str, Any]] = {
    "generated": {TOKEN: {"scope": ["vouchers"]}},
    "generated in check mode": {TOKEN: {"scope": ["vouchers"]}, "check_mode": True},
    "kept": {TOKEN: {"scope": ["vouchers"], "access_token": "{{ token }}"}},
    "kept in check mode": {TOKEN: {"access_token": "{{ token }}"}, "check_mode": True},
    "introspected": {INFO: {"access_token": "{{ token }}"}},
    "replaced because of its scope": {TOKEN: {"scope": ["campaigns"], "access_token": "{{ token }}"}},
    "replaced by force": {TOKEN: {"access_token": "{{ token }}", "force": True}},
    "revoked in check mode": {TOKEN: {"state": "absent", "access_token": "{{ token }}"}, "check_mode": True},
    "revoked": {TOKEN: {"state": "absent", "access_token": "{{ token }}"}},
    "already revoked": {TOKEN: {"state": "absent", "access_token": "{{ token }}"}},
    "introspected when inactive": {INFO: {"access_token": "{{ token }}"}},
    "refused by the API": {TOKEN: {"scope": ["no-such-scope"]}},
    "refused keys": {TOKEN: {"app_token": "wrong"}},
    "unreachable": {TOKEN: {"api_base_url": "http://127.0.0.1:9", "retries": 0}},
    "no URL": {INFO: {"api_base_url": "no URL", "access_token": "{{ token }}"}},
    "out of range": {TOKEN: {"min_expires_in": 900}},
    "no choice": {TOKEN: {"state": "gone"}},
    "unknown option": {TOKEN: {"scopes": ["vouchers"]}},
    "no token to revoke": {TOKEN: {"state": "absent"}},
    "an empty token to revoke": {TOKEN: {"state": "absent", "access_token": ""}},
    "no token to introspect": {INFO: {}},
}

# The fields that the modules return, without those that ansible-core adds to any result.
OWN_FIELDS = {"changed", "failed", "msg", *(name for module in (token, info) for name in yaml.safe_load(module.RETURN))}


def run_cases(play: Play, sandbox: Sandbox, way: str) -> dict[str, Any]:
    """Run every case one way. Return the results, with the values that differ from run to run made equal."""
    sandbox.reset()
    sandbox.stop_clock()
    now = sandbox.now()
    tasks: list[dict[str, Any]] = [{TOKEN: {"scope": ["vouchers"]}, "register": "first"}]
    names = []
    for number, case in enumerate(CASES.values()):
        names.append(f"result_{number}")
        tasks.append(
            {**case, "register": names[-1], "ignore_errors": True, "vars": {"token": "{{ first.access_token }}"}}
        )
    run = play(tasks, "-vvv", way=way, fetch=names)
    assert run.status == 0, run.output
    assert ((AS_MODULE if way == "module" else IN_WORKER) in run.output) and (
        (IN_WORKER if way == "module" else AS_MODULE) not in run.output
    )
    text = json.dumps(dict(zip(CASES, run.variables.values())))
    for number, made in enumerate(sandbox.tokens()):
        text = text.replace(made.access_token, f"token {number}")
    found: dict[str, Any] = json.loads(text)
    for result in found.values():
        result.get("error", {}).pop("request_id", None)
        # The second way runs some seconds after the first.
        if "expires_at" in result:
            result["expires_at"] -= now
    return {case: {name: result[name] for name in OWN_FIELDS if name in result} for case, result in found.items()}


def test_both_ways_give_the_same_result_field_by_field(play: Play, sandbox: Sandbox) -> None:
    in_worker, as_module = (run_cases(play, sandbox, way) for way in WAYS)
    for case in CASES:
        assert in_worker[case] == as_module[case], case
    assert in_worker["kept"]["access_token"] == "token 0"
    assert in_worker["generated"]["access_token"] == "token 1"
    assert [case for case, result in in_worker.items() if result["failed"]] == list(CASES)[11:]


@pytest.mark.parametrize(
    ("keywords", "way"),
    [
        ({}, IN_WORKER),
        ({"delegate_to": "localhost"}, IN_WORKER),
        ({"connection": "ansible.builtin.local"}, IN_WORKER),
        ({"environment": {}}, IN_WORKER),
        ({"environment": {"A": "b"}}, IN_WORKER),
        ({"environment": {"PYTHONPATH": "/nowhere"}}, f"{AS_MODULE}environment sets PYTHONPATH"),
        ({"environment": {"LD_LIBRARY_PATH": "/nowhere"}}, f"{AS_MODULE}environment sets LD_LIBRARY_PATH"),
        pytest.param(
            {"become": True, "become_method": "su"},
            f"{AS_MODULE}become is set",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can use su without a password"),
        ),
    ],
)
def test_the_task_decides_which_way_is_used_and_the_output_says_why(
    play: Play, keywords: dict[str, Any], way: str
) -> None:
    run = play([{TOKEN: {}, **keywords}], "-vvv")
    assert run.status == 0, run.output
    assert way in run.output


def test_a_connection_other_than_local_executes_a_module(play: Play, tmp_path: Path) -> None:
    plugins = tmp_path / "connection"
    plugins.mkdir()
    (plugins / "elsewhere.py").write_text(
        'DOCUMENTATION = "name: elsewhere\\nshort_description: as local\\ndescription: [as local]\\nauthor: [test]"\n'
        "from ansible.plugins.connection.local import Connection as Local\n"
        "class Connection(Local):\n    transport = 'elsewhere'\n"
    )
    run = play(
        [{TOKEN: {}}],
        "-vvv",
        # A variable, because the implicit localhost has one that overrides the keyword.
        vars={"ansible_connection": "elsewhere"},
        environment={"ANSIBLE_CONNECTION_PLUGINS": str(plugins)},
    )
    assert run.status == 0, run.output
    assert f"{AS_MODULE}the connection is elsewhere" in run.output


def test_an_inactive_token_is_replaced_without_being_revoked(play: Play, sandbox: Sandbox) -> None:
    assert play([{TOKEN: {"access_token": "dead", "revoke_replaced": True}}]).status == 0
    assert len(sandbox.calls("generate")) == 1
    assert not sandbox.calls("revoke")


def test_a_token_that_the_api_returns_again_is_not_revoked(play: Play, sandbox: Sandbox) -> None:
    sandbox.fail("generate", status=200, body='{"access_token": "the-same"}')
    task = {TOKEN: {"access_token": "the-same", "force": True, "revoke_replaced": True}, "register": "token"}
    assert play([task]).status == 0
    assert len(sandbox.calls("generate")) == 1
    assert not sandbox.calls("revoke")


def test_a_loop_keeps_its_connection(play: Play, sandbox: Sandbox) -> None:
    assert play([{TOKEN: {}, "loop": [1, 2, 3, 4, 5]}]).status == 0
    assert len(sandbox.calls("generate")) == 5
    assert len({request.connection for request in sandbox.requests()}) == 1


def test_two_api_keys_share_neither_a_connection_nor_their_credentials(play: Play, sandbox: Sandbox) -> None:
    keys = [
        {"app_id": sandbox.app_id, "app_token": sandbox.app_token},
        {"app_id": sandbox.other_app_id, "app_token": sandbox.other_app_token},
    ]
    task = {TOKEN: {"app_id": "{{ item.app_id }}", "app_token": "{{ item.app_token }}"}, "loop": keys * 2}
    assert play([task]).status == 0
    calls = sandbox.requests()
    assert [{name: call.headers[f"x-{name.replace('_', '-')}"] for name in keys[0]} for call in calls] == keys * 2
    assert len({call.connection for call in calls}) == 2


@EACH_WAY
def test_module_defaults_of_the_action_group_reach_both_ways(play: Play, sandbox: Sandbox, way: str) -> None:
    keys = {"app_id": sandbox.other_app_id, "app_token": sandbox.other_app_token}
    run = play(
        [{TOKEN: {}, "register": "token"}, {INFO: {"access_token": "{{ token.access_token }}"}}],
        way=way,
        module_defaults={"group/voucherify.oauth.voucherify": keys},
        environment={"VOUCHERIFY_APP_ID": "", "VOUCHERIFY_APP_TOKEN": ""},
    )
    assert run.status == 0, run.output
    assert {call.headers["x-app-id"] for call in sandbox.requests()} == {sandbox.other_app_id}


@EACH_WAY
def test_a_key_may_be_vaulted_inline_in_the_task(
    play: Play, sandbox: Sandbox, tmp_path: Path, ansible_environment: dict[str, str], way: str
) -> None:
    def password(name: str) -> list[str]:
        (tmp_path / name).write_text(f"the {name} password")
        return ["--vault-password-file", str(tmp_path / name)]

    status, output = run_command(
        *("ansible-vault", "encrypt_string", *password("right"), "--name", "app_token", sandbox.app_token),
        environment=ansible_environment,
        cwd=tmp_path,
    )
    assert status == 0, output
    vaulted = output.replace("Encryption successful", "").strip()
    (tmp_path / "tasks.yml").write_text(f"- {TOKEN}:\n    {vaulted}\n")
    tasks = [{"ansible.builtin.include_tasks": str(tmp_path / "tasks.yml")}]
    without_key = {"VOUCHERIFY_APP_TOKEN": ""}

    assert play(tasks, *password("wrong"), way=way, environment=without_key).status != 0
    assert not sandbox.requests()
    run = play(tasks, *password("right"), "-vvv", way=way, environment=without_key)
    assert run.status == 0, run.output
    assert len(sandbox.live_tokens()) == 1
    assert not find_secrets(run.output, sandbox)


@pytest.mark.parametrize("poll", [0, 1])
@pytest.mark.parametrize("module", [TOKEN, INFO])
def test_async_is_refused_with_the_reason(play: Play, sandbox: Sandbox, module: str, poll: int) -> None:
    run = play([{module: {"access_token": "a-token"}, "async": 10, "poll": poll}])
    assert run.status != 0
    assert "does not run with async, because Ansible would store its secrets in a file" in run.unwrapped
    assert not sandbox.requests()


def test_a_target_without_requests_is_named(play: Play, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    bare = tmp_path / "bare" / "bin" / "python"
    run = play([{TOKEN: {}}], way="module", vars={"ansible_python_interpreter": str(bare)})
    assert run.status != 0
    output = run.unwrapped
    assert "(requests)" in output
    assert str(bare) in output
    assert "Traceback" not in output


def test_a_controller_without_requests_leaves_the_work_to_the_module(play: Play, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "requests.py").write_text("raise ImportError\n")
    run = play([{TOKEN: {}}], "-vvv", environment={"PYTHONPATH": str(library)})
    assert run.status != 0
    assert f"{AS_MODULE}requests cannot be imported by {sys.executable}" in run.output
    assert "Traceback" not in run.output


@EACH_WAY
def test_verbosity_1_prints_one_line_that_says_what_was_done(play: Play, way: str) -> None:
    tasks: list[dict[str, Any]] = [
        {TOKEN: {"scope": ["vouchers", "campaigns"]}, "register": "token"},
        {INFO: {"access_token": "{{ token.access_token }}"}},
    ]
    output = play(tasks, "-v", way=way).output
    assert f"{TOKEN}: generated, scope 'vouchers campaigns', 900 s left. There was no token." in output
    assert f"{INFO}: active, scope 'vouchers campaigns', " in output
    assert "generated, scope" not in play(tasks, way=way).output
