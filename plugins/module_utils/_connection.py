# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Who calls the API and how it is reached: options, checked. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from ._version import VERSION


@dataclass(frozen=True)
class Credentials:
    """An API key of a Voucherify project: the pair that authorises every call of its OAuth API."""

    app_id: str
    app_token: str = field(repr=False)


@dataclass(frozen=True)
class Connection:
    """How the API is reached: the module options of the same names. user_agent: the HTTP header of that name."""

    base_url: str
    timeout: int
    retries: int
    max_wait: int
    validate_certs: bool
    ca_path: str | None
    proxy: str | None = field(repr=False)
    user_agent: str = f"voucherify.oauth/{VERSION}"
