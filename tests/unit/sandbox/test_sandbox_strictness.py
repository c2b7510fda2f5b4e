# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong on the wire is refused, for a lenient sandbox would let a wrong client pass."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sandbox import Sandbox
from unit.sandbox.client import GENERATE, INTROSPECT, REVOKE, VOUCHERS, Client, assert_refused

OAUTH_PATHS = [GENERATE, INTROSPECT, REVOKE]
RIGHT_FORMS = [
    (GENERATE, {"grant_type": "client_credentials", "scope": "vouchers"}),
    (INTROSPECT, {"access_token": "unknown"}),
    (REVOKE, {"access_token": "unknown"}),
]


def send_exactly(client: Client, target: str, headers: Mapping[str, str]) -> int:
    """Post a right form with these headers and no others; returns the status."""
    with closing(http.client.HTTPConnection(urlsplit(client.sandbox.url).netloc)) as connection:
        content_type = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", target, "access_token=a", {**content_type, **headers})
        return connection.getresponse().status


@pytest.mark.parametrize("path", OAUTH_PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_oauth_is_post_only(client: Client, method: str, path: str) -> None:
    response = client.send(method, path)
    error = assert_refused(response, 405, "method_not_allowed")
    assert error["details"] == f"{method} is not supported by this endpoint. Did you mean POST?"
    assert response.headers["Allow"] == "POST"


def test_vouchers_are_get_only(client: Client) -> None:
    assert_refused(client.send("POST", VOUCHERS), 405, "method_not_allowed")


@pytest.mark.parametrize(("path", "form"), [*RIGHT_FORMS, (VOUCHERS, None)])
@pytest.mark.parametrize("header", ["X-App-Id", "X-App-Token"])
@pytest.mark.parametrize("value", [None, "", "wrong"])
def test_both_parts_of_the_key_must_be_right(
    client: Client, path: str, form: dict[str, str] | None, header: str, value: str | None
) -> None:
    response = client.send("POST" if form else "GET", path, data=form, headers={header: value})
    assert_refused(response, 401, "unauthorized")


def test_both_parts_must_be_of_the_same_key(sandbox: Sandbox, client: Client) -> None:
    assert_refused(client.generate(headers={"X-App-Token": sandbox.other_app_token}), 401, "unauthorized")


@pytest.mark.parametrize(("path", "form"), RIGHT_FORMS)
@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain", "multipart/form-data"])
def test_only_a_form_is_understood(client: Client, path: str, form: dict[str, str], content_type: str | None) -> None:
    response = client.post(path, "a=b", headers={"Content-Type": content_type})
    assert_refused(response, 415, "unsupported_media_type")


def test_a_content_type_may_name_its_charset(client: Client) -> None:
    content_type = "Application/X-WWW-Form-Urlencoded; charset=UTF-8"
    assert client.generate(headers={"Content-Type": content_type}).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml, text/*", "*/*, application/json;q=0", "*/*;q=no"])
@pytest.mark.parametrize(("path", "form"), [*RIGHT_FORMS, (VOUCHERS, None)])
def test_json_must_be_acceptable(client: Client, path: str, form: dict[str, str] | None, accept: str) -> None:
    response = client.send("POST" if form else "GET", path, data=form, headers={"Accept": accept})
    assert_refused(response, 406, "not_acceptable")


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "text/html, application/*;q=0.1", "Application/JSON;v=1"]
)
def test_json_is_acceptable(client: Client, accept: str) -> None:
    assert client.generate(headers={"Accept": accept}).status_code == 200


def test_without_an_accept_header_everything_is_acceptable(client: Client) -> None:
    # `requests` always sends the header.
    headers = {name: value for name, value in client.headers.items() if name != "Accept"}
    assert send_exactly(client, INTROSPECT, headers) == 200


def test_a_doubled_slash_is_another_path(client: Client) -> None:
    # Some versions of `requests` put it right.
    assert send_exactly(client, "/" + INTROSPECT, client.headers) == 404


@pytest.mark.parametrize(("path", "form"), RIGHT_FORMS)
def test_an_unknown_field_is_refused(client: Client, path: str, form: dict[str, str]) -> None:
    error = assert_refused(client.post(path, {**form, "extra": "x"}), 400, "invalid_payload")
    assert error["details"] == "Unknown field: extra"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (GENERATE, "grant_type=client_credentials&scope=vouchers&scope=campaigns"),
        (GENERATE, "grant_type=client_credentials&grant_type=client_credentials"),
        (INTROSPECT, "access_token=a&access_token=a"),
        (REVOKE, "access_token=a&access_token="),
    ],
)
def test_a_repeated_field_is_refused(client: Client, path: str, body: str) -> None:
    error = assert_refused(client.post(path, body), 400, "invalid_payload")
    assert error["details"].startswith("Field sent more than once")


@pytest.mark.parametrize(
    "body", ["access_token", "&", '{"access_token":"a"}', b"access_token=\xff", "access_token=%ff"]
)
def test_a_body_that_is_no_form_is_refused(client: Client, body: str | bytes) -> None:
    assert_refused(client.post(INTROSPECT, body), 400, "invalid_payload")


@pytest.mark.parametrize(("path", "form"), RIGHT_FORMS)
def test_a_query_is_refused(client: Client, path: str, form: dict[str, str]) -> None:
    assert_refused(client.post(path + "?access_token=a", form), 400, "invalid_query_params")


@pytest.mark.parametrize("form", [{}, {"grant_type": ""}, {"grant_type": "password"}, {"scope": "vouchers"}])
def test_the_grant_type_must_be_client_credentials(client: Client, form: dict[str, str]) -> None:
    assert_refused(client.post(GENERATE, form), 400, "invalid_grant_type")


@pytest.mark.parametrize(
    ("scope", "named"),
    [
        ("vouchers,campaigns", "vouchers,campaigns"),
        ("vouchers nonsense campaigns", "nonsense"),
        ("", ""),
        (" vouchers", ""),
        ("vouchers  campaigns", ""),
        ("vouchers\tcampaigns", "vouchers\tcampaigns"),
    ],
)
def test_a_wrong_scope_is_named(sandbox: Sandbox, client: Client, scope: str, named: str) -> None:
    error = assert_refused(client.generate(scope), 400, "invalid_scope")
    assert error["message"] == f"Invalid scope: {named}"
    assert sandbox.tokens() == []


@pytest.mark.parametrize("path", [INTROSPECT, REVOKE])
@pytest.mark.parametrize("form", ["", "access_token="])
def test_the_token_must_not_be_missing(client: Client, path: str, form: str) -> None:
    assert_refused(client.post(path, form), 400, "missing_parameters")


@pytest.mark.parametrize("path", ["", "/", "/v1/oauth", "/v1/oauth/token/", "/v1/OAuth/token"])
def test_another_path_is_somebody_elses(client: Client, path: str) -> None:
    response = client.send("POST", path)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "text/html"
    assert b"<html>" in response.content


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(OAUTH_PATHS), st.one_of(st.binary(), st.text("access_tokn=&%+;ü1 ").map(str.encode)))
@example(INTROSPECT, b"access_token=" + b"a" * 3_000_000)
def test_no_body_breaks_the_sandbox(client: Client, path: str, body: bytes) -> None:
    assert client.post(path, body).status_code in {200, 400, 404}
