# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any answer becomes its JSON object or a typed error, and no error contains a secret."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from email.utils import formatdate

import pytest
from ansible_collections.voucherify.oauth.plugins.module_utils._api import errors
from ansible_collections.voucherify.oauth.plugins.module_utils._api.answers import Answer, read, retry_after
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import REVOKE
from ansible_collections.voucherify.oauth.plugins.module_utils._api.network_error import Route, network_error
from hypothesis import given
from hypothesis import strategies as st

CALL = errors.Call("introspect", "introspect the token", "/v1/oauth/introspect", success=200)
SECRET = "s3cr3t+token/that=must&stay-hidden"


def answer(status: int, body: bytes | None = b"", **headers: str) -> Answer:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer("api.example", f"/eu{CALL.path}", status, headers, body, (SECRET, "plain_words_of_a_secret"))


def error_for(status: int, body: bytes = b"", **headers: str) -> errors.RequestError:
    with pytest.raises(errors.RequestError) as caught:
        read(CALL, answer(status, body, **headers))
    return caught.value


@given(st.integers(100, 599), st.none() | st.binary(max_size=200), st.dictionaries(st.text(), st.text()))
def test_any_answer_is_an_object_or_a_typed_error(status: int, body: bytes | None, headers: dict[str, str]) -> None:
    message = ""
    content = None
    try:
        content = read(CALL, Answer("api.example", CALL.path, status, headers, body)).content
    except errors.RequestError as error:
        message = str(error)
    if isinstance(content, dict):
        assert 200 <= status < 300
    else:
        assert message.startswith("Cannot introspect the token: ")
        assert "\n" not in message


def test_an_error_shows_only_plain_words_of_what_the_api_says() -> None:
    words = {"message": f"what is {SECRET}?", "details": "\x1b[2J\r\nInvalid scope: coupons"}
    error = error_for(400, json.dumps({"code": 400, **words}).encode())
    assert (error.api["message"], error.api["details"]) == ("what is ********", "******** Invalid scope: coupons")


@pytest.mark.parametrize(
    ("name", "text", "is_shown"),
    [
        ("key", "invalid_scope", True),
        ("key", "Invalid scope", False),
        ("key", "a" * 65, False),
        ("key", "plain_words_of_a_secret", False),
        ("request_id", "v-0a885062c80375740f", True),
        ("request_id", "v 1", False),
        ("request_id", "a" * 41, False),
        ("request_id", "id-of-plain_words", False),
    ],
)
def test_a_key_and_a_request_id_are_shown_if_they_have_the_usual_form_and_repeat_no_secret(
    name: str, text: str, is_shown: bool
) -> None:
    error = error_for(400, json.dumps({"code": 400, name: text}).encode())
    assert error.as_dict().get(name) == (text if is_shown else None)


def test_a_redirect_to_a_host_named_like_a_secret_hides_it() -> None:
    assert "a redirect to ********, which" in str(error_for(307, Location="https://plain-words.evil.example/a?b"))
    assert "a redirect to api.example:8443, which" in str(error_for(307, Location="HTTPS://me:pw@api.example:8443?b"))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success_with_or_without_a_body(status: int) -> None:
    assert read(CALL, answer(status)).content == {}
    success = read(CALL, answer(status, b'{"a": 1}', Date=formatdate(1_700_000_000, usegmt=True)))
    assert (success.status, success.content, success.server_time) == (status, {"a": 1}, 1_700_000_000)


