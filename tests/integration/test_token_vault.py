# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role token_vault and the collection's playbooks, against the sandbox and with real vaulted files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.plays import Play, Run, run_command
from leaks import find_secrets
from sandbox import Sandbox

ROLE = "voucherify.oauth.token_vault"
PASSWORD = "a-vault-password-to-search-for"
TOKENS: tuple[dict[str, Any], ...] = (
    {"name": "vouchers_token", "scope": ["vouchers"]},
    {"name": "campaigns_token", "scope": ["campaigns"], "min_expires_in": 60},
    {"name": "orders_token", "scope": ["orders"]},
)
NAMES = [token["name"] for token in TOKENS]


class Vault:
    """Runs the role on one vars file."""

    def __init__(self, play: Play, folder: Path, sandbox: Sandbox) -> None:
        self._play = play
        self.sandbox = sandbox
        self.folder = folder
        self.file = folder / "vault.yml"
        self.password_file = folder / "password"
        self.password_file.write_text(PASSWORD)

    def run(
        self,
        *arguments: str,
        tokens: Sequence[dict[str, Any]] = TOKENS,
        tasks_from: str = "main",
        then: Sequence[dict[str, Any]] = (),
        fetch: Sequence[str] = (),
        environment: dict[str, str] | None = None,
        **variables: Any,
    ) -> Run:
        role = {"ansible.builtin.include_role": {"name": ROLE, "tasks_from": tasks_from}}
        return self._play(
            [role, *then],
            "--vault-password-file",
            str(self.password_file),
            *arguments,
            fetch=fetch,
            environment=environment,
            vars={"token_vault_path": str(self.file), "token_vault_tokens": tokens, **variables},
        )

    def variables(self, *names: str) -> dict[str, str]:
        """Return variables of the file as another play reads them."""
        read = {"ansible.builtin.include_vars": {"file": str(self.file)}, "no_log": True}
        run = self._play([read], "--vault-password-file", str(self.password_file), fetch=names)
        assert run.status == 0, run.output
        return dict(run.variables)

    def live_tokens(self) -> list[str]:
        return [token.access_token for token in self.sandbox.live_tokens()]


@pytest.fixture
def vault(play: Play, tmp_path: Path, sandbox: Sandbox) -> Vault:
    return Vault(play, tmp_path, sandbox)


def count_changed(run: Run) -> int:
    assert run.status == 0, run.output
    (number,) = re.findall(r"^localhost .* changed=(\d+) ", run.output, re.MULTILINE)
    return int(number)


def operations(run: Run) -> dict[str, str]:
    return {result["name"]: result["operation"] for result in run.variables["token_vault_results"]}


def test_tokens_in_a_vault_are_made_kept_and_revoked(vault: Vault) -> None:
    # Check mode makes nothing.
    run = vault.run("--check", fetch=["token_vault_results"])
    assert count_changed(run) > 0
    assert operations(run) == dict.fromkeys(NAMES, "generated")
    assert not vault.file.exists()
    assert not vault.sandbox.tokens()

    # The first run writes the tokens, and tasks of the same run can use them.
    run = vault.run(fetch=["token_vault_results", *NAMES])
    assert count_changed(run) > 0
    assert {run.variables[name] for name in NAMES} == set(vault.live_tokens())
    assert [result["scope"] for result in run.variables["token_vault_results"]] == [token["scope"] for token in TOKENS]
    assert all(890 <= result["expires_in"] <= 900 for result in run.variables["token_vault_results"])
    assert all(result.keys().isdisjoint({"access_token"}) for result in run.variables["token_vault_results"])
    content = vault.file.read_bytes()
    assert content.count(b"$ANSIBLE_VAULT;") == 3
    assert set(vault.variables(*NAMES).values()) == set(vault.live_tokens())

    # The second run changes nothing.
    run = vault.run(fetch=["token_vault_results"])
    assert count_changed(run) == 0
    assert operations(run) == dict.fromkeys(NAMES, "kept")
    assert vault.file.read_bytes() == content
    assert len(vault.sandbox.tokens()) == 3

    # One is no longer wanted, and then none.
    leaving = vault.variables("orders_token")["orders_token"]
    tokens = [*TOKENS[:2], {"name": "orders_token", "state": "absent"}]
    assert count_changed(vault.run("--check", tokens=tokens)) > 0
    assert leaving in vault.live_tokens()
    assert count_changed(vault.run(tokens=tokens)) > 0
    assert leaving not in vault.live_tokens()
    assert b"orders_token" not in vault.file.read_bytes()
    assert count_changed(vault.run(tokens=tokens)) == 0

    remaining = list(vault.variables("vouchers_token", "campaigns_token").values())
    assert count_changed(vault.run("--check", tasks_from="revoke")) > 0
    assert set(remaining) <= set(vault.live_tokens())
    assert count_changed(vault.run(tasks_from="revoke")) > 0
    assert not set(remaining) & set(vault.live_tokens())
    assert b"ANSIBLE_VAULT" not in vault.file.read_bytes()
    assert count_changed(vault.run(tasks_from="revoke")) == 0


