# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Escaped secrets are found, so that no test for leaks passes because of how a leak is encoded."""

from __future__ import annotations

import html
import json
import shlex
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
import yaml
from leaks import find_secrets
from sandbox import Sandbox
from unit.sandbox.client import Client

ENCODINGS: dict[str, Callable[[str], str]] = {
    "json in json": lambda secret: json.dumps({"msg": json.dumps({"msg": json.dumps(secret)})}),
    "json of another program": lambda secret: json.dumps(secret).replace("'", "\\u0027").replace("&", "\\u0026"),
    "url in a url": lambda secret: quote(quote(secret, safe=""), safe=""),
    "form": lambda secret: urlencode({"access_token": secret, "a": "b"}),
    "yaml, single quotes": lambda secret: yaml.safe_dump({"a": secret}, default_style="'"),
    "yaml, folded": lambda secret: yaml.safe_dump({"a": f"x {secret} y" * 3}, default_style='"', width=20),
    "repr of bytes": lambda secret: repr(repr(secret.encode())),
    "shell, in a json log": lambda secret: json.dumps({"cmd": f"curl -H {shlex.quote('X-App-Token: ' + secret)}"}),
    "html": html.escape,
    "upper case": str.upper,
    "base64 in a url": lambda secret: quote(b64encode(secret.encode()).decode(), safe=""),
    "base64 for urls": lambda secret: urlsafe_b64encode(secret.encode()).decode(),
    "basic": lambda secret: "Basic " + b64encode(f"user:{secret}".encode()).decode(),
    "basic, with another name": lambda secret: "Basic " + b64encode(f"user1:{secret}:".encode()).decode(),
    "basic, with a third name": lambda secret: "Basic " + b64encode(f"user12:{secret}::".encode()).decode(),
    "hexadecimal": lambda secret: secret.encode().hex(),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_a_secret_is_found_in_any_encoding(sandbox: Sandbox, encode: Callable[[str], str]) -> None:
    proxy_password = "p@ss'w\"rd/100%2B"
    for secret in (sandbox.app_token, sandbox.other_app_token, proxy_password):
        text = f"some text, {encode(secret)}, more text"
        assert find_secrets(text, sandbox, proxy_password) == [secret]
        assert not find_secrets(text.replace(encode(secret), "***"), sandbox, proxy_password)


def test_live_and_revoked_tokens_of_the_sandbox_are_secrets(sandbox: Sandbox) -> None:
    client = Client(sandbox)
    live, revoked = client.make_token(), client.make_token()
    client.revoke(revoked)
    client.session.close()
    assert find_secrets(f"{quote_plus(live)} {b64encode(revoked.encode()).decode()}", sandbox) == [live, revoked]
