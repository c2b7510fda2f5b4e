# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is anywhere that Ansible writes, though the user asked for nothing; and yet failures can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from integration.plays import EACH_WAY, Play, over_ssh
from leaks import find_secrets
from sandbox import Sandbox

# A life of some tokens: made, kept, introspected, replaced and revoked, also by loops whose items hold them.
LIFE = """
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

# The same tokens, and nothing but trouble.
TROUBLE = """
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
# Ansible prints the items of these, and what is in them is a secret only together, decoded, or in another item.
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


def recording(folder: Path) -> dict[str, str]:
    """Have a run write what it shows to files as well, by each means that ansible-core brings."""
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
        **recording(tmp_path),
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path / "facts"),
    }
    run = play(LIFE, "-vvvvvv", "--diff", way=way, environment=environment)
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
    # An API that echoes what it was sent is the worst that can happen to a message.
    sandbox.fail("revoke", status=400, body=json.dumps({"code": 400, "message": f"Bad key {sandbox.app_token}"}))
    run = play(TROUBLE, *verbosity, way=way, environment=recording(tmp_path))
    assert run.status == 0, run.output
    assert not find_secrets(run.output, sandbox)
    assert not files_with_secrets(tmp_path, sandbox)
    assert "Traceback" not in run.output
    output = " ".join(run.output.split())
    assert "Bad key ********" in output
    assert "min_expires_in must be an integer, and it is a string" in output
    # Once for the task, once for the loop, however each version of ansible-core breaks the lines.
    assert output.count("Cannot introspect the token: 127.0.0.1:9 cannot be reached (Connection refused)") >= 2


@EACH_WAY
def test_a_warning_is_shown_although_the_result_is_censored(play: Play, sandbox: Sandbox, way: str) -> None:
    sandbox.fail("revoke", status=500, times=9)
    tasks = """
- voucherify.oauth.voucherify_oauth_token:
  register: made
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ made.access_token }}"
    force: true
    revoke_replaced: true
    retries: 0
  register: replaced
"""
    run = play(tasks, way=way, keep=["replaced"])
    assert run.status == 0, run.output
    output = " ".join(run.output.split())
    assert output.count("[WARNING]: A new token was generated, but the old one may still be used.") == 1
    assert run.kept["replaced"]["access_token"] in [token.access_token for token in sandbox.live_tokens()]
    assert len(sandbox.live_tokens()) == 2


@pytest.mark.parametrize("pipelining", ["false", "true"])
def test_the_ssh_connection_does_not_show_the_result_of_a_target(
    play: Play, sandbox: Sandbox, tmp_path: Path, pipelining: str
) -> None:
    environment = {**over_ssh(tmp_path, 'exec sh -c "${@: -1}"'), "ANSIBLE_PIPELINING": pipelining}
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


# Each ends the action from within: a host that cannot be reached, and the task's time being over.
ENDS: dict[str, tuple[dict[str, Any], str]] = {
    "unreachable": ({"hosts": "far"}, "No route to host"),
    "time-out": ({}, ""),
}


@pytest.mark.parametrize(("keywords", "sentence"), ENDS.values(), ids=ENDS)
def test_a_loop_prints_no_token_when_ansible_ends_it(
    play: Play, sandbox: Sandbox, tmp_path: Path, keywords: dict[str, Any], sentence: str
) -> None:
    made = play([{"voucherify.oauth.voucherify_oauth_token": {}, "register": "made"}], keep=["made"]).kept["made"]
    sandbox.fail("revoke", hang=True, times=9)
    tasks = [
        {
            "voucherify.oauth.voucherify_oauth_token": {"state": "absent", "access_token": "{{ item }}"},
            "loop": [made["access_token"]],
            "timeout": 3,
        }
    ]
    environment = over_ssh(tmp_path, 'echo "No route to host" >&2; exit 255')
    for verbosity in ([], ["-vvvvvv"]):
        run = play(tasks, *verbosity, "-i", "far,", environment=environment, **keywords)
        assert run.status != 0
        assert sandbox.live_tokens()
        assert not find_secrets(run.output, sandbox)
        assert sentence in run.output
