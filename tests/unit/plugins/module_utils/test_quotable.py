# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of a server's message contains no secret, however it is encoded."""

from __future__ import annotations

import base64
import html
import json
import random
import string
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.voucherify.oauth.plugins.module_utils._api.quotable import (
    MAX_QUOTED_CHARACTERS,
    WITHHELD,
    occurring,
    quotable,
)
from hypothesis import given
from hypothesis import strategies as st

SECRET = "a\"b'c/+=%&7f3e9d21-s3cr3t_Token|of:the~key"

ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "percent": lambda text: quote(text, safe=""),
    "percent, lower case": lambda text: quote(text, safe="").lower(),
    "percent, plus": quote_plus,
    "percent, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent, every character": lambda text: "".join(f"%{ord(character):02x}" for character in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 of a pair": lambda text: base64.b64encode(f"id:{text}".encode()).decode(),
    "base64 in a longer text": lambda text: base64.b64encode(f"abcd{text}efg".encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex().upper(),
    "JSON": json.dumps,
    "JSON, every character": lambda text: "".join(f"\\u{ord(character):04x}" for character in text),
    "JSON in JSON, every character": lambda text: "".join(f"\\\\u{ord(character):04X}" for character in text),
    "JavaScript, every character": lambda text: "".join(f"\\u{{{ord(character):x}}}" for character in text),
    "Python, every character": lambda text: "".join(f"\\x{ord(character):02x}" for character in text),
    "C, every character": lambda text: "".join(f"\\{ord(character):03o}" for character in text),
    "full width": lambda text: "".join(chr(ord(character) + 0xFEE0) for character in text),
    "HTML": html.escape,
    "HTML, every character": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "inside a word": lambda text: f"X-App-Token={text};path",
    "a dozen characters": lambda text: text[15:27],
    "the end": lambda text: text[-14:],
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_a_word_that_contains_a_secret_is_withheld_as_a_whole(encode: Callable[[str], str]) -> None:
    text = f"invalid token {encode(SECRET)} given"
    assert quotable(text, (SECRET,)) == f"invalid token {WITHHELD} given"


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=16, max_size=60),
    st.sampled_from(list(ENCODINGS)),
)
def test_no_part_of_any_secret_is_shown(secret: str, name: str) -> None:
    if len(secret.encode()) >= 40 or name not in ("a dozen characters", "the end"):
        shown = quotable(f"what is {ENCODINGS[name](secret)}?", (secret,))
        if sum(map(str.isalnum, secret)) >= 12 or name in ("as it is", "upper case", "inside a word"):
            assert secret.lower() not in shown.lower()


def test_a_secret_spread_over_words_is_withheld() -> None:
    assert quotable(f"{SECRET[:20]} {SECRET[20:]}".replace("s3cr3t", "s3 cr3t"), (SECRET,)).count(WITHHELD) >= 1
    assert quotable("7 f 3 e 9 d 2 1 s 3 c r 3 t", (SECRET,)) == WITHHELD


def test_a_short_secret_is_withheld_as_well() -> None:
    assert quotable("the key wrong: no", ("wrong",)) == f"the key {WITHHELD} no"
    assert quotable("a !!! b", ("!!!",)) == f"a {WITHHELD} b"


@pytest.mark.parametrize("secret", ["hunter2hunter", "p4ssw0rd-of-16-ch", "a-key-of-23-characters_"])
def test_half_of_a_secret_of_medium_length_is_withheld(secret: str) -> None:
    half = max(8, len(secret) // 2)
    for first in range(len(secret) - half + 1):
        part = secret[first : first + half]
        assert quotable(f"the key {part}… is unknown", (secret,)) == f"the key {WITHHELD} is unknown"


def test_the_secrets_that_occur_are_found_among_thousands_at_once() -> None:
    secrets = ["".join(random.Random(number).choices(string.ascii_letters, k=64)) for number in range(2000)]
    start = time.process_time()
    assert occurring([f"a {secrets[7]} b", f"c {quote_plus(secrets[1999])}", "d"], secrets) == (
        secrets[7],
        secrets[1999],
    )
    assert time.process_time() - start < 5
    assert occurring(["a word"], secrets) == ()


def test_other_words_are_shown() -> None:
    words = "Invalid scope: coupons; see https://docs.voucherify.io/api-reference (request v-0a885062c80375740f)"
    assert quotable(words, (SECRET, "", "another-secret-of-this-task")) == words


def test_an_empty_secret_withholds_nothing() -> None:
    assert quotable("some words", ("",)) == "some words"


def test_a_long_text_is_cut_without_showing_part_of_a_secret() -> None:
    shown = quotable("x" * 8185 + " " + SECRET, (SECRET,))
    assert len(shown) <= MAX_QUOTED_CHARACTERS
    assert 'a"b' not in quotable(("x" * 99 + SECRET + " ") * 81, (SECRET,))


@given(st.text())
def test_any_text_is_one_printable_line(text: str) -> None:
    shown = quotable(text, (SECRET,))
    assert shown.isprintable()
    assert len(shown) <= MAX_QUOTED_CHARACTERS


@pytest.mark.parametrize("character", ["\\", "%", "&", "&#", "\\u", "\ufdfa", "=", "A1"])
def test_a_text_of_one_character_is_handled_quickly(character: str) -> None:
    start = time.process_time()
    quotable(character * 8000, (SECRET, "another-secret"))
    assert time.process_time() - start < 2


@pytest.mark.parametrize("text", ["&#" + "1" * 5000, "&amp;#" + "1" * 5000, "a &#" + "1" * 5000 + "; b"])
def test_a_huge_character_reference_is_withheld(text: str) -> None:
    assert "1" not in quotable(text, ("a-secret-of-a-key",))


def test_a_secret_of_a_megabyte_is_handled_quickly() -> None:
    secret = "".join(random.Random(1).choices(string.ascii_letters, k=1_000_000))
    start = time.process_time()
    assert quotable(f"a {secret[:40]} word", (secret,)) == "a ******** word"
    assert time.process_time() - start < 5
