# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP response."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What a client is to receive; the server adds only the headers of the connection."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def json(cls, status: int, content: Any) -> Answer:
        """An answer that carries `content` as JSON."""
        return cls(status, {"Content-Type": "application/json"}, json.dumps(content).encode())

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """The same answer with further headers."""
        return replace(self, headers={**self.headers, **headers})
