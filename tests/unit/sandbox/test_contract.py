# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract of the sandbox: what is known about the Voucherify OAuth API, in the order of its documentation."""

from __future__ import annotations

import string
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from sandbox import Sandbox
from sandbox.api import COLLECTIONS, SCOPES
from unit.sandbox.client import GENERATE, INTROSPECT, REVOKE, VOUCHERS, Client, assert_refused

FORMS = {
    GENERATE: {"grant_type": "client_credentials", "scope": "vouchers"},
    INTROSPECT: {"access_token": "unknown"},
    REVOKE: {"access_token": "unknown"},
}
EACH_ENDPOINT = pytest.mark.parametrize("path", FORMS)


def limit_of(response: requests.Response) -> tuple[str | None, str | None]:
    return response.headers.get("X-Rate-Limit-Limit"), response.headers.get("X-Rate-Limit-Remaining")


# The three endpoints


@EACH_ENDPOINT
def test_the_endpoints_take_posted_forms_with_an_api_key_and_no_query(
    sandbox: Sandbox, client: Client, path: str
) -> None:
    form = FORMS[path]
    error = assert_refused(client.send("GET", path), 405, "method_not_allowed")
    assert error["details"] == "GET is not supported by this endpoint. Did you mean POST?"
    for headers in (
        {"X-App-Id": None},
        {"X-App-Token": None},
        {"X-App-Token": "wrong"},
        {"X-App-Token": sandbox.other_app_token},
    ):
        assert_refused(client.post(path, form, headers=headers), 401, "unauthorized")
    for content_type in (None, "application/json", "multipart/form-data"):
        assert_refused(client.post(path, "a=b", headers={"Content-Type": content_type}), 415, "unsupported_media_type")
    for accept in ("text/html", "application/xml, text/*"):
        assert_refused(client.post(path, form, headers={"Accept": accept}), 406, "not_acceptable")
    assert_refused(client.post(f"{path}?access_token=a", form), 400, "invalid_query_params")
    for body in ({**form, "extra": "x"}, "access_token=a&access_token=a&scope=a&scope=a", "&", b"access_token=\xff"):
        assert_refused(client.post(path, body), 400, "invalid_payload")
    assert sandbox.tokens() == []
    lenient = {"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8", "Accept": "text/html, */*;q=0.1"}
    assert client.post(path, form, headers=lenient).status_code in {200, 404}


def test_generate_answers_with_six_fields_and_introspect_adds_active(sandbox: Sandbox, client: Client) -> None:
    sandbox.stop_clock()
    response = client.generate("qualifications validations")
    (made,) = sandbox.tokens()
    assert response.status_code == 200
    fields = {
        "access_token": made.access_token,
        "client_id": made.client_id,
        "expires_at": sandbox.now() + 900,
        "expires_in": 900,
        "scope": "qualifications validations",
        "token_type": "Bearer",
    }
    assert response.json() == fields
    sandbox.advance(345)
    assert client.introspect(made.access_token).json() == {**fields, "expires_in": 555, "active": True}


def test_generate_refuses_another_grant_type_and_names_the_scope_that_it_refuses(
    sandbox: Sandbox, client: Client
) -> None:
    for form in ({}, {"grant_type": ""}, {"grant_type": "password"}, {"scope": "vouchers"}):
        assert_refused(client.post(GENERATE, form), 400, "invalid_grant_type")
    for scope, named in {"a,b": "a,b", "vouchers nonsense": "nonsense", "": "", "vouchers  orders": ""}.items():
        error = assert_refused(client.generate(scope), 400, "invalid_scope")
        assert error["message"] == f"Invalid scope: {named}"
    assert sandbox.tokens() == []


def test_introspect_and_revoke_need_a_token(client: Client) -> None:
    for path in (INTROSPECT, REVOKE):
        for form in ("", "access_token="):
            assert_refused(client.post(path, form), 400, "missing_parameters")


def test_a_revoked_token_is_inactive_for_every_endpoint(sandbox: Sandbox, client: Client) -> None:
    token, kept = client.make_token(), client.make_token()
    revoked, again = client.revoke(token), client.revoke(token)
    assert (revoked.status_code, revoked.content) == (204, b"")
    assert (again.status_code, again.content) == (404, b"")
    assert client.introspect(token).json() == {"active": False}
    assert_refused(client.list_collection(token), 401, "unauthorized")
    assert [made.status for made in sandbox.tokens()] == ["revoked", "active"]
    assert [made.access_token for made in sandbox.live_tokens()] == [kept]


def test_a_token_lives_900_seconds(sandbox: Sandbox, client: Client) -> None:
    sandbox.stop_clock()
    token = client.make_token()
    sandbox.advance(899)
    assert client.introspect(token).json()["expires_in"] == 1
    assert client.list_collection(token).status_code == 200
    sandbox.advance(1)
    assert client.introspect(token).json() == {"active": False}
    assert_refused(client.list_collection(token), 401, "unauthorized")
    assert client.revoke(token).status_code == 404
    assert [made.status for made in sandbox.tokens()] == ["expired"]


@pytest.mark.thorough
def test_a_project_has_at_most_1000_live_tokens(sandbox: Sandbox, client: Client) -> None:
    sandbox.configure(rate_limit=0)
    tokens = [client.make_token() for _turn in range(1000)]
    assert_refused(client.generate(), 400, "too_many_tokens")
    client.revoke(tokens[0])
    assert client.generate().status_code == 200
    assert client.generate().status_code == 400
    sandbox.advance(900)
    assert client.generate().status_code == 200


