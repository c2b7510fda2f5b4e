# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks that use `uri` send keys and tokens only to the API, and leave none in a file."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from integration.plays import command_path, run_command, wait_until
from leaks import files_with_secrets, find_secrets
from loopback import Listener
from sandbox import ALWAYS, Sandbox

PLAYBOOKS = pytest.mark.parametrize("playbook", ["demo", pytest.param("check", marks=pytest.mark.thorough)])


@pytest.fixture
def environment(sandbox: Sandbox, ansible_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    password = tmp_path / "password"
    password.write_text("a vault password")
    return {**ansible_environment, **sandbox.environment, "ANSIBLE_VAULT_PASSWORD_FILE": str(password)}


@PLAYBOOKS
def test_neither_a_proxy_nor_the_target_of_a_redirect_receives_anything(
    sandbox: Sandbox, environment: dict[str, str], tmp_path: Path, playbook: str
) -> None:
    with Listener(lambda connection, number: connection.close()) as elsewhere:
        sandbox.fail("vouchers", times=ALWAYS, status=302, body="", headers={"Location": elsewhere.url})
        status, output = run_command(
            "ansible-playbook",
            f"voucherify.oauth.{playbook}",
            environment={**environment, "http_proxy": elsewhere.url},
            cwd=tmp_path,
        )
        assert elsewhere.connections == 0
    assert status != 0
    assert sandbox.calls("vouchers")
    assert not find_secrets(output, sandbox)
    assert not sandbox.live_tokens()


@pytest.mark.thorough
@pytest.mark.parametrize(("playbook", "operation"), [("check", "revoke"), ("demo", "vouchers")])
def test_a_run_that_is_killed_leaves_no_secret_in_a_file(
    sandbox: Sandbox, environment: dict[str, str], tmp_path: Path, playbook: str, operation: str
) -> None:
    sandbox.fail(operation, times=ALWAYS, hang=True)
    # ansible-core 2.21 and newer make a socket in the first folder, and the path of a socket must be short.
    with TemporaryDirectory() as short:
        folders = {"TMPDIR": short, "ANSIBLE_REMOTE_TMP": str(tmp_path / "remote")}
        run = subprocess.Popen(
            [command_path("ansible-playbook"), f"voucherify.oauth.{playbook}"],
            env={**os.environ, **environment, **folders},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_until(lambda: sandbox.calls(operation) or run.poll() is not None)
        # With all processes that it has started.
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        assert sandbox.calls(operation)
        assert not files_with_secrets(sandbox, tmp_path, Path(short))
