# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a task are never in a file on the target."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from integration.plays import Play, command_path, fake_ssh, run_environment
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user without a password")
SUDO = pytest.mark.skipif(not shutil.which("sudo"), reason="sudo is not installed")

# Each runs a module: in another process, over ssh, or as another user.
TARGETS: dict[str, Any] = {
    "local": {"way": "module"},
    "ssh": {"hosts": "far"},
    "su": pytest.param({"become": True, "become_method": "su"}, marks=AS_ROOT),
    "sudo": pytest.param({"become": True, "become_method": "sudo"}, marks=[AS_ROOT, SUDO]),
}
# What users may have configured.
CONFIGURED = {"nothing": {}, "keep": {"ANSIBLE_KEEP_REMOTE_FILES": "true"}, "no pipe": {"ANSIBLE_PIPELINING": "false"}}


def files_with_secret(folders: Sequence[Path], sandbox: Sandbox) -> list[Path]:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if sandbox.app_token.encode() in path.read_bytes()]


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """The folder of the test, and one for temporary files.

    The path of the second is short, because from 2.21 on ansible-core makes a socket in it.
    """
    with TemporaryDirectory() as work:
        yield tmp_path, Path(work)


def target_environment(tmp_path: Path, work: Path) -> dict[str, str]:
    ssh = fake_ssh(tmp_path, 'exec sh -c "${@: -1}"')
    return {**ssh, "ANSIBLE_REMOTE_TMP": str(work), "ANSIBLE_LOCAL_TEMP": str(work / "local"), "TMPDIR": str(work)}


@pytest.mark.parametrize("configured", CONFIGURED.values(), ids=CONFIGURED)
@pytest.mark.parametrize("keywords", TARGETS.values(), ids=TARGETS)
def test_no_file_with_a_secret_is_left_on_the_target(
    play: Play,
    sandbox: Sandbox,
    folders: tuple[Path, Path],
    keywords: dict[str, Any],
    configured: dict[str, str],
) -> None:
    environment = {**target_environment(*folders), **configured}
    keys = {
        "app_id": sandbox.app_id,
        "app_token": "{{ lookup('env', 'VOUCHERIFY_APP_TOKEN') }}",
        # sudo clears the environment.
        "api_base_url": sandbox.url,
    }
    run = play([{TOKEN: keys, "register": "made"}], "-vvv", "-i", "far,localhost,", environment=environment, **keywords)
    assert run.status == 0, run.output
    assert len(sandbox.live_tokens()) == 1
    assert "is executed as a module" in run.output
    assert not files_with_secret(folders, sandbox)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("target", ["local", "ssh"])
def test_no_file_has_a_secret_while_the_module_runs_or_after_an_interrupt(
    sandbox: Sandbox, folders: tuple[Path, Path], target: str, stop: signal.Signals
) -> None:
    sandbox.fail("introspect", hang=True)
    environment = {**os.environ, **run_environment(folders[0]), **sandbox.environment}
    environment.update(target_environment(*folders))
    keywords = "environment: {PYTHONDONTWRITEBYTECODE: '1'}" if target == "local" else "connection: ssh"
    playbook = folders[0] / "playbook.yml"
    playbook.write_text(f"""
- hosts: all
  gather_facts: false
  {keywords}
  tasks:
    - {TOKEN}:
        app_token: "{{{{ lookup('env', 'VOUCHERIFY_APP_TOKEN') }}}}"
        access_token: a-token
""")
    host = "localhost," if target == "local" else "far,"
    if target == "local":
        environment["ANSIBLE_TRANSPORT"] = "local"
    with subprocess.Popen(
        [command_path("ansible-playbook"), "-i", host, str(playbook)],
        cwd=folders[0],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    ) as running:
        give_up = time.monotonic() + 60
        while not sandbox.calls("introspect") and time.monotonic() < give_up and running.poll() is None:
            time.sleep(0.05)
        assert sandbox.calls("introspect")
        assert not files_with_secret(folders, sandbox)
        os.killpg(running.pid, stop)
        output, _nothing = running.communicate(timeout=60)
    assert not files_with_secret(folders, sandbox), output
