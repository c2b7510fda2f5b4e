# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP request, read to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """What a client sent.

    target: as it stood in the request line. path, query: its two parts, still percent-encoded.
    headers: names in lower case; a repeated header's values are joined with a comma.
    """

    method: str
    target: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
