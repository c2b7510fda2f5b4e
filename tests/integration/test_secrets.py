# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible writes no secret anywhere, without any `no_log` by the user, and failures stay readable."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from integration.plays import EACH_WAY, Play, fake_ssh
from leaks import find_secrets
from sandbox import Sandbox

# Tokens are made, kept, introspected, replaced and revoked, including by loops whose items contain them.
LIFECYCLE = """
- voucherify.oauth.voucherify_oauth_token:
    scope: ["{{ item }}"]
  loop: [vouchers, campaigns, orders]
  register: made
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ item.access_token }}"
  loop: "{{ made.results }}"
  register: kept
- ansible.builtin.assert:
    that:
      - kept.results | map(attribute='operation') | unique == ['kept']
      - kept.results | map(attribute='access_token') | list == made.results | map(attribute='access_token') | list
- voucherify.oauth.voucherify_oauth_token_info:
    access_token: "{{ item }}"
  loop: "{{ made.results | map(attribute='access_token') | list }}"
  register: introspected
- voucherify.oauth.voucherify_oauth_token:
  delegate_to: localhost
  run_once: true
  register: once
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ once.access_token }}"
    force: true
    revoke_replaced: true
  register: last
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ last.access_token }}"
  until: again.operation == 'kept'
  register: again
- voucherify.oauth.voucherify_oauth_token:
    state: absent
    access_token: "{{ item.value }}"
  with_dict:
    a token: "{{ made.results[0].access_token }}"
    another: "{{ last.access_token }}"
- ansible.builtin.assert:
    that:
      - again.access_token == last.access_token
      - introspected.results | map(attribute='active') | unique == [true]
"""

# Tasks that fail with a token in their options.
FAILURES = """
- voucherify.oauth.voucherify_oauth_token:
  register: made
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ made.access_token }}"
    api_base_url: http://127.0.0.1:9
    retries: 0
  ignore_errors: true
  register: unreachable
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ item.access_token }}"
    api_base_url: http://127.0.0.1:9
    retries: 0
  loop: ["{{ made }}"]
  ignore_errors: true
- voucherify.oauth.voucherify_oauth_token_info:
    access_token: "{{ item }}"
    timeout: no number
  loop: ["{{ made.access_token }}"]
  ignore_errors: true
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ made.access_token }}"
    min_expires_in: "{{ made.access_token }}"
  ignore_errors: true
# Ansible would print the items of these loops. A secret is nested in them, combined, encoded, or in another item.
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ item.value }}"
    api_base_url: http://127.0.0.1:9
    retries: 0
  loop: "{{ [{'value': made}] }}"
  ignore_errors: true
- voucherify.oauth.voucherify_oauth_token:
    app_token: "{{ item.key }} "
  loop: "{{ [{'key': lookup('env', 'VOUCHERIFY_APP_TOKEN')}] }}"
  ignore_errors: true
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ item.token | default('') }}"
    scope: ["b@d,"]
  loop: "{{ [{'name': 1}, {'name': 2, 'token': made.access_token}] }}"
  loop_control:
    extended: true
    label: "{{ item.name }}"
  ignore_errors: true
- voucherify.oauth.voucherify_oauth_token_info:
    access_token: "{{ item | b64decode }}"
    api_base_url: http://127.0.0.1:9
    retries: 0
  loop: ["{{ made.access_token | b64encode }}"]
  ignore_errors: true
- voucherify.oauth.voucherify_oauth_token:
    state: absent
    access_token: "{{ made.access_token }}"
  ignore_errors: true
"""


def files_with_secrets(folder: Path, sandbox: Sandbox) -> list[Path]:
    texts = {path: path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()}
    return [path for path, text in texts.items() if find_secrets(text, sandbox)]


