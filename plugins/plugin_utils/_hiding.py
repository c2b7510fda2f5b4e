# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The base of all actions. It keeps results, and the loop items that Ansible prints with them, out of the output.

It also says what the task's keyword C(environment) is, and whether this process can do the task's work in it.
"""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as core_version

from ..module_utils._api.words import shown
from ..module_utils._options import Result
from ._arguments import TaskArgsError

# Python and its libraries read these when they start, so setting them in a running process has no effect.
_READ_AT_START = ("PYTHON", "LD_", "DYLD_", "OPENSSL_")
_CORE_SHOWS_HIDDEN_FAILURES = tuple(map(int, core_version.split(".")[:2])) >= (2, 19)


def has_failed(result: Result) -> bool:
    """Whether Ansible counts a result as a failure."""
    return bool(result.get("failed") or result.get("unreachable"))


class HidingAction(ActionBase):
    """Hides all results of a loop. Of a failure, Ansible shows the message alone; a registered variable has all of it.

    A subclass sets the module's full name.
    """

    NAME: str
    # The task's keyword, templated.
    environment: dict[str, Any]

    @abstractmethod
    def outcome(self, task_vars: dict[str, Any]) -> Result:
        """Do the task, and return its result. Raises TaskArgsError."""

    def is_secret(self, result: Result) -> bool:
        """Whether a result is hidden outside of loops too."""
        return False

    @property
    def in_loop(self) -> bool:
        """Whether Ansible prints a loop item next to the result, failed or not. Any part of an item may be a secret."""
        return self._task.loop is not None

    def why_not_here(self) -> str | None:
        """Return why this process must not make HTTP calls for the task; None if it can."""
        at_start = sorted(name for name in self.environment if name.startswith(_READ_AT_START))
        if at_start:
            return f"environment sets {', '.join(at_start)}, which Python reads when it starts"
        if sys.platform == "darwin":
            return "network libraries cannot be relied on in a forked process on macOS"
        return None

    @contextmanager
    def environment_set(self) -> Iterator[None]:
        """Set the task's environment in this process temporarily, because the next item of a loop may have another."""
        before = {name: os.environ.get(name) for name in self.environment}
        os.environ.update({name: str(value) for name, value in self.environment.items()})
        try:
            yield
        finally:
            for name, value in before.items():
                del os.environ[name]
                if value is not None:
                    os.environ[name] = value

    def interrupted(self) -> None:
        """Called when the task's timeout was reached or the run was interrupted."""
        # Up to ansible-core 2.18, its own message is hidden with the item.
        if self.in_loop and not _CORE_SHOWS_HIDDEN_FAILURES:
            message = "The task was stopped, because its timeout was reached or the run was interrupted."
            self._display.error(message, wrap_text=False)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Result:
        if self.in_loop:
            # Before anything else, because Ansible itself may end the action, for example at the task's timeout.
            self._task.no_log = True
        try:
            # Before ansible-core refuses it, because in a loop its message would be hidden.
            if self._task.async_val:
                raise TaskArgsError(
                    f"{self.NAME} does not run with async, because Ansible would store its secrets in a file in plain"
                    " text; remove async and poll from the task"
                )
            super().run(tmp, task_vars)
            self.environment = {}
            self._compute_environment_string(self.environment)
            result = self.outcome(task_vars or {})
        except TaskArgsError as error:
            result = {"failed": True, "changed": False, "msg": f"{error}."}
        except AnsibleError as error:
            if not self.in_loop:
                raise
            kind = "unreachable" if isinstance(error, AnsibleConnectionFailure) else "failed"
            result = {kind: True, "msg": shown(str(error))}
        except BaseException as error:
            # The task's timeout and an interrupt are not subclasses of Exception.
            if not isinstance(error, Exception):
                self.interrupted()
            raise
        # At once, because with the keyword until, ansible-core drops the warnings of all tries but the last.
        for warning in result.get("warnings", []):
            self._display.warning(warning)
        if self.in_loop or self.is_secret(result):
            self._hide(result)
        return result

    def _hide(self, result: Result) -> None:
        result["_ansible_no_log"] = True
        if not _CORE_SHOWS_HIDDEN_FAILURES:
            # Otherwise all callbacks except the default one print the result of the whole loop.
            self._task.no_log = True
        # No version shows anything about a hidden host that cannot be reached.
        if result.get("unreachable") or (has_failed(result) and not _CORE_SHOWS_HIDDEN_FAILURES):
            self._display.error(result["msg"], wrap_text=False)
