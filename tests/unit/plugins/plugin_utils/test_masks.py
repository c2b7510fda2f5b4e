# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which parts of the options of a task a message may show, and which not."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import quote_plus

import pytest
from ansible_collections.voucherify.oauth.plugins.module_utils._api import known_tokens as known_tokens_file
from ansible_collections.voucherify.oauth.plugins.module_utils._options import remember_token
from ansible_collections.voucherify.oauth.plugins.modules.voucherify_oauth_token import ARGUMENT_SPEC
from ansible_collections.voucherify.oauth.plugins.plugin_utils._masks import masked, secrets_of

SECRET = "1ABCde2FGHijKl3m4NO+pqR6/TUv7w"

PLACES: dict[str, dict[str, Any]] = {
    "a secret option": {"access_token": SECRET},
    "with more around it": {"access_token": f" {SECRET}\n"},
    "another option": {"scope": [SECRET]},
    "a number": {"timeout": SECRET},
    "a mapping": {"scope": {"access_token": SECRET}},
    "a name": {"scope": {SECRET: 1}},
    "an option that does not exist": {"tokens": [[SECRET]]},
    "a path": {"ca_path": SECRET},
    "a proxy": {"proxy": SECRET},
    "a proxy's password": {"proxy": f"http://user:{SECRET.replace('/', '')}@proxy.example:3128"},
}
ENCODINGS = {
    "plain": str,
    "percent": quote_plus,
    "lower case": lambda text: quote_plus(text).lower(),
    "base64": lambda text: b64encode(text.encode()).decode(),
    "part": lambda text: text[3:20],
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("options", PLACES.values(), ids=PLACES)
def test_a_value_that_may_be_a_secret_is_masked_in_any_encoding(options: dict[str, Any], encode: Any) -> None:
    secret = SECRET.replace("/", "") if "proxy.example" in str(options) else SECRET
    message = {"msg": f"The API said {encode(secret)}", "warnings": [f"Not {encode(secret)}"], "status": 400}
    shown = masked(message, secrets_of(ARGUMENT_SPEC, options))
    assert shown == {"msg": "The API said ********", "warnings": ["Not ********"], "status": 400}


def test_names_numbers_and_hosts_stay_readable() -> None:
    options = {
        "access_token": SECRET,
        "scope": ["validation-rules-assignments", "product-collections"],
        "api_base_url": "https://us1.api.voucherify.io",
        "proxy": "http://user:pass-word@proxy.example:3128",
        "timeout": 10,
        "ca_path": "/home/someone/project/certificates/ca.pem",
    }
    message = (
        "us1.api.voucherify.io answered 400, Invalid scope: validation-rules-assignments;\n  proxy.example is asked for"
        " 10 s, and access_token must be a string. /home/someone/project/tokens.yml is empty. " + "Long. " * 100
    )
    assert masked(message, secrets_of(ARGUMENT_SPEC, options)) == message


def test_a_short_user_name_of_a_proxy_is_not_masked() -> None:
    secrets = secrets_of(ARGUMENT_SPEC, {"proxy": "http://me:hunter2@proxy.example:3128"})
    assert masked("check the user name and the password", secrets) == "check the user name and the password"
    assert masked("the hunter2", secrets) == "the ********"


def test_a_secret_that_this_process_has_seen_is_masked_without_being_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_tokens_file, "_tokens", {})
    message = {"msg": f"Superseded by {SECRET}, and\n {b64encode(SECRET.encode()).decode()}", "status": 409}
    assert masked(message, ()) == message
    remember_token(SECRET)
    assert masked(message, ()) == {"msg": "Superseded by ********, and\n ********", "status": 409}
    in_groups = " ".join(SECRET[first : first + 7] for first in range(0, len(SECRET), 7))
    assert masked([f"Superseded by {in_groups}", "by another"], ()) == ["********", "by another"]


def test_a_placeholder_for_a_token_is_not_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_tokens_file, "_tokens", {})
    for placeholder in ("", "x", "token", "vouchers"):
        remember_token(placeholder)
    assert masked("The token expires; its scope is vouchers", ()) == "The token expires; its scope is vouchers"


def test_only_the_last_tokens_are_remembered_so_that_long_loops_stay_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_tokens_file, "_tokens", {})
    tokens = [f"a-token-with-number-{number:04}" for number in range(200)]
    for token in [*tokens, tokens[180]]:
        remember_token(token)
    known = known_tokens_file.known_tokens()
    assert len(known) == 50
    assert known[-2:] == (tokens[199], tokens[180])
