# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds secrets in what a run printed or wrote, however they are escaped there."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from pathlib import Path
from urllib.parse import unquote_plus

from sandbox import Sandbox

_CODE = re.compile(r"\\+(?:x|u00)([0-9a-f]{2})")


def find_secrets(text: str, sandbox: Sandbox, *more: str) -> list[str]:
    """Return the secrets of the sandbox, and those in `more`, that a text contains in any encoding.

    Encodings: plain, JSON, URLs, forms, YAML, Python's repr, shells and HTML, also repeatedly, in another case or with
    line breaks; base64, alone or with something before and after the secret; hexadecimal.
    """
    tokens = (token.access_token for token in sandbox.tokens())
    secrets = dict.fromkeys([sandbox.app_token, sandbox.other_app_token, *tokens, *more])
    views = _views(text)
    return [secret for secret in secrets if any(needle in view for needle in _needles(secret) for view in views)]


def files_with_secrets(sandbox: Sandbox, *folders: Path) -> list[Path]:
    """Return the files in these folders that contain a secret of the sandbox."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if find_secrets(path.read_text(errors="replace"), sandbox)]


def _views(text: str) -> set[str]:
    plain = "".join(text.lower().split())
    views = {plain}
    # Text can be escaped several times.
    for _depth in range(3):
        views |= {step(view) for view in views for step in (_without_backslashes, unquote_plus, html.unescape)}
    return {_without_quotes(view) for view in views} | views


def _needles(secret: str) -> set[str]:
    lower = secret.lower()
    encoded = secret.encode()
    needles = {lower, _without_quotes(lower), encoded.hex()}
    for before in range(3):
        # The first and last characters also depend on what is before and after the secret.
        inner = b64encode(bytes(before) + encoded).decode().rstrip("=")[4 if before else 0 : -1].lower()
        needles |= {inner, inner.translate(str.maketrans("+/", "-_"))}
    return needles


def _without_backslashes(text: str) -> str:
    return _CODE.sub(lambda code: chr(int(code[1], 16)), text).replace("\\", "")


def _without_quotes(text: str) -> str:
    # YAML writes '' for ', and shells write '"'"' or '\'', so secrets are also searched for without quotes.
    return re.sub(r"[\\\"']", "", text)
