# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Decide what may be shown of a text from elsewhere: only plain words. No I/O.

Tokens and keys, in whatever encoding, do not look like words. So they are hidden without being known.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

HIDDEN = "********"

_MAX_CHARACTERS = 1200

# A word as in prose or in code, such as "vouchers", "OAuth2" or "projectId", or a number with its unit.
_PART = re.compile(
    r"(?=[A-Za-z]{1,24}\d{0,3}\Z)"
    r"(?:[A-Z]{0,4}[a-z]*(?:[A-Z][a-z]{2,}){0,3}(?:Ids?|ID|API|SQL|SSL)?|[A-Z]{1,15})\d{0,3}"
    r"|\d{1,6}(?:%|ms|[smhZ]|min|[KMG]i?B)?"
    r"|\d\dT\d\d",
    re.ASCII,
)
# Characters outside ASCII separate parts too, so other languages stay readable. The others of ASCII, such as "%" and
# "=", do not, so escapes and name=value are hidden.
_SEPARATOR = re.compile(r"[-_./:,;!?()'\"\[\]@`*<>|]|[^\x00-\x7f]")

# This many consecutive letters and digits of a secret count as the secret. Shorter ones occur in harmless words.
_PIECE = 8
_SHORTEST_SECRET = 6


def shown(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text on one line, with each word hidden that is not plain or that repeats a secret.

    text: of any length and with any characters; the end of a long one is dropped.
    """
    words = unicodedata.normalize("NFKC", text[:_MAX_CHARACTERS]).split()
    if words and len(text) > _MAX_CHARACTERS and not text[_MAX_CHARACTERS - 1].isspace():
        # It was cut off.
        words.pop()
    known = [_letters_and_digits(secret) for secret in secrets]
    return " ".join(word if _is_plain(word) and not _has_piece(word, known) else HIDDEN for word in words)


def repeats(text: str, secrets: Iterable[str]) -> bool:
    """Whether a text contains eight consecutive letters and digits of a secret, or all of them if it has six or seven.

    Secrets with fewer are ignored.
    """
    return _has_piece(text, [_letters_and_digits(secret) for secret in secrets])


def _has_piece(text: str, secrets: list[str]) -> bool:
    text = _letters_and_digits(text)
    for secret in secrets:
        size = min(len(secret), _PIECE)
        pieces = (text[first : first + size] for first in range(len(text) - size + 1))
        if size >= _SHORTEST_SECRET and any(piece in secret for piece in pieces):
            return True
    return False


def _is_plain(word: str) -> bool:
    return word.isprintable() and all(_PART.fullmatch(part) for part in _SEPARATOR.split(word) if part)


def _letters_and_digits(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
