# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action for tests only, in the worker process: it gives variables to the test, and can wait for the next tasks."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Options: content (JSON) and save_to (a path); to wait, also wait_for (a path) and test (a process ID)."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        options = self._task.args
        content = options["content"]
        file = Path(options["save_to"])
        complete = file.with_suffix(".tmp")
        # Up to ansible-core 2.18, text that looks like a mapping becomes one.
        complete.write_text(content if isinstance(content, str) else json.dumps(content))
        complete.rename(file)
        while "wait_for" in options and not Path(options["wait_for"]).exists():
            # Raises an exception, which ends the play, if the test has ended without ending it.
            os.kill(int(options["test"]), 0)
            time.sleep(0.02)
        return result
