# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role token_vault and the collection's playbooks, against the sandbox and with real vaulted files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.long_play import (
    PASSWORDS,
    FinishedRun,
    LongPlay,
    StartedRun,
    Task,
    assert_that,
    start_play,
)
from integration.plays import CHECKOUT, run_command, save_task
from leaks import find_secrets
from sandbox import Sandbox

ROLE = "voucherify.oauth.token_vault"
TOKENS: tuple[dict[str, Any], ...] = (
    {"name": "vouchers_token", "scope": ["vouchers"]},
    {"name": "campaigns_token", "scope": ["campaigns"], "min_expires_in": 60},
    {"name": "orders_token", "scope": ["orders"]},
)
NAMES = [token["name"] for token in TOKENS]


class Vault:
    """Runs the role on one vars file, in a play that is going on."""

    def __init__(self, folder: Path, sandbox: Sandbox, long_play: LongPlay) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.file = folder / "vault.yml"
        self.long_play = long_play

    def role(self, tasks_from: str = "main", keywords: Task | None = None, **variables: Any) -> dict[str, Any]:
        """Return a task that includes the role. keywords: of a block around it. variables: without their prefix."""
        given = {"path": str(self.file), "tokens": TOKENS, **variables}
        task = {
            "ansible.builtin.include_role": {"name": ROLE, "tasks_from": tasks_from},
            "vars": {f"token_vault_{name}": value for name, value in given.items()},
        }
        return {"block": [task], **(keywords or {})}

    def run(self, *arguments: Any, fetch: Sequence[str] = (), **how: Any) -> FinishedRun:
        return self.long_play.run([self.role(*arguments, **how)], ["token_vault_results", *fetch])

    def live_tokens(self) -> set[str]:
        return {token.access_token for token in self.sandbox.live_tokens()}


@pytest.fixture
def vault(tmp_path: Path, sandbox: Sandbox, long_play: LongPlay) -> Vault:
    return Vault(tmp_path, sandbox, long_play)


def changes(run: FinishedRun) -> bool:
    return bool(re.search(r"^changed: ", run.output, re.MULTILINE))


def operations(run: FinishedRun) -> dict[str, str]:
    return {result["name"]: result["operation"] for result in run.variables["token_vault_results"]}


def test_tokens_in_a_vault_are_made_kept_and_revoked(vault: Vault) -> None:
    checked = {"check_mode": True}
    # Check mode makes nothing.
    run = vault.run(keywords=checked)
    assert changes(run)
    assert operations(run) == dict.fromkeys(NAMES, "generated")
    assert not vault.file.exists()
    assert not vault.sandbox.tokens()

    # The first run writes the tokens, and tasks of the same run can use them.
    run = vault.run(fetch=NAMES)
    assert changes(run)
    assert {run.variables[name] for name in NAMES} == vault.live_tokens()
    results = run.variables["token_vault_results"]
    assert [result["scope"] for result in results] == [token["scope"] for token in TOKENS]
    assert all(890 <= result["expires_in"] <= 900 and "access_token" not in result for result in results)
    content = vault.file.read_bytes()
    assert content.count(b"$ANSIBLE_VAULT;") == 3

    # The second run changes nothing. The path may contain an environment variable, here one of the run.
    run = vault.run(path=f"$HOME/{os.path.relpath(vault.file, vault.long_play.folder)}")
    assert not changes(run)
    assert operations(run) == dict.fromkeys(NAMES, "kept")
    assert vault.file.read_bytes() == content
    assert len(vault.sandbox.tokens()) == 3

    # One is no longer wanted, and then none.
    leaving = [*TOKENS[:2], {"name": "orders_token", "state": "absent"}]
    assert changes(vault.run(keywords=checked, tokens=leaving))
    assert len(vault.live_tokens()) == 3
    assert changes(vault.run(tokens=leaving))
    assert len(vault.live_tokens()) == 2
    assert b"orders_token" not in vault.file.read_bytes()
    assert changes(vault.run("revoke", keywords=checked))
    assert len(vault.live_tokens()) == 2
    assert changes(vault.run("revoke"))
    assert not vault.live_tokens()
    assert b"ANSIBLE_VAULT" not in vault.file.read_bytes()
    assert not changes(vault.run("revoke"))


def test_keys_from_vaulted_variables_and_from_a_loop_reach_both_parts_of_the_role(vault: Vault) -> None:
    keys = {"id_of_test": vault.sandbox.other_app_id, "key_of_test": vault.sandbox.other_app_token}
    file = str(vault.folder / "keys.yml")
    given: dict[str, Any] = {"app_id": "{{ item.id }}", "app_token": "{{ item.key }}"}
    loop = {"loop": [{"id": "{{ id_of_test }}", "key": "{{ key_of_test }}"}], "no_log": True}
    vault.long_play.run(
        [
            {"voucherify.oauth.vaulted_vars": {"path": file, "variables": keys}},
            {"ansible.builtin.include_vars": {"file": file}, "no_log": True},
            *({**vault.role(tasks_from, **given)["block"][0], **loop} for tasks_from in ("main", "revoke")),
        ]
    )
    calls = vault.sandbox.requests()
    assert len(calls) == 6
    assert {call.headers["x-app-id"] for call in calls} == {vault.sandbox.other_app_id}
    assert not vault.live_tokens()


