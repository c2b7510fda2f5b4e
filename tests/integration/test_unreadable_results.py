# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A result that cannot be read is reported with the cause, and without anything that may contain a token."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from environments import find_pythons
from integration.plays import Play
from leaks import find_secrets
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"

# What a shell or a wrapper may do with the output of a module. "$0" is Python.
KILLED = "nothing, because it was killed"
WRAPPERS = {
    "to standard error": '"$0" "$@" 1>&2',
    "in one line with more": 'printf noise; "$0" "$@" | tr -d "\\n"',
    "as base64 to standard error": '"$0" "$@" | base64 1>&2',
    KILLED: '"$0" "$@" > /dev/null; kill -9 $$',
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
        task(wrapped(tmp_path, "dead", WRAPPERS[KILLED]), "revoked", access_token="an-unknown-token", state="absent"),
        task("/nowhere/python", "missing"),
        task(sys.executable, "refused") | become,
    ]
    names = [*unreadable, "noise", "revoked", "missing", "refused"]
    run = play(tasks, "-vvvvv", way="module", fetch=names)
    assert len(sandbox.live_tokens()) == len(WRAPPERS) + 1
    assert not find_secrets(run.output, sandbox)
    for name, wrapper in zip(unreadable, WRAPPERS):
        message = run.variables[name]["msg"]
        assert "cannot be read" in message, wrapper
        assert "If a token was made, it is lost" in message, wrapper
        assert run.variables[name]["error"]["outcome_unknown"], wrapper

    assert run.variables["noise"]["operation"] == "generated"
    assert "Good-bye" not in run.output
    revoked, missing, refused = (run.variables[name]["msg"] for name in ("revoked", "missing", "refused"))
    assert "cannot be read" in revoked
    assert "The target said: " in missing
    assert "/nowhere/python" in missing
    assert "not found" in missing or "No such file" in missing
    assert "unknown user" in refused
    assert "lost" not in revoked + missing + refused


@pytest.mark.thorough
def test_a_python_that_is_too_old_is_suspected(play: Play, sandbox: Sandbox) -> None:
    found = find_pythons({"3.6", "3.7", "3.8"})
    if not found:
        pytest.skip("no Python older than 3.9 is installed")
    names = [f"result_{number}" for number in range(len(found))]
    run = play([task(str(python), name) for python, name in zip(found.values(), names)], way="module", fetch=names)
    for name in names:
        # The second is ansible-core's own.
        assert re.search("3.9 or newer|minimum of Python", run.variables[name]["msg"])
    assert not sandbox.requests()
