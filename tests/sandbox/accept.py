# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client is willing to receive."""

from __future__ import annotations

from .call import Call
from .refusal import Refusal


def require_json_accepted(call: Call) -> None:
    """Raises Refusal 406 when `Accept` rules JSON out.

    Without the header everything is accepted (RFC 9110, section 12.5.1).
    """
    weights = dict(_weighted(part) for part in call.headers.get("accept", "*/*").split(","))
    # The most specific range decides.
    for media_range in ("application/json", "application/*", "*/*"):
        if media_range in weights:
            if weights[media_range] > 0:
                return
            break
    raise Refusal(406, "not_acceptable", "Not Acceptable", "The only response format is application/json")


def _weighted(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _sign, value = parameter.partition("=")
        if name == "q":
            return media_range, _weight(value)
    return media_range, 1.0


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
