# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that the sandbox knows."""

from __future__ import annotations

from collections.abc import Sequence

from .clock import Clock
from .faults import FaultQueue
from .journal import Journal
from .project import ApiKey, Project
from .rate_limit import RateLimit
from .settings import Settings


class World:
    """A project with its clock, limits, faults and log."""

    def __init__(self, keys: Sequence[ApiKey], settings: Settings) -> None:
        self.keys = tuple(keys)
        self._first_settings = settings
        self.reset()

    def reset(self) -> None:
        """Back to the start. Only the API keys stay, for clients hold them."""
        self.settings = self._first_settings
        self.clock = Clock()
        self.project = Project(self.keys, self.clock)
        self.rate_limit = RateLimit(self.clock)
        self.faults = FaultQueue()
        self.journal = Journal()
