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
from hypothesis import given
from hypothesis import strategies as st

CALL = errors.Call("introspect", "introspect the token", "/v1/oauth/introspect", success=200)
SECRET = "s3cr3t+token/that=must&stay-hidden"


def answer(status: int, body: bytes | None = b"", **headers: str) -> Answer:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer("api.example", f"/eu{CALL.path}", status, headers, body)


def error_for(status: int, body: bytes = b"", **headers: str) -> errors.RequestError:
    with pytest.raises(errors.RequestError) as caught:
        read(CALL, answer(status, body, **headers), secrets=(SECRET, "plain_words_of_a_secret"))
    return caught.value


@given(st.integers(100, 599), st.none() | st.binary(max_size=200), st.dictionaries(st.text(), st.text()))
def test_any_answer_is_an_object_or_a_typed_error(status: int, body: bytes | None, headers: dict[str, str]) -> None:
    message = ""
    content = None
    try:
        content = read(CALL, Answer("api.example", CALL.path, status, headers, body), secrets=(SECRET,)).content
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
    assert (error.api.message, error.api.details) == ("what is ********", "******** Invalid scope: coupons")


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


def test_fields_of_an_error_that_are_not_strings_are_left_out() -> None:
    error = error_for(400, json.dumps({"code": 400, "message": ["a list"], "key": 7}).encode())
    assert "key" not in error.as_dict()
    assert "a list" not in str(error)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"<html>", "is not a JSON object"),
        (b"[1, 2]", "is not a JSON object"),
        (b"\xff\xfe\xfd", "is not a JSON object"),
        (b"[" * 100_000, "is not a JSON object"),
        (None, "is longer than 1 MiB"),
    ],
)
def test_a_success_that_is_not_an_object_is_reported_and_not_quoted(body: bytes | None, fault: str) -> None:
    with pytest.raises(errors.BadAnswer, match=fault) as caught:
        read(CALL, answer(200, body), secrets=())
    assert "html" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success_with_or_without_a_body(status: int) -> None:
    assert read(CALL, answer(status), secrets=()).content == {}
    success = read(CALL, answer(status, b'{"a": 1}', Date=formatdate(1_700_000_000, usegmt=True)), secrets=())
    assert (success.status, success.content, success.server_time) == (status, {"a": 1}, 1_700_000_000)


def test_a_status_below_200_is_not_a_final_answer() -> None:
    error = error_for(103, b"{}")
    assert error.outcome_unknown
    assert "not a final answer" in str(error)


def test_a_compressed_answer_is_reported_as_such() -> None:
    assert "is compressed, although that was not requested" in str(error_for(200, b"\x1f\x8b", Content_Encoding="gzip"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (300, errors.Redirected),
        (399, errors.Redirected),
        (400, errors.Refused),
        (429, errors.RateLimited),
        (499, errors.Refused),
        (500, errors.ServerFailed),
        (599, errors.ServerFailed),
    ],
)
def test_each_kind_of_status_has_its_own_error(status: int, kind: type[errors.RequestError]) -> None:
    error = error_for(status, b"{}")
    assert error.__class__ is kind
    assert error.status == status


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
        ({"X-Rate-Limit-Retry": "1000"}, None),
        # The later of two headers, or of two values of one header.
        ({"Retry-After": "0", "X-Rate-Limit-Retry": str(NOW + 42)}, 42),
        ({"Retry-After": "50", "X-Rate-Limit-Retry": str(NOW + 42)}, 50),
        ({"Retry-After": f"3, {formatdate(NOW + 30, usegmt=True)}, {formatdate(NOW + 20, usegmt=True)}"}, 30),
        ({"X-Rate-Limit-Retry": f"{NOW + 1}, {NOW + 2}"}, 2),
        ({"Retry-After": "9" * 5000}, 1e9),
        *(
            ({"Retry-After": text}, None)
            for text in ("soon", "", "-5", "1e3", "٣", "nan", "Tue, 99 Nov 2023 00:00:00 GMT")
        ),
    ],
)
def test_the_wait_that_the_api_asks_for_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after({**DATE, **headers}) == seconds


@pytest.mark.parametrize("date", [{}, {"Date": "yesterday"}])
def test_without_a_date_this_machines_clock_is_used(date: dict[str, str]) -> None:
    assert abs(read(CALL, answer(200, b"", **date), secrets=()).server_time - time.time()) < 5


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_an_error_asks_for_is_reported(status: int) -> None:
    assert "you can try again in 70 s" in str(error_for(status, Retry_After="70"))
    assert "in more than a year" in str(error_for(status, Retry_After="9" * 30))


def test_a_refusal_that_is_not_repeated_names_no_wait() -> None:
    assert error_for(400, Retry_After="70").retry_after is None


@pytest.mark.parametrize(("status", "again"), [(408, True), (421, True), (425, True), (409, False), (423, False)])
def test_whether_a_call_may_be_sent_again_depends_on_its_status_and_risk(status: int, again: bool) -> None:
    assert error_for(status).may_be_sent_again
    with pytest.raises(errors.Refused) as caught:
        read(replace(CALL, risk_if_repeated="it may have made a token"), answer(status), secrets=())
    assert caught.value.may_be_sent_again is again


def test_a_404_names_the_path_and_a_doubled_v1() -> None:
    assert "answered 404 to /eu/v1/oauth/introspect; check api_base_url" in str(error_for(404))
    doubled = Answer("api.example", f"/v1{CALL.path}", 404, {}, b"")
    with pytest.raises(errors.Refused, match="leave /v1 off the end of api_base_url"):
        read(CALL, doubled, secrets=())


def test_a_used_up_billing_cycle_is_not_worth_waiting_for() -> None:
    error = error_for(429, X_Rate_Limit_Type="api_calls_cycle", X_Rate_Limit_Retry=str(int(time.time()) + 5000))
    assert isinstance(error, errors.Refused)
    assert error.status == 429
    assert not error.may_be_sent_again
    assert "billing cycle" in str(error)
    assert "you can try again in" in str(error)


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "the option that the API names"),
        (401, "app_id and app_token"),
        (402, "plan"),
        (403, "region"),
        (404, "api_base_url"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, advice: str) -> None:
    error = error_for(status, b"<html>not the API's</html>")
    assert isinstance(error, errors.Refused)
    assert advice in str(error)
    assert "html" not in str(error)
