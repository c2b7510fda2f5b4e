# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback plugin that records how long each task takes, because the start-up of a run should not be measured."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Writes laps.json to the current folder: the name of each task, and the seconds that tasks with this name took."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "stopwatch"

    def __init__(self) -> None:
        super().__init__()
        self._laps: dict[str, float] = {}
        self._running = ""
        self._start = 0.0

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._end_lap()
        self._running = task.get_name()
        self._start = time.perf_counter()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._end_lap()
        Path("laps.json").write_text(json.dumps(self._laps))

    def _end_lap(self) -> None:
        if self._running:
            self._laps[self._running] = self._laps.get(self._running, 0.0) + time.perf_counter() - self._start
