# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible and other plugins print. The README names each case, and its advice keeps the secret hidden.

Each case also runs without the advice. If that no longer shows a secret, the case can be removed from the README.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible.release import __version__ as core_version
from integration.plays import Play, run_command
from leaks import find_secrets
from sandbox import Sandbox

CORE = tuple(int(part) for part in core_version.split(".")[:2])
# This and later versions of ansible-core mask the tokens that this collection reads or makes.
MASKING_CORE = (2, 22)

TOKEN = {"voucherify.oauth.voucherify_oauth_token": {"scope": ["vouchers"]}, "register": "made"}
KEY = "{{ lookup('env', 'VOUCHERIFY_APP_TOKEN') }}"
DEBUG = {"ansible.builtin.debug": {"var": "made.access_token"}}
COPY = {
    "ansible.builtin.copy": {"content": "{{ made.access_token }}", "dest": "{{ playbook_dir }}/copy", "mode": "0600"},
    "check_mode": True,
}
URI = {
    "ansible.builtin.uri": {
        "url": "{{ lookup('env', 'VOUCHERIFY_API_BASE_URL') }}/v1/vouchers",
        "headers": {"Authorization": "Bearer {{ made.access_token }}"},
    }
}
LABELLED = {"ansible.builtin.debug": {"msg": "nothing"}, "loop_control": {"label": "{{ item.access_token }}"}}
MISSPELLED = {
    "voucherify.oauth.voucherify_oauth_token_info": {"access_token": "{{ item.acces_token }}"},
    "loop": ["{{ made }}"],
    "ignore_errors": True,
}
INTROSPECT_ITEM = {
    "voucherify.oauth.voucherify_oauth_token_info": {"access_token": "{{ item.access_token }}"},
    "loop": ["{{ made }}"],
    "ignore_errors": True,
}
MISSPELLED_KEYWORD = {**INTROSPECT_ITEM, "environment": {"A": "{{ item.acces_token }}"}}
MISSPELLED_CONDITION = {**INTROSPECT_ITEM, "when": "item.acces_token == 'a'"}
ROLE = {
    "ansible.builtin.include_role": {"name": "voucherify.oauth.token_vault", "tasks_from": "revoke"},
    "vars": {"token_vault_path": "tokens.yml", "token_vault_tokens": [{"name": "a_token"}]},
    "loop": ["{{ made }}"],
}


@dataclass(frozen=True)
class Case:
    """Tasks that show a secret, and what the README advises instead.

    shown_since, hidden_since: the first ansible-core that shows the secret, and the first that hides it again.
    """

    leaking: list[dict[str, Any]]
    advised: list[dict[str, Any]]
    arguments: tuple[str, ...] = ()
    shown_since: tuple[int, ...] = (2, 16)
    hidden_since: tuple[int, ...] = MASKING_CORE
    environment: dict[str, str] = field(default_factory=dict)
    environment_leaking: dict[str, str] = field(default_factory=dict)
    play: dict[str, Any] = field(default_factory=dict)
    play_advised: dict[str, Any] = field(default_factory=dict)


