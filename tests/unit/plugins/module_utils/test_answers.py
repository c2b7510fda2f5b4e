# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer of any shape becomes the object it holds or a typed error, and no error repeats a secret."""

from __future__ import annotations

import json
import time
from email.utils import formatdate

import pytest
from ansible_collections.voucherify.oauth.plugins.module_utils import _errors as errors
from ansible_collections.voucherify.oauth.plugins.module_utils._answers import MAX_QUOTED_CHARACTERS, Answer, read
from hypothesis import given
from hypothesis import strategies as st

CALL = errors.Call("introspect", "introspect the token", "/v1/oauth/introspect", success=200)
SECRET = "s3cr3t+token/that=must&stay hidden"


def answer(status: int, body: bytes | None = b"", **headers: str) -> Answer:
    return Answer("api.example", status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def refusal(status: int, body: bytes = b"", **headers: str) -> errors.RequestError:
    with pytest.raises(errors.RequestError) as caught:
        read(CALL, answer(status, body, **headers), secrets=(SECRET,))
    return caught.value


@given(st.integers(200, 599), st.none() | st.binary(max_size=200), st.dictionaries(st.text(), st.text()))
def test_any_answer_is_an_object_or_a_typed_error(status: int, body: bytes | None, headers: dict[str, str]) -> None:
    told = ""
    content = None
    try:
        content = read(CALL, Answer("api.example", status, headers, body), secrets=(SECRET,))
    except errors.RequestError as error:
        told = str(error)
    if isinstance(content, dict):
        assert status == CALL.success
    else:
        assert told.startswith("Cannot introspect the token: ")
        assert "\n" not in told


@pytest.mark.parametrize("field", ["key", "message", "details", "request_id"])
@pytest.mark.parametrize("written", [SECRET, "s3cr3t%2Btoken%2Fthat%3Dmust%26stay+hidden"])
def test_words_of_the_api_that_echo_a_secret_are_masked(field: str, written: str) -> None:
    error = refusal(400, json.dumps({"code": 400, field: f"what is {written}?"}).encode())
    assert "s3cr3t" not in f"{error} {error.as_dict()}"
    assert "what is ********?" in error.as_dict().values()


def test_a_redirect_to_a_host_named_like_a_secret_masks_it() -> None:
    with pytest.raises(errors.Redirected) as caught:
        read(CALL, answer(307, Location="https://t0psecret.evil.example/"), secrets=("t0psecret",))
    assert "t0psecret" not in str(caught.value)


def test_words_of_the_api_cannot_move_the_cursor_or_fill_the_screen() -> None:
    error = refusal(400, json.dumps({"code": 400, "message": "\x1b[2J\r\nline" + "x" * 10_000}).encode())
    assert error.api.message is not None
    assert error.api.message.isprintable()
    assert len(error.api.message) <= MAX_QUOTED_CHARACTERS


def test_words_of_another_type_than_text_are_left_out() -> None:
    error = refusal(400, json.dumps({"code": 400, "message": ["a list"], "key": 7}).encode())
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
def test_a_success_that_is_no_object_is_named_and_not_quoted(body: bytes | None, fault: str) -> None:
    with pytest.raises(errors.BadAnswer, match=fault) as caught:
        read(CALL, answer(200, body), secrets=())
    assert "html" not in str(caught.value)


def test_a_success_without_a_body_holds_nothing() -> None:
    assert read(CALL, answer(200), secrets=()) == {}


@pytest.mark.parametrize("status", [201, 204, 206])
def test_another_success_than_the_documented_one_is_not_taken_for_it(status: int) -> None:
    assert isinstance(refusal(status, b"{}"), errors.BadAnswer)


def test_retry_after_comes_before_x_rate_limit_retry() -> None:
    error = refusal(429, Retry_After="7", X_Rate_Limit_Retry=str(int(time.time()) + 500))
    assert error.retry_after == 7


def test_retry_after_may_be_a_date() -> None:
    now = 1_700_000_000
    error = refusal(503, Retry_After=formatdate(now + 30, usegmt=True), Date=formatdate(now, usegmt=True))
    assert error.retry_after == 30


def test_x_rate_limit_retry_is_measured_by_the_servers_clock() -> None:
    server_now = 1_700_000_000
    error = refusal(429, X_Rate_Limit_Retry=str(server_now + 42), Date=formatdate(server_now, usegmt=True))
    assert error.retry_after == 42


@pytest.mark.parametrize("value", ["soon", "", "-5", "1e3", "٣"])
def test_a_wait_that_is_no_number_is_left_to_the_back_off(value: str) -> None:
    error = refusal(429, X_Rate_Limit_Retry=value)
    assert error.retry_after is None


def test_a_time_in_the_past_is_left_to_the_back_off() -> None:
    assert refusal(429, X_Rate_Limit_Retry="1000").retry_after is None


def test_a_used_up_billing_cycle_is_not_worth_waiting_for() -> None:
    error = refusal(429, X_Rate_Limit_Type="api_calls_cycle", X_Rate_Limit_Retry=str(int(time.time()) + 5000))
    assert isinstance(error, errors.Refused)
    assert "billing cycle" in str(error)
    assert "may be tried again in" in str(error)


@pytest.mark.parametrize(
    ("status", "advice"),
    [(400, "the option that the API names"), (401, "app_id and app_token"), (402, "plan"), (404, "api_base_url")],
)
def test_a_refusal_says_what_to_do(status: int, advice: str) -> None:
    error = refusal(status, b"<html>not the API's</html>")
    assert isinstance(error, errors.Refused)
    assert advice in str(error)
    assert "html" not in str(error)