def test_every_key_of_a_project_may_introspect_and_revoke_and_has_its_own_client_id(
    sandbox: Sandbox, client: Client
) -> None:
    made = client.generate().json()
    other = {"X-App-Id": sandbox.other_app_id, "X-App-Token": sandbox.other_app_token}
    assert client.generate(headers=other).json()["client_id"] != made["client_id"]
    assert client.introspect(made["access_token"], headers=other).json()["active"]
    assert client.revoke(made["access_token"], headers=other).status_code == 204


def test_secrets_have_every_kind_of_character_that_something_escapes(sandbox: Sandbox, client: Client) -> None:
    for app_token in (sandbox.app_token, sandbox.other_app_token):
        assert set("\"'/+=%&") < set(app_token)
    # RFC 6750, section 2.1
    token = client.make_token()
    assert set("-._~+/") < set(token)
    assert token.endswith("=")
    assert set(token.rstrip("=")) <= set(string.ascii_letters + string.digits + "-._~+/")


@pytest.mark.parametrize("path", ["", "/v1/OAuth/token", "/v1/api", "/v1/client_vouchers"])
def test_an_unknown_path_is_a_web_page(client: Client, path: str) -> None:
    response = client.send("POST", path)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "text/html"
    assert limit_of(response) == (None, None)


# Limits


def test_each_response_states_the_rate_limit(client: Client) -> None:
    assert limit_of(client.generate()) == ("2000", "1999")
    assert limit_of(client.generate("nonsense")) == ("2000", "1998")
    assert limit_of(client.revoke("a")) == ("2000", "1997")
    assert limit_of(client.introspect("a", headers={"X-App-Id": "wrong"})) == ("2000", "1996")
    assert limit_of(client.send("GET", VOUCHERS)) == ("2000", "1995")


def test_calls_past_the_limit_learn_when_to_try_again(sandbox: Sandbox, client: Client) -> None:
    sandbox.stop_clock()
    sandbox.configure(rate_limit=2)
    start = sandbox.now()
    client.introspect("a")
    sandbox.advance(20)
    assert limit_of(client.introspect("a")) == ("2", "0")

    refused = client.generate()
    assert_refused(refused, 429, "too_many_requests")
    assert limit_of(refused) == ("2", "0")
    assert refused.headers["Retry-After"] == "40"
    assert int(refused.headers["X-Rate-Limit-Retry"]) == start + 60
    assert refused.headers["X-Rate-Limit-Type"] == "api_calls"
    assert sandbox.tokens() == []

    sandbox.advance(39)
    assert client.generate().status_code == 429
    sandbox.advance(1)
    assert limit_of(client.generate()) == ("2", "1")
    sandbox.configure(rate_limit=0)
    assert limit_of(client.generate()) == (None, None)


def test_the_date_is_that_of_the_clock(sandbox: Sandbox, client: Client) -> None:
    sandbox.stop_clock()
    sandbox.advance(3600)
    answered = parsedate_to_datetime(client.introspect("a").headers["Date"])
    assert answered.timestamp() == sandbox.now()
    assert abs(sandbox.now() - time.time() - 3600) < 300


# Scopes


def test_each_documented_scope_is_granted_whatever_its_case(client: Client) -> None:
    for scope in SCOPES:
        granted = client.generate(f"{scope.upper()} {scope} api").json()["scope"]
        assert granted == " ".join(dict.fromkeys((scope, "api")))


@pytest.mark.parametrize("name", ["vouchers", "campaigns", "metadata-schemas"])
def test_a_collection_is_listed_within_its_scope(client: Client, name: str) -> None:
    key = name.replace("-", "_")
    for scope in (name, "api", f"assets {name} vouchers"):
        response = client.list_collection(client.make_token(scope), name)
        assert response.status_code == 200
        listed: dict[str, Any] = response.json()
        assert (listed["object"], listed["data_ref"], listed["total"]) == ("list", key, len(listed[key]))
    for scope in ("client_vouchers", "assets" if name != "assets" else "orders"):
        refused = client.list_collection(client.make_token(scope), name)
        assert_refused(refused, 403, "insufficient_scope")
    assert_refused(client.send("POST", f"/v1/{name}"), 405, "method_not_allowed")


def test_each_collection_that_a_scope_names_is_listed_with_an_api_key(client: Client) -> None:
    assert {scope for scope in SCOPES if not scope.startswith("client_")} == COLLECTIONS | {"api"}
    for name in COLLECTIONS:
        assert client.send("GET", f"/v1/{name}", params={"limit": "2"}).status_code == 200
    assert_refused(client.send("GET", VOUCHERS, headers={"X-App-Token": "wrong"}), 401, "unauthorized")
    assert_refused(client.send("GET", VOUCHERS, headers={"Accept": "text/html"}), 406, "not_acceptable")


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer unknown", "Basic dTpw", "bearer {token}"])
def test_only_a_bearer_token_is_accepted(client: Client, authorization: str) -> None:
    headers = {"Authorization": authorization.format(token=client.make_token())}
    assert_refused(client.send("GET", VOUCHERS, headers=headers), 401, "unauthorized")


# Where the documents contradict each other


def test_the_granted_scope_may_be_another_than_the_one_asked_for(sandbox: Sandbox, client: Client) -> None:
    assert client.generate(scope=None).json()["scope"] == "api"
    sandbox.configure(granted_scope="api")
    assert client.generate("qualifications validations redemptions").json()["scope"] == "api"
