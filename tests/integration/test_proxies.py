# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that reach an https API through a proxy.

Generate is never sent again once it may have arrived, and each failure says what happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from integration.plays import EACH_WAY, WAYS, Play, Run, checked_output
from loopback import ConnectProxy, connect_proxy
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"
PASSWORD = "hunter2-of-the-proxy"
LOST = "may have made a token that was lost"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def _secure(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    with Sandbox.start(certificate=path) as running:
        yield running


@pytest.fixture
def api(_secure: Sandbox) -> Sandbox:
    _secure.reset()
    return _secure


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with connect_proxy() as running:
        yield running


@pytest.fixture
def ca_path(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


class Generate:
    """Generates a token through a proxy. source: the option or the environment variable that names the proxy."""

    def __init__(self, play: Play, api: Sandbox, ca_path: str, way: str, source: str) -> None:
        self._play, self._api, self._ca_path, self._way = play, api, ca_path, way
        self.source = source

    def __call__(self, proxy_url: str, **options: Any) -> Run:
        task = {"ca_path": self._ca_path, "timeout": 1, **options}
        environment = {**self._api.environment}
        if self.source == "proxy":
            task["proxy"] = proxy_url
        else:
            environment[self.source] = proxy_url
        return self._play([{TOKEN: task}], way=self._way, environment=environment)


@pytest.fixture(params=[(way, source) for way in WAYS for source in ("proxy", "HTTPS_PROXY")], ids="-".join)
def generate(request: pytest.FixtureRequest, play: Play, api: Sandbox, ca_path: str) -> Generate:
    """Both ways, each with the proxy named by the option and by the environment."""
    way, source = request.param
    return Generate(play, api, ca_path, way, source)


def test_a_token_is_made_through_the_tunnel(generate: Generate, api: Sandbox, proxy: ConnectProxy) -> None:
    run = generate(proxy.url)
    assert run.status == 0, run.output
    assert len(api.live_tokens()) == 1
    assert [head.split()[1] for head in proxy.heads] == [api.url.partition("//")[2]]


@pytest.mark.parametrize("times", [1, 9])
def test_generate_is_not_sent_again_when_its_answer_is_lost(
    generate: Generate, api: Sandbox, proxy: ConnectProxy, times: int
) -> None:
    api.fail("generate", cut=True, carried_out=True, times=times)
    run = generate(proxy.url)
    assert run.status != 0
    assert len(api.tokens()) == 1
    assert LOST in checked_output(run)
    assert "sent no complete answer" in checked_output(run)
    assert "cannot be reached" not in checked_output(run)
    assert "The keyword until would run the task again" in checked_output(run)


def test_generate_is_not_sent_again_when_it_times_out(generate: Generate, api: Sandbox, proxy: ConnectProxy) -> None:
    api.fail("generate", hang=True, carried_out=True)
    run = generate(proxy.url)
    assert run.status != 0
    assert len(api.tokens()) == 1
    assert "(timed out)" in checked_output(run)
    assert LOST in checked_output(run)


def test_a_tunnel_that_is_cut_after_the_request_may_have_lost_a_token(
    generate: Generate, api: Sandbox, proxy: ConnectProxy
) -> None:
    api.fail("generate", hang=True, carried_out=True)
    proxy.cut_when = lambda: bool(api.calls("generate"))
    run = generate(proxy.url, timeout=20)
    assert run.status != 0
    assert len(api.tokens()) == len(proxy.heads) == 1
    assert LOST in checked_output(run)


def test_a_tunnel_that_is_cut_before_the_request_is_opened_again(
    generate: Generate, api: Sandbox, proxy: ConnectProxy
) -> None:
    proxy.cut_at_once = 1
    run = generate(proxy.url)
    assert run.status == 0, run.output
    assert len(api.tokens()) == 1
    assert len(proxy.heads) == 2


def test_a_tunnel_that_is_always_cut_before_the_request_is_reported(
    generate: Generate, api: Sandbox, proxy: ConnectProxy
) -> None:
    proxy.cut_at_once = 99
    run = generate(proxy.url, retries=1)
    assert run.status != 0
    assert not api.requests()
    assert f"through the proxy {proxy.url[7:]} ended before anything was sent" in checked_output(run)
    assert LOST not in checked_output(run)


@pytest.mark.parametrize(
    ("status", "advice"), [(403, "to allow 127.0.0.1"), (407, "the user name and the password in")]
)
def test_a_proxy_that_refuses_is_named_with_its_status_and_is_not_asked_again(
    generate: Generate, api: Sandbox, proxy: ConnectProxy, status: int, advice: str
) -> None:
    proxy.status = f"{status} {PASSWORD}"
    url = proxy.url.replace("//", f"//me:{PASSWORD}@")
    run = generate(url)
    assert run.status != 0
    assert len(proxy.heads) == 1
    assert f"the proxy {proxy.url[7:]} answered {status} when it was asked to connect to" in checked_output(run)
    assert advice in checked_output(run)
    assert LOST not in checked_output(run)
    assert PASSWORD not in run.output


def test_an_unreachable_proxy_is_named(generate: Generate) -> None:
    url = f"http://me:{PASSWORD}@127.0.0.1:1"
    run = generate(url, retries=0)
    assert run.status != 0
    assert "the proxy 127.0.0.1:1 on the way to" in checked_output(run)
    assert f"check {generate.source} and the network" in checked_output(run)
    assert PASSWORD not in run.output


@EACH_WAY
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_plain_http_to_this_machine_does_not_use_a_proxy(play: Play, sandbox: Sandbox, way: str, name: str) -> None:
    with Sandbox.start() as proxy:
        run = play([{TOKEN: {}}], way=way, environment={name: proxy.url})
        assert run.status == 0, run.output
        assert not proxy.requests()
    assert len(sandbox.live_tokens()) == 1


@EACH_WAY
def test_a_proxy_named_for_plain_http_to_this_machine_is_refused(play: Play, sandbox: Sandbox, way: str) -> None:
    run = play([{TOKEN: {"proxy": f"http://me:{PASSWORD}@127.0.0.1:1"}}], way=way)
    assert run.status != 0
    assert "proxy is set, but api_base_url is an http:// address of this machine" in checked_output(run)
    assert PASSWORD not in run.output
    assert not sandbox.requests()
