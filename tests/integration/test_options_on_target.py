# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a task are never in a file on the target."""

from __future__ import annotations

import json
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
from leaks import find_secrets
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user without a password")
SUDO = pytest.mark.skipif(not shutil.which("sudo"), reason="sudo is not installed")

# Each runs a module: in another process, over ssh, or as another user.
TARGETS: dict[str, Any] = {
    "ssh": {"hosts": "far"},
    "local": pytest.param({"way": "module"}, marks=pytest.mark.thorough),
    "su": pytest.param({"become": True, "become_method": "su"}, marks=[AS_ROOT, pytest.mark.thorough]),
    "sudo": pytest.param({"become": True, "become_method": "sudo"}, marks=[AS_ROOT, SUDO, pytest.mark.thorough]),
}
KEEP = {"ANSIBLE_KEEP_REMOTE_FILES": "true", "ANSIBLE_PIPELINING": "false"}


def files_with_secret(folders: Sequence[Path], sandbox: Sandbox) -> list[Path]:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if find_secrets(path.read_text(errors="replace"), sandbox)]


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


def task(sandbox: Sandbox) -> dict[str, Any]:
    # sudo clears the environment.
    key = "{{ lookup('env', 'VOUCHERIFY_APP_TOKEN') }}"
    return {
        TOKEN: {"app_id": sandbox.app_id, "app_token": key, "api_base_url": sandbox.url},
        "register": "made",
    }


@pytest.mark.parametrize("keywords", TARGETS.values(), ids=TARGETS)
def test_no_file_with_a_secret_is_left_on_the_target_and_nothing_is_printed(
    play: Play, sandbox: Sandbox, folders: tuple[Path, Path], keywords: dict[str, Any]
) -> None:
    environment = {**target_environment(*folders), **KEEP}
    run = play([task(sandbox)], *("-vvvvvv", "-i", "far,"), environment=environment, **keywords)
    assert run.status == 0, run.output
    assert len(sandbox.live_tokens()) == 1
    assert "is executed as a module" in run.output
    assert ("ESTABLISH SSH CONNECTION" in run.output) == ("hosts" in keywords)
    assert not find_secrets(run.output, sandbox)
    assert not files_with_secret(folders, sandbox)


CANNOT_PIPE = """
DOCUMENTATION = "name: elsewhere\\nshort_description: as local\\ndescription: [as local]\\nauthor: [test]"
from ansible.plugins.connection.local import Connection as Local
class Connection(Local):
    transport = "elsewhere"
    has_pipelining = False
"""


@pytest.mark.thorough
def test_a_connection_that_cannot_pipe_leaves_no_file_either(
    play: Play, sandbox: Sandbox, folders: tuple[Path, Path]
) -> None:
    (folders[0] / "elsewhere.py").write_text(CANNOT_PIPE)
    environment = {**target_environment(*folders), **KEEP, "ANSIBLE_CONNECTION_PLUGINS": str(folders[0])}
    run = play([task(sandbox)], environment=environment, vars={"ansible_connection": "elsewhere"})
    assert run.status == 0, run.output
    assert not files_with_secret(folders, sandbox)


@pytest.mark.thorough
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_no_file_has_a_secret_while_the_module_runs_or_after_an_interrupt(
    sandbox: Sandbox, folders: tuple[Path, Path], stop: signal.Signals
) -> None:
    sandbox.fail("introspect", hang=True)
    options = {"access_token": "a-token", "app_token": "{{ lookup('env', 'VOUCHERIFY_APP_TOKEN') }}"}
    with subprocess.Popen(
        [command_path("ansible"), "all", *("-i", "far,", "-c", "ssh", "-m", TOKEN, "-a", json.dumps(options))],
        cwd=folders[0],
        env={**os.environ, **run_environment(folders[0]), **sandbox.environment, **target_environment(*folders)},
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
