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
from integration.plays import CHECKOUT, PASSWORDS, Play, Run, Task, assert_that, run_command, save_task
from integration.token_file import NAMES, TOKENS, TokenFile
from leaks import find_secrets
from sandbox import Sandbox

ROLE = "voucherify.oauth.token_vault"
RESCUED = {"rescue": [{"ansible.builtin.meta": "noop"}]}


def role(vault: TokenFile, tasks_from: str = "main", keywords: Task | None = None, **variables: Any) -> dict[str, Any]:
    """Return a task that includes the role. keywords: of a block around it. variables: without their prefix."""
    given = {"path": str(vault.path), "tokens": TOKENS, **variables}
    task = {
        "ansible.builtin.include_role": {"name": ROLE, "tasks_from": tasks_from},
        "vars": {f"token_vault_{name}": value for name, value in given.items()},
    }
    return {"block": [task], **(keywords or {})}


def run_role(vault: TokenFile, *arguments: Any, fetch: Sequence[str] = (), **how: Any) -> Run:
    return vault.long_play.run([role(vault, *arguments, **how)], ["token_vault_results", *fetch])


def changes(run: Run) -> bool:
    return bool(re.search(r"^changed: ", run.output, re.MULTILINE))


def operations(run: Run) -> dict[str, str]:
    return {result["name"]: result["operation"] for result in run.variables["token_vault_results"]}


def test_tokens_in_a_vault_are_made_kept_and_revoked(vault: TokenFile) -> None:
    checked = {"check_mode": True}
    # Check mode makes nothing.
    run = run_role(vault, keywords=checked)
    assert changes(run)
    assert operations(run) == dict.fromkeys(NAMES, "generated")
    assert not vault.path.exists()
    assert not vault.sandbox.tokens()

    # The first run writes the tokens, and tasks of the same run can use them.
    run = run_role(vault, fetch=NAMES)
    assert changes(run)
    assert {run.variables[name] for name in NAMES} == vault.live_tokens()
    results = run.variables["token_vault_results"]
    assert [result["scope"] for result in results] == [token["scope"] for token in TOKENS]
    assert all(800 <= result["expires_in"] <= 900 and "access_token" not in result for result in results)

    # The second run changes nothing. The path may contain an environment variable, here one of the run.
    run = run_role(vault, path=f"$HOME/{os.path.relpath(vault.path, vault.long_play.folder)}")
    assert not changes(run)
    assert operations(run) == dict.fromkeys(NAMES, "kept")
    assert len(vault.sandbox.tokens()) == 3

    # One is no longer wanted, and then none.
    assert changes(run_role(vault, tokens=[*TOKENS[:2], {"name": "orders_token", "state": "absent"}]))
    assert set(vault.variables().values()) == vault.live_tokens()
    assert len(vault.live_tokens()) == 2
    assert changes(run_role(vault, "revoke", keywords=checked))
    assert len(vault.live_tokens()) == 2
    assert changes(run_role(vault, "revoke"))
    assert not vault.live_tokens()
    assert not vault.variables()
    assert not changes(run_role(vault, "revoke"))


def test_keys_from_vaulted_variables_and_from_a_loop_reach_both_parts_of_the_role(vault: TokenFile) -> None:
    keys = {"id_of_test": vault.sandbox.other_app_id, "key_of_test": vault.sandbox.other_app_token}
    file = str(vault.folder / "keys.yml")
    given: dict[str, Any] = {"app_id": "{{ item.id }}", "app_token": "{{ item.key }}"}
    loop = {"loop": [{"id": "{{ id_of_test }}", "key": "{{ key_of_test }}"}], "no_log": True}
    vault.long_play.run(
        [
            {"voucherify.oauth.vaulted_vars": {"path": file, "variables": keys}},
            {"ansible.builtin.include_vars": {"file": file}, "no_log": True},
            *({**role(vault, tasks_from, **given)["block"][0], **loop} for tasks_from in ("main", "revoke")),
        ]
    )
    calls = vault.sandbox.requests()
    assert len(calls) == 6
    assert {call.headers["x-app-id"] for call in calls} == {vault.sandbox.other_app_id}
    assert not vault.live_tokens()


def test_module_defaults_apply_in_the_role_and_its_variables_override_them(vault: TokenFile) -> None:
    wrong = {"app_id": "another", "app_token": "a-wrong-application-key", "retries": 0}
    group = "group/voucherify.oauth.voucherify"
    run_role(vault)
    for scope, tasks_from in ((group, "main"), ("voucherify.oauth.vaulted_tokens", "revoke")):
        keywords = {"module_defaults": {scope: wrong}, "ignore_errors": True}
        run = vault.long_play.run([role(vault, tasks_from, keywords, force=True)])
        assert "answered 401" in run.unwrapped
    assert len(vault.live_tokens()) == 3
    keys = {"app_id": vault.sandbox.app_id, "app_token": vault.sandbox.app_token}
    run = run_role(vault, keywords={"module_defaults": {group: wrong}}, **keys)
    assert operations(run) == dict.fromkeys(NAMES, "kept")


