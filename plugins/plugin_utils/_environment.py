# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Check whether Ansible's worker process may make HTTP calls, and set the task's environment in it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from ansible.plugins.action import ActionBase

from ._arguments import TaskArgsError

# Python and its libraries read these when they start, so setting them in a running process has no effect.
_READ_AT_START = ("PYTHON", "LD_", "DYLD_", "OPENSSL_")


def environment_of(action: ActionBase) -> dict[str, Any]:
    """Return the task's keyword environment, templated. Raises TaskArgsError if no process can have such variables."""
    environment: dict[str, Any] = {}
    with suppress(TypeError):
        action._compute_environment_string(environment)
    for name, value in environment.items():
        if not isinstance(name, str) or not name or re.search("[=\\0]", name) or "\0" in str(value):
            raise TaskArgsError(
                "environment has a variable whose name is not a string, is empty or contains '=', or that contains a"
                " null character; correct it"
            )
    return environment


@contextmanager
def environment_set(variables: Mapping[str, Any]) -> Iterator[None]:
    """Set environment variables in this process temporarily, because the next item of a loop may have others."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update({name: str(value) for name, value in variables.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def why_not_here(environment: Mapping[str, Any]) -> str | None:
    """Return why this process must not make HTTP calls for the task; None if it can."""
    at_start = sorted(name for name in environment if name.startswith(_READ_AT_START))
    if at_start:
        return f"environment sets {', '.join(at_start)}, which Python reads when it starts"
    if sys.platform == "darwin":
        return "network libraries cannot be relied on in a forked process on macOS"
    return None