def test_module_defaults_apply_in_the_role_and_its_variables_override_them(vault: Vault) -> None:
    wrong = {"app_id": "another", "app_token": "key", "retries": 0}
    vault.run()
    for scope in ("group/voucherify.oauth.voucherify", "voucherify.oauth.vaulted_tokens"):
        for tasks_from in ("main", "revoke"):
            keywords = {"module_defaults": {scope: wrong}, "ignore_errors": True}
            run = vault.long_play.run([vault.role(tasks_from, keywords, force=True)])
            assert "answered 401" in run.unwrapped
    assert len(vault.live_tokens()) == 3
    run = vault.run(
        keywords={"module_defaults": {"group/voucherify.oauth.voucherify": wrong}},
        app_id=vault.sandbox.app_id,
        app_token=vault.sandbox.app_token,
    )
    assert operations(run) == dict.fromkeys(NAMES, "kept")


@pytest.mark.parametrize("strategy", ["linear", pytest.param("free", marks=pytest.mark.thorough)])
def test_the_role_works_on_the_controller_and_every_host_gets_the_same_tokens(vault: Vault, strategy: str) -> None:
    play = {
        "hosts": "all",
        "strategy": strategy,
        "vars": {
            "token_vault_path": "vault.yml",
            "token_vault_tokens": TOKENS,
            # What a play sets for its hosts must not affect the work on the controller.
            "ansible_connection": "ssh",
            "ansible_become": True,
            "ansible_python_interpreter": "/no/python/here",
        },
        "roles": [ROLE],
        "tasks": [assert_that("vouchers_token | length == 50", "token_vault_results | length == 3")],
    }
    hosts = ("-i", "one.invalid,two.invalid,three.invalid")
    output = vault.folder / "output"
    process = start_play(vault.folder / "play.yml", output, play, *hosts, environment=vault.sandbox.environment)
    run = StartedRun(process, output, vault.folder / "nothing").end()
    assert run.status == 0, run.output
    assert len(vault.sandbox.tokens()) == 3
    assert vault.file.exists()


def test_two_files_in_one_play_are_not_mixed_up(vault: Vault) -> None:
    one, two = (vault.role(path=str(vault.folder / name), tokens=TOKENS[:1]) for name in ("one.yml", "two.yml"))
    revoke_one = vault.role("revoke", path=str(vault.folder / "one.yml"), tokens=TOKENS[:1])
    vault.long_play.run([one, two])
    assert len(vault.live_tokens()) == 2
    assert not changes(vault.long_play.run([one, two, one]))
    run = vault.long_play.run([one, revoke_one, one], ["token_vault_results"])
    assert operations(run) == {"vouchers_token": "generated"}


def test_the_role_prints_and_stores_no_secret(tmp_path: Path, sandbox: Sandbox) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        **sandbox.environment,
        "ANSIBLE_LOG_PATH": str(tmp_path / "log"),
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path / "facts"),
    }
    outputs = []
    with LongPlay(home, environment, "-vvvvvv", "--diff") as long_play:
        vault = Vault(tmp_path, sandbox, long_play)

        def run(tasks_from: str = "main", **variables: Any) -> None:
            for check_mode in (True, False):
                keywords = {"check_mode": check_mode, "ignore_errors": True}
                outputs.append(long_play.run([vault.role(tasks_from, keywords, **variables)]).output)

        run()
        run(force=True)
        run(force=True, revoke_replaced=True)
        # Then one token cannot be made, and another cannot be revoked.
        sandbox.fail("generate", skip=2, status=402)
        run(force=True)
        sandbox.fail("revoke", status=403)
        run(force=True, revoke_replaced=True)
        run(tokens=[{**TOKENS[0], "state": "absent"}, *TOKENS[1:]])
        sandbox.fail("revoke", status=403)
        run("revoke")
        run("revoke")
    assert [word in "".join(outputs) for word in ("answered 402", "answered 403")] == [True, True]
    files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.name.startswith("password-")]
    assert tmp_path / "log" in files
    texts = [*outputs, *(path.read_text(errors="replace") for path in files)]
    assert not [text for text in texts if find_secrets(text, sandbox, *PASSWORDS.values())]