def recording_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a run that also records its output in files, in every way ansible-core has."""
    return {
        "ANSIBLE_LOG_PATH": str(folder / "ansible.log"),
        "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.tree,ansible.builtin.junit",
        "ANSIBLE_CALLBACK_TREE_DIR": str(folder / "tree"),
        "JUNIT_OUTPUT_DIR": str(folder / "junit"),
    }


@EACH_WAY
@pytest.mark.parametrize("callback", ["default", "minimal", "oneline"])
def test_a_success_prints_and_stores_no_secret(
    play: Play, sandbox: Sandbox, tmp_path: Path, way: str, callback: str
) -> None:
    environment = {
        "ANSIBLE_STDOUT_CALLBACK": callback,
        **recording_environment(tmp_path),
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path / "facts"),
    }
    run = play(LIFECYCLE, "-vvvvvv", "--diff", way=way, environment=environment)
    assert run.status == 0, run.output
    assert len(sandbox.tokens()) == 5
    assert not find_secrets(run.output, sandbox)
    assert (tmp_path / "ansible.log").stat().st_size > 1000
    assert list((tmp_path / "junit").iterdir())
    assert list((tmp_path / "tree").iterdir())
    assert not files_with_secrets(tmp_path, sandbox)


@EACH_WAY
@pytest.mark.parametrize("verbosity", [(), ("-vvvvvv", "--diff")])
def test_a_failure_prints_no_secret_and_stays_readable(
    play: Play, sandbox: Sandbox, tmp_path: Path, way: str, verbosity: tuple[str, ...]
) -> None:
    # The worst case is an API that echoes a secret in its message.
    sandbox.fail("revoke", status=400, body=json.dumps({"code": 400, "message": f"Bad key {sandbox.app_token}"}))
    run = play(FAILURES, *verbosity, way=way, environment=recording_environment(tmp_path))
    assert run.status == 0, run.output
    assert not find_secrets(run.output, sandbox)
    assert not files_with_secrets(tmp_path, sandbox)
    assert "Traceback" not in run.output
    output = run.unwrapped
    assert "Bad key ********" in output
    assert "min_expires_in must be an integer, but it is a string" in output
    # Once for the task, once for the loop, however each version of ansible-core breaks the lines.
    assert output.count("Cannot introspect the token: 127.0.0.1:9 cannot be reached (Connection refused)") >= 2


VAULTED = """
- voucherify.oauth.vaulted_tokens:
    path: tokens.yml
    tokens: [{name: first_token}]
- voucherify.oauth.vaulted_tokens:
    path: tokens.yml
    tokens: [{name: first_token}]
    force: true
    retries: 0
  ignore_errors: true
"""
ITEMS = """
- voucherify.oauth.voucherify_oauth_token:
    scope: ["{{ item }}"]
    retries: 0
  loop: [vouchers, orders]
  register: made
  ignore_errors: true
"""
REPLACED = """
- voucherify.oauth.voucherify_oauth_token:
  register: made
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ made.access_token }}"
    force: true
    revoke_replaced: true
    retries: 0
  register: replaced
