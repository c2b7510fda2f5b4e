# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README's playbook in a project that already has group_vars/all.yml. Ansible reads that file or a folder all/."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from integration.plays import CHECKOUT, run_command, unwrapped
from sandbox import Sandbox

EXISTING = "shop_url: https://shop.example.com\n"
TOKENS = [{"name": "voucherify_vouchers_token"}]

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with variables of all hosts beside the playbook and beside the inventory."""
    project = tmp_path / "project"
    for folder in (project, project / "inventory"):
        (folder / "group_vars").mkdir(parents=True)
        (folder / "group_vars" / "all.yml").write_text(EXISTING)
    (project / "inventory" / "hosts").write_text("localhost ansible_connection=local\n")
    (tmp_path / "password").write_text("a password")
    (project / "deploy.yml").write_text(re.findall(r"(?s)```yaml\n(# deploy.yml\n.*?)```", _readme())[0])
    return project


def _readme() -> str:
    return (CHECKOUT / "README.md").read_text()


@pytest.fixture
def ansible_playbook(project: Path, sandbox: Sandbox, ansible_environment: Mapping[str, str]) -> Command:
    environment = {**ansible_environment, **sandbox.environment}
    environment["ANSIBLE_VAULT_PASSWORD_FILE"] = str(project.parent / "password")

    def run(*arguments: str) -> tuple[int, str]:
        status, output = run_command(
            "ansible-playbook", "-i", "inventory/hosts", *arguments, environment=environment, cwd=project
        )
        return status, unwrapped(output)

    return run


def write_playbook(path: Path, tasks: Sequence[Mapping[str, Any]]) -> None:
    path.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))


def files(project: Path) -> list[str]:
    return sorted(str(path.relative_to(project)) for path in project.rglob("*"))


def test_the_first_playbook_does_not_switch_off_the_variables_of_a_project(
    project: Path, ansible_playbook: Command, sandbox: Sandbox
) -> None:
    write_playbook(project / "use.yml", [{"debug": {"msg": "{{ shop_url }} {{ voucherify_vouchers_token | length }}"}}])
    # Beside the inventory, the file has the same variable.
    (project / "inventory" / "group_vars" / "all.yml").unlink()
    before = files(project)

    for arguments in (["--check"], []):
        status, output = ansible_playbook("deploy.yml", *arguments)
        assert status == 2
        assert f"A new folder {project}/group_vars/all would make Ansible ignore {project}/group_vars/all.yml" in output
    assert not sandbox.requests()
    assert files(project) == before

    commands = re.search(r"first move that file into the folder: \\?\"(.+?)\\?\" and \\?\"(.+?)\\?\"", output)
    assert commands, output
    for command in commands.groups():
        subprocess.run(["bash", "-c", command], check=True)
    assert ansible_playbook("deploy.yml")[0] == 0
    status, output = ansible_playbook("use.yml")
    assert status == 0
    assert re.search(r"https://shop.example.com \d{2}", output)


def test_what_ansible_would_hide_or_never_read_is_refused_by_both_modules_wherever_it_is(
    project: Path, ansible_playbook: Command, sandbox: Sandbox
) -> None:
    reasons = {
        "all/tokens.yml": "A new folder {}/all would make Ansible ignore {}/all.yml",
        "all.json": "Ansible would never read {}/all.json, because it reads {}/all.yml",
        "shops/tokens.vault": "Ansible would never read {}/shops/tokens.vault, because it ignores",
    }
    modules: dict[str, dict[str, Any]] = {
        "voucherify.oauth.vaulted_tokens": {"tokens": TOKENS},
        "voucherify.oauth.vaulted_vars": {"variables": {"a": "x"}},
    }
    folders = [f"{project}/group_vars", f"{project}/inventory/group_vars"]
    tasks = [
        {module: {"path": f"{folder}/{path}", **options}, "check_mode": check_mode, "ignore_errors": True}
        for folder in folders
        for path in reasons
        for module, options in modules.items()
        for check_mode in (True, False)
    ]
    write_playbook(project / "refused.yml", tasks)
    before = files(project)

    status, output = ansible_playbook("refused.yml")

    assert status == 0
    assert f"ignored={len(tasks)}" in output
    for folder in folders:
        for reason in reasons.values():
            assert output.count(reason.replace("{}", folder)) >= 4
    assert not sandbox.requests()
    assert files(project) == before
