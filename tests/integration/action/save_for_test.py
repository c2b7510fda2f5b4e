# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a text to a file on the controller, in the worker process: much faster than `copy`, which runs two modules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        content = self._task.args["content"]
        # Up to ansible-core 2.18, text that looks like a mapping becomes one.
        text = content if isinstance(content, str) else json.dumps(content)
        Path(self._task.args["path"]).write_text(text)
        return result
