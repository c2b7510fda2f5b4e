# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract of the sandbox: what is known about the Voucherify OAuth API, in the order of its documentation."""

from __future__ import annotations

import string
from typing import Any

import pytest
import requests
from sandbox import Sandbox
from sandbox.api import SCOPES
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


def test_generate_refuses_another_grant_type_and_names_the_scope_that_it_refuses(
    sandbox: Sandbox, client: Client
) -> None:
    for form in ({}, {"grant_type": ""}, {"grant_type": "password"}, {"scope": "vouchers"}):
        assert_refused(client.post(GENERATE, form), 400, "invalid_grant_type")
    for scope, named in {"a,b": "a,b", "vouchers nonsense": "nonsense", "": "", "vouchers  orders": ""}.items():
        error = assert_refused(client.generate(scope), 400, "invalid_scope")
        assert error["message"] == f"Invalid scope: {named}"
    assert sandbox.tokens() == []


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


# Limits


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


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer unknown", "Basic dTpw", "bearer {token}"])
def test_only_a_bearer_token_is_accepted(client: Client, authorization: str) -> None:
    headers = {"Authorization": authorization.format(token=client.make_token())}
    assert_refused(client.send("GET", VOUCHERS, headers=headers), 401, "unauthorized")


# Faults


def test_faults_apply_in_their_order_and_only_to_the_chosen_calls(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("introspect", skip=1, times=2, status=500)
    sandbox.fail("introspect", skip=1, status=502)
    sandbox.fail("any", status=503)
    assert client.send("GET", "/elsewhere").status_code == 404
    assert [client.introspect("a").status_code for _turn in range(7)] == [200, 500, 500, 200, 502, 503, 200]
    for operation in ("generate", "introspect", "revoke", "vouchers", "campaigns"):
        sandbox.fail(operation, status=500)
    answers = [client.generate(), client.introspect("a"), client.revoke("a")]
    answers += [client.send("GET", "/v1/vouchers"), client.send("GET", "/v1/campaigns")]
    assert [answer.status_code for answer in answers] == [500] * 5
