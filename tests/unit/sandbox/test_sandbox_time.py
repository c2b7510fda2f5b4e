# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What depends on the sandbox's clock besides a token's life: the date and the limit of calls."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import pytest
import requests
from sandbox import Sandbox
from unit.sandbox.client import Client, assert_refused


def date_of(response: requests.Response) -> float:
    return parsedate_to_datetime(response.headers["Date"]).timestamp()


def limit_of(response: requests.Response) -> tuple[str | None, str | None]:
    return response.headers.get("X-Rate-Limit-Limit"), response.headers.get("X-Rate-Limit-Remaining")


def test_the_clock_runs_like_the_real_one_until_it_is_moved(sandbox: Sandbox, client: Client) -> None:
    assert abs(date_of(client.introspect("a")) - time.time()) < 5
    sandbox.advance(3600)
    assert abs(date_of(client.introspect("a")) - time.time() - 3600) < 5


def test_the_clock_can_be_stopped(sandbox: Sandbox, client: Client) -> None:
    sandbox.stop_clock()
    before = date_of(client.introspect("a"))
    time.sleep(1.1)
    assert date_of(client.introspect("a")) == before
    sandbox.advance(7)
    assert date_of(client.introspect("a")) == before + 7


def test_the_clock_never_moves_back(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="only moves forward"):
        sandbox.advance(-1)


def test_each_answer_tells_the_limit(client: Client) -> None:
    assert limit_of(client.generate()) == ("2000", "1999")
    assert limit_of(client.generate("nonsense")) == ("2000", "1998")
    assert limit_of(client.revoke("a")) == ("2000", "1997")
    assert limit_of(client.introspect("a", headers={"X-App-Id": "wrong"})) == ("2000", "1996")
    assert limit_of(client.send("GET", "/v1/vouchers")) == ("2000", "1995")
    assert limit_of(client.send("GET", "/elsewhere")) == (None, None)


def test_calls_past_the_limit_are_told_when_to_come_again(sandbox: Sandbox, client: Client) -> None:
    sandbox.stop_clock()
    sandbox.configure(rate_limit=2)
    opened_at = date_of(client.introspect("a"))
    sandbox.advance(20)
    assert limit_of(client.introspect("a")) == ("2", "0")

    refused = client.generate()
    assert_refused(refused, 429, "too_many_requests")
    assert limit_of(refused) == ("2", "0")
    assert refused.headers["Retry-After"] == "40"
    assert int(refused.headers["X-Rate-Limit-Retry"]) == opened_at + 60
    assert refused.headers["X-Rate-Limit-Type"] == "api_calls"
    assert sandbox.tokens() == []

    sandbox.advance(39)
    assert client.generate().status_code == 429
    sandbox.advance(1)
    assert limit_of(client.generate()) == ("2", "1")


def test_the_limit_can_be_lifted(sandbox: Sandbox, client: Client) -> None:
    sandbox.configure(rate_limit=0)
    assert limit_of(client.generate()) == (None, None)


def test_answers_take_the_latency(sandbox: Sandbox, client: Client) -> None:
    sandbox.configure(latency=0.2)
    start = time.monotonic()
    client.generate()
    assert time.monotonic() - start >= 0.2


def test_a_kept_alive_connection_is_fast(client: Client) -> None:
    client.introspect("a")
    start = time.monotonic()
    for _turn in range(50):
        client.introspect("a")
    # Far above what it takes, far below the 40 ms that a delayed acknowledgement would add to each call.
    assert (time.monotonic() - start) / 50 < 0.02