def test_the_playbooks_run_by_full_name_and_use_paths_from_the_working_directory(
    vault: Vault, ansible_environment: dict[str, str]
) -> None:
    (vault.folder / "tokens.yml").write_text(
        yaml.safe_dump({"token_vault_path": "group_vars/all/tokens.yml", "token_vault_tokens": TOKENS})
    )
    (vault.folder / "password").write_text(PASSWORDS["default"])
    for playbook, live in (("token_vault", 3), ("token_vault", 3), ("revoke", 0)):
        status, output = run_command(
            "ansible-playbook",
            f"voucherify.oauth.{playbook}",
            *("--vault-password-file", "password", "-e", "@tokens.yml"),
            environment={**ansible_environment, **vault.sandbox.environment},
            cwd=vault.folder,
        )
        assert status == 0, output
        assert len(vault.live_tokens()) == live
        assert (vault.folder / "group_vars" / "all" / "tokens.yml").exists()
    assert len(vault.sandbox.tokens()) == 3


DIFFERENT: dict[str, Any] = {
    "path": "{{ playbook_dir }}/{{ inventory_hostname }}/tokens.yml",
    "tokens": [{"name": "token", "scope": ["{{ 'vouchers' if inventory_hostname == 'germany' else 'campaigns' }}"]}],
    "app_id": "{{ inventory_hostname }}",
    "app_token": "{{ inventory_hostname }}",
    "api_base_url": "https://{{ inventory_hostname }}.api.voucherify.io",
    "min_expires_in": "{{ inventory_hostname | length }}",
    "vault_id": "{{ inventory_hostname }}",
    # Only one host has it.
    "format": "{{ 'file' if inventory_hostname == 'france' else omit }}",
    "forec": "{{ inventory_hostname }}",
}


def test_hosts_that_ask_for_different_things_are_refused_before_any_call(vault: Vault) -> None:
    tasks = []
    for name, value in DIFFERENT.items():
        for tasks_from in ("main", "revoke"):
            succeeded = {"ansible.builtin.fail": {"msg": f"accepted a different {name}"}}
            tasks.append({**vault.role(tasks_from, **{name: value}), "rescue": [{"ansible.builtin.meta": "noop"}]})
            tasks[-1]["block"].append(succeeded)
    play = {"hosts": "all", "connection": "local", "tasks": tasks}
    output = vault.folder / "output"
    hosts = ("-i", "germany,france")
    process = start_play(vault.folder / "play.yml", output, play, *hosts, environment=vault.sandbox.environment)
    run = StartedRun(process, output, vault.folder / "nothing").end()
    assert "accepted a different" not in run.output
    assert run.unwrapped.count("The hosts of this play ask for different things") >= 2 * len(DIFFERENT) - 2
    assert not vault.sandbox.requests()
    assert not list(vault.folder.rglob("tokens.yml"))


@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_the_module_keeps_the_tokens_of_each_project_apart(vault: Vault, strategy: str) -> None:
    page = (CHECKOUT / "roles" / "token_vault" / "README.md").read_text()
    example = page.split("# projects.yml\n")[1].split("```")[0]
    (play,) = yaml.safe_load(example)
    with Sandbox.start() as elsewhere:
        inventory: dict[str, Any] = {"shops": {"hosts": {}, "vars": {"ansible_connection": "local"}}}
        for name, project in (("germany", vault.sandbox), ("france", elsewhere)):
            inventory["shops"]["hosts"][name] = {
                "voucherify_app_id": project.app_id,
                "voucherify_app_token": project.app_token,
                "voucherify_url": project.environment["VOUCHERIFY_API_BASE_URL"],
            }
        (vault.folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
        play["tasks"][0]["voucherify.oauth.vaulted_tokens"]["api_base_url"] = "{{ voucherify_url }}"
        save = vault.folder / "{{ inventory_hostname }}.json"
        play = {**play, "strategy": strategy, "tasks": [*play["tasks"], save_task(save, ["voucherify_vouchers_token"])]}
        output = vault.folder / "output"
        arguments = ("-i", str(vault.folder / "inventory.yml"))
        process = start_play(vault.folder / "play.yml", output, play, *arguments, environment={})
        run = StartedRun(process, output, vault.folder / "nothing").end()
        assert run.status == 0, run.output
        for name, project in (("germany", vault.sandbox), ("france", elsewhere)):
            (token,) = project.live_tokens()
            saved = json.loads((vault.folder / f"{name}.json").read_text())
            assert saved == {"voucherify_vouchers_token": token.access_token}


def test_a_misspelled_variable_of_the_role_is_refused_before_any_call(vault: Vault) -> None:
    for name in ("state", "min_expire_in", "app_key", "token", "backup"):
        role = vault.role(keywords={"rescue": [{"ansible.builtin.meta": "noop"}]}, **{name: "absent"})
        run = vault.long_play.run([role])
        assert f"The role token_vault has no variable token_vault_{name}." in run.unwrapped
        assert ("tasks_from: revoke" in run.unwrapped) is (name == "state")
    assert not vault.sandbox.requests()
    assert not vault.file.exists()
