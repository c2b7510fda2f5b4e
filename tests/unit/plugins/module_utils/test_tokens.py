# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token only needs the fields that the RFCs require. Others may be missing or have another format."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient, TokenDetails
from ansible_collections.voucherify.oauth.plugins.module_utils._api.errors import BadAnswer
from ansible_collections.voucherify.oauth.plugins.module_utils._lifecycle import Wanted, for_present
from ansible_collections.voucherify.oauth.plugins.module_utils._options import described
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sandbox import Sandbox

NOW = 1_700_000_000
DOCUMENTED = {
    "access_token": "a-token",
    "token_type": "Bearer",
    "scope": "vouchers campaigns",
    "client_id": "a-client",
    "expires_at": NOW + 800,
    "expires_in": 800,
}
# A token is opaque, so any visible characters are allowed.
TOKEN_CHARACTERS = st.characters(min_codepoint=33, max_codepoint=126)
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["900", "900.0", "-1", "1e9999", "9" * 40, 1e300]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@pytest.fixture
def client(make_client: Callable[..., OAuthClient], sandbox: Sandbox) -> OAuthClient:
    return make_client(sandbox, retries=0)


def answer(sandbox: Sandbox, operation: str, content: dict[str, Any], status: int = 200) -> None:
    headers = {"Date": formatdate(NOW, usegmt=True)}
    sandbox.fail(operation, status=status, headers=headers, body=json.dumps(content))


def generated(sandbox: Sandbox, client: OAuthClient, **changes: Any) -> TokenDetails:
    answer(sandbox, "generate", without_none({**DOCUMENTED, **changes}))
    return client.generate(["vouchers"]).details


def introspected(sandbox: Sandbox, client: OAuthClient, **changes: Any) -> TokenDetails:
    answer(sandbox, "introspect", without_none({**DOCUMENTED, "active": True, **changes}))
    details = client.introspect("a-token")
    assert details is not None
    return details


def without_none(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value is not None}


def test_a_documented_answer_is_read_without_differences(sandbox: Sandbox, client: OAuthClient) -> None:
    wanted = TokenDetails("Bearer", ("vouchers", "campaigns"), "a-client", NOW + 800, 800)
    assert generated(sandbox, client) == wanted
    assert introspected(sandbox, client, unknown_field={"a": 1}) == wanted
    assert client.take_differences() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"token_type": None}, {"token_type": "Bearer"}),
        ({"token_type": "bearer"}, {"token_type": "bearer"}),
        ({"scope": None}, {"scope": ("vouchers",)}),
        ({"scope": ["vouchers", "skus"]}, {"scope": ("vouchers", "skus")}),
        ({"scope": [1]}, {"scope": ("vouchers",)}),
        ({"client_id": None}, {"client_id": None}),
        ({"expires_at": None}, {"expires_at": NOW + 800, "expires_in": 800}),
        ({"expires_in": None, "expires_at": None}, {"expires_at": NOW + 900, "expires_in": 900}),
        ({"expires_in": None, "expires_at": None, "exp": NOW + 70}, {"expires_at": NOW + 70, "expires_in": 70}),
        ({"expires_in": 700.0, "expires_at": f"{NOW + 700}.0"}, {"expires_at": NOW + 700, "expires_in": 700}),
        ({"expires_in": "soon", "expires_at": 1e300}, {"expires_at": NOW + 900, "expires_in": 900}),
    ],
)
def test_missing_or_oddly_written_fields_are_completed(
    sandbox: Sandbox, client: OAuthClient, changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    details = generated(sandbox, client, **changes)
    assert {name: getattr(details, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"expires_in": None, "expires_at": None}, "does not say when the token expires"),
        ({"scope": None}, "does not say which scope the token has"),
    ],
)
def test_a_token_with_an_unknown_expiry_or_scope_is_not_kept(
    sandbox: Sandbox, client: OAuthClient, changes: dict[str, Any], words: str
) -> None:
    details = introspected(sandbox, client, **changes)
    decision = for_present(Wanted(("vouchers", "campaigns"), 0, False), given=True, details=details)
    assert words in decision.reason
    assert decision.changes


def test_differences_are_reported_once_and_without_values(sandbox: Sandbox, client: OAuthClient) -> None:
    for _number in range(2):
        answer(sandbox, "generate", without_none({**DOCUMENTED, "token_type": None, "expires_in": "s3cret"}), 201)
        client.generate(None)
    answer(sandbox, "revoke", {}, 200)
    client.revoke("a-token")
    assert client.take_differences() == [
        "The status of generate is 201 instead of 200.",
        "In the answer to generate, expires_in is not as the API's documentation says.",
        "The answer to generate lacks token_type.",
        "The status of revoke is 200 instead of 204.",
    ]
    assert client.take_differences() == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    access_token=st.text(TOKEN_CHARACTERS, min_size=1, max_size=80),
    changes=st.dictionaries(
        st.sampled_from([*DOCUMENTED, "exp", "other"]).filter(lambda name: name != "access_token"), ODD | st.just(...)
    ),
    status=st.sampled_from([200, 201, 202, 206, 299]),
    scope=st.none() | st.just(["vouchers"]),
)
def test_a_usable_token_never_fails_the_call_and_is_never_lost(  # noqa: PLR0917 - hypothesis gives them by name
    sandbox: Sandbox,
    client: OAuthClient,
    access_token: str,
    changes: dict[str, Any],
    status: int,
    scope: list[str] | None,
) -> None:
    content = {**DOCUMENTED, **changes, "access_token": access_token}
    sandbox.fail(
        "generate", status=status, body=json.dumps({name: value for name, value in content.items() if value is not ...})
    )
    token = client.generate(scope)
    assert token.access_token == access_token
    client.revoke(access_token)
    assert sandbox.requests()[-1].form["access_token"] == access_token
    json.dumps(described(token.details), allow_nan=False)
    assert isinstance(token.details.expires_in, int)
    client.take_differences()


# Tokens are opaque


@pytest.mark.parametrize("access_token", ["", "a b", "clé", "\x7f", "x" * 20_000])
def test_a_token_that_cannot_be_sent_in_a_header_is_reported_as_lost(
    sandbox: Sandbox, client: OAuthClient, access_token: str
) -> None:
    answer(sandbox, "generate", {**DOCUMENTED, "access_token": access_token})
    with pytest.raises(BadAnswer, match=r"answer has an invalid access_token; .*may have made a token that was lost"):
        client.generate(None)


def test_the_time_that_an_answer_takes_is_subtracted(sandbox: Sandbox, client: OAuthClient) -> None:
    content = json.dumps({**DOCUMENTED, "active": True})
    headers = {"Date": formatdate(NOW, usegmt=True)}
    sandbox.fail("introspect", status=200, headers=headers, body=content, delay=1.1)
    details = client.introspect("a-token")
    assert details is not None
    assert details.expires_in in (798, 799)
    assert details.expires_at == NOW + 800


def test_what_the_api_says_is_kept_as_it_is_and_shown_in_sentences_as_plain_words(
    sandbox: Sandbox, client: OAuthClient
) -> None:
    details = introspected(sandbox, client, scope=f"vouchers {sandbox.app_token}", client_id="a b")
    assert (details.scope, details.client_id) == (("vouchers", sandbox.app_token), "a b")
    decision = for_present(Wanted(("vouchers",), 0, False), given=True, details=details)
    assert decision.reason == "The token has the scope 'vouchers ********', but 'vouchers' is required."
