# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form that a call carries."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qsl

from .call import Call
from .refusal import Refusal

MEDIA_TYPE = "application/x-www-form-urlencoded"


def read_form(call: Call, allowed: Collection[str]) -> dict[str, str]:
    """The fields of the body.

    Stricter than RFC 6749, section 3.2, which ignores unknown fields: a field that means nothing is a client's mistake.

    Raises Refusal: 415 for another content type, 400 for a body that is no form, for a field not allowed, and for one
    that is sent twice.
    """
    if _media_type(call) != MEDIA_TYPE:
        raise Refusal(415, "unsupported_media_type", "Unsupported Media Type", f"Send the request as {MEDIA_TYPE}")
    fields: dict[str, str] = {}
    for name, value in _parse(call.body):
        if name not in allowed:
            raise Refusal(400, "invalid_payload", "Invalid payload", f"Unknown field: {name}")
        if name in fields:
            raise Refusal(400, "invalid_payload", "Invalid payload", f"Field sent more than once: {name}")
        fields[name] = value
    return fields


def _media_type(call: Call) -> str:
    return call.headers.get("content-type", "").partition(";")[0].strip().lower()


def _parse(body: bytes) -> list[tuple[str, str]]:
    if not body:
        return []
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise Refusal(400, "invalid_payload", "Invalid payload", "The body is no UTF-8 form") from None
