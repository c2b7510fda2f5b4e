# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on loopback that behaves like Voucherify's OAuth API, for tests, benchmarks and the demo."""

from __future__ import annotations

from .handle import Sandbox
from .state import ALWAYS, Fault, LoggedRequest, Token

__all__ = ["ALWAYS", "Fault", "LoggedRequest", "Sandbox", "Token"]
