# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Make a server's text safe to show, by removing the secrets that it may repeat. No I/O."""

from __future__ import annotations

import base64
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from urllib.parse import unquote_to_bytes

MAX_QUOTED_CHARACTERS = 300
WITHHELD = "********"

# A part of a secret that is this long counts as the whole secret: half of it, but within these limits.
_SHORTEST_PIECE = 8
_LONGEST_PIECE = 12
# Shorter texts in base64 or hexadecimal occur in many harmless words.
_SHORTEST_ENCODED = 6
# Far more than is shown, and short enough to be searched quickly.
_MAX_READ_CHARACTERS = 8 * 1024
# Longer than any token that can be used. Each character costs memory and time.
_MAX_SECRET_CHARACTERS = 16 * 1024
# The characters of a bearer token (RFC 6750, section 2.1), and the underscore of base64 for URLs.
_TOKEN_CHARACTERS = re.compile(r"[A-Za-z0-9._~+/=-]{20,}")
_SHORTEST_RANDOM = 20
# In a form or in JSON, also inside of a JSON string.
_NAMED_TOKEN = re.compile(r"""(_token["'\\\s]*[:=]["'\\\s]*)[^"'\\\s&,}]{12,}""")
# As in JSON, JavaScript, C and Python: \u0041, \u{41}, \U00000041, \x41 and \101. JSON in JSON has more backslashes.
_ESCAPED = re.compile(
    r"(?<!\\)\\+(?:u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\}|U([0-9a-f]{8})|x([0-9a-f]{2})|([0-3]?[0-7]{1,2}))", re.I
)


def quotable(text: str, secrets: tuple[str, ...]) -> str:
    """Return one short line of a server's text, in which each word that contains a secret is masked.

    text: of any length and with any characters. secrets: texts that must not be shown; empty ones are ignored.

    A word contains a secret if the whole secret or any twelve consecutive characters of it occur in the word: in upper
    or lower case, percent encoded, escaped, as HTML entities, in base64 or in hexadecimal, with or without characters
    other than letters and digits. Of a secret with fewer than 24 characters, half of the characters are enough, but
    never fewer than eight.
    """
    words = text[:_MAX_READ_CHARACTERS].split()
    if len(text) > _MAX_READ_CHARACTERS and words:
        # The last word was cut off, so it may be the beginning of a secret.
        words.pop()
    shown = [WITHHELD if occurring([word], secrets) else _printable(word) for word in words]
    line = " ".join(" ".join(shown).split())
    return WITHHELD if spread_over_words(line, secrets) else line[:MAX_QUOTED_CHARACTERS]


def spread_over_words(text: str, secrets: Iterable[str]) -> bool:
    """Whether a text contains a secret with white space in it."""
    # Shorter parts of a secret may be there by chance.
    long_secrets = [secret for secret in secrets if len(_letters_and_digits(secret)) >= _LONGEST_PIECE]
    return bool(occurring([text], long_secrets, shortest=_LONGEST_PIECE))


def without_tokens(text: str) -> str:
    """Return a text in which everything that looks like a token is masked, even if this process has not seen it."""
    text = _NAMED_TOKEN.sub(rf"\1{WITHHELD}", text)
    return _TOKEN_CHARACTERS.sub(lambda match: WITHHELD if looks_random(match[0], digits=1) else match[0], text)


def looks_random(text: str, digits: int) -> bool:
    """Whether a text may be a token or a key: it is long, and has letters of both cases and some digits.

    digits: in how many places it must have digits.
    """
    has_both_cases = text.lower() != text != text.upper()
    return len(text) >= _SHORTEST_RANDOM and has_both_cases and len(re.findall(r"\d+", text)) >= digits


def occurring(texts: Iterable[str], secrets: Iterable[str], shortest: int = _SHORTEST_PIECE) -> tuple[str, ...]:
    """Return the secrets that the texts contain, as `quotable` defines it.

    shortest: the minimum number of characters of a secret that count as the secret.
    """
    secrets = tuple(filter(None, secrets))
    if not secrets:
        return ()
    try:
        found = _Windows([decoded for text in texts for decoded in _decodings(text)])
    except ValueError:
        # html.unescape refuses numbers of many thousand digits, so it is unknown what the text contains.
        return secrets
    return tuple(secret for secret in secrets if found.have_any(_pieces(secret, shortest)))


class _Windows:
    """All parts of some texts, by length. Comparing sets is much faster than a search for each of many pieces."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts
        self._by_length: dict[int, set[str]] = {}

    def have_any(self, pieces: Mapping[int, frozenset[str]]) -> bool:
        return any(not self._of(length).isdisjoint(same_length) for length, same_length in pieces.items())

    def _of(self, length: int) -> set[str]:
        if length not in self._by_length:
            self._by_length[length] = {window for text in self._texts for window in _windows(text, length)}
        return self._by_length[length]


def _windows(text: str, length: int) -> Iterator[str]:
    return (text[first : first + length] for first in range(len(text) - length + 1))


def _printable(word: str) -> str:
    return "".join(character if character.isprintable() else " " for character in word)


@lru_cache(maxsize=64)
def _pieces(secret: str, shortest: int) -> Mapping[int, frozenset[str]]:
    """Return the pieces of a secret that count as the whole secret, in every encoding, by length."""
    pieces: dict[int, frozenset[str]] = {}
    for encoded in filter(None, _encodings(secret[:_MAX_SECRET_CHARACTERS])):
        length = min(len(encoded), _LONGEST_PIECE, max(shortest, len(encoded) // 2))
        pieces[length] = pieces.get(length, frozenset()).union(_windows(encoded, length))
    return pieces


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


def _decodings(text: str) -> Iterator[str]:
    """Yield a text as it is, and decoded again and again, because encodings can be nested."""
    for _depth in range(4):
        yield text.casefold()
        yield _letters_and_digits(text)
        decoded = unquote_to_bytes(text.encode(errors="replace")).decode(errors="replace")
        decoded = _ESCAPED.sub(_unescaped, html.unescape(decoded))
        # Full-width letters, for example, become usual ones.
        decoded = unicodedata.normalize("NFKC", decoded)
        if decoded == text:
            return
        text = decoded


def _unescaped(match: re.Match[str]) -> str:
    *hexadecimal, octal = match.groups()
    code = int(octal, 8) if octal else int(next(filter(None, hexadecimal)), 16)
    return chr(code) if code < 0x110000 else match[0]


def _letters_and_digits(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
