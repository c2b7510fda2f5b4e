# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Read what an answer says about a token. As in the RFCs, what is not essential may be missing or have another form.

No I/O. What is filled in or left out is noted as a difference from Voucherify's OpenAPI document, without any value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .answers import Success
from .errors import Call
from .quotable import quotable

TOKEN_LIFE_SECONDS = 900

_MAX_TOKEN_CHARACTERS = 16 * 1024

# A larger number cannot be a time.
_LARGEST_TIME = 10**12


@dataclass(frozen=True)
class TokenDetails:
    """What the API says about an active token (schema C(OAuthToken) of its OpenAPI document), without the token itself.

    expires_at: Unix time in seconds. expires_in: seconds left when the answer was complete. None: the API did not say.
    """

    token_type: str
    scope: tuple[str, ...] | None
    client_id: str | None
    expires_at: int | None
    expires_in: int | None


def is_token(text: str) -> bool:
    """Whether a text can be a token: the visible characters of RFC 6749, appendix A.12.

    A token is opaque, so nothing else is checked. That appendix also allows a space, but it would end the token in a
    header. Servers refuse headers of more than a few thousand characters.
    """
    return len(text) <= _MAX_TOKEN_CHARACTERS and re.fullmatch(r"[!-~]+", text) is not None


def token_details(
    call: Call,
    success: Success,
    *,
    scope: Sequence[str] | None,
    life: int | None,
    secrets: tuple[str, ...],
    note: Callable[[str], None],
) -> TokenDetails:
    """Read what an answer says about a token.

    scope: the scope if the answer has none (RFC 6749, section 3.3), or None. life: the token's lifetime in seconds if
    the answer has no time, None if unknown. secrets: texts that the answer may repeat and the result must not. note:
    called with a sentence for each difference from the document.
    """
    content = success.content
    expires_in, expires_at = _times(call, content, note)
    now = math.floor(success.server_time)
    if expires_in is None and expires_at is None:
        expires_in = life
    if expires_in is None and expires_at is not None:
        expires_in = expires_at - now
    if expires_at is None and expires_in is not None:
        expires_at = now + expires_in
    if expires_in is not None:
        # The answer may have been slow, so time has passed since the API sent it.
        expires_in -= int(success.took)
    token_type = _word(call, content, "token_type", secrets, note)
    granted = _scope(call, content, secrets, note)
    if granted is None and scope is not None:
        granted = tuple(scope)
    client_id = _word(call, content, "client_id", secrets, note)
    return TokenDetails(token_type or "Bearer", granted, client_id, expires_at, expires_in)


def _times(call: Call, content: Mapping[str, Any], note: Callable[[str], None]) -> tuple[int | None, int | None]:
    """Return C(expires_in) and C(expires_at); C(exp) is what RFC 7662, section 2.2, calls the latter."""
    for name in ("expires_in", "expires_at"):
        value = content.get(name)
        if value is None or not isinstance(value, int) or isinstance(value, bool):
            _note(call, content, name, note)
    expires_at = _number(content.get("expires_at"))
    return _number(content.get("expires_in")), _number(content.get("exp")) if expires_at is None else expires_at


def _number(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,20}(\.\d{1,20})?\s*", value, re.ASCII):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _LARGEST_TIME:
        return None
    return math.floor(value)


def _scope(
    call: Call, content: Mapping[str, Any], secrets: tuple[str, ...], note: Callable[[str], None]
) -> tuple[str, ...] | None:
    value = content.get("scope")
    if not isinstance(value, str):
        _note(call, content, "scope", note)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = " ".join(value)
    if not isinstance(value, str):
        return None
    return tuple(filter(None, (quotable(word, secrets) for word in value.split())))


def _word(
    call: Call, content: Mapping[str, Any], name: str, secrets: tuple[str, ...], note: Callable[[str], None]
) -> str | None:
    value = content.get(name)
    if isinstance(value, str) and is_token(value):
        return quotable(value, secrets)
    _note(call, content, name, note)
    return None


def _note(call: Call, content: Mapping[str, Any], name: str, note: Callable[[str], None]) -> None:
    if content.get(name) is None:
        note(f"The answer to {call.operation} lacks {name}.")
    else:
        note(f"In the answer to {call.operation}, {name} is not as the API's documentation says.")