@pytest.mark.parametrize("mode", [0o640, "{{ 416 | string }}", "640", "u=rw"])
def test_a_mode_that_may_not_be_octal_is_refused_before_a_token_is_made(vault: Vault, mode: object) -> None:
    run = vault.run(token_vault_mode=mode)
    assert run.status != 0
    assert "mode must be an octal number in quotes, such as '0600'" in run.unwrapped
    assert not vault.sandbox.requests()


@pytest.mark.parametrize("in_check_mode", [False, True])
def test_check_mode_can_be_set_for_the_role_alone(vault: Vault, play: Play, in_check_mode: bool) -> None:
    run = play(
        [{"ansible.builtin.import_role": {"name": ROLE}, "check_mode": in_check_mode}],
        *("--vault-password-file", str(vault.password_file), *([] if in_check_mode else ["--check"])),
        vars={"token_vault_path": str(vault.file), "token_vault_tokens": TOKENS},
    )
    assert count_changed(run) > 0
    assert len(vault.live_tokens()) == (0 if in_check_mode else 3)
    assert vault.file.exists() is not in_check_mode


def test_the_path_may_contain_an_environment_variable(vault: Vault) -> None:
    folder = {"SOME_FOLDER": str(vault.folder)}
    path = "$SOME_FOLDER/vault.yml"
    assert count_changed(vault.run(environment=folder, token_vault_path=path)) > 0
    assert count_changed(vault.run(environment=folder, token_vault_path=path)) == 0
    assert vault.file.exists()


OTHER_PROJECT = {
    "token_vault_app_id": "{{ item.id }}",
    "token_vault_app_token": "{{ item.key }}",
}


@pytest.mark.parametrize("tasks_from", ["main", "revoke"])
def test_the_variables_of_a_loop_over_the_role_reach_its_tasks(vault: Vault, play: Play, tasks_from: str) -> None:
    arguments = ["--vault-password-file", str(vault.password_file)]
    variables = {"token_vault_path": str(vault.file), "token_vault_tokens": TOKENS, **OTHER_PROJECT}
    keys = {"id": vault.sandbox.other_app_id, "key": vault.sandbox.other_app_token}

    def looped(name: str) -> dict[str, Any]:
        return {
            "ansible.builtin.include_role": {"name": ROLE, "tasks_from": name},
            "loop": [keys],
            "vars": variables,
            "no_log": True,
        }

    assert (
        count_changed(play([looped("main"), *([looped(tasks_from)] if tasks_from != "main" else [])], *arguments)) > 0
    )
    calls = [call for operation in ("generate", "introspect", "revoke") for call in vault.sandbox.calls(operation)]
    assert len(calls) == (3 if tasks_from == "main" else 6)
    assert {call.headers["x-app-id"] for call in calls} == {vault.sandbox.other_app_id}


