# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks on a target over real ssh, with and without sudo where that is installed."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.plays import Play
from leaks import find_secrets
from sandbox import Sandbox

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
TOKEN = "voucherify.oauth.voucherify_oauth_token"
TASKS = f"""
- {TOKEN}:
  register: made
- {TOKEN}:
    access_token: "{{{{ item.access_token }}}}"
  loop: ["{{{{ made }}}}"]
  register: kept
- {TOKEN}:
    access_token: "{{{{ made.access_token }}}}"
    timeout: "{{{{ made.access_token }}}}"
  ignore_errors: true
"""


@pytest.fixture
def ssh_host(tmp_path: Path) -> Iterator[str]:
    """Run an sshd on loopback. Return the path of an inventory with one host, which uses it."""
    if not SSHD or not shutil.which("ssh"):
        pytest.skip("ssh or sshd is not installed")
    folder = tmp_path / "sshd"
    folder.mkdir(mode=0o700)
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\n"
        f'HostKey "{folder / "host"}"\nAuthorizedKeysFile "{folder / "user.pub"}"\n'
        "StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nAcceptEnv *\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "config"], stderr=subprocess.DEVNULL) as server:
        for _turn in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        inventory = tmp_path / "inventory.ini"
        inventory.write_text(
            f"far ansible_host=127.0.0.1 ansible_port={port} ansible_user={getpass.getuser()}"
            f" ansible_ssh_private_key_file='{folder / 'user'}' ansible_python_interpreter='{sys.executable}'"
            " ansible_ssh_common_args='-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'\n"
        )
        yield str(inventory)
        server.terminate()


BECOME = {
    "no become": {},
    "sudo": pytest.param(
        {"become": True},
        marks=pytest.mark.skipif(not shutil.which("sudo") or os.geteuid() != 0, reason="needs sudo and root"),
    ),
}


@pytest.mark.thorough
@pytest.mark.parametrize("keywords", BECOME.values(), ids=BECOME)
def test_tokens_are_made_and_kept_over_ssh_and_shown_nowhere(
    play: Play, sandbox: Sandbox, tmp_path: Path, ssh_host: str, keywords: dict[str, Any]
) -> None:
    log = tmp_path / "ansible.log"
    run = play(
        TASKS,
        *("-i", ssh_host, "-vvvvv", "--diff"),
        hosts="far",
        fetch=["made", "kept"],
        environment={
            "ANSIBLE_LOG_PATH": str(log),
            "KEY_OF_TEST": sandbox.app_token,
            "ANSIBLE_KEEP_REMOTE_FILES": "true",
            "ANSIBLE_REMOTE_TMP": str(tmp_path / "remote"),
            # In a temporary folder, the path of the socket for shared connections can be too long.
            "ANSIBLE_SSH_ARGS": "-o ControlMaster=no",
        },
        module_defaults={
            "group/voucherify.oauth.voucherify": {
                "app_id": sandbox.app_id,
                "app_token": "{{ lookup('env', 'KEY_OF_TEST') }}",
                "api_base_url": sandbox.url,
            }
        },
        **keywords,
    )
    assert run.status == 0, run.output
    assert "ESTABLISH SSH CONNECTION" in run.output
    (token,) = sandbox.live_tokens()
    assert run.variables["kept"]["results"][0]["access_token"] == token.access_token
    assert "timeout must be an integer, but it is a string" in run.output
    files = [path for path in (tmp_path / "remote").rglob("*") if path.is_file()]
    for text in (run.output, log.read_text(), *(path.read_text(errors="replace") for path in files)):
        assert not find_secrets(text, sandbox)
