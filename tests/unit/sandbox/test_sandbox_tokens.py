# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a token: made, looked at, used, run out, revoked."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sandbox import Sandbox
from sandbox.scopes import SCOPES
from unit.sandbox.client import Client, assert_refused


def test_a_new_token_is_described_by_six_fields(sandbox: Sandbox, client: Client) -> None:
    sandbox.stop_clock()
    response = client.generate("qualifications validations")
    (made,) = sandbox.tokens()
    assert response.status_code == 200
    assert response.json() == {
        "access_token": made.access_token,
        "client_id": made.client_id,
        "expires_at": made.expires_at,
        "expires_in": 900,
        "scope": "qualifications validations",
        "token_type": "Bearer",
    }
    assert made.access_token.isalnum() and len(made.access_token) == 50
    assert made.client_id.isalnum() and len(made.client_id) == 21


def test_each_api_key_has_a_client_id_of_its_own(sandbox: Sandbox, client: Client) -> None:
    other = {"X-App-Id": sandbox.other_app_id, "X-App-Token": sandbox.other_app_token}
    responses = [client.generate(), client.generate(), client.generate(headers=other)]
    first, second, third = (response.json()["client_id"] for response in responses)
    assert first == second != third


def test_a_scope_that_is_not_asked_is_api(client: Client) -> None:
    assert client.generate(scope=None).json()["scope"] == "api"


def test_a_scope_can_be_granted_that_was_not_asked(sandbox: Sandbox, client: Client) -> None:
    sandbox.configure(granted_scope="api")
    assert client.generate("qualifications validations redemptions").json()["scope"] == "api"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(SCOPES)), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_any_spelling_is_granted_in_the_apis_own(client: Client, scope: list[str], random: Random) -> None:
    spelt = ["".join(random.choice((letter, letter.upper())) for letter in value) for value in scope]
    assert client.generate(" ".join(spelt)).json()["scope"] == " ".join(dict.fromkeys(scope))


def test_a_live_token_is_introspected_with_seven_fields(sandbox: Sandbox, client: Client) -> None:
    sandbox.stop_clock()
    made = client.generate().json()
    sandbox.advance(345)
    assert client.introspect(made["access_token"]).json() == {**made, "expires_in": 555, "active": True}


def test_introspection_tells_nothing_of_an_unknown_token(client: Client) -> None:
    response = client.introspect("unknown")
    assert (response.status_code, response.json()) == (200, {"active": False})


def test_a_token_lives_900_seconds(sandbox: Sandbox, client: Client) -> None:
    sandbox.stop_clock()
    token = client.make_token()
    sandbox.advance(899)
    assert client.introspect(token).json()["expires_in"] == 1
    assert client.list_vouchers(token).status_code == 200
    sandbox.advance(1)
    assert client.introspect(token).json() == {"active": False}
    assert_refused(client.list_vouchers(token), 401, "unauthorized")
    assert client.revoke(token).status_code == 404
    assert [made.status for made in sandbox.tokens()] == ["expired"]


def test_a_revoked_token_is_dead_for_every_endpoint(sandbox: Sandbox, client: Client) -> None:
    token, kept = client.make_token(), client.make_token()
    revoked = client.revoke(token)
    assert (revoked.status_code, revoked.content) == (204, b"")
    again = client.revoke(token)
    assert (again.status_code, again.content) == (404, b"")
    assert client.introspect(token).json() == {"active": False}
    assert_refused(client.list_vouchers(token), 401, "unauthorized")
    assert [made.status for made in sandbox.tokens()] == ["revoked", "active"]
    assert [made.access_token for made in sandbox.live_tokens()] == [kept]


def test_any_key_of_the_project_may_introspect_and_revoke(sandbox: Sandbox, client: Client) -> None:
    token = client.make_token()
    other = {"X-App-Id": sandbox.other_app_id, "X-App-Token": sandbox.other_app_token}
    assert client.introspect(token, headers=other).json()["active"]
    assert client.revoke(token, headers=other).status_code == 204


def test_a_project_has_1000_live_tokens_at_most(sandbox: Sandbox, client: Client) -> None:
    sandbox.configure(rate_limit=0)
    tokens = [client.make_token() for _turn in range(1000)]
    assert_refused(client.generate(), 400, "too_many_tokens")
    client.revoke(tokens[0])
    assert client.generate().status_code == 200
    assert_refused(client.generate(), 400, "too_many_tokens")
    sandbox.advance(900)
    assert client.generate().status_code == 200


@pytest.mark.parametrize("scope", ["vouchers", "api", "campaigns vouchers"])
def test_vouchers_are_listed_within_the_scope(client: Client, scope: str) -> None:
    response = client.list_vouchers(client.make_token(scope))
    assert response.status_code == 200
    listed = response.json()
    assert (listed["object"], listed["data_ref"], listed["total"]) == ("list", "vouchers", 2)
    assert len(listed["vouchers"]) == 2


@pytest.mark.parametrize("scope", ["campaigns", "client_vouchers"])
def test_another_scope_is_forbidden_to_list_vouchers(client: Client, scope: str) -> None:
    assert_refused(client.list_vouchers(client.make_token(scope)), 403, "insufficient_scope")


def test_vouchers_are_listed_with_an_api_key(client: Client) -> None:
    assert client.send("GET", "/v1/vouchers", params={"limit": "2"}).status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer unknown", "Basic dTpw"])
def test_no_token_lists_no_vouchers(client: Client, authorization: str) -> None:
    response = client.send("GET", "/v1/vouchers", headers={"Authorization": authorization})
    assert_refused(response, 401, "unauthorized")


def test_the_prefix_of_the_header_is_the_token_type(client: Client) -> None:
    response = client.send("GET", "/v1/vouchers", headers={"Authorization": f"bearer {client.make_token()}"})
    assert_refused(response, 401, "unauthorized")
