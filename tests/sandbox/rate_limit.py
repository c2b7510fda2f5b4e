# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many calls the project may make a minute."""

from __future__ import annotations

from dataclasses import dataclass

from .clock import Clock

WINDOW = 60


@dataclass(frozen=True)
class Allowance:
    """Where one call stands in its window. now, ends_at: Unix time in seconds. limit: 0 is none."""

    limit: int
    used: int
    now: int
    ends_at: int

    @property
    def is_exceeded(self) -> bool:
        """Whether this call is one too many."""
        return 0 < self.limit < self.used

    @property
    def headers(self) -> dict[str, str]:
        """What each response tells about the limit; nothing where there is none."""
        if self.limit == 0:
            return {}
        return {
            "X-Rate-Limit-Limit": str(self.limit),
            "X-Rate-Limit-Remaining": str(max(0, self.limit - self.used)),
        }

    @property
    def wait_headers(self) -> dict[str, str]:
        """What the refusal of a call tells besides: in seconds from now, and as Unix time."""
        return {
            "Retry-After": str(self.ends_at - self.now),
            "X-Rate-Limit-Retry": str(self.ends_at),
            "X-Rate-Limit-Type": "api_calls",
        }


class RateLimit:
    """Counts calls in windows of 60 s; a window opens with its first call. A refused call counts as well."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends_at = 0
        self._used = 0

    def count(self, limit: int) -> Allowance:
        """Count one call against `limit` calls a window."""
        now = self._clock.now()
        if now >= self._ends_at:
            self._ends_at = now + WINDOW
            self._used = 0
        self._used += 1
        return Allowance(limit, self._used, now, self._ends_at)