@pytest.mark.parametrize("strategy", ["linear", pytest.param("free", marks=pytest.mark.thorough)])
def test_the_role_works_on_the_controller_and_every_host_gets_the_same_tokens(
    play: Play, vault: TokenFile, strategy: str
) -> None:
    play(
        [assert_that("vouchers_token | length == 50", "token_vault_results | length == 3")],
        *("-i", "one.invalid,two.invalid,three.invalid"),
        vault_ids=["default"],
        hosts="all",
        strategy=strategy,
        roles=[ROLE],
        vars={
            "token_vault_path": "vault.yml",
            "token_vault_tokens": TOKENS,
            # What a play sets for its hosts must not affect the work on the controller.
            "ansible_connection": "ssh",
            "ansible_become": True,
            "ansible_python_interpreter": "/no/python/here",
        },
    )
    assert len(vault.sandbox.tokens()) == 3
    assert (vault.home / "vault.yml").exists()


def test_two_files_in_one_play_are_not_mixed_up(vault: TokenFile) -> None:
    one, two = (role(vault, path=str(vault.folder / name), tokens=TOKENS[:1]) for name in ("one.yml", "two.yml"))
    revoke_one = role(vault, "revoke", path=str(vault.folder / "one.yml"), tokens=TOKENS[:1])
    vault.long_play.run([one, two, one])
    assert len(vault.sandbox.tokens()) == 2
    run = vault.long_play.run([two, revoke_one, one], ["token_vault_results"])
    assert operations(run) == {"vouchers_token": "generated"}
    assert len(vault.sandbox.tokens()) == 3


def test_the_role_prints_and_stores_no_secret(play: Play, vault: TokenFile) -> None:
    ignored = {"ignore_errors": True}
    # One of the last tokens cannot be made, and another cannot be revoked.
    vault.sandbox.fail("generate", skip=8, status=402)
    vault.sandbox.fail("revoke", skip=3, status=403)
    roles = [
        role(vault, keywords={"check_mode": True}),
        role(vault),
        role(vault, force=True, revoke_replaced=True),
        role(vault, keywords=ignored, force=True),
        role(vault, keywords=ignored, tokens=[{**TOKENS[0], "state": "absent"}, *TOKENS[1:]]),
        role(vault, "revoke", keywords={"check_mode": True}),
        role(vault, "revoke"),
    ]
    environment = {
        "ANSIBLE_LOG_PATH": str(vault.home / "log"),
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(vault.home / "facts"),
    }
    run = play(roles, "-vvvvvv", "--diff", vault_ids=["default"], environment=environment)
    assert "answered 402" in run.output
    assert "answered 403" in run.output
    assert not vault.variables()
    files = [path for path in vault.home.rglob("*") if path.is_file() and not path.name.startswith("password-")]
    assert vault.home / "log" in files
    texts = [run.output, *(path.read_text(errors="replace") for path in files)]
    assert not [text for text in texts if find_secrets(text, vault.sandbox, *PASSWORDS.values())]


def test_the_playbooks_run_by_full_name_and_use_paths_from_the_working_directory(
    sandbox: Sandbox, ansible_environment: dict[str, str], tmp_path: Path
) -> None:
    variables = {"token_vault_path": "group_vars/all/tokens.yml", "token_vault_tokens": TOKENS}
    (tmp_path / "tokens.yml").write_text(yaml.safe_dump(variables))
    (tmp_path / "password").write_text(PASSWORDS["default"])
    for playbook, live in (("token_vault", 3), ("token_vault", 3), ("revoke", 0)):
        status, output = run_command(
            "ansible-playbook",
            f"voucherify.oauth.{playbook}",
            *("--vault-password-file", "password", "-e", "@tokens.yml"),
            environment={**ansible_environment, **sandbox.environment},
            cwd=tmp_path,
        )
        assert status == 0, output
        assert len(sandbox.live_tokens()) == live
        assert (tmp_path / "group_vars" / "all" / "tokens.yml").exists()
    assert len(sandbox.tokens()) == 3


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
}


def test_hosts_that_ask_for_different_things_are_refused_before_any_call(play: Play, vault: TokenFile) -> None:
    tasks = []
    # Both parts of the role begin with the same tasks.
    for (name, value), tasks_from in zip(DIFFERENT.items(), ["main", "revoke"] * 4):
        tasks.append(role(vault, tasks_from, RESCUED, **{name: value}))
        tasks[-1]["block"].append({"ansible.builtin.fail": {"msg": f"accepted a different {name}"}})
    run = play(tasks, "-i", "germany,france", vault_ids=["default"], hosts="all", connection="local")
    assert "accepted a different" not in run.output
    assert run.unwrapped.count("The hosts of this play ask for different things") >= len(DIFFERENT)
    assert not vault.sandbox.requests()
    assert not list(vault.home.rglob("tokens.yml"))


