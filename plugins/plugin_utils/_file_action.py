# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""What the actions that edit a vars file share: the options for the file, its lock, and its diff."""

from __future__ import annotations

import os
import re
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..module_utils._api.errors import OAuthError
from ..module_utils._options import Result, failed
from ._arguments import TaskArgsError
from ._hiding import HidingAction
from ._vars_file.errors import VarsFileError
from ._vars_file.vars_file import Outcome, Settings, VarsFile, open_vars_file
from ._vars_file.vault_secrets import RunVault

SECONDS_BEFORE_LOCK_LINE = 5.0
SECONDS_BETWEEN_LINES = 10.0


class FileAction(HidingAction):
    """Edits a vars file on the controller, so it needs no connection to a target. Its results contain no secret."""

    _requires_connection = False
    # What happened to the path while the file was locked, as a sentence.
    _moved = ""
    # When the next line may say where the task is.
    _next_line = 0.0

    @abstractmethod
    def work(self, task_vars: dict[str, Any]) -> Result:
        """Do the task in its environment. Raises TaskArgsError, VarsFileError or OAuthError."""

    def outcome(self, task_vars: dict[str, Any]) -> Result:
        try:
            with self.environment_set():
                result = self.work(task_vars)
        except (TaskArgsError, VarsFileError) as error:
            result = {"failed": True, "changed": False, "msg": f"{error}."}
        except OAuthError as error:
            result = failed(error)
        if self._moved and not result.get("failed"):
            result.update(failed=True, msg=self._moved)
        path = self._task.args.get("path")
        # Ansible does not say which item of a loop failed.
        if self.in_loop and result.get("failed") and isinstance(path, str) and path not in result["msg"]:
            result["msg"] = f"{path}: {result['msg']}"
        return result

    def tell(self, line: str) -> None:
        """Say where a long task is. Shows one of the lines that it gets every ten seconds, in every verbosity."""
        if time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
            self._display.display(f"{self.NAME}: {line}")

    def settings(self, options: Mapping[str, Any]) -> Settings:
        """Return the settings for the file from validated options. Raises TaskArgsError."""
        path, mode = options["path"], options["mode"]
        if not path or path.endswith("/") or "\0" in path:
            raise TaskArgsError("path does not name a file; give the path of a vars file")
        # A number without quotes may not have been octal.
        if mode is not None and not (isinstance(mode, str) and re.fullmatch("0[0-7]{3}", mode)):
            raise TaskArgsError("mode must be an octal number in quotes, such as '0600'")
        return Settings(
            path=self._loader.path_dwim(path),
            format=options["format"],
            vault_id=options["vault_id"],
            mode=None if mode is None else int(mode, base=8),
            # Only an option of vaulted_vars.
            backup=options.get("backup", False),
            dry_run=self._task.check_mode,
        )

    @contextmanager
    def opened(self, settings: Settings, *, make_folders: bool) -> Iterator[VarsFile]:
        """Lock the file until the end. If its path leads elsewhere then, the task fails. Raises VarsFileError."""
        vault, folder, start = RunVault.of_run(self._loader), os.path.dirname(settings.path), time.monotonic()
        self._next_line = start + SECONDS_BEFORE_LOCK_LINE

        def on_wait() -> None:
            self.tell(f"waited {time.monotonic() - start:.0f} s for another run that has locked {folder}")

        with open_vars_file(settings, vault, make_folders=make_folders, on_wait=on_wait) as file:
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
            yield file
            now = file.place.moved_to()
            advice = "when the task began. Run the play again."
            self._moved = f"The path now leads to {now}, but led to {file.path} {advice}" if now else ""


def file_diff(path: str, outcome: Outcome | None, operations: Mapping[str, str]) -> dict[str, str]:
    """Return the entry C(diff) of a result: the mode and the variables that change, without values.

    operations: what was done to the variables, by name, in place of "(new value, vaulted)".
    """
    before, after = [], []
    if outcome:
        before = [f"{name}: (old value)" for name in sorted([*outcome.updated, *outcome.removed])]
        written = sorted([*outcome.added, *outcome.updated])
        after = [f"{name}: {operations.get(name, '(new value, vaulted)')}" for name in written]
        if outcome.mode_before is not None and outcome.mode_before != outcome.mode_after:
            before.insert(0, f"mode: {outcome.mode_before:04o}")
            after.insert(0, f"mode: {outcome.mode_after:04o}")
    return {
        "before_header": path,
        "after_header": path,
        "before": "".join(f"{line}\n" for line in before),
        "after": "".join(f"{line}\n" for line in after),
    }
