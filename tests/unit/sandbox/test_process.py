# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and stopping the sandbox: the ready line, the command, and that nothing is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
import sandbox as package
from sandbox import Sandbox

FOLDER = Path(package.__file__).parent
COMMAND = [sys.executable, str(FOLDER)]
LOOK_AROUND = """
import json, os, requests, sys
state = requests.get(os.environ["VOUCHERIFY_SANDBOX_URL"] + "/state").json()
print(json.dumps([sys.argv[1:], dict(os.environ), state]))
sys.exit(7)
"""


def is_listening(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((parts.hostname or "", parts.port or 0)) == 0


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_stops_on_a_signal(tmp_path: Path, stop_signal: signal.Signals) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*COMMAND, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout
        word, url = process.stdout.readline().split()
        assert (word, url) == ("ready", f"http://127.0.0.1:{port}")
        assert requests.get(url + "/v1/oauth/token", timeout=10).status_code == 405
        process.send_signal(stop_signal)
        rest, _errors = process.communicate(timeout=60)
    assert (rest, process.returncode) == ("", 0)
    assert not is_listening(url)
    assert list(tmp_path.iterdir()) == []


def test_a_command_finds_the_sandbox_and_gets_its_own_dashes() -> None:
    environment = {**os.environ, "http_proxy": "http://127.0.0.1:1", "NO_PROXY": "intranet.example"}
    environment.pop("no_proxy", None)
    command = [*COMMAND, "--", sys.executable, "-c", LOOK_AROUND, "--port", "--", "x"]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (7, "")
    arguments, variables, state = json.loads(ended.stdout)
    assert arguments == ["--port", "--", "x"]
    assert variables["VOUCHERIFY_APP_ID"] == state["keys"][0]["app_id"]
    assert variables["VOUCHERIFY_APP_TOKEN"] == state["keys"][0]["app_token"]
    assert variables["VOUCHERIFY_SANDBOX_URL"] == variables["VOUCHERIFY_API_BASE_URL"] + "/control"
    assert variables["NO_PROXY"] == variables["no_proxy"] == "intranet.example,127.0.0.1,localhost"
    assert not is_listening(variables["VOUCHERIFY_API_BASE_URL"])


def test_the_shell_says_which_server_it_uses() -> None:
    shell = ["bash", "--rcfile", str(FOLDER / "shell.bashrc"), "-i"]
    ended = subprocess.run(
        [*COMMAND, "--", *shell],
        input="echo $VOUCHERIFY_API_BASE_URL $PS1\n",
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    url = re.findall(r"^(http://127\.0\.0\.1:\d+) \(voucherify sandbox\)", ended.stdout, re.MULTILINE)[0]
    assert f"API: {url} " in ended.stdout
    assert "ansible-playbook voucherify.oauth.demo" in ended.stdout


@pytest.mark.parametrize("source", ["--help", "greeting"])
def test_the_commands_that_control_the_sandbox_work(source: str) -> None:
    if source == "greeting":
        text = (FOLDER / "shell.bashrc").read_text()
    else:
        text = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=30, check=True).stdout
    commands = re.findall(r"^  curl (?:-d '(.*)' )?\\?\$VOUCHERIFY_SANDBOX_URL/(\w+)$", text, re.MULTILINE)
    assert {"clock", "faults", "reset", "requests"} <= {name for _content, name in commands}
    with Sandbox.start() as server:
        control = server.environment["VOUCHERIFY_SANDBOX_URL"]
        for content, name in commands:
            method = "GET" if name in {"requests", "state"} else "POST"
            assert requests.request(method, f"{control}/{name}", data=content, timeout=30).ok, (content, name)
