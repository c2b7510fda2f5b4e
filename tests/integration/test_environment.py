# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keyword environment has the same effect in the worker process as on a target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.plays import EACH_WAY, WAYS, Play
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"
NO_KEYS = {"VOUCHERIFY_APP_ID": "", "VOUCHERIFY_APP_TOKEN": "", "VOUCHERIFY_API_BASE_URL": ""}


@EACH_WAY
def test_a_task_can_set_keys_and_base_url_in_its_environment(play: Play, sandbox: Sandbox, way: str) -> None:
    variables = {
        "VOUCHERIFY_APP_ID": "{{ id }}",
        "VOUCHERIFY_APP_TOKEN": "{{ lookup('env', 'KEY_OF_TEST') }}",
        "VOUCHERIFY_API_BASE_URL": sandbox.url,
    }
    run = play(
        [{TOKEN: {}, "environment": variables}],
        "-vvv",
        vars={"id": sandbox.other_app_id},
        environment={**NO_KEYS, "KEY_OF_TEST": sandbox.other_app_token},
        way=way,
    )
    assert run.status == 0, run.output
    assert {call.headers["x-app-id"] for call in sandbox.requests()} == {sandbox.other_app_id}
    # Neither the command line nor what Ansible shows of it may contain the secret.
    assert sandbox.other_app_token not in run.output


@EACH_WAY
def test_an_empty_key_in_the_environment_of_a_task_hides_that_of_the_run(
    play: Play, sandbox: Sandbox, way: str
) -> None:
    run = play([{TOKEN: {}, "environment": {"VOUCHERIFY_APP_TOKEN": ""}}], way=way)
    assert run.status != 0
    assert "missing required arguments: app_token" in run.unwrapped
    assert not sandbox.requests()


@EACH_WAY
def test_an_environment_from_a_variable_is_templated(play: Play, sandbox: Sandbox, way: str) -> None:
    run = play(
        [{TOKEN: {}, "environment": ["{{ of_play }}", {"A": "b"}]}],
        vars={"of_play": {name: sandbox.environment[name] for name in NO_KEYS}},
        environment=NO_KEYS,
        way=way,
    )
    assert run.status == 0, run.output
    assert len(sandbox.live_tokens()) == 1


@EACH_WAY
def test_the_environment_of_one_item_does_not_reach_the_next(play: Play, sandbox: Sandbox, way: str) -> None:
    task = {TOKEN: {}, "register": "made", "ignore_errors": True, "loop": [1, 2, 1]}
    one = "{{ {'VOUCHERIFY_APP_TOKEN': key} if item == 1 else {} }}"
    run = play(
        [{**task, "environment": one}],
        way=way,
        fetch=["made"],
        vars={"key": sandbox.app_token},
        environment={"VOUCHERIFY_APP_TOKEN": ""},
    )
    assert [result["failed"] for result in run.variables["made"]["results"]] == [False, True, False]


@EACH_WAY
def test_a_proxy_in_the_environment_is_used(play: Play, way: str) -> None:
    options = {"api_base_url": "https://api.voucherify.io", "retries": 0}
    with Sandbox.start() as proxy:
        variables = {"HTTPS_PROXY": proxy.url, "https_proxy": proxy.url}
        run = play([{TOKEN: options, "environment": variables}], way=way)
        methods = {request.method for request in proxy.requests()}
    assert run.status != 0
    assert methods == {"CONNECT"}


@EACH_WAY
def test_a_ca_bundle_in_the_environment_is_used(play: Play, way: str) -> None:
    options = {"api_base_url": "https://127.0.0.1:9", "retries": 0}
    run = play([{TOKEN: options, "environment": {"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"}}], way=way)
    assert run.status != 0
    assert "REQUESTS_CA_BUNDLE" in run.output


@EACH_WAY
@pytest.mark.parametrize(
    "variables",
    [{"A=B": "x"}, {"": "x"}, {"A": "x\0y"}, {1: "x"}],
    ids=["equals", "empty", "null", "number"],
)
def test_an_invalid_environment_is_named_as_the_cause(
    play: Play, sandbox: Sandbox, way: str, variables: dict[Any, str]
) -> None:
    variables = {**WAYS[way].get("environment", {}), **variables}
    tokens = {"path": "tokens.yml", "tokens": [{"name": "a"}]}
    tasks = [
        {module: options, "environment": variables, "ignore_errors": True}
        for module, options in ((TOKEN, {}), ("voucherify.oauth.vaulted_tokens", tokens))
    ]
    run = play(yaml.safe_dump(tasks))
    assert run.status == 0, run.output
    assert run.unwrapped.count("environment has a variable whose name is not a string, is empty or contains '='") >= 2
    assert not sandbox.requests()


@pytest.fixture
def sudo(tmp_path: Path) -> dict[str, Any]:
    """The keywords of a play whose become clears the environment, as sudo does, and keeps the user."""
    command = tmp_path / "sudo"
    command.write_text(
        '#!/bin/sh\nwhile [ "$1" != /bin/sh ]; do shift; done\nexec env -i PATH="$PATH" HOME="$HOME" "$@"\n'
    )
    command.chmod(0o700)
    return {"become": True, "become_user": "nobody", "vars": {"ansible_become_exe": str(command)}}


def test_become_on_the_controller_keeps_the_base_url_of_the_run(
    play: Play, sandbox: Sandbox, sudo: dict[str, Any]
) -> None:
    keys = {"app_id": sandbox.app_id, "app_token": "{{ lookup('env', 'VOUCHERIFY_APP_TOKEN') }}"}
    run = play([{TOKEN: keys, "register": "made"}], **sudo)
    assert run.status == 0, run.output
    assert len(sandbox.live_tokens()) == 1


def test_keys_that_become_does_not_pass_on_are_explained(play: Play, sandbox: Sandbox, sudo: dict[str, Any]) -> None:
    run = play([{TOKEN: {}}], **sudo)
    assert run.status != 0
    assert (
        "missing required arguments: app_id, app_token; set these options, because become does not pass environment"
        " variables on." in run.unwrapped
    )
    assert not sandbox.requests()
