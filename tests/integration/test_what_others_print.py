# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible and other plugins print. The README names each case, and its advice keeps the secret hidden.

Only three of the cases are tested. Each also runs without the advice; if that no longer shows a secret, the case can be
removed from the README.
"""

from __future__ import annotations

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

MAKE = {"voucherify.oauth.voucherify_oauth_token": {"scope": ["vouchers"]}, "register": "made"}
USE = {
    "ansible.builtin.uri": {
        "url": "{{ lookup('env', 'VOUCHERIFY_API_BASE_URL') }}/v1/vouchers",
        "headers": {"Authorization": "Bearer {{ made.access_token }}"},
    }
}
MISSPELLED = {
    "voucherify.oauth.voucherify_oauth_token_info": {"access_token": "{{ item.acces_token }}"},
    "loop": ["{{ made }}"],
    "ignore_errors": True,
}
# A task, and the first ansible-core that shows its secret.
CASES: dict[str, tuple[dict[str, Any], tuple[int, int]]] = {
    "a task that uses a token": (USE, (2, 16)),
    "items of options that cannot be templated": (MISSPELLED, (2, 19)),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", CASES)
def test_the_advice_in_the_readme_hides_what_other_plugins_show(play: Play, sandbox: Sandbox, name: str) -> None:
    task, shown_since = CASES[name]

    def leaked_secrets(task: dict[str, Any]) -> list[str]:
        # From 2.21 on, ansible-core only prints a module's options with this.
        run = play([MAKE, task], "-vvv", environment={"ANSIBLE_INJECT_INVOCATION": "true"})
        assert run.status == 0, run.output
        assert len(sandbox.tokens()) > 0
        return find_secrets(run.output, sandbox)

    assert not leaked_secrets({**task, "no_log": True})
    assert bool(leaked_secrets(task)) == (shown_since <= CORE < MASKING_CORE)


@pytest.mark.thorough
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


@pytest.mark.thorough
def test_a_key_that_is_written_into_a_task_is_masked_where_ansible_can(play: Play, sandbox: Sandbox) -> None:
    written = {"app_token": sandbox.app_token}
    refused: dict[str, dict[str, Any]] = {
        "voucherify.oauth.voucherify_oauth_token": {"scop": ["a"]},
        "voucherify.oauth.voucherify_oauth_token_info": {"access_token": "none", "timeout": "soon"},
        "voucherify.oauth.vaulted_tokens": {"path": "tokens.yml", "tokens": [{"nam": "a"}]},
    }
    for module, options in refused.items():
        # Around a failure, ansible-core prints the lines before it, which are those of the task with the key.
        tasks = [{module: {**options, **written}, "ignore_errors": True}, {"ansible.builtin.fail": {"msg": "No"}}]
        run = play(tasks)
        assert "...ignoring" in run.output
        assert bool(find_secrets(run.output, sandbox)) == ((2, 19) <= CORE < MASKING_CORE), module
