# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README's playbook in a project that already has group_vars/all.yml. Ansible reads that file or a folder all/."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from integration.plays import CHECKOUT, run_command, unwrapped
from sandbox import Sandbox


def test_the_first_playbook_does_not_switch_off_the_variables_of_a_project(
    tmp_path: Path, sandbox: Sandbox, ansible_environment: Mapping[str, str]
) -> None:
    project, password = tmp_path / "project", tmp_path / "password"
    password.write_text("a password")
    for folder in ("group_vars", "inventory"):
        (project / folder).mkdir(parents=True)
    (project / "group_vars" / "all.yml").write_text("shop_url: https://shop.example.com\n")
    (project / "inventory" / "hosts").write_text("localhost ansible_connection=local\n")
    example = re.findall(r"(?s)```yaml\n(# deploy.yml\n.*?)```", (CHECKOUT / "README.md").read_text())[0]
    (project / "deploy.yml").write_text(example)
    tasks = [{"debug": {"msg": "{{ shop_url }} {{ voucherify_vouchers_token | length }}"}}]
    (project / "use.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    environment = {**ansible_environment, **sandbox.environment, "ANSIBLE_VAULT_PASSWORD_FILE": str(password)}
    before = sorted(project.rglob("*"))

    def run(*arguments: str) -> tuple[int, str]:
        command = ("ansible-playbook", "-i", "inventory/hosts", *arguments)
        status, output = run_command(*command, environment=environment, cwd=project)
        return status, unwrapped(output)

    for arguments in (["--check"], []):
        status, output = run("deploy.yml", *arguments)
        assert status == 2
        assert f"A new folder {project}/group_vars/all would make Ansible ignore {project}/group_vars/all.yml" in output
    assert not sandbox.requests()
    assert sorted(project.rglob("*")) == before

    commands = re.search(r"first move that file into the folder: \\?\"(.+?)\\?\" and \\?\"(.+?)\\?\"", output)
    assert commands, output
    for command in commands.groups():
        subprocess.run(["bash", "-c", command], check=True)
    assert run("deploy.yml")[0] == 0
    status, output = run("use.yml")
    assert status == 0
    assert re.search(r"https://shop.example.com \d{2}", output)