@pytest.mark.parametrize("scope", ["group/voucherify.oauth.voucherify", "voucherify.oauth.vaulted_tokens"])
@pytest.mark.parametrize("tasks_from", ["main", "revoke"])
def test_module_defaults_of_a_play_apply_in_the_role(vault: Vault, play: Play, scope: str, tasks_from: str) -> None:
    assert count_changed(vault.run()) > 0
    run = play(
        [{"ansible.builtin.include_role": {"name": ROLE, "tasks_from": tasks_from}}],
        *("--vault-password-file", str(vault.password_file)),
        vars={"token_vault_path": str(vault.file), "token_vault_tokens": TOKENS, "token_vault_force": True},
        module_defaults={scope: {"app_id": "another", "app_token": "key", "retries": 0}},
    )
    assert run.status != 0
    assert "answered 401" in run.unwrapped
    assert len(vault.live_tokens()) == 3


def test_a_variable_of_the_role_overrides_module_defaults(vault: Vault, play: Play) -> None:
    run = play(
        [{"ansible.builtin.include_role": {"name": ROLE}}],
        *("--vault-password-file", str(vault.password_file), "-vvv", "--diff"),
        vars={
            "token_vault_path": str(vault.file),
            "token_vault_tokens": TOKENS,
            "token_vault_app_id": vault.sandbox.app_id,
            "token_vault_app_token": vault.sandbox.app_token,
        },
        module_defaults={"group/voucherify.oauth.voucherify": {"app_id": "another", "app_token": "key"}},
    )
    assert count_changed(run) > 0
    assert not find_secrets(run.output, vault.sandbox)


def test_the_keys_may_be_vaulted_variables(vault: Vault, play: Play) -> None:
    keys = {"token_vault_app_id": vault.sandbox.app_id, "token_vault_app_token": vault.sandbox.app_token}
    run = play(
        [
            {"voucherify.oauth.vaulted_vars": {"path": "keys.yml", "variables": keys}},
            {"ansible.builtin.include_vars": {"file": "keys.yml"}, "no_log": True},
            {"ansible.builtin.include_role": {"name": ROLE}},
            {"ansible.builtin.include_role": {"name": ROLE, "tasks_from": "revoke"}},
        ],
        *("--vault-password-file", str(vault.password_file)),
        vars={"token_vault_path": str(vault.file), "token_vault_tokens": TOKENS},
        environment={"VOUCHERIFY_APP_ID": "", "VOUCHERIFY_APP_TOKEN": ""},
    )
    assert run.status == 0, run.output
    assert len(vault.sandbox.tokens()) == 3
    assert not vault.live_tokens()


def test_the_role_runs_once_on_the_controller_and_every_host_gets_the_tokens(
    vault: Vault, sandbox: Sandbox, ansible_environment: dict[str, str]
) -> None:
    book = {
        "hosts": "all",
        "gather_facts": False,
        "vars": {
            "token_vault_path": "vault.yml",
            "token_vault_tokens": TOKENS,
            # What a play sets for its hosts must not affect the work on the controller.
            "ansible_connection": "ssh",
            "ansible_become": True,
            "ansible_python_interpreter": "/no/python/here",
        },
        "roles": [ROLE],
        "tasks": [
            {
                "ansible.builtin.assert": {
                    "that": ["vouchers_token | length == 50", "token_vault_results | length == 3"],
                    "quiet": True,
                },
            }
        ],
    }
    (vault.folder / "play.yml").write_text(yaml.safe_dump([book]))
    arguments = ["-i", "one.invalid,two.invalid,three.invalid", "--vault-password-file", str(vault.password_file)]
    environment = {**ansible_environment, **sandbox.environment}
    status, output = run_command("ansible-playbook", "play.yml", *arguments, environment=environment, cwd=vault.folder)
    assert status == 0, output
    assert len(sandbox.calls("generate")) == 3
    assert vault.file.exists()


