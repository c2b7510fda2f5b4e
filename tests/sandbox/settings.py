# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be changed while the sandbox runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How the API behaves.

    rate_limit: calls a minute; 0 lifts the limit. The default is that of Voucherify's plan "Organization".
    latency: seconds that every answer takes.
    granted_scope: what each new token is granted, whatever was asked; None grants what was asked.
    """

    rate_limit: int = 2000
    latency: float = 0.0
    granted_scope: str | None = None

    def __post_init__(self) -> None:
        """Raises TypeError or ValueError for what cannot be meant."""
        if self.rate_limit < 0:
            raise ValueError("rate_limit is a number of calls, or 0 for no limit")
        if self.latency < 0:
            raise ValueError("latency is a number of seconds")
        if not isinstance(self.granted_scope, (str, type(None))):
            raise TypeError("granted_scope is a string, its values separated by spaces, or null")