NOW = 1_700_000_000
DATE = {"Date": formatdate(NOW, usegmt=True)}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": " 1.5 "}, 1.5),
        ({"Retry-After": "0"}, None),
        ({"Retry-After": formatdate(NOW + 30, usegmt=True)}, 30),
        ({"Retry-After": "Tuesday, 14-Nov-23 22:13:50 GMT"}, 30),
        ({"Retry-After": formatdate(NOW - 30, usegmt=True)}, None),
        ({"X-Rate-Limit-Retry": str(NOW + 42)}, 42),
        ({"X-Rate-Limit-Retry": f"{NOW + 42}.5"}, 42.5),
        ({"X-Rate-Limit-Retry": str(NOW - 1)}, None),
        # The later of two headers, or of two values of one header.
        ({"Retry-After": "0", "X-Rate-Limit-Retry": str(NOW + 42)}, 42),
        ({"Retry-After": "50", "X-Rate-Limit-Retry": str(NOW + 42)}, 50),
        ({"Retry-After": f"3, {formatdate(NOW + 30, usegmt=True)}, {formatdate(NOW + 20, usegmt=True)}"}, 30),
        ({"X-Rate-Limit-Retry": f"{NOW + 1}, {NOW + 2}"}, 2),
        *(({"Retry-After": text}, None) for text in ("soon", "", "-5", "nan", "Tue, 99 Nov 2023 00:00:00 GMT")),
    ],
)
def test_the_wait_that_the_api_asks_for_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after({**DATE, **headers}) == seconds


def test_without_a_date_this_machines_clock_is_used() -> None:
    assert abs(read(CALL, answer(200, Date="yesterday")).server_time - time.time()) < 5


@pytest.mark.parametrize(("status", "again"), [(408, True), (421, True), (425, True), (409, False), (423, False)])
def test_whether_a_call_may_be_sent_again_depends_on_its_status_and_risk(status: int, again: bool) -> None:
    assert error_for(status).may_be_sent_again
    with pytest.raises(errors.Refused) as caught:
        read(replace(CALL, risk_if_repeated="it may have made a token"), answer(status))
    assert caught.value.may_be_sent_again is again


def test_a_404_names_the_path_and_a_doubled_v1() -> None:
    assert "answered 404 to /eu/v1/oauth/introspect; check api_base_url" in str(error_for(404))
    doubled = Answer("api.example", f"/v1{CALL.path}", 404, {}, b"")
    with pytest.raises(errors.Refused, match="leave /v1 off the end of api_base_url"):
        read(CALL, doubled)


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (103, errors.BadAnswer, "which is not a final answer; run the play again"),
        (300, errors.Redirected, "to an unknown address, which is not followed; set api_base_url"),
        (400, errors.Refused, "correct what the API names"),
        (
            401,
            errors.Refused,
            "regenerated, blocked or deleted; it must be one of Application keys, not of OAuth Service",
        ),
        (402, errors.Refused, "plan"),
        (403, errors.Refused, "region"),
        (404, errors.Refused, "check api_base_url"),
        (429, errors.RateLimited, "make fewer calls per minute"),
        (499, errors.Refused, "ask Voucherify's support"),
        (500, errors.ServerFailed, "https://status.voucherify.io, and check api_base_url; run the play again"),
        (799, errors.ServerFailed, "https://status.voucherify.io"),
    ],
)
def test_each_kind_of_status_has_its_own_error_and_advice(
    status: int, kind: type[errors.RequestError], advice: str
) -> None:
    error = error_for(status, b"<html>not the API's</html>")
    assert error.__class__ is kind
    assert error.status == status
    assert advice in str(error)
    assert "html" not in str(error)


def test_a_byte_that_is_not_utf_8_in_an_unknown_field_is_ignored() -> None:
    assert read(CALL, answer(200, b'{"active": false, "other": "Caf\xe9"}')).content["active"] is False


@pytest.mark.parametrize("key", ["token_limit_exceeded", "limit_reached", "max_tokens_exceeded"])
def test_a_refusal_for_a_limit_says_that_there_may_be_1000_tokens(key: str) -> None:
    error = error_for(400, json.dumps({"key": key}).encode())
    assert str(error).endswith("the project may have 1000 tokens, the maximum; revoke some, or wait up to 15 minutes.")


def test_a_revocation_that_fails_does_not_advise_to_make_another_token() -> None:
    with pytest.raises(errors.ServerFailed) as caught:
        read(REVOKE, answer(503))
    lost = network_error(REVOKE, TimeoutError(), Route("api.example"), form_was_read=True)
    for error in (caught.value, lost):
        assert str(error).endswith("; the token expires within 15 minutes even if it is not revoked.")
        assert "run the play again" not in str(error)