"""
# The API refuses these calls, and names its newest token, which is not an option of the task.
REFUSALS = {
    "a token in the file": (VAULTED, "generate"),
    "a token of another item": (ITEMS, "generate"),
    "a token that was just made": (REPLACED, "revoke"),
    "a token that was just written": (
        VAULTED.replace("force: true", "force: true\n    revoke_replaced: true"),
        "revoke",
    ),
}


@EACH_WAY
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_that_names_a_token_of_this_run_does_not_print_it(
    play: Play, sandbox: Sandbox, tmp_path: Path, way: str, refusal: str
) -> None:
    tasks, operation = REFUSALS[refusal]
    body = json.dumps({"code": 409, "message": "Superseded by NEWEST_TOKEN of the client"})
    sandbox.fail(operation, status=409, body=body, skip=operation == "generate", times=9)
    password = tmp_path / "password"
    password.write_text("a vault password")
    environment = {**recording_environment(tmp_path), "ANSIBLE_VAULT_PASSWORD_FILE": str(password)}
    run = play(tasks, "-vvvvvv", "--diff", way=way, environment=environment)
    assert run.status == 0, run.output
    assert not find_secrets(run.output, sandbox)
    assert not files_with_secrets(tmp_path, sandbox)
    assert "Superseded by ******** of the client" in run.unwrapped


@EACH_WAY
def test_a_warning_is_shown_although_the_result_is_censored(play: Play, sandbox: Sandbox, way: str) -> None:
    sandbox.fail("revoke", status=500, times=9)
    run = play(REPLACED, way=way, fetch=["replaced"])
    assert run.status == 0, run.output
    output = run.unwrapped
    assert output.count("[WARNING]: A new token was generated, but the old one may still be active.") == 1
    assert "run the play again" not in output
    assert run.variables["replaced"]["access_token"] in [token.access_token for token in sandbox.live_tokens()]
    assert len(sandbox.live_tokens()) == 2


@pytest.mark.parametrize("pipelining", ["false", "true"])
def test_the_ssh_connection_does_not_show_the_result_of_a_target(
    play: Play, sandbox: Sandbox, tmp_path: Path, pipelining: str
) -> None:
    environment = {**fake_ssh(tmp_path, 'exec sh -c "${@: -1}"'), "ANSIBLE_PIPELINING": pipelining}
    tasks = """
- voucherify.oauth.voucherify_oauth_token:
  register: made
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ made.access_token }}"
"""
    run = play(tasks, "-vvvvvv", "-i", "far,", hosts="far", environment=environment)
    assert run.status == 0, run.output
    assert "ESTABLISH SSH CONNECTION" in run.output
    assert len(sandbox.live_tokens()) == 1
    assert not find_secrets(run.output, sandbox)


# Ansible aborts an action when a host is unreachable, and when the time limit of the task is reached.
ABORTS: dict[str, tuple[dict[str, Any], str]] = {
    "unreachable": ({"hosts": "far"}, "No route to host"),
    # Before 2.19, ansible-core hides the cause too.
    "time-out": ({}, r"Timed out after 3 second|the output has been hidden"),
}


@pytest.mark.parametrize(("keywords", "sentence"), ABORTS.values(), ids=ABORTS)
def test_a_loop_prints_no_token_when_ansible_ends_it(
    play: Play, sandbox: Sandbox, tmp_path: Path, keywords: dict[str, Any], sentence: str
) -> None:
    made = play([{"voucherify.oauth.voucherify_oauth_token": {}, "register": "made"}], fetch=["made"]).variables["made"]
    sandbox.fail("revoke", hang=True, times=9)
    tasks = [
        {
            "voucherify.oauth.voucherify_oauth_token": {"state": "absent", "access_token": "{{ item }}"},
            "loop": [made["access_token"]],
            "timeout": 3,
        }
    ]
    environment = fake_ssh(tmp_path, 'echo "No route to host" >&2; exit 255')
    for verbosity in ([], ["-vvvvvv"]):
        run = play(tasks, *verbosity, "-i", "far,", environment=environment, **keywords)
        assert run.status != 0
        assert sandbox.live_tokens()
        assert not find_secrets(run.output, sandbox)
        assert re.search(sentence, run.unwrapped)


def test_a_name_that_looks_like_a_secret_is_refused_and_not_shown(play: Play, tmp_path: Path) -> None:
    name = "gT7kPq2LmX9sVb4RzW1cNd8HfJ3y"
    tasks = """
- voucherify.oauth.vaulted_tokens:
    path: tokens.yml
    tokens: [{name: "{{ lookup('env', 'NAME') }}"}]
  ignore_errors: true
- voucherify.oauth.vaulted_vars:
    path: tokens.yml
    variables: "{{ dict([[lookup('env', 'NAME'), 'a value']]) }}"
  ignore_errors: true
"""
    run = play(tasks, "-vvv", "--diff", environment={"NAME": name})
    assert run.status == 0, run.output
    assert run.unwrapped.count("looks like a token or a key") >= 2
    assert name not in run.output
