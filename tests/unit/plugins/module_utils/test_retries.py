# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client waits as long as the API asks for, at least the back-off, and clients do not all wait equally long."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from ansible_collections.voucherify.oauth.plugins.module_utils._api.waits import (
    BACK_OFF_BASE_SECONDS,
    BACK_OFF_CAP_SECONDS,
    jittered,
    retry_after,
    server_time,
    shortest_pause,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_700_000_000
DATE = {"Date": formatdate(NOW, usegmt=True)}


def http_date(at: int) -> str:
    return formatdate(at, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": " 1.5 "}, 1.5),
        ({"Retry-After": "0"}, None),
        ({"Retry-After": http_date(NOW + 30)}, 30),
        ({"Retry-After": "Tuesday, 14-Nov-23 22:13:50 GMT"}, 30),
        ({"Retry-After": http_date(NOW - 30)}, None),
        ({"X-Rate-Limit-Retry": str(NOW + 42)}, 42),
        ({"X-Rate-Limit-Retry": f"{NOW + 42}.5"}, 42.5),
        ({"X-Rate-Limit-Retry": "1000"}, None),
        # The later of two headers, or of two values of one header.
        ({"Retry-After": "0", "X-Rate-Limit-Retry": str(NOW + 42)}, 42),
        ({"Retry-After": "50", "X-Rate-Limit-Retry": str(NOW + 42)}, 50),
        ({"Retry-After": "3, 9"}, 9),
        ({"Retry-After": f"3, {http_date(NOW + 30)}, {http_date(NOW + 20)}"}, 30),
        ({"X-Rate-Limit-Retry": f"{NOW + 1}, {NOW + 2}"}, 2),
        *(
            ({"Retry-After": text}, None)
            for text in ("soon", "", "-5", "1e3", "٣", "nan", "Tue, 99 Nov 2023 00:00:00 GMT")
        ),
    ],
)
def test_the_wait_that_the_api_asks_for_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after({**DATE, **headers}) == seconds


@pytest.mark.parametrize("header", ["Retry-After", "X-Rate-Limit-Retry"])
@pytest.mark.parametrize("number", ["9" * 30, "9" * 400, "9" * 5000])
def test_a_huge_wait_becomes_a_usable_number(header: str, number: str) -> None:
    seconds = retry_after({header: number})
    assert seconds is None or 0 < seconds <= 1e9


def test_without_a_date_this_machines_clock_is_used() -> None:
    assert abs(server_time({}) - time.time()) < 5
    assert server_time(DATE) == NOW
    assert abs(server_time({"Date": "yesterday"}) - time.time()) < 5


@given(st.integers(0, 10**9), st.none() | st.floats(0, 1e9))
def test_a_pause_is_never_shorter_than_the_back_off_or_the_requested_wait(retries: int, asked: float | None) -> None:
    shortest = shortest_pause(retries, asked)
    assert shortest >= (asked or 0)
    assert shortest >= BACK_OFF_BASE_SECONDS / 2
    assert shortest <= max(asked or 0, BACK_OFF_CAP_SECONDS / 2)
    assert shortest <= jittered(shortest, retries) <= shortest * 1.2 + BACK_OFF_CAP_SECONDS / 2


def test_the_back_off_grows_to_its_cap() -> None:
    assert [shortest_pause(retries, None) for retries in range(6)] == [0.25, 0.5, 1, 2, 4, 4]


def test_clients_that_were_told_the_same_wait_do_not_return_together() -> None:
    pauses = [jittered(shortest_pause(0, 5.0), 0) for _number in range(100)]
    assert max(pauses) - min(pauses) > 0.5