@pytest.mark.parametrize("strategy", ["linear", pytest.param("free", marks=pytest.mark.thorough)])
def test_the_module_keeps_the_tokens_of_each_project_apart(
    play: Play, sandbox: Sandbox, tmp_path: Path, strategy: str
) -> None:
    page = (CHECKOUT / "roles" / "token_vault" / "README.md").read_text()
    (example,) = yaml.safe_load(page.split("# projects.yml\n")[1].split("```")[0])
    with Sandbox.start() as elsewhere:
        projects = {"germany": sandbox, "france": elsewhere}
        hosts = {
            name: {
                "voucherify_app_id": project.app_id,
                "voucherify_app_token": project.app_token,
                "voucherify_url": project.url,
            }
            for name, project in projects.items()
        }
        inventory = {"shops": {"hosts": hosts, "vars": {"ansible_connection": "local"}}}
        (tmp_path / "inventory.yml").write_text(yaml.safe_dump(inventory))
        tasks = example.pop("tasks")
        tasks[0]["voucherify.oauth.vaulted_tokens"]["api_base_url"] = "{{ voucherify_url }}"
        tasks.append(save_task(tmp_path / "{{ inventory_hostname }}.json", ["voucherify_vouchers_token"]))
        play(tasks, "-i", "inventory.yml", vault_ids=["default"], **{**example, "strategy": strategy})
        for name, project in projects.items():
            (token,) = project.live_tokens()
            saved = json.loads((tmp_path / f"{name}.json").read_text())
            assert saved == {"voucherify_vouchers_token": token.access_token}


def test_a_misspelled_variable_of_the_role_is_refused_before_any_call(vault: TokenFile) -> None:
    for name in ("state", "min_expire_in"):
        run = vault.long_play.run([role(vault, keywords=RESCUED, **{name: "absent"})])
        assert f"The role token_vault has no variable token_vault_{name}." in run.unwrapped
        assert ("tasks_from: revoke" in run.unwrapped) is (name == "state")
    assert not vault.sandbox.requests()
    assert not vault.path.exists()


def test_a_misspelled_variable_of_one_host_is_named_and_stops_all(play: Play, vault: TokenFile) -> None:
    (vault.home / "hosts.ini").write_text("one\ntwo token_vault_min_expire_in=60\nthree\n")
    run = play([role(vault)], "-i", "hosts.ini", fails=True, vault_ids=["default"], hosts="all", connection="local")
    assert "The role token_vault has no variable token_vault_min_expire_in." in run.unwrapped
    assert "ask for different things" not in run.output
    assert not vault.sandbox.requests()


ITS_KEY: dict[str, Any] = {
    "app_id": "{{ keys[inventory_hostname][0] }}",
    "app_token": "{{ keys[inventory_hostname][1] }}",
}
SKIPPED = {"when": "inventory_hostname == 'germany'"}


def two_keys(sandbox: Sandbox) -> dict[str, Any]:
    keys = [sandbox.app_id, sandbox.app_token], [sandbox.other_app_id, sandbox.other_app_token]
    variables = {"keys": dict(zip(["germany", "france"], keys))}
    return {"vault_ids": ["default"], "hosts": "all", "connection": "local", "vars": variables}


def test_a_file_is_not_shared_by_two_projects_in_batches(play: Play, vault: TokenFile) -> None:
    tasks = [role(vault, **ITS_KEY)]
    run = play(tasks, "-i", "germany,france", fails=True, serial=1, **two_keys(vault.sandbox))
    assert "ask for different things" in run.unwrapped
    assert {call.headers["x-app-id"] for call in vault.sandbox.requests()} == {vault.sandbox.app_id}


@pytest.mark.parametrize(
    ("include", "on_include", "refused"),
    [
        ("include_role", SKIPPED, False),
        ("import_role", SKIPPED, False),
        ("include_role", {"run_once": True}, False),
        ("import_role", {"run_once": True}, True),
        ("import_role", {"ignore_errors": True}, True),
    ],
)
def test_no_host_gets_the_token_that_another_host_asked_for(
    play: Play, vault: TokenFile, include: str, on_include: Task, refused: bool
) -> None:
    included = role(vault, **ITS_KEY)["block"][0]
    tasks = [
        {f"ansible.builtin.{include}": {"name": ROLE}, "vars": included["vars"], **on_include},
        {**assert_that("vouchers_token is not defined"), "when": "inventory_hostname == 'france'"},
    ]
    run = play(tasks, "-i", "germany,france", fails=refused, **two_keys(vault.sandbox))
    assert ("ask for different things" in run.unwrapped) is refused
    assert bool(vault.sandbox.requests()) is not refused


@pytest.mark.parametrize("batch", [3, 1], ids=["one failed", "serial"])
def test_a_host_that_failed_or_is_in_another_batch_does_not_count_in_the_next_use(
    play: Play, vault: TokenFile, batch: int
) -> None:
    fails = {"ansible.builtin.fail": {}, "when": f"inventory_hostname == 'two' and {batch} == 3"}
    tasks = [role(vault, tokens=TOKENS[:1]), fails, role(vault), role(vault, "revoke")]
    how = {"vault_ids": ["default"], "hosts": "all", "connection": "local", "serial": batch}
    run = play(tasks, "-i", "one,two,three", fails=batch == 3, **how)
    assert "ask for different things" not in run.output
    assert len(vault.sandbox.tokens()) == (3 if batch == 3 else 9)
    assert not vault.live_tokens()
