# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A result that cannot be read is reported with the cause, and without anything that may contain a token."""

from __future__ import annotations

import shlex
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from integration.plays import Play, old_python
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"

# What a shell or a wrapper may do with the output of a module. "$0" is Python.
WRAPPERS = {
    "to standard error": '"$0" "$@" 1>&2',
    "to both": '"$0" "$@" | tee /dev/stderr | tr -d "{"',
    "in one line with more": 'printf noise; "$0" "$@" | tr -d "\\n"',
    "as base64": '"$0" "$@" | base64 -w 0',
    "as base64 to standard error": '"$0" "$@" | base64 1>&2',
    "in hexadecimal": '"$0" "$@" | od -A n -t x1 1>&2',
    "as a traceback": '{ echo "Traceback (most recent call last):"; "$0" "$@"; } | tr -d "\\n" 1>&2',
    "one word per line": '"$0" "$@" | tr -s "{:, " "\\n" 1>&2',
}


def wrapped(folder: Path, script: str) -> str:
    """Return a Python whose output goes through this script. Up to ansible-core 2.18, its path must have no space."""
    python = folder / "python"
    inner = folder / "inner"
    inner.write_text(f"#!/bin/bash\n{script}\n".replace('"$0"', shlex.quote(sys.executable)))
    inner.chmod(0o700)
    python.write_text(f'#!/bin/bash\nexec {shlex.quote(str(inner))} "$@"\n')
    python.chmod(0o700)
    return str(python)


@pytest.mark.parametrize("verbosity", [(), ("-vvvvv",)], ids=["quiet", "verbose"])
@pytest.mark.parametrize("script", WRAPPERS.values(), ids=WRAPPERS)
def test_no_part_of_an_unreadable_result_is_shown(
    play: Play, sandbox: Sandbox, tmp_path: Path, script: str, verbosity: tuple[str, ...]
) -> None:
    python = wrapped(tmp_path, script)
    run = play([{TOKEN: {}, "register": "made"}], *verbosity, way="module", vars={"ansible_python_interpreter": python})
    assert run.status != 0
    (token,) = sandbox.live_tokens()
    for secret in (token.access_token, sandbox.app_token):
        assert secret not in run.output
        assert b64encode(secret.encode()).decode()[:-4] not in "".join(run.output.split())
        assert secret.encode().hex() not in "".join(run.output.split())
    output = run.unwrapped
    assert "cannot be read" in output
    assert "If a token was made, it is lost" in output
    # Neither a traceback nor the lines of a result are shown, only the last line of what the target printed.
    assert output.count("Traceback") <= output.count("The target said: Traceback")


def test_a_result_with_noise_around_it_is_read_and_the_noise_is_not_shown(
    play: Play, sandbox: Sandbox, tmp_path: Path
) -> None:
    python = wrapped(tmp_path, 'echo "Welcome"; "$0" "$@" | tee /dev/stderr; echo "{Good-bye"')
    run = play([{TOKEN: {}, "register": "made"}], "-vvvvv", way="module", vars={"ansible_python_interpreter": python})
    assert run.status == 0, run.output
    assert "Good-bye" not in run.output
    assert sandbox.live_tokens()[0].access_token not in run.output


def test_a_missing_python_is_reported_in_the_words_of_the_target(play: Play) -> None:
    run = play([{TOKEN: {}}], way="module", vars={"ansible_python_interpreter": "/nowhere/python"})
    assert run.status != 0
    output = run.unwrapped
    assert "The target said: " in output
    assert "/nowhere/python" in output
    assert "not found" in output or "No such file" in output
    assert "If a token was made" not in output


def test_become_that_is_refused_loses_no_token(play: Play, sandbox: Sandbox, tmp_path: Path) -> None:
    sudo = tmp_path / "sudo"
    sudo.write_text("#!/bin/sh\necho 'sudo: unknown user nobody-here' >&2\nexit 1\n")
    sudo.chmod(0o700)
    task = {TOKEN: {}, "become": True, "become_user": "nobody"}
    run = play([task], vars={"ansible_become_exe": str(sudo)})
    assert run.status != 0
    assert "unknown user" in run.unwrapped
    assert "lost" not in run.output
    assert not sandbox.requests()


def test_a_module_that_is_killed_while_it_generates_may_have_lost_a_token(
    play: Play, sandbox: Sandbox, tmp_path: Path
) -> None:
    # By then, the API has carried out the call and has not answered it.
    sandbox.fail("any", hold=True, times=2)
    python = wrapped(tmp_path, '"$0" "$@" <&0 & sleep 3; kill -9 $!; wait $!')
    tasks: list[dict[str, Any]] = [
        {TOKEN: {}, "register": "made", "ignore_errors": True},
        {TOKEN: {"access_token": "dead", "state": "absent"}, "register": "revoked", "ignore_errors": True},
    ]
    run = play(tasks, way="module", vars={"ansible_python_interpreter": python}, fetch=["made", "revoked"])
    assert len(sandbox.live_tokens()) == 1
    assert run.unwrapped.count("[WARNING]: The failed call may have made a token that was lost.") == 1
    assert run.variables["made"]["error"]["outcome_unknown"]
    assert "error" not in run.variables["revoked"]


@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8"])
def test_a_python_that_is_too_old_is_named_with_its_version(play: Play, sandbox: Sandbox, version: str) -> None:
    python = old_python(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed")
    run = play([{TOKEN: {}}], way="module", vars={"ansible_python_interpreter": python})
    assert run.status != 0
    output = run.unwrapped
    assert f"The Python of the target is too old: it is {version}" in output
    assert "None" not in output
    assert "Traceback" not in output
    assert not sandbox.requests()
