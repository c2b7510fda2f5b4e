# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action plugin of vaulted_vars. It edits a vars file as a task's options say, and returns the result."""

from __future__ import annotations

from typing import Any

from ..modules.vaulted_vars import ARGUMENT_SPEC, RULES
from ..plugin_utils._arguments import validated
from ..plugin_utils._file_action import FileAction, file_diff, file_settings
from ..plugin_utils._vars_file.names import check_names, check_variables
from ..plugin_utils._vars_file.vars_file import Outcome, open_vars_file
from ..plugin_utils._vars_file.vault_secrets import RunVault


class ActionModule(FileAction):
    NAME = "voucherify.oauth.vaulted_vars"

    def work(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        options = validated(self.NAME, ARGUMENT_SPEC, self._task.args, **RULES)
        variables, names = options["variables"] or {}, options["names"] or []
        check_variables(variables)
        check_names(names)
        settings = file_settings(self, options)
        with open_vars_file(settings, RunVault.of_run(self._loader), make_folders=bool(variables)) as file:
            outcome = file.apply({**variables, **dict.fromkeys(names)})
            if settings.dry_run and outcome.changed:
                file.check_writable()
        names_of_result = ("changed", "added", "updated", "removed", "unchanged", "format")
        result = {"path": settings.path, **{name: getattr(outcome, name) for name in names_of_result}}
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
