# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests control in the sandbox: faults, deviations, held answers, settings; and the log of requests."""

from __future__ import annotations

import contextlib
import http.client
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from sandbox import ALWAYS, Sandbox
from unit.sandbox.client import Client


def control(sandbox: Sandbox, method: str, name: str, **options: Any) -> requests.Response:
    """Call the control interface as `ansible.builtin.uri` in a playbook would."""
    return requests.request(method, f"{sandbox.environment['VOUCHERIFY_SANDBOX_URL']}/{name}", timeout=10, **options)


def test_an_answer_can_be_replaced(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("generate", status=503, headers={"Retry-After": "7", "Content-Type": "text/html"}, body="<p>ü</p>")
    sandbox.fail("introspect", status=200, body='{"active": false}', body_size=2_000_000)
    response = client.generate()
    assert (response.status_code, response.content.decode()) == (503, "<p>ü</p>")
    assert (response.headers["Retry-After"], response.headers["Content-Type"]) == ("7", "text/html")
    assert sandbox.tokens() == []
    assert client.generate().status_code == 200
    big = client.introspect("a")
    assert (len(big.content), big.json(), big.headers["Content-Type"]) == (
        2_000_000,
        {"active": False},
        "application/json",
    )


@pytest.mark.parametrize("fault", [{"cut": True}, {"hang": True}, {"status": 502}])
@pytest.mark.parametrize(("carried_out", "made"), [(False, 0), (True, 1)])
def test_an_answer_can_be_lost_with_or_without_the_work_done(
    sandbox: Sandbox, client: Client, fault: dict[str, Any], carried_out: bool, made: int
) -> None:
    sandbox.fail("generate", carried_out=carried_out, **fault)
    with contextlib.suppress(requests.RequestException):
        assert client.generate(timeout=0.3).status_code == 502
    assert len(sandbox.live_tokens()) == made
    assert [request.status for request in sandbox.requests()] == [fault.get("status")]


def test_an_answer_can_be_truncated_after_the_work_is_done(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("generate", truncate=True)
    half = client.generate(stream=True)
    assert (half.status_code, half.headers["X-Rate-Limit-Limit"]) == (200, "2000")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        assert half.content
    assert len(sandbox.live_tokens()) == 1


def test_an_answer_can_be_late_after_the_work_is_done(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("generate", delay=1)
    with pytest.raises(requests.ReadTimeout):
        client.generate(timeout=0.2)
    assert len(sandbox.live_tokens()) == 1


def test_answers_can_be_held_until_they_are_released(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("generate", times=2, hold=True)
    with ThreadPoolExecutor() as pool:
        calls = [pool.submit(Client(sandbox).make_token) for _turn in range(3)]
        sandbox.wait_for_calls_in_flight(2)
        assert len(sandbox.live_tokens()) >= 2
        finished, _waiting = wait(calls, timeout=10, return_when=FIRST_COMPLETED)
        assert len(finished) == 1
        sandbox.release()
        tokens = {call.result(timeout=10) for call in calls}
    assert tokens == {token.access_token for token in sandbox.live_tokens()}
    assert sandbox.in_flight() == 0
    assert sandbox.most_in_flight() in {2, 3}
    sandbox.reset()
    assert sandbox.most_in_flight() == 0
    client.generate()
    assert sandbox.most_in_flight() == 1


DEVIATIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "fields that are missing": ({"drop": ["token_type", "client_id"]}, {"token_type": None, "client_id": None}),
    "fields of another type": (
        {"retype": {"expires_in": "str", "expires_at": "float", "scope": "list"}},
        {"expires_in": "900", "scope": ["vouchers", "api"]},
    ),
    "other values": ({"replace": {"expires_in": 7, "active": "yes"}}, {"expires_in": 7, "active": None}),
    "further fields": ({"add": {"exp": 1}, "drop": ["expires_at"]}, {"exp": 1, "expires_at": None}),
}


@pytest.mark.parametrize(("deviation", "expected"), DEVIATIONS.values(), ids=DEVIATIONS)
def test_the_fields_of_a_true_answer_can_deviate(
    sandbox: Sandbox, client: Client, deviation: dict[str, Any], expected: dict[str, Any]
) -> None:
    sandbox.stop_clock()
    sandbox.fail("generate", times=ALWAYS, **deviation)
    for _turn in range(2):
        response = client.generate("vouchers api")
        content = response.json()
        assert response.status_code == 200
        assert {name: content.get(name) for name in expected} == expected
        assert client.introspect(content["access_token"]).json()["active"] is True
    assert len(sandbox.live_tokens()) == 2


def test_a_true_answer_can_have_another_status(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("any", times=ALWAYS, success_status=201, not_found_body='{"code": 404}')
    made = client.generate()
    assert (made.status_code, len(made.json())) == (201, 6)
    assert client.generate("nonsense").status_code == 400
    token = made.json()["access_token"]
    assert client.revoke(token).status_code == 201
    again = client.revoke(token)
    assert (again.status_code, again.json()) == (404, {"code": 404})


def test_headers_can_be_missing_changed_or_repeated(sandbox: Sandbox, client: Client) -> None:
    headers = {"Date": None, "X-Rate-Limit-Limit": ["100", "200"], "X-Rate-Limit-Remaining": "5", "X-More": "yes"}
    sandbox.fail("generate", headers=headers)
    response = client.generate()
    assert response.status_code == 200
    assert "Date" not in response.headers
    assert response.headers["X-Rate-Limit-Limit"] == "100, 200"
    assert (response.headers["X-Rate-Limit-Remaining"], response.headers["X-More"]) == ("5", "yes")
    assert client.generate().headers["Date"]


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


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("settings", {"rate_limit": -1}),
        ("settings", {"rate_limit": "100"}),
        ("settings", {"granted_scope": ["api"]}),
        ("settings", {"rate_limits": 1}),
        ("clock", {"advance": "840"}),
        ("clock", [840]),
        ("faults", {"operation": "delete", "cut": True}),
        ("faults", {"operation": "any", "cut": True, "hang": True}),
        ("faults", {"operation": "any", "body": "without a status"}),
        ("faults", {"operation": "any", "status": 500, "drop": ["scope"]}),
        ("faults", {"operation": "any", "drop": "scope"}),
        ("faults", {"operation": "any", "retype": {"scope": "dict"}}),
        ("faults", {"operation": "any", "times": 0}),
        ("faults", {"operation": "any", "carried_out": "false"}),
        ("faults", {"operation": "any", "statsu": 500}),
    ],
)
def test_an_invalid_control_request_is_refused(sandbox: Sandbox, name: str, content: Any) -> None:
    response = control(sandbox, "POST", name, json=content)
    assert response.status_code == 400
    assert response.json()["error"]


def test_a_misspelt_setting_raises(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="rate_limits"):
        sandbox.configure(rate_limits=1)


def test_a_playbook_can_control_the_sandbox(sandbox: Sandbox, client: Client) -> None:
    token = client.make_token()
    before = control(sandbox, "GET", "state").json()
    assert [key["app_id"] for key in before["keys"]] == [sandbox.app_id, sandbox.other_app_id]
    assert before["tokens"][0]["access_token"] == token
    assert control(sandbox, "POST", "clock", json={"stop": True, "advance": 900}).json()["now"] >= before["now"] + 900
    assert control(sandbox, "POST", "settings", json={"rate_limit": 7}).json()["rate_limit"] == 7
    assert control(sandbox, "POST", "faults", json={"operation": "any", "cut": True}).json()["faults"][0]["cut"]
    assert control(sandbox, "GET", "state").json()["tokens"][0]["status"] == "expired"
    assert len(control(sandbox, "GET", "requests").json()["requests"]) == 1
    assert control(sandbox, "POST", "reset").json() == {}
    assert sandbox.tokens() == []


def test_a_reset_brings_everything_back_to_the_start(sandbox: Sandbox, client: Client) -> None:
    sandbox.advance(5000)
    sandbox.configure(rate_limit=1, granted_scope="api", latency=0.01)
    sandbox.fail("any", times=9, status=500)
    client.generate()
    sandbox.reset()
    state = control(sandbox, "GET", "state").json()
    assert (state["tokens"], state["faults"], sandbox.requests()) == ([], [], [])
    assert state["settings"] == {"rate_limit": 2000, "latency": 0.0, "granted_scope": None}
    assert abs(state["now"] - time.time()) < 5
    response = client.generate()
    assert (response.status_code, response.headers["X-Rate-Limit-Remaining"]) == (200, "1999")
    assert sandbox.requests()[0].connection == 1


def test_the_log_has_every_request(sandbox: Sandbox, client: Client) -> None:
    client.generate("vouchers campaigns", headers={"X-Extra": "Yes"})
    client.send("PUT", "/anywhere?a=b", data="secret=x")
    client.send("GET", "/v1/oauth/token")
    second = Client(sandbox)
    second.generate("nonsense")
    second.session.close()
    requests_seen = sandbox.requests()
    seen = [(each.operation, each.method, each.path, each.status, each.connection) for each in requests_seen]
    assert seen == [
        ("generate", "POST", "/v1/oauth/token", 200, 1),
        (None, "PUT", "/anywhere?a=b", 404, 1),
        ("generate", "GET", "/v1/oauth/token", 405, 1),
        ("generate", "POST", "/v1/oauth/token", 400, 2),
    ]
    first = requests_seen[0]
    assert first.form == {"grant_type": "client_credentials", "scope": "vouchers campaigns"}
    assert (first.headers["x-app-id"], first.headers["x-extra"]) == (sandbox.app_id, "Yes")
    assert abs(first.received_at - time.time()) < 5
    assert len(sandbox.calls("generate")) == 3


def test_the_log_shows_when_the_sandbox_was_used_as_a_proxy(sandbox: Sandbox) -> None:
    plain = requests.get("http://proxied.example/x", proxies={"http": sandbox.url}, timeout=10)
    assert plain.status_code == 404
    tunnel = http.client.HTTPConnection(urlsplit(sandbox.url).netloc)
    tunnel.set_tunnel("proxied.example", 443)
    with pytest.raises(OSError, match="404"):
        tunnel.connect()
    assert [(request.method, request.path) for request in sandbox.requests()] == [
        ("GET", "http://proxied.example/x"),
        ("CONNECT", "proxied.example:443"),
    ]


def test_a_kept_alive_connection_is_fast(client: Client) -> None:
    client.introspect("a")
    start = time.monotonic()
    for _turn in range(50):
        client.introspect("a")
    # Much more than a call takes, and much less than the 40 ms that a delayed acknowledgement would add.
    assert (time.monotonic() - start) / 50 < 0.02
