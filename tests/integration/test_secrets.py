# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible writes no secret anywhere, without any `no_log` by the user, and failures stay readable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from integration.plays import EACH_WAY, Play, fake_ssh
from leaks import files_with_secrets, find_secrets
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

# Tasks that fail with a token in their options, or because the API refuses a call. It names the key or the newest
# token, which is not an option of the task.
FAILURES = """
- voucherify.oauth.voucherify_oauth_token:
  register: made
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ made.access_token }}"
    force: true
    revoke_replaced: true
    retries: 0
  register: replaced
- ansible.builtin.assert:
    that:
      - replaced.access_token != made.access_token
      # The next run does not know the old token.
      - replaced.warnings[0] is not search('run the play again')
- voucherify.oauth.vaulted_tokens:
    path: tokens.yml
    tokens: [{name: first_token}]
    force: "{{ item }}"
    retries: 0
  loop: [false, true]
  ignore_errors: true
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ made.access_token }}"
    api_base_url: http://127.0.0.1:9
    retries: 0
  ignore_errors: true
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ made.access_token }}"
    min_expires_in: "{{ made.access_token }}"
  ignore_errors: true
- voucherify.oauth.voucherify_oauth_token:
    state: absent
    access_token: "{{ made.access_token }}"
  ignore_errors: true
# Ansible would print the items of these loops. A secret is nested in them, combined, encoded, or in another item.
- voucherify.oauth.voucherify_oauth_token:
    access_token: "{{ item.value.access_token }}"
    api_base_url: http://127.0.0.1:9
    retries: 0
  loop: "{{ [{'value': made}] }}"
  ignore_errors: true
- voucherify.oauth.voucherify_oauth_token_info:
    access_token: "{{ item | b64decode }}"
    timeout: no number
  loop: ["{{ made.access_token | b64encode }}"]
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
"""


@pytest.fixture
def recording(tmp_path: Path) -> dict[str, str]:
    """The environment of a run that also records its output below HOME, in every way ansible-core has."""
    return {
        "HOME": str(tmp_path),
        "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log"),
        "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.tree,ansible.builtin.junit",
        "ANSIBLE_CALLBACK_TREE_DIR": str(tmp_path / "tree"),
        "JUNIT_OUTPUT_DIR": str(tmp_path / "junit"),
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path / "facts"),
    }


@pytest.mark.parametrize(
    ("way", "callback"),
    [
        ("worker", "default"),
        *(pytest.param("worker", name, marks=pytest.mark.thorough) for name in ("minimal", "oneline")),
        pytest.param("module", "default", marks=pytest.mark.thorough),
    ],
)
def test_a_success_prints_and_stores_no_secret(
    play: Play, sandbox: Sandbox, recording: dict[str, str], way: str, callback: str
) -> None:
    environment, folder = {**recording, "ANSIBLE_STDOUT_CALLBACK": callback}, Path(recording["HOME"])
    run = play(LIFECYCLE, "-vvvvvv", "--diff", way=way, environment=environment)
    assert len(sandbox.tokens()) == 5
    assert not find_secrets(run.output, sandbox)
    assert (folder / "ansible.log").stat().st_size > 1000
    assert list((folder / "junit").iterdir())
    assert list((folder / "tree").iterdir())
    assert not files_with_secrets(sandbox, folder)


@EACH_WAY
def test_a_failure_or_warning_prints_no_secret_and_stays_readable(
    play: Play, sandbox: Sandbox, tmp_path: Path, recording: dict[str, str], way: str
) -> None:
    newest = json.dumps({"code": 409, "message": "Superseded by NEWEST_TOKEN of the client"})
    key = json.dumps({"code": 400, "message": f"Bad key {sandbox.app_token}"})
    sandbox.fail("generate", skip=3, status=409, body=newest)
    sandbox.fail("revoke", status=409, body=newest)
    sandbox.fail("revoke", status=400, body=key)
    run = play(FAILURES, "-vvvvvv", "--diff", way=way, environment=recording, vault_ids=["default"])
    assert not find_secrets(run.output, sandbox)
    assert not files_with_secrets(sandbox, tmp_path)
    assert [token.status for token in sandbox.tokens()] == ["active"] * 3
    output = run.unwrapped
    assert "[WARNING]: A new token was generated, but the old one may still be active." in output
    assert output.count("Superseded by ******** of the client") >= 2
    assert "Bad key ********" in output
    assert "min_expires_in must be an integer, but it is a string" in output
    assert "timeout must be an integer, but it is a string" in output
    assert "scope[0] is not one scope" in output
    # Once for the task, once for the loop, however each version of ansible-core breaks the lines.
    assert output.count("Cannot introspect the token: 127.0.0.1:9 cannot be reached (Connection refused)") >= 2


def test_a_loop_prints_no_token_when_ansible_ends_it(play: Play, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.fail("revoke", hang=True)
    revoke = {
        "voucherify.oauth.voucherify_oauth_token": {"state": "absent", "access_token": "{{ item }}"},
        "loop": ["{{ made.access_token }}"],
        "ignore_errors": True,
    }
    # Ansible aborts an action when a host is unreachable, and when the time limit of the task is reached.
    tasks: list[dict[str, Any]] = [
        {"voucherify.oauth.voucherify_oauth_token": {}, "register": "made"},
        {**revoke, "ignore_unreachable": True, "vars": {"ansible_connection": "ssh"}},
        {**revoke, "timeout": 6},
    ]
    # It reads what it is sent, because Ansible reports an input that is not read instead of the message.
    environment = fake_ssh(tmp_path, 'timeout 5 cat > /dev/null; echo "No route to host" >&2; exit 255')
    run = play(tasks, "-vvvvvv", environment=environment)
    assert len(sandbox.live_tokens()) == len(sandbox.calls("revoke")) == 1
    assert "No route to host" in run.unwrapped
    # Before 2.19, ansible-core hides the cause too.
    assert "Timed out after 6 second" in run.unwrapped or "the output has been hidden" in run.unwrapped
    assert not find_secrets(run.output, sandbox)
