# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on order: each kind, what the project does meanwhile, and which calls are struck."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from sandbox import Fault, Sandbox
from unit.sandbox.client import Client

DROPPED = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def test_an_answer_can_be_anything(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail(
        "generate", status=503, headers={"Retry-After": "7", "Content-Type": "text/html"}, body="<p>Später</p>"
    )
    response = client.generate()
    assert (response.status_code, response.content.decode()) == (503, "<p>Später</p>")
    assert (response.headers["Retry-After"], response.headers["Content-Type"]) == ("7", "text/html")
    assert sandbox.tokens() == []
    assert client.generate().status_code == 200


def test_garbage_is_called_json_unless_told_otherwise(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("introspect", status=200, body="{garbage")
    response = client.introspect("a")
    assert (response.status_code, response.text) == (200, "{garbage")
    assert response.headers["Content-Type"] == "application/json"


def test_a_big_answer_can_still_be_json(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("introspect", status=200, body='{"active": false}', body_size=2_000_000)
    response = client.introspect("a")
    assert (len(response.content), response.json()) == (2_000_000, {"active": False})


def test_a_redirect_leads_elsewhere(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("revoke", status=307, headers={"Location": "http://127.0.0.1:1/elsewhere"})
    response = client.revoke("a")
    assert (response.status_code, response.headers["Location"]) == (307, "http://127.0.0.1:1/elsewhere")


@pytest.mark.parametrize("fault", [{"cut": True}, {"hang": True}, {"status": 502}])
@pytest.mark.parametrize(("carried_out", "made"), [(False, 0), (True, 1)])
def test_the_work_can_be_carried_out_all_the_same(
    sandbox: Sandbox, client: Client, fault: dict[str, Any], carried_out: bool, made: int
) -> None:
    sandbox.fail("generate", carried_out=carried_out, **fault)
    with contextlib.suppress(requests.RequestException):
        assert client.generate(timeout=0.3).status_code == 502
    assert len(sandbox.live_tokens()) == made


def test_a_cut_call_gets_no_answer(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("introspect", cut=True)
    with pytest.raises(requests.ConnectionError):
        client.introspect("a")
    assert [request.status for request in sandbox.requests()] == [None]


def test_a_call_hangs_until_the_client_goes(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("introspect", hang=True)
    with pytest.raises(requests.ReadTimeout):
        client.introspect("a", timeout=0.5)
    assert [request.status for request in sandbox.requests()] == [None]
    assert client.introspect("a").status_code == 200


def test_a_truncated_answer_promises_more_than_it_brings(sandbox: Sandbox, client: Client) -> None:
    token = client.make_token()
    whole = client.introspect(token)
    sandbox.fail("introspect", truncate=True)
    half = client.introspect(token, stream=True)
    assert half.status_code == 200
    assert half.headers["Content-Length"] == whole.headers["Content-Length"]
    assert half.headers["X-Rate-Limit-Limit"] == "2000"
    arrived = half.raw.read(len(whole.content) // 2)
    assert arrived == whole.content[: len(arrived)]
    with pytest.raises(Exception, match="IncompleteRead"):
        half.raw.read()


def test_a_truncated_answer_means_that_the_work_is_done(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("generate", truncate=True)
    with pytest.raises(DROPPED):
        client.generate()
    assert len(sandbox.live_tokens()) == 1


def test_an_answer_can_be_late(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("generate", delay=0.3)
    start = time.monotonic()
    assert client.generate().status_code == 200
    assert time.monotonic() - start >= 0.3


def test_a_client_that_does_not_wait_leaves_its_token_behind(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("generate", delay=1)
    with pytest.raises(requests.ReadTimeout):
        client.generate(timeout=0.2)
    assert len(sandbox.live_tokens()) == 1


def test_only_the_chosen_calls_are_struck(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("introspect", skip=1, times=2, status=500)
    assert client.revoke("a").status_code == 404
    assert [client.introspect("a").status_code for _turn in range(4)] == [200, 500, 500, 200]


def test_faults_strike_in_the_order_of_their_ordering(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("introspect", status=500)
    sandbox.fail("introspect", skip=1, status=502)
    sandbox.fail("any", status=503)
    assert [client.introspect("a").status_code for _turn in range(5)] == [500, 200, 502, 503, 200]


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.generate(),
        lambda client: client.introspect("a"),
        lambda client: client.revoke("a"),
        lambda client: client.list_vouchers("a"),
    ],
    ids=["generate", "introspect", "revoke", "vouchers"],
)
def test_any_is_each_operation(sandbox: Sandbox, client: Client, call: Callable[[Client], requests.Response]) -> None:
    sandbox.fail("any", status=500)
    assert client.send("GET", "/elsewhere").status_code == 404
    assert call(client).status_code == 500


@pytest.mark.parametrize(
    "fault",
    [
        {"operation": "delete", "cut": True},
        {"operation": "any", "cut": True, "hang": True},
        {"operation": "any", "status": 500, "truncate": True},
        {"operation": "any", "body": "an answer without a status"},
        {"operation": "any", "times": 0},
        {"operation": "any", "skip": "1"},
        {"operation": "any", "carried_out": "false"},
        {"operation": "any", "statsu": 500},
    ],
)
def test_a_fault_that_cannot_be_meant_is_refused(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Fault(**fault)
    response = requests.post(sandbox.environment["VOUCHERIFY_SANDBOX_URL"] + "/faults", json=fault, timeout=10)
    assert response.status_code == 400
    assert response.json()["error"]
