# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action for tests only: it gives variables to the test, and waits until the test has written the next tasks."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

_SECONDS_TO_WAIT = 300


class ActionModule(ActionBase):
    """Options: variables (a mapping), save_to and wait_for (paths); wait_for may be left out."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        options = self._task.args
        file = Path(options["save_to"])
        complete = file.with_suffix(".tmp")
        complete.write_text(json.dumps(options["variables"]))
        complete.rename(file)
        if "wait_for" in options:
            end = time.monotonic() + _SECONDS_TO_WAIT
            while not Path(options["wait_for"]).exists():
                if time.monotonic() > end:
                    return {**result, "failed": True, "msg": "The test wrote no further tasks."}
                time.sleep(0.01)
        return result
