# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The base of all actions. It keeps results, and the loop items that Ansible prints with them, out of the output."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.compat.version import LooseVersion
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as core_version

from ..module_utils._api.words import shown
from ..module_utils._options import Result
from ._arguments import TaskArgsError

_CORE_SHOWS_HIDDEN_FAILURES = LooseVersion(core_version) >= LooseVersion("2.19")


def is_loop(action: ActionBase) -> bool:
    """Whether Ansible prints a loop item next to the result, failed or not. Any part of an item may be a secret."""
    return action._task.loop is not None


def has_failed(result: Result) -> bool:
    """Whether Ansible counts a result as a failure."""
    return bool(result.get("failed") or result.get("unreachable"))


class HidingAction(ActionBase):
    """Hides all results of a loop. Of a failure, Ansible shows the message alone; a registered variable has all of it.

    A subclass sets the module's full name.
    """

    NAME: str

    @abstractmethod
    def outcome(self, task_vars: dict[str, Any]) -> Result:
        """Do the task, and return its result. Raises TaskArgsError."""

    def is_secret(self, result: Result) -> bool:
        """Whether a result is hidden outside of loops too."""
        return False

    def interrupted(self) -> None:
        """Called when the task's timeout was reached or the run was interrupted."""
        # Up to ansible-core 2.18, its own message is hidden with the item.
        if is_loop(self) and not _CORE_SHOWS_HIDDEN_FAILURES:
            self._show_error("The task was stopped, because its timeout was reached or the run was interrupted.")

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Result:
        in_loop = is_loop(self)
        if in_loop:
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
            result = self.outcome(task_vars or {})
        except TaskArgsError as error:
            result = {"failed": True, "changed": False, "msg": f"{error}."}
        except AnsibleError as error:
            if not in_loop:
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
        if in_loop or self.is_secret(result):
            self._hide(result)
        return result

    def _hide(self, result: Result) -> None:
        result["_ansible_no_log"] = True
        if not _CORE_SHOWS_HIDDEN_FAILURES:
            # Otherwise all callbacks except the default one print the result of the whole loop.
            self._task.no_log = True
        # No version shows anything about a hidden host that cannot be reached.
        if result.get("unreachable") or (has_failed(result) and not _CORE_SHOWS_HIDDEN_FAILURES):
            self._show_error(result["msg"])

    def _show_error(self, message: str) -> None:
        self._display.error(message, wrap_text=False)
