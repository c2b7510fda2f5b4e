# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of a foreign text only plain words are shown, so that no token or key is, whether known or not."""

from __future__ import annotations

import base64
import html
import json
import os
import random
import string
import time
import uuid
from collections.abc import Callable
from urllib.parse import quote

import pytest
from ansible_collections.voucherify.oauth.plugins.module_utils._api.words import HIDDEN, repeats, shown
from hypothesis import given
from hypothesis import strategies as st

SECRET = "a\"b'c/+=%&7f3e9d21-s3cr3t_Token|of:the~key"

ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "percent": lambda text: quote(text, safe=""),
    "percent, every character": lambda text: "".join(f"%{ord(character):02x}" for character in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 in a longer text": lambda text: base64.b64encode(f"abcd{text}efg".encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex().upper(),
    "JSON": json.dumps,
    "JSON, every character": lambda text: "".join(f"\\u{ord(character):04x}" for character in text),
    "full width": lambda text: "".join(chr(ord(character) + 0xFEE0) for character in text),
    "HTML": html.escape,
    "HTML, every character": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "inside a word": lambda text: f"X-App-Token={text};path",
    "a dozen characters": lambda text: text[12:24],
}

READABLE = [
    "Invalid scope: coupons; see https://docs.voucherify.io/api-reference/oauth",
    "Too many requests hit the API too quickly.",
    "Project is bound to different region (missing_required_permission)",
    "client_credentials is required for grant_type; got 2 of 10MiB in 30s, 99%",
    "Время ожидания соединения истекло",
    "接続がタイムアウトしました",
]


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_a_secret_is_hidden_in_every_encoding_without_being_known(encode: Callable[[str], str]) -> None:
    assert shown(f"invalid token {encode(SECRET)} given") == f"invalid token {HIDDEN} given"


@pytest.mark.parametrize("text", READABLE)
def test_what_servers_and_operating_systems_say_stays_readable(text: str) -> None:
    assert shown(text) == text


def test_random_tokens_are_hidden() -> None:
    source = random.Random(7)
    alphabets = (string.ascii_letters + string.digits, string.ascii_letters + string.digits + "-_.~+/")
    for _number in range(2_000):
        token = "".join(source.choices(source.choice(alphabets), k=source.randrange(32, 51)))
        assert shown(f"token {token} is unknown") == f"token {HIDDEN} is unknown"
        assert shown(str(uuid.UUID(int=source.getrandbits(128)))) == HIDDEN


@pytest.mark.parametrize(
    ("secret", "word", "hidden"),
    [
        ("correcthorsebattery", "xcorrecthoy", True),
        ("Correct-Horse", "correct_horse.", True),
        ("correcthorsebattery", "correct", False),
        ("secret", "mysecrets", True),
        ("secre", "secret", False),
        ("", "words", False),
    ],
)
def test_a_known_secret_that_looks_like_a_word_is_hidden(secret: str, word: str, hidden: bool) -> None:
    assert shown(f"a {word} b", (secret,)) == f"a {HIDDEN if hidden else word} b"
    assert repeats(word, (secret,)) is hidden


def test_a_long_text_is_cut_and_its_last_word_dropped() -> None:
    text = shown("word " * 239 + "almost-at-the-end secret-that-is-cut " * 9)
    assert len(text) <= 1200
    assert set(text.split()) == {"word"}


@given(st.text())
def test_any_text_becomes_one_printable_line(text: str) -> None:
    assert shown(text, (SECRET,)).isprintable()


@pytest.mark.parametrize("character", ["\\", "a", "\ufdfa", "-"])
def test_a_huge_text_and_a_huge_secret_are_handled_quickly(character: str) -> None:
    start = time.process_time()
    shown(character * 1_000_000, (os.urandom(16 * 1024).hex(),))
    assert time.process_time() - start < 2
