# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Find the texts in a task's options that no message may show, and mask them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ansible_collections.voucherify.oauth.plugins.module_utils._api.known_tokens import known_tokens
from ansible_collections.voucherify.oauth.plugins.module_utils._api.quotable import (
    WITHHELD,
    occurring,
    quotable,
    spread_over_words,
)

T = TypeVar("T")

# Shorter texts are not secrets, and may be equal to words of a sentence.
SHORTEST_SECRET = 8
# In an option that is not secret, a text of this length that is not a plain name may be a secret in the wrong place.
_SHORTEST_IN_OTHERS = 20
_NAME = re.compile(r"(?:[a-z]+[0-9]{0,3}|[0-9]{1,3})(?:[ _.:-]+(?:[a-z]+[0-9]{0,3}|[0-9]{1,3}))*")
# Messages name the host in api_base_url, which must not contain a user name or a password, and the file in path.
_SHOWN = ("api_base_url", "path")


def secrets_of(spec: Mapping[str, Mapping[str, Any]], options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts in a task's options that no message may show, longest first. The options need not be valid."""
    found: set[str] = set()
    for name, value in options.items():
        secret = bool(spec.get(name, {}).get("no_log"))
        for text in _texts(value):
            if name == "proxy" and _host_of(text):
                # Messages name a proxy's host, but not the user. A short user name occurs in many harmless words.
                parts = urlsplit(text)
                found.update(filter(None, [parts.password]))
                found.update(user for user in [parts.username or ""] if len(user) >= SHORTEST_SECRET)
            elif not _is_shown(name, text) and (
                len(text) >= SHORTEST_SECRET
                if secret
                else len(text) >= _SHORTEST_IN_OTHERS and not _NAME.fullmatch(text)
            ):
                found.add(text.strip())
    return tuple(sorted(found, key=lambda text: (-len(text), text)))


def masked(value: T, secrets: tuple[str, ...]) -> T:
    """Return messages in which each word that contains a secret, in any encoding, is masked.

    secrets: in addition to the tokens that this process has seen.
    """
    found = occurring(_texts(value), (*secrets, *known_tokens()))
    # The longest first, because one secret can be a part of another.
    return _masked(value, tuple(sorted(found, key=len, reverse=True)))  # type: ignore[no-any-return]


def _masked(value: Any, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, WITHHELD)
        shown = "".join(quotable(word, secrets) if word.strip() else word for word in re.split(r"(\s+)", value))
        return WITHHELD if spread_over_words(shown, secrets) else shown
    if isinstance(value, Mapping):
        return {name: _masked(inner, secrets) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(inner, secrets) for inner in value]
    return value


def _is_shown(option: str, text: str) -> bool:
    # The certificates can be in the same folder as the vars file, whose path is shown in messages.
    return option in _SHOWN or (option == "ca_path" and os.path.isabs(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if not _NAME.fullmatch(str(name)):
                yield from _texts(name)
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
