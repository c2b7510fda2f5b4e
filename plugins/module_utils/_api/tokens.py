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

TOKEN_LIFE_SECONDS = 900

_MAX_TOKEN_CHARACTERS = 16 * 1024

# A larger number cannot be a time.
_LARGEST_TIME = 10**12

_DOCUMENTED = {"expires_in": int, "expires_at": int, "token_type": str, "scope": str, "client_id": str}


@dataclass(frozen=True)
class TokenDetails:
    """What the API says about an active token (schema C(OAuthToken) of its OpenAPI document), without the token itself.

    The texts are the API's own; sentences show them as C(words.py) says.
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
    call: Call, success: Success, *, scope: Sequence[str] | None, life: int | None, note: Callable[[str], None]
) -> TokenDetails:
    """Read what an answer says about a token.

    scope: the scope if the answer has none (RFC 6749, section 3.3), or None. life: the token's lifetime in seconds if
    the answer has no time, None if unknown. note: called with a sentence for each difference from the document.
    """
    content = success.content
    for name, kind in _DOCUMENTED.items():
        if content.get(name) is None:
            note(f"The answer to {call.operation} lacks {name}.")
        elif not isinstance(content[name], kind) or isinstance(content[name], bool):
            note(f"In the answer to {call.operation}, {name} is not as the API's documentation says.")
    expires_in = _number(content.get("expires_in"))
    # The second name is that of RFC 7662, section 2.2.
    expires_at = _number(content.get("expires_at", content.get("exp")))
    now = math.floor(success.server_time)
    if expires_in is None:
        expires_in = life if expires_at is None else expires_at - now
    if expires_in is not None:
        expires_at = now + expires_in if expires_at is None else expires_at
        # The answer may have been slow, so time has passed since the API sent it.
        expires_in -= int(success.took)
    granted = _scope(content.get("scope"))
    if granted is None and scope is not None:
        granted = tuple(scope)
    token_type = _text(content, "token_type") or "Bearer"
    return TokenDetails(token_type, granted, _text(content, "client_id"), expires_at, expires_in)


def _number(value: Any) -> int | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return math.floor(number) if abs(number) < _LARGEST_TIME else None


def _text(content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name)
    return value if isinstance(value, str) else None


def _scope(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = " ".join(value)
    return tuple(value.split()) if isinstance(value, str) else None
