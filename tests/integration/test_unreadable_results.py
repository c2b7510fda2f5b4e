# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A result that cannot be read is reported with the cause, and without anything that may contain a token."""

from __future__ import annotations

import re
import shlex
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from integration.plays import Play, old_python
from leaks import find_secrets
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"

# What a shell or a wrapper may do with the output of a module. "$0" is Python.
WRAPPERS = {
    "to standard error": '"$0" "$@" 1>&2',
    "in one line with more": 'printf noise; "$0" "$@" | tr -d "\\n"',
    "as base64 to standard error": '"$0" "$@" | base64 1>&2',
    "one word per line": '"$0" "$@" | tr -s "{:, " "\\n" 1>&2',
}
NOISE = 'echo "Welcome"; "$0" "$@" | tee /dev/stderr; echo "{Good-bye"'


def wrapped(folder: Path, name: str, script: str) -> str:
    """Return a Python whose output goes through this script. Up to ansible-core 2.18, its path must have no space."""
    python, inner = folder / f"python-{name}", folder / f"inner-{name}"
    inner.write_text(f"#!/bin/bash\n{script}\n".replace('"$0"', shlex.quote(sys.executable)))
    inner.chmod(0o700)
    python.write_text(f'#!/bin/bash\nexec {shlex.quote(str(inner))} "$@"\n')
    python.chmod(0o700)
    return str(python)


def task(python: str, name: str, **options: Any) -> dict[str, Any]:
    variables = {"ansible_python_interpreter": python}
    return {TOKEN: options, "register": name, "ignore_errors": True, "vars": variables}


def test_an_unreadable_result_is_reported_and_no_part_of_it_is_shown(
    play: Play, sandbox: Sandbox, tmp_path: Path
) -> None:
    sudo = tmp_path / "sudo"
    sudo.write_text("#!/bin/sh\necho 'sudo: unknown user nobody-here' >&2\nexit 1\n")
    sudo.chmod(0o700)
    become = {"become": True, "become_user": "nobody", "vars": {"ansible_become_exe": str(sudo)}}
    unreadable = [f"unreadable_{number}" for number in range(len(WRAPPERS))]
    tasks = [
        *(task(wrapped(tmp_path, name, script), name) for name, script in zip(unreadable, WRAPPERS.values())),
        task(wrapped(tmp_path, "noise", NOISE), "noise"),
        task("/nowhere/python", "missing"),
        task(sys.executable, "refused") | become,
    ]
    names = [*unreadable, "noise", "missing", "refused"]
    run = play(tasks, "-vvvvv", way="module", fetch=names)
    assert run.status == 0, run.output
    assert len(sandbox.live_tokens()) == len(WRAPPERS) + 1
    assert not find_secrets(run.output, sandbox)
    assert "Traceback" not in run.output
    for name, wrapper in zip(unreadable, WRAPPERS):
        message = run.variables[name]["msg"]
        assert "cannot be read" in message, wrapper
        assert "If a token was made, it is lost" in message, wrapper

    assert run.variables["noise"]["operation"] == "generated"
    assert "Good-bye" not in run.output
    missing, refused = run.variables["missing"]["msg"], run.variables["refused"]["msg"]
    assert "The target said: " in missing
    assert "/nowhere/python" in missing
    assert "not found" in missing or "No such file" in missing
    assert "unknown user" in refused
    assert "lost" not in missing + refused


@pytest.mark.thorough
def test_a_module_that_is_killed_while_it_generates_may_have_lost_a_token(
    play: Play, sandbox: Sandbox, tmp_path: Path
) -> None:
    # When the module is killed, the API has carried out the call and has not answered it.
    sandbox.fail("any", hold=True, times=2)
    signs = [tmp_path / "kill-made", tmp_path / "kill-revoked"]
    script = '"$0" "$@" <&0 & until [ -e {} ]; do sleep 0.1; done; kill -9 $!; wait $!'
    made, revoked = (wrapped(tmp_path, sign.name, script.format(shlex.quote(str(sign)))) for sign in signs)
    tasks = [task(made, "made"), task(revoked, "revoked", access_token="dead", state="absent")]
    with ThreadPoolExecutor() as threads:
        running = threads.submit(play, tasks, way="module", fetch=["made", "revoked"])
        for calls, sign in enumerate(signs, start=1):
            while len(sandbox.requests()) < calls and not running.done():
                time.sleep(0.1)
            sign.touch()
        run = running.result()
    assert [call.operation for call in sandbox.requests()] == ["generate", "revoke"]
    assert len(sandbox.live_tokens()) == 1
    assert run.unwrapped.count("[WARNING]: The failed call may have made a token that was lost.") == 1
    assert run.variables["made"]["error"]["outcome_unknown"]
    assert "error" not in run.variables["revoked"]


@pytest.mark.thorough
def test_a_python_that_is_too_old_is_suspected(play: Play, sandbox: Sandbox) -> None:
    pythons = [python for version in ("3.6", "3.7", "3.8") if (python := old_python(version))]
    if not pythons:
        pytest.skip("no Python older than 3.9 is installed")
    names = [f"result_{number}" for number in range(len(pythons))]
    run = play([task(*pair) for pair in zip(pythons, names)], way="module", fetch=names)
    assert run.status == 0, run.output
    for name in names:
        # The second is ansible-core's own.
        assert re.search("is 3.9 or newer|minimum of Python", run.variables[name]["msg"])
    assert "Traceback" not in run.output
    assert not sandbox.requests()
