# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks that use `uri` send keys and tokens only to the API, and leave none in a file."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from integration.plays import command_path, run_command
from leaks import find_secrets
from loopback import Listener, read_request, response
from sandbox import ALWAYS, Sandbox

PLAYBOOKS = pytest.mark.parametrize("playbook", ["check", "demo"])


@pytest.fixture
def environment(sandbox: Sandbox, ansible_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    password = tmp_path / "password"
    password.write_text("a vault password")
    return {**ansible_environment, **sandbox.environment, "ANSIBLE_VAULT_PASSWORD_FILE": str(password)}


@PLAYBOOKS
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:secret@HOST", "http://localhost:80@HOST", "https://secret@HOST", "http://api.example:80"]
)
def test_a_url_with_another_host_or_a_password_is_refused_and_not_shown(
    sandbox: Sandbox, environment: dict[str, str], tmp_path: Path, playbook: str, url: str
) -> None:
    base_url = url.replace("HOST", sandbox.url.split("//")[1])
    status, output = run_command(
        "ansible-playbook",
        f"voucherify.oauth.{playbook}",
        environment={**environment, "VOUCHERIFY_API_BASE_URL": base_url},
        cwd=tmp_path,
    )
    assert status != 0
    assert "must begin with https://" in output
    assert "secret@" not in output
    assert not sandbox.requests()


@PLAYBOOKS
def test_a_call_on_this_machine_does_not_go_through_a_proxy(
    sandbox: Sandbox, environment: dict[str, str], tmp_path: Path, playbook: str
) -> None:
    with Listener(lambda connection, number: connection.close()) as proxy:
        status, output = run_command(
            "ansible-playbook",
            f"voucherify.oauth.{playbook}",
            environment={**environment, "http_proxy": proxy.url},
            cwd=tmp_path,
        )
        assert status == 0, output
        assert proxy.connections == 0
    assert sandbox.requests()


@PLAYBOOKS
def test_the_target_of_a_redirect_receives_nothing(
    sandbox: Sandbox, environment: dict[str, str], tmp_path: Path, playbook: str
) -> None:
    heads: list[str] = []

    def serve(connection: socket.socket, number: int) -> None:
        heads.append(read_request(connection)[0])
        connection.sendall(response(b"{}"))

    with Listener(serve) as elsewhere:
        sandbox.fail("vouchers", times=ALWAYS, status=302, body="", headers={"Location": elsewhere.url})
        status, output = run_command(
            "ansible-playbook", f"voucherify.oauth.{playbook}", environment=environment, cwd=tmp_path
        )
    assert status != 0
    assert sandbox.calls("vouchers")
    assert not heads
    assert not find_secrets(output, sandbox)
    assert not sandbox.live_tokens()


@pytest.mark.parametrize(("playbook", "operation"), [("check", "generate"), ("check", "revoke"), ("demo", "vouchers")])
def test_a_run_that_is_killed_leaves_no_secret_in_a_file(
    sandbox: Sandbox, environment: dict[str, str], tmp_path: Path, playbook: str, operation: str
) -> None:
    sandbox.fail(operation, times=ALWAYS, hang=True)
    folders = {name: str(tmp_path / name) for name in ("TMPDIR", "ANSIBLE_REMOTE_TMP")}
    (tmp_path / "TMPDIR").mkdir()
    run = subprocess.Popen(
        [command_path("ansible-playbook"), f"voucherify.oauth.{playbook}"],
        env={**os.environ, **environment, **folders},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + 60
    while not sandbox.calls(operation) and time.monotonic() < end:
        time.sleep(0.05)
    # With all processes that it has started.
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert sandbox.calls(operation)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in files if find_secrets(path.read_text(errors="replace"), sandbox)] == []
