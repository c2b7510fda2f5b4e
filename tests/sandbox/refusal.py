# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call that the API refuses."""

from __future__ import annotations

from collections.abc import Mapping

from .answer import Answer
from .secret import random_hex


class Refusal(Exception):
    """Raised wherever a call fails; becomes the answer in one place."""

    def __init__(
        self, code: int, key: str, message: str, details: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.key = key
        self.message = message
        self.details = details
        self.headers = headers or {}

    def to_answer(self) -> Answer:
        """The API's error object (OpenAPI document, schema Error)."""
        error = {"code": self.code, "key": self.key, "message": self.message, "request_id": f"v-{random_hex(18)}"}
        if self.details is not None:
            error["details"] = self.details
        return Answer.json(self.code, error).with_headers(self.headers)
