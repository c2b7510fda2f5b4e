# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log, and the interface by which tests and playbooks steer the sandbox."""

from __future__ import annotations

import http.client
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from sandbox import Sandbox
from unit.sandbox.client import Client


def control(sandbox: Sandbox, method: str, name: str, **options: Any) -> requests.Response:
    """As a playbook's `ansible.builtin.uri` would call it."""
    return requests.request(method, f"{sandbox.environment['VOUCHERIFY_SANDBOX_URL']}/{name}", timeout=10, **options)


def test_the_log_tells_what_was_sent(sandbox: Sandbox, client: Client) -> None:
    sandbox.stop_clock()
    client.generate("vouchers campaigns", headers={"X-Extra": "Yes"})
    (request,) = sandbox.requests()
    assert (request.operation, request.method, request.path) == ("generate", "POST", "/v1/oauth/token")
    assert request.form == {"grant_type": "client_credentials", "scope": "vouchers campaigns"}
    assert request.headers["x-app-id"] == sandbox.app_id
    assert request.headers["x-extra"] == "Yes"
    assert request.status == 200
    assert abs(request.received_at - time.time()) < 5


def test_the_log_holds_everything_that_arrives(sandbox: Sandbox, client: Client) -> None:
    client.send("PUT", "/anywhere?a=b", data="secret=x")
    client.send("GET", "/control/unknown")
    client.send("GET", "/v1/oauth/token")
    client.generate("nonsense")
    seen = [(request.operation, request.method, request.path, request.status) for request in sandbox.requests()]
    assert seen == [
        (None, "PUT", "/anywhere?a=b", 404),
        (None, "GET", "/control/unknown", 404),
        ("generate", "GET", "/v1/oauth/token", 405),
        ("generate", "POST", "/v1/oauth/token", 400),
    ]
    assert sandbox.requests()[0].form == {"secret": "x"}
    assert len(sandbox.calls("generate")) == 2


def test_the_log_tells_when_the_sandbox_was_taken_for_a_proxy(sandbox: Sandbox) -> None:
    netloc = urlsplit(sandbox.url).netloc
    plain = requests.get("http://proxied.example/x", proxies={"http": sandbox.url}, timeout=10)
    assert plain.status_code == 404
    tunnel = http.client.HTTPConnection(netloc)
    tunnel.set_tunnel("proxied.example", 443)
    with pytest.raises(OSError, match="404"):
        tunnel.connect()
    assert [(request.method, request.path) for request in sandbox.requests()] == [
        ("GET", "http://proxied.example/x"),
        ("CONNECT", "proxied.example:443"),
    ]


def test_the_log_counts_connections(sandbox: Sandbox, client: Client) -> None:
    client.generate()
    client.generate()
    second = Client(sandbox)
    second.generate()
    client.generate()
    second.session.close()
    assert [request.connection for request in sandbox.requests()] == [1, 1, 2, 1]


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


def test_a_playbook_can_steer_it(sandbox: Sandbox, client: Client) -> None:
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


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("settings", {"rate_limit": -1}),
        ("settings", {"rate_limit": "100"}),
        ("settings", {"latency": -1}),
        ("settings", {"granted_scope": ["api"]}),
        ("settings", {"rate_limits": 1}),
        ("clock", {"advance": "840"}),
        ("clock", {"advanced": 840}),
        ("clock", [840]),
    ],
)
def test_what_is_not_understood_is_refused(sandbox: Sandbox, name: str, content: Any) -> None:
    response = control(sandbox, "POST", name, json=content)
    assert response.status_code == 400
    assert response.json()["error"]


def test_a_misspelt_setting_raises(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="rate_limits"):
        sandbox.configure(rate_limits=1)
