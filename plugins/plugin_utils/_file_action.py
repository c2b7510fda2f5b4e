# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""What the actions that manage a vars file share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.voucherify.oauth.plugins.module_utils._api.errors import OAuthError
from ansible_collections.voucherify.oauth.plugins.module_utils._options import Result, failed
from ansible_collections.voucherify.oauth.plugins.plugin_utils._arguments import TaskArgsError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._environment import environment_of, environment_set
from ansible_collections.voucherify.oauth.plugins.plugin_utils._file_diff import file_diff
from ansible_collections.voucherify.oauth.plugins.plugin_utils._file_options import file_settings
from ansible_collections.voucherify.oauth.plugins.plugin_utils._hiding import (
    hide,
    hide_task,
    is_loop,
    show_interruption,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import VarsFileError

__all__ = ["FileAction", "file_diff", "file_settings"]


class FileAction(ActionBase):
    """Runs on the controller and needs no connection to a target. A subclass sets its full name."""

    NAME: str
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Result:
        """Run the task. The result contains no secret, so it is only hidden in a loop, whose items Ansible prints."""
        in_loop = is_loop(self)
        if in_loop:
            hide_task(self)
        result: Result = {}
        try:
            # Checked before ansible-core does it, because in a loop its message would be hidden.
            if self._task.async_val:
                raise TaskArgsError(f"{self.NAME} does not run with async; remove async and poll from the task")
            result.update(super().run(tmp, task_vars))
            with environment_set(environment_of(self)):
                result.update(self.work(task_vars or {}))
        except TaskArgsError as error:
            result.update(failed=True, changed=False, msg=f"{error.with_hint('on the controller')}.")
        except VarsFileError as error:
            result.update(failed=True, changed=False, msg=f"{error}.")
        except OAuthError as error:
            result.update(failed(error))
        except BaseException as error:
            show_interruption(self, error)
            raise
        # At once, because with the keyword until, ansible-core drops the warnings of all tries but the last.
        for warning in result.get("warnings", []):
            self._display.warning(warning)
        if in_loop:
            hide(self, result)
        return result

    @abstractmethod
    def work(self, task_vars: dict[str, Any]) -> Result:
        """Do the work in the task's environment. Raises TaskArgsError, VarsFileError or OAuthError."""
