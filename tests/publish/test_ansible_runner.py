# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-runner, which runs the jobs of the automation platform, runs the example playbook and records no secret."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from integration.plays import CHECKOUT, TIME_LIMIT, command_path, run_environment
from leaks import find_secrets
from sandbox import Sandbox

pytestmark = pytest.mark.thorough

PLAYBOOK = CHECKOUT / "docs" / "automation_platform" / "deploy.yml"
# The modules without the role, so that results that contain a token reach ansible-runner's own callback.
MODULES = """
- hosts: localhost
  gather_facts: false
  tasks:
    - voucherify.oauth.voucherify_oauth_token:
        scope: [vouchers]
      register: made
    - voucherify.oauth.voucherify_oauth_token:
        access_token: "{{ made.access_token }}"
      register: kept
    - voucherify.oauth.vaulted_vars:
        path: tokens.yml
        variables:
          kept: "{{ kept.access_token }}"
    - voucherify.oauth.voucherify_oauth_token:
        state: absent
        access_token: "{{ item }}"
      loop: ["{{ kept.access_token }}"]
"""
VAULT_PASSWORD = "correct-horse/battery+staple"

# The only file in which ansible-runner records the environment of a job, as documented.
RECORDS_ENVIRONMENT = "command"

# The artifacts of each job are in a folder named after a UUID.
JOB_FOLDER = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/")


@pytest.fixture
def job(tmp_path: Path, sandbox: Sandbox) -> Path:
    """A job folder like the platform's: a project, the key in the environment, the vault password for the prompt."""
    folder = tmp_path / "job"
    (folder / "project").mkdir(parents=True)
    (folder / "env").mkdir()
    shutil.copy(PLAYBOOK, folder / "project")
    (folder / "project" / "modules.yml").write_text(MODULES)
    environment = {**run_environment(tmp_path), **sandbox.environment}
    (folder / "env" / "envvars").write_text(yaml.safe_dump(environment))
    (folder / "env" / "passwords").write_text(yaml.safe_dump({r"Vault password:\s*?$": VAULT_PASSWORD}))
    # The highest verbosity a job template can have.
    (folder / "env" / "cmdline").write_text("--ask-vault-pass -vvvvv --diff")
    return folder


@pytest.mark.parametrize("playbook", [PLAYBOOK.name, "modules.yml"])
def test_a_job_succeeds_and_records_no_secret(job: Path, sandbox: Sandbox, tmp_path: Path, playbook: str) -> None:
    run = runner("run", str(job), "--playbook", playbook, home=tmp_path)
    assert run.returncode == 0, run.stdout
    check_job(job / "artifacts", sandbox)
    assert names_with_a_secret(job, sandbox) == {
        "env/envvars",
        "env/passwords",
        f"artifacts/{RECORDS_ENVIRONMENT}",
    }
    assert find_secrets(run.stdout, sandbox, VAULT_PASSWORD) == []


def test_a_job_that_another_node_runs_succeeds_and_records_no_secret(
    job: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    node, controller = tmp_path / "node", tmp_path / "controller"
    sent = runner("transmit", str(job), "--playbook", PLAYBOOK.name, home=tmp_path)
    assert sent.returncode == 0, sent.stderr
    worked = runner("worker", "--private-data-dir", str(node), "--delete", home=tmp_path, stdin=sent.stdout)
    assert worked.returncode == 0, worked.stderr
    processed = runner("process", str(controller), home=tmp_path, stdin=worked.stdout)
    assert processed.returncode == 0, processed.stderr

    check_job(controller / "artifacts", sandbox)
    assert names_with_a_secret(controller, sandbox) == {f"artifacts/{RECORDS_ENVIRONMENT}"}
    assert find_secrets(processed.stdout + processed.stderr + worked.stderr, sandbox, VAULT_PASSWORD) == []
    assert not node.exists(), "the worker left the job on its node"


def runner(subcommand: str, *arguments: str, home: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    # ansible-runner finds ansible-playbook on the PATH.
    path = f"{Path(command_path('ansible-playbook')).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [command_path("ansible-runner"), subcommand, *arguments],
        env={**os.environ, "HOME": str(home), "PATH": path},
        cwd=home,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )


def check_job(artifacts: Path, sandbox: Sandbox) -> None:
    """Check that the job ran, that its events were recorded, and that it revoked its tokens."""
    assert [path.read_text() for path in artifacts.glob("**/status")] == ["successful"]
    events = [json.loads(path.read_text()) for path in artifacts.glob("**/job_events/*.json")]
    assert "playbook_on_stats" in {event["event"] for event in events}
    assert "generate" in [request.operation for request in sandbox.requests()]
    assert not sandbox.live_tokens()


def names_with_a_secret(folder: Path, sandbox: Sandbox) -> set[str]:
    """Return the files in a folder that contain a secret. Their names leave out the random part."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file() and find_secrets(path.read_text(errors="replace"), sandbox, VAULT_PASSWORD):
            found.add(JOB_FOLDER.sub("", str(path.relative_to(folder))))
    return found
