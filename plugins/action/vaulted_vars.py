# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of vaulted_vars. It edits a vars file as a task's options say, and returns the result."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.voucherify.oauth.plugins.modules.vaulted_vars import ARGUMENT_SPEC, RULES
from ansible_collections.voucherify.oauth.plugins.plugin_utils._arguments import (
    TaskArgsError,
    check_no_secret,
    validated,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._environment import environment_of, environment_set
from ansible_collections.voucherify.oauth.plugins.plugin_utils._file_diff import file_diff
from ansible_collections.voucherify.oauth.plugins.plugin_utils._file_options import file_settings
from ansible_collections.voucherify.oauth.plugins.plugin_utils._hiding import (
    hide,
    hide_task,
    is_loop,
    show_interruption,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._masks import masked, secrets_of
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import VarsFileError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.names import check_names, check_variables
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vars_file import (
    Outcome,
    open_vars_file,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_secrets import RunVault

_NAME = "voucherify.oauth.vaulted_vars"


class ActionModule(ActionBase):
    """Runs on the controller and needs no connection to a target."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task. The result contains no values, so it is only hidden in a loop, whose items Ansible prints."""
        in_loop = is_loop(self)
        if in_loop:
            hide_task(self)
        try:
            # Checked before ansible-core does it, because in a loop its message would be hidden.
            if self._task.async_val:
                raise TaskArgsError(f"{_NAME} does not run with async; remove async and poll from the task")
            result: dict[str, Any] = super().run(tmp, task_vars)
            with environment_set(environment_of(self)):
                result.update(self._edit(validated(_NAME, ARGUMENT_SPEC, self._task.args, **RULES)))
        except (TaskArgsError, VarsFileError) as error:
            # Names of variables are shown, unless they look like a value in the wrong place.
            result = {"failed": True, "msg": masked(f"{error}.", secrets_of({}, self._task.args))}
        except BaseException as error:
            show_interruption(self, error)
            raise
        if in_loop:
            hide(self, result)
        return result

    def _edit(self, options: dict[str, Any]) -> dict[str, Any]:
        variables, names = options["variables"] or {}, options["names"] or []
        check_variables(variables)
        for position, name in enumerate(variables, start=1):
            check_no_secret(name, f"Name {position} in variables")
        check_names(names)
        settings = file_settings(self, options)
        with open_vars_file(settings, RunVault.of_run(self._loader), make_folders=bool(variables)) as file:
            outcome = file.apply({**variables, **dict.fromkeys(names)})
            if settings.dry_run and outcome.changed:
                file.check_writable()
        result = {
            "changed": outcome.changed,
            "path": settings.path,
            "added": outcome.added,
            "updated": outcome.updated,
            "removed": outcome.removed,
            "unchanged": outcome.unchanged,
            "format": outcome.format,
        }
        if outcome.vault_id:
            result["vault_id"] = outcome.vault_id
        if outcome.backup_file:
            result["backup_file"] = outcome.backup_file
        if self._task.diff:
            result["diff"] = _diff(settings.path, outcome)
        return result


def _diff(path: str, outcome: Outcome) -> dict[str, str]:
    before = [f"{name}: (old value)" for name in sorted([*outcome.updated, *outcome.removed])]
    after = [f"{name}: (new value, vaulted)" for name in sorted([*outcome.added, *outcome.updated])]
    return file_diff(path, outcome, before, after)
