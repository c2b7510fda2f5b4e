# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's time."""

from __future__ import annotations

import time


class Clock:
    """Runs like the real clock, can be moved forward, and can be stopped."""

    def __init__(self) -> None:
        self._moved = 0.0
        self._stopped_at: float | None = None

    def now(self) -> int:
        """Unix time in whole seconds, as the API counts it."""
        running_from = time.time() if self._stopped_at is None else self._stopped_at
        return int(running_from + self._moved)

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Raises ValueError for a negative number: tokens that come back to life would help no test.
        """
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._moved += seconds

    def stop(self) -> None:
        """Let it only move when it is told to, for tests that check a number of seconds exactly."""
        if self._stopped_at is None:
            self._stopped_at = time.time()
