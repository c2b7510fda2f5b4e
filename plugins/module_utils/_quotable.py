# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Make a server's text safe to show, by removing the secrets that it may repeat. No I/O."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote_to_bytes

MAX_QUOTED_CHARACTERS = 300
WITHHELD = "********"

# A part of a secret that is this long counts as the whole secret.
_PIECE = 12
# Shorter texts in base64 or hexadecimal occur in many harmless words.
_SHORTEST_ENCODED = 6
# Far more than is shown, and short enough to be searched quickly.
_MAX_READ_CHARACTERS = 8 * 1024
# Longer than any token that can be used. Each character costs memory and time.
_MAX_SECRET_CHARACTERS = 16 * 1024


def quotable(text: str, secrets: tuple[str, ...]) -> str:
    """Return one short line of a server's text, in which each word that contains a secret is masked.

    text: of any length and with any characters. secrets: texts that must not be shown; empty ones are ignored.

    A word contains a secret if the whole secret or any twelve consecutive characters of it occur in the word: in upper
    or lower case, percent encoded, as HTML entities, in base64 or in hexadecimal, with or without characters other than
    letters and digits.
    """
    words = text[:_MAX_READ_CHARACTERS].split()
    if len(text) > _MAX_READ_CHARACTERS and words:
        # The last word was cut off, so it may be the beginning of a secret.
        words.pop()
    pieces, short_secrets = _pieces(secrets)
    shown = [WITHHELD if _contains(word, pieces, short_secrets) else _printable(word) for word in words]
    # A secret may also be spread over several words.
    if _contains(" ".join(shown), pieces, frozenset()):
        return WITHHELD
    return " ".join(" ".join(shown).split())[:MAX_QUOTED_CHARACTERS]


def _contains(word: str, pieces: frozenset[str], short_secrets: frozenset[str]) -> bool:
    try:
        return any(
            # Much faster than a search for each of the many pieces.
            not pieces.isdisjoint(_windows(decoded)) or any(secret in decoded for secret in short_secrets)
            for decoded in _decodings(word)
        )
    except ValueError:
        # html.unescape refuses numbers of many thousand digits, so it is unknown what the word contains.
        return True


def _printable(word: str) -> str:
    return "".join(character if character.isprintable() else " " for character in word)


@lru_cache(maxsize=64)
def _pieces(secrets: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the pieces of the long secrets, and the short secrets, each in every encoding."""
    found = {
        piece
        for secret in secrets
        for encoded in _encodings(secret[:_MAX_SECRET_CHARACTERS])
        for piece in _windows(encoded)
    }
    pieces = frozenset(piece for piece in found if len(piece) == _PIECE)
    return pieces, frozenset(found) - pieces


def _windows(text: str) -> Iterator[str]:
    if text:
        yield from (text[first : first + _PIECE] for first in range(max(1, len(text) - _PIECE + 1)))


def _encodings(secret: str) -> Iterator[str]:
    yield secret.casefold()
    yield _letters_and_digits(secret)
    data = secret.encode(errors="replace")
    if len(data) < _SHORTEST_ENCODED:
        return
    yield data.hex()
    # In base64, a secret looks different at each of three positions in a longer text. The characters that depend on
    # what is before and after it are left out.
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data).decode()
        depends_on_next = (before + len(data)) % 3 != 0
        yield _letters_and_digits(encoded.rstrip("=")[(0, 2, 3)[before] : -1 if depends_on_next else None])


def _decodings(word: str) -> Iterator[str]:
    """Yield a word as it is, and decoded again and again, because encodings can be nested."""
    for _depth in range(4):
        yield word.casefold()
        yield _letters_and_digits(word)
        decoded = html.unescape(unquote_to_bytes(word.encode(errors="replace")).decode(errors="replace"))
        if decoded == word:
            return
        word = decoded


def _letters_and_digits(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