@pytest.mark.parametrize("merging", ["replace", "merge"])
def test_two_files_in_one_play_are_not_mixed_up(vault: Vault, play: Play, merging: str) -> None:
    environment = {"ANSIBLE_HASH_BEHAVIOUR": merging}

    def role(name: str, tasks_from: str = "main") -> dict[str, Any]:
        variables = {"token_vault_path": str(vault.folder / name), "token_vault_tokens": TOKENS[:1]}
        return {"ansible.builtin.include_role": {"name": ROLE, "tasks_from": tasks_from}, "vars": variables}

    arguments = ["--vault-password-file", str(vault.password_file)]
    assert play([role("one.yml"), role("two.yml")], *arguments, environment=environment).status == 0
    assert len(vault.live_tokens()) == 2
    run = play([role("one.yml"), role("two.yml"), role("one.yml")], *arguments, environment=environment)
    assert count_changed(run) == 0
    run = play(
        [role("one.yml"), role("one.yml", "revoke"), role("one.yml")],
        *arguments,
        environment=environment,
        fetch=["token_vault_results"],
    )
    assert operations(run) == {"vouchers_token": "generated"}


def test_the_role_prints_and_stores_no_secret(vault: Vault) -> None:
    environment = {
        "ANSIBLE_LOG_PATH": str(vault.folder / "log"),
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(vault.folder / "facts"),
    }

    def output(*arguments: str, **variables: Any) -> str:
        return vault.run("-vvvvvv", "--diff", *arguments, environment=environment, **variables).output

    outputs = [output(*check) for check in (("--check",), ())]
    for revokes in (False, True):
        outputs += [
            output(*check, token_vault_force=True, token_vault_revoke_replaced=revokes) for check in (("--check",), ())
        ]
    # Then one token cannot be made, and another cannot be revoked.
    vault.sandbox.fail("generate", skip=2, status=402)
    outputs.append(output(token_vault_force=True))
    vault.sandbox.fail("revoke", status=403)
    outputs.append(output(token_vault_force=True, token_vault_revoke_replaced=True))
    leaving = [{**TOKENS[0], "state": "absent"}, *TOKENS[1:]]
    outputs += [output(*check, tokens=leaving) for check in (("--check",), ())]
    vault.sandbox.fail("revoke", status=403)
    outputs += [output(tasks_from="revoke") for _again in range(2)]
    for printed in outputs:
        assert "PLAY RECAP" in printed
        assert not find_secrets(printed, vault.sandbox, PASSWORD)
    vault.password_file.unlink()
    texts = [path.read_text(errors="replace") for path in vault.folder.rglob("*") if path.is_file()]
    assert texts
    assert not [text for text in texts if find_secrets(text, vault.sandbox, PASSWORD)]


def test_the_playbooks_run_by_full_name_and_use_paths_from_the_working_directory(
    vault: Vault, sandbox: Sandbox, ansible_environment: dict[str, str]
) -> None:
    (vault.folder / "tokens.yml").write_text(
        yaml.safe_dump({"token_vault_path": "group_vars/all/tokens.yml", "token_vault_tokens": TOKENS})
    )
    for playbook, live in (("token_vault", 3), ("token_vault", 3), ("revoke", 0)):
        status, output = run_command(
            "ansible-playbook",
            f"voucherify.oauth.{playbook}",
            *("--vault-password-file", str(vault.password_file), "-e", "@tokens.yml"),
            environment={**ansible_environment, **sandbox.environment},
            cwd=vault.folder,
        )
        assert status == 0, output
        assert len(vault.live_tokens()) == live
        assert (vault.folder / "group_vars" / "all" / "tokens.yml").exists()
    assert len(sandbox.tokens()) == 3
