# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action plugin of vaulted_vars. It edits a vars file as a task's options say, and returns the result."""

from __future__ import annotations

from typing import Any

from ..modules.vaulted_vars import ARGUMENT_SPEC, RULES
from ..plugin_utils._arguments import validated, without_nulls
from ..plugin_utils._file_action import FileAction, file_diff
from ..plugin_utils._vars_file.names import check_names, check_variables


class ActionModule(FileAction):
    NAME = "voucherify.oauth.vaulted_vars"

    def work(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        options = validated(self.NAME, ARGUMENT_SPEC, self._task.args, **RULES)
        variables, names = options["variables"] or {}, options["names"] or []
        check_variables(variables)
        check_names(names)
        settings = self.settings(options)
        with self.opened(settings, make_folders=bool(variables)) as file:
            outcome = file.apply({**variables, **dict.fromkeys(names)})
            if settings.dry_run and outcome.changed:
                file.check_writable()
        returned = ("changed", "added", "updated", "removed", "unchanged", "format", "vault_id", "backup_file")
        found = {name: getattr(outcome, name) for name in returned}
        result: dict[str, Any] = {"path": settings.path, **without_nulls(found)}
        if self._task.diff:
            result["diff"] = file_diff(settings.path, outcome, {})
        return result
