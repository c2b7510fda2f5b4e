# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""What the actions that edit a vars file share: their base, the options for the file, and its diff."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._api.errors import OAuthError
from ..module_utils._options import Result, failed
from ._arguments import TaskArgsError
from ._environment import environment_of, environment_set
from ._hiding import HidingAction
from ._vars_file.errors import VarsFileError
from ._vars_file.vars_file import Outcome, Settings


class FileAction(HidingAction):
    """Edits a vars file on the controller, so it needs no connection to a target. Its results contain no secret."""

    _requires_connection = False

    @abstractmethod
    def work(self, task_vars: dict[str, Any]) -> Result:
        """Do the task in its environment. Raises TaskArgsError, VarsFileError or OAuthError."""

    def outcome(self, task_vars: dict[str, Any]) -> Result:
        try:
            with environment_set(environment_of(self)):
                return self.work(task_vars)
        except VarsFileError as error:
            return {"failed": True, "changed": False, "msg": f"{error}."}
        except OAuthError as error:
            return failed(error)


def file_settings(action: ActionBase, options: Mapping[str, Any]) -> Settings:
    """Return the settings for the file from a task's validated options. Raises TaskArgsError."""
    path = options["path"]
    if not path or path.endswith("/") or "\0" in path:
        raise TaskArgsError("path does not name a file; give the path of a vars file")
    return Settings(
        path=action._loader.path_dwim(path),
        format=options["format"],
        vault_id=options["vault_id"],
        mode=_mode(options["mode"]),
        # Only an option of vaulted_vars.
        backup=options.get("backup", False),
        dry_run=action._task.check_mode,
    )


def _mode(mode: object) -> int | None:
    """Return the mode as a number. A number without quotes is refused, because it may not have been octal."""
    if mode is None:
        return None
    if isinstance(mode, str) and re.fullmatch("0[0-7]{3}", mode):
        return int(mode, base=8)
    raise TaskArgsError("mode must be an octal number in quotes, such as '0600'")


def file_diff(path: str, outcome: Outcome | None, before: Sequence[str], after: Sequence[str]) -> dict[str, str]:
    """Return the entry C(diff) of a result.

    outcome: adds the file's mode to the lines, if that changes. before, after: a line for each variable that changes;
    both are shown, so they must not contain a value.
    """
    if outcome and outcome.mode_before is not None and outcome.mode_before != outcome.mode_after:
        before = [f"mode: {outcome.mode_before:04o}", *before]
        after = [f"mode: {outcome.mode_after:04o}", *after]
    return {
        "before_header": path,
        "after_header": path,
        "before": "".join(f"{line}\n" for line in before),
        "after": "".join(f"{line}\n" for line in after),
    }