CACHE = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": "facts"}
NEVER = (9, 9)
CASES = {
    "debug": Case([TOKEN, DEBUG], [TOKEN, {**DEBUG, "no_log": True}]),
    "copy --diff": Case([TOKEN, COPY], [TOKEN, {**COPY, "no_log": True}], ("--diff",)),
    "uri": Case(
        [TOKEN, URI],
        [TOKEN, {**URI, "no_log": True}],
        ("-vvv",),
        # From 2.21 on, ansible-core only prints a module's options with this.
        environment={"ANSIBLE_INJECT_INVOCATION": "true"},
    ),
    "a cacheable fact": Case(
        [TOKEN, {"ansible.builtin.set_fact": {"token": "{{ made.access_token }}", "cacheable": True}, "no_log": True}],
        [TOKEN, {"ansible.builtin.set_fact": {"token": "{{ made.access_token }}"}, "no_log": True}],
        environment=CACHE,
        hidden_since=NEVER,
    ),
    "the environment in cached facts": Case(
        [],
        [],
        environment=CACHE,
        play={"gather_facts": True},
        play_advised={"gather_subset": ["!env"]},
        hidden_since=NEVER,
    ),
    "skipped items": Case(
        [TOKEN, {**LABELLED, "loop": ["{{ made }}"], "when": "item.access_token is not defined"}],
        [TOKEN, {**LABELLED, "loop": "{{ [made] | selectattr('access_token', 'undefined') }}"}],
    ),
    "items of options that cannot be templated": Case(
        [TOKEN, MISSPELLED], [TOKEN, {**MISSPELLED, "no_log": True}], shown_since=(2, 19)
    ),
    "items of a keyword that cannot be templated": Case(
        [TOKEN, MISSPELLED_KEYWORD], [TOKEN, {**MISSPELLED_KEYWORD, "no_log": True}], shown_since=(2, 19)
    ),
    "items of a condition that cannot be templated": Case(
        [TOKEN, MISSPELLED_CONDITION], [TOKEN, {**MISSPELLED_CONDITION, "no_log": True}], shown_since=(2, 19)
    ),
    "items of include_role": Case([TOKEN, ROLE], [TOKEN, {**ROLE, "no_log": True}], shown_since=(2, 19)),
    "the keyword environment": Case(
        [{"ansible.builtin.command": "true", "environment": {"VOUCHERIFY_APP_TOKEN": KEY}}],
        [{"ansible.builtin.command": "true"}],
        ("-vvv",),
        hidden_since=NEVER,
    ),
    "ANSIBLE_DEBUG": Case(
        [TOKEN, {**URI, "no_log": True}],
        [TOKEN, {**URI, "no_log": True}],
        environment_leaking={"ANSIBLE_DEBUG": "true"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_advice_in_the_readme_hides_what_other_plugins_show(
    play: Play, sandbox: Sandbox, tmp_path: Path, name: str
) -> None:
    case = CASES[name]

    def leaked_secrets(tasks: list[dict[str, Any]], **keywords: Any) -> list[str]:
        run = play(tasks, *case.arguments, **keywords)
        assert run.status == 0, run.output
        facts = "".join(path.read_text() for path in tmp_path.glob("facts/*"))
        return find_secrets(run.output + facts, sandbox)

    assert not leaked_secrets(case.advised, environment=case.environment, **case.play, **case.play_advised)
    if case.shown_since <= CORE < case.hidden_since:
        assert leaked_secrets(case.leaking, environment={**case.environment, **case.environment_leaking}, **case.play)


def test_a_vaulted_value_in_a_task_is_recorded_but_a_variable_is_not(
    sandbox: Sandbox, tmp_path: Path, ansible_environment: dict[str, str]
) -> None:
    (tmp_path / "password").write_text("a password")
    environment = {
        **ansible_environment,
        **sandbox.environment,
        "ANSIBLE_VAULT_PASSWORD_FILE": "password",
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true",
        "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.junit",
        "JUNIT_OUTPUT_DIR": "junit",
    }
    (tmp_path / "key").write_text(sandbox.app_token)
    encrypt = ["encrypt", "--output", "vaulted", "key"]
    status, output = run_command("ansible-vault", *encrypt, environment=environment, cwd=tmp_path)
    assert status == 0, output
    vaulted = "!vault |\n" + "".join(f"          {line}\n" for line in (tmp_path / "vaulted").read_text().split())

    def leaked_secrets(option: str, variable: str) -> list[str]:
        (tmp_path / "book.yml").write_text(
            "- hosts: localhost\n  gather_facts: false\n  vars:\n    key: "
            + variable
            + "\n  tasks:\n    - voucherify.oauth.voucherify_oauth_token_info:\n        access_token: none\n"
            + "        app_token: "
            + option
            + "\n"
        )
        status, output = run_command("ansible-playbook", "book.yml", environment=environment, cwd=tmp_path)
        assert status == 0, output
        records = list(tmp_path.glob("junit/*"))
        recorded = "".join(path.read_text() for path in records)
        for path in records:
            path.unlink()
        assert recorded
        return find_secrets(output + recorded, sandbox)

    assert not leaked_secrets('"{{ key }}"', vaulted)
    if MASKING_CORE > CORE:
        assert leaked_secrets(vaulted, "none")


def test_a_key_that_is_written_into_a_playbook_may_be_printed_around_a_failure(play: Play, sandbox: Sandbox) -> None:
    def leaked_secrets(key: str) -> list[str]:
        tasks: list[dict[str, Any]] = [
            {"voucherify.oauth.voucherify_oauth_token_info": {"access_token": "none", "app_token": key}},
            {"name": "Fail", "ansible.builtin.fail": {"msg": "No"}},
        ]
        return find_secrets(play(tasks).output, sandbox)

    assert not leaked_secrets(KEY)
    if (2, 19) <= CORE < MASKING_CORE:
        assert leaked_secrets(sandbox.app_token)


@pytest.mark.parametrize(
    "task",
    [
        {"voucherify.oauth.voucherify_oauth_token": {"scop": ["a"]}},
        {"voucherify.oauth.voucherify_oauth_token_info": {"access_token": "none", "timeout": "soon"}},
        {"voucherify.oauth.vaulted_tokens": {"path": "tokens.yml", "tokens": [{"nam": "a"}]}},
    ],
)
def test_a_key_beside_an_option_that_is_refused_is_masked_where_ansible_can(
    play: Play, sandbox: Sandbox, task: dict[str, dict[str, Any]]
) -> None:
    written = {name: {**options, "app_token": sandbox.app_token} for name, options in task.items()}
    # Around a failure, ansible-core prints the lines before it, which are those of the task with the key.
    run = play([{**written, "ignore_errors": True}, {"name": "Fail", "ansible.builtin.fail": {"msg": "No"}}])
    assert "...ignoring" in run.output
    assert bool(find_secrets(run.output, sandbox)) == ((2, 19) <= CORE < MASKING_CORE)
