# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP layer against servers that misbehave on the wire, and what it does not accept or keep from them."""

from __future__ import annotations

import gc
import gzip
import json
import logging
import socket
import ssl
import struct
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import trustme
from ansible_collections.voucherify.oauth.plugins.module_utils._api import errors, waits
from ansible_collections.voucherify.oauth.plugins.module_utils._api import retries as http
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient
from ansible_collections.voucherify.oauth.plugins.module_utils._api.retries import (
    Connection,
    Credentials,
    HttpClient,
    Pacing,
)
from loopback import TIMEOUT_SECONDS, Listener, Serve, connect_proxy, read_request, response, send_slowly

TOKEN = {"access_token": "a-token", "token_type": "Bearer", "scope": "api", "expires_in": 900, "expires_at": 1}
INACTIVE = {"active": False}
DATE = "Sun, 06 Nov 2022 08:49:37 GMT "
SECRET = "s3cret-app-token-of-a-key"


@pytest.fixture(autouse=True)
def _short_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "BACK_OFF_BASE_SECONDS", 0.01)


_CLIENTS: list[OAuthClient] = []


@pytest.fixture(autouse=True)
def _closed_clients() -> Iterator[None]:
    yield
    while _CLIENTS:
        _CLIENTS.pop().close()


def make_client(url: str, pacing: Pacing | None = None, **connection: Any) -> OAuthClient:
    settings: dict[str, Any] = {
        "base_url": url,
        "timeout": 2,
        "retries": 2,
        "max_wait": 5,
        "validate_certs": True,
        "ca_path": None,
        "proxy": None,
        "user_agent": "voucherify.oauth/test",
    }
    http_client = HttpClient(Connection(**{**settings, **connection}), Credentials("an-id", SECRET), pacing)
    _CLIENTS.append(OAuthClient(http_client))
    return _CLIENTS[-1]


class Script:
    """Answers the requests of all connections in turn, and repeats the last answer after that."""

    def __init__(self, *answers: bytes, then_cut: bool = False) -> None:
        self.answers = list(answers)
        self.then_cut = then_cut
        self.requests: list[tuple[int, str, bytes]] = []

    def __call__(self, connection: socket.socket, number: int) -> None:
        while True:
            head, body = read_request(connection)
            self.requests.append((number, head, body))
            connection.sendall(self.answers[min(len(self.requests), len(self.answers)) - 1])
            if self.then_cut:
                return


# What was sent, and what was not


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_path(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


def server_tls(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_a_form_is_sent_whole_and_not_in_chunks() -> None:
    script = Script(response(TOKEN))
    with Listener(script) as server:
        make_client(server.url).generate(["a", "b"])
    ((_number, head, body),) = script.requests
    assert body == b"grant_type=client_credentials&scope=a+b"
    assert f"content-length: {len(body)}" in head.lower()
    assert "transfer-encoding" not in head.lower()


def test_a_call_names_the_collection_and_asks_for_nothing_compressed() -> None:
    script = Script(response(TOKEN))
    with Listener(script) as server:
        make_client(server.url).generate(None)
    lines = script.requests[0][1].lower().split("\r\n")
    assert "user-agent: voucherify.oauth/test" in lines
    assert "x-voucherify-channel: ansible" in lines
    assert "accept-encoding: identity" in lines


@pytest.mark.parametrize("fault", ["cut", "silence", "reset"])
def test_a_handshake_that_fails_sends_nothing_and_is_tried_again(
    authority: trustme.CA, ca_path: str, fault: str
) -> None:
    context = server_tls(authority)
    script = Script(response(TOKEN))

    def serve(connection: socket.socket, number: int) -> None:
        if number < 2:
            if fault == "silence":
                time.sleep(5)
            elif fault == "cut":
                connection.recv(10)
            else:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return
        with context.wrap_socket(connection, server_side=True) as secure:
            script(secure, number)

    with Listener(serve) as server:
        url = server.url.replace("http:", "https:")
        token = make_client(url, ca_path=ca_path, timeout=1).generate(None)
    assert token.access_token == "a-token"
    assert len(script.requests) == 1


def test_a_404_after_a_cut_handshake_does_not_count_as_a_revocation(authority: trustme.CA, ca_path: str) -> None:
    context = server_tls(authority)
    script = Script(response(status="404 Not Found"))

    def serve(connection: socket.socket, number: int) -> None:
        if number > 0:
            with context.wrap_socket(connection, server_side=True) as secure:
                script(secure, number)

    with Listener(serve) as server:
        assert make_client(server.url.replace("http:", "https:"), ca_path=ca_path).revoke("a-token") is False


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_another_version_of_tls_is_not_tried_again(authority: trustme.CA, ca_path: str) -> None:
    context = server_tls(authority)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with Listener(Script(response(TOKEN)), context) as server:
        with pytest.raises(errors.Unreachable, match="cannot agree on a TLS connection") as caught:
            make_client(server.url, ca_path=ca_path).generate(None)
        assert server.connections == 1
    assert "may have made" not in str(caught.value)


def test_a_certificate_for_another_name_is_reported_and_not_tried_again(authority: trustme.CA, ca_path: str) -> None:
    with Listener(Script(response(TOKEN)), server_tls(authority, "another.example")) as server:
        with pytest.raises(errors.Untrusted, match="check the host's name in api_base_url") as caught:
            make_client(server.url, ca_path=ca_path).generate(None)
        assert server.connections == 1
    assert "ca_path" not in str(caught.value)


def test_an_answer_with_two_lengths_may_have_made_a_token() -> None:
    script = Script(response(TOKEN, "Content-Length: 3"))
    with Listener(script) as server, pytest.raises(errors.NoAnswer, match="may have made a token"):
        make_client(server.url).generate(None)
    assert len(script.requests) == 1


@pytest.mark.parametrize("answer", [b"SMTP ready\r\n\r\n", b"\0\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_an_answer_that_is_not_http_may_have_made_a_token(answer: bytes) -> None:
    script = Script(answer, then_cut=True)
    with Listener(script) as server, pytest.raises(errors.NoAnswer, match="may have made a token"):
        make_client(server.url).generate(None)
    assert len(script.requests) == 1


def test_half_an_answer_is_not_accepted() -> None:
    script = Script(response(TOKEN)[:-5], then_cut=True)
    with Listener(script) as server, pytest.raises(errors.NoAnswer):
        make_client(server.url).generate(None)


@pytest.mark.parametrize("proxy_status", [403, 407, 400, 404])
def test_a_proxy_that_refuses_is_named_with_its_status_and_asked_once(proxy_status: int) -> None:
    with connect_proxy() as proxy:
        proxy.status = f"{proxy_status} hunter2 is not welcome"
        client = make_client("https://api.invalid", proxy=proxy.url.replace("//", "//me:hunter2@"))
        with pytest.raises(errors.Unreachable, match=f"answered {proxy_status} when it was asked") as caught:
            client.generate(None)
        assert len(proxy.heads) == 1
    assert caught.value.status == proxy_status
    assert "hunter2" not in f"{caught.value} {caught.value.as_dict()}"


def test_a_proxy_that_cannot_reach_the_api_is_asked_again() -> None:
    with connect_proxy() as proxy:
        proxy.status = "503 Service Unavailable"
        with pytest.raises(errors.Unreachable, match="answered 503"):
            make_client("https://api.invalid", proxy=proxy.url).generate(None)
        assert len(proxy.heads) == 3


# Answers that could be mixed up


INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"


@pytest.mark.parametrize("interim", [INTERIM, INTERIM * 3, b"HTTP/1.1 100 Continue\r\n\r\n" + INTERIM])
def test_an_interim_answer_is_not_taken_for_the_final_one(interim: bytes) -> None:
    script = Script(*(interim + response({**TOKEN, "access_token": name}) for name in ("first", "second")))
    with Listener(script) as server:
        client = make_client(server.url)
        assert [client.generate(None).access_token for _number in range(2)] == ["first", "second"]
        assert server.connections == 1


def test_the_connection_is_closed_after_an_answer_that_switches_the_protocol() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" if number == 0 else response(TOKEN))
        read_request(connection)
        connection.sendall(response({**TOKEN, "access_token": "of-the-first-call"}))

    with Listener(serve) as server:
        client = make_client(server.url)
        with pytest.raises(errors.BadAnswer, match=r"answered 101, which is not a final answer.*may have made a token"):
            client.generate(None)
        assert client.generate(None).access_token == "a-token"


# Answers that are longer or shorter than they say


WHOLE = json.dumps(TOKEN).encode()
CUT_SHORT = {
    "length too long": b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + WHOLE,
    "no length": b"HTTP/1.1 200 OK\r\n\r\n" + WHOLE,
    "no last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(WHOLE), WHOLE),
}


@pytest.mark.parametrize("ending", ["closed", "reset", "silent"])
@pytest.mark.parametrize("what", CUT_SHORT)
def test_a_complete_token_is_not_lost_when_the_end_of_its_answer_is_missing(what: str, ending: str) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(CUT_SHORT[what])
        if ending == "silent":
            read_request(connection)
        if ending == "reset":
            # A reset also drops what the client has not received yet.
            time.sleep(0.3)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    with Listener(serve) as server:
        assert make_client(server.url, timeout=1).generate(None).access_token == "a-token"


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"message": "Not'])
@pytest.mark.parametrize("head", [b"Content-Length: 500", b"Transfer-Encoding: chunked"])
def test_the_status_of_an_error_counts_even_if_its_body_is_cut_short(head: bytes, body: bytes) -> None:
    script = Script(b"HTTP/1.1 401 Unauthorized\r\n%s\r\n\r\n%s" % (head, body), then_cut=True)
    with Listener(script) as server, pytest.raises(errors.Refused, match=r"answered 401; check app_id"):
        make_client(server.url).introspect("a-token")
    assert len(script.requests) == 1


def test_a_404_whose_body_is_cut_short_is_not_an_empty_one() -> None:
    script = Script(b"HTTP/1.1 404 Not Found\r\nContent-Length: 500\r\n\r\n", then_cut=True)
    with Listener(script) as server, pytest.raises(errors.Refused, match="check api_base_url"):
        make_client(server.url).revoke("a-token")


def test_an_unexpected_body_is_not_mixed_up_with_the_next_answer() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        if number == 0:
            connection.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 99\r\n\r\n")
            read_request(connection)
            connection.sendall(response({**TOKEN, "access_token": "of-the-first-call"}))
        connection.sendall(response(TOKEN))

    with Listener(serve) as server:
        client = make_client(server.url)
        assert client.revoke("a-token") is True
        assert client.generate(None).access_token == "a-token"


def test_the_rest_of_an_unreadable_answer_is_not_mixed_up_with_the_next() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        if number == 0:
            connection.sendall(response(b"<html>"))
            read_request(connection)
            connection.sendall(response({**TOKEN, "access_token": "of-the-first-call"}))
        connection.sendall(response(TOKEN))

    with Listener(serve) as server:
        client = make_client(server.url)
        with pytest.raises(errors.BadAnswer):
            client.introspect("a-token")
        assert client.generate(None).access_token == "a-token"


@pytest.mark.parametrize("headers", [[f"X-{number}: a" for number in range(150)], ["X: " + "a" * 70_000]])
def test_headers_that_are_too_many_or_too_long_are_reported(headers: list[str]) -> None:
    with (
        Listener(Script(response(TOKEN, *headers))) as server,
        pytest.raises(errors.NoAnswer, match="the answer is not valid HTTP"),
    ):
        make_client(server.url).generate(None)


# Time


class Slow:
    """Sends some bytes at once and the others slowly."""

    def __init__(self, at_once: bytes, slowly: bytes) -> None:
        self.at_once = at_once
        self.slowly = slowly

    def __call__(self, connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(self.at_once)
        send_slowly(connection, self.slowly)


HEAD, BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b'{"access_token": "a"}' + b" " * 999
SLOW_ANSWERS: dict[str, Serve] = {
    "status line": Slow(b"", b"HTTP/1.1 200 OK"),
    "headers": Slow(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"b" * 999),
    "body": Slow(HEAD, BODY),
    "body without a length": Slow(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", BODY),
    "chunks": Slow(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 99),
    "interim answers": Slow(b"", INTERIM * 99),
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("what", SLOW_ANSWERS)
def test_a_server_that_answers_too_slowly_is_given_up_after_three_timeouts(
    authority: trustme.CA, ca_path: str, scheme: str, what: str
) -> None:
    start = time.monotonic()
    with Listener(SLOW_ANSWERS[what], server_tls(authority) if scheme == "https" else None) as server:
        with pytest.raises(errors.NoAnswer, match=r"timed out.*may have made a token"):
            make_client(server.url, ca_path=ca_path, timeout=1).generate(None)
        assert 1 < time.monotonic() - start < 4
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_answers_too_slowly_on_a_reused_connection_is_given_up_too(
    authority: trustme.CA, ca_path: str, scheme: str
) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(response(INACTIVE))
        Slow(HEAD, BODY)(connection, number)

    with Listener(serve, server_tls(authority) if scheme == "https" else None) as server:
        client = make_client(server.url, ca_path=ca_path, timeout=1, retries=0)
        client.introspect("a-token")
        start = time.monotonic()
        with pytest.raises(errors.NoAnswer, match="timed out"):
            client.introspect("a-token")
        assert server.connections == 1
    assert 1 < time.monotonic() - start < 4


@pytest.fixture(autouse=True)
def _sockets_that_urllib3_leaves() -> Iterator[None]:
    """Collect sockets that a cut handshake leaves now, so that they do not cause warnings in another test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_a_proxy_that_answers_too_slowly_is_given_up_after_three_timeouts() -> None:
    start = time.monotonic()
    serve = Slow(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"b" * 999)
    with Listener(serve) as proxy, pytest.raises(errors.Unreachable, match="timed out"):
        make_client("https://api.invalid", proxy=proxy.url, timeout=1, retries=0).generate(None)
    assert 1 < time.monotonic() - start < 4


def test_a_slow_answer_within_the_time_is_read() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        for part in (b"HTTP/1.1 200 OK\r\n", b"Content-Length: 17\r\n\r\n", b'{"active": false}'):
            time.sleep(0.7)
            connection.sendall(part)
        read_request(connection)

    with Listener(serve) as server:
        assert make_client(server.url, timeout=1, retries=0).introspect("a-token") is None


@pytest.fixture
def unresponsive_port() -> Iterator[int]:
    """A port that neither accepts nor refuses connections, like a host that is switched off."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        others = []
        for _number in range(3):
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(listener.getsockname())
            others.append(other)
        time.sleep(0.1)
        yield listener.getsockname()[1]
        for other in others:
            other.close()


def test_many_dead_addresses_share_the_time_of_one_try(unresponsive_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def many(host: str, *arguments: Any, **options: Any) -> Any:
        if host != "many.example":
            return resolve(host, *arguments, **options)
        return [resolve(f"127.0.0.{number}", *arguments, **options)[0] for number in range(1, 8)]

    with socket.socket() as probe:
        probe.settimeout(0.3)
        if probe.connect_ex(("127.0.0.1", unresponsive_port)) == 0:
            pytest.skip("this system queues more connections than the backlog allows")
    # A real resolver cannot be used here.
    monkeypatch.setattr(socket, "getaddrinfo", many)
    start = time.monotonic()
    with pytest.raises(errors.Unreachable):
        make_client(f"https://many.example:{unresponsive_port}", timeout=1, retries=0).generate(None)
    assert time.monotonic() - start < 3.5


def test_a_dead_address_does_not_keep_the_next_one_from_being_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def two(host: str, *arguments: Any, **options: Any) -> Any:
        names = ("127.0.0.9", "127.0.0.1") if host == "localhost" else (host,)
        return [resolve(name, *arguments, **options)[0] for name in names]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    with Listener(Script(response(INACTIVE))) as server:
        assert make_client(f"http://localhost:{server.port}").introspect("a-token") is None


def test_a_name_server_that_does_not_answer_is_given_up_after_three_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def silent(*arguments: Any, **options: Any) -> Any:
        answered.wait(TIMEOUT_SECONDS)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    start = time.monotonic()
    with pytest.raises(errors.Unreachable, match=r"silent\.example cannot be reached \(timed out\)"):
        make_client("https://silent.example", timeout=1, retries=0).generate(None)
    assert time.monotonic() - start < 4
    answered.set()


# SOCKS


def socks_proxy(*answers: bytes) -> Serve:
    """Return a proxy that sends these answers (RFC 1928) to the messages of the client, whatever they say."""

    def serve(connection: socket.socket, number: int) -> None:
        for answer in answers:
            connection.recv(1024)
            send_slowly(connection, answer, 0.3 if len(answer) > 99 else 0.0)

    return serve


NO_METHOD, PASSWORD, REFUSED_PASSWORD, NO_PASSWORD = b"\5\xff", b"\5\2", b"\1\1", b"\5\0"
NOT_ALLOWED, HOST_UNREACHABLE = b"\5\2\0\1" + b"\0" * 6, b"\5\4\0\1" + b"\0" * 6


@pytest.mark.parametrize(
    ("answers", "words", "tries"),
    [
        ([NO_METHOD], "accepted none of the offered authentication methods; set a user name and a password", 1),
        ([PASSWORD, REFUSED_PASSWORD], "refused the authentication; check the user name and the password in proxy", 1),
        ([NO_PASSWORD, NOT_ALLOWED], r"answered 0x02 when it was asked to connect to api\.invalid; check proxy", 1),
        ([NO_PASSWORD, HOST_UNREACHABLE], "answered 0x04 when it was asked to connect.*after 2 retries", 3),
    ],
)
def test_a_socks_proxy_that_refuses_is_reported_and_asked_again_only_if_that_may_help(
    answers: list[bytes], words: str, tries: int
) -> None:
    with Listener(socks_proxy(*answers)) as proxy:
        url = f"socks5h://somebody:hunter2@127.0.0.1:{proxy.port}"
        with pytest.raises(errors.Unreachable, match=words) as caught:
            make_client("https://api.invalid", proxy=url).generate(None)
        assert proxy.connections == tries
    assert "hunter2" not in str(caught.value)


def test_a_socks_proxy_that_answers_too_slowly_is_given_up_after_three_timeouts() -> None:
    start = time.monotonic()
    with Listener(socks_proxy(NO_PASSWORD, b"\5\0\0\3\xff" + b"a" * 257)) as proxy:
        with pytest.raises(errors.Unreachable, match="timed out"):
            make_client(
                "https://api.invalid", proxy=f"socks5h://127.0.0.1:{proxy.port}", timeout=1, retries=0
            ).generate(None)
        assert time.monotonic() - start < 4


# Connections


def test_generate_uses_a_new_connection_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(response(INACTIVE), response(TOKEN), response(TOKEN), response(TOKEN))
    with Listener(script) as server:
        client = make_client(server.url)
        client.introspect("a-token")
        client.generate(None)
        monkeypatch.setattr(http, "IDLE_SECONDS", 0.05)
        time.sleep(0.1)
        client.generate(None)
    assert [number for number, _head, _body in script.requests] == [0, 0, 1]


def test_generate_uses_a_new_connection_when_it_is_tried_again() -> None:
    script = Script(response(status="429 Too Many Requests"), response(TOKEN))
    with Listener(script) as server:
        make_client(server.url).generate(None)
    assert [number for number, _head, _body in script.requests] == [0, 1]


def test_many_clients_at_once_mix_nothing_up_and_leave_nothing_behind(authority: trustme.CA, ca_path: str) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        while True:
            _head, body = read_request(connection)
            connection.sendall(response({**TOKEN, "scope": parse_qs(body.decode())["scope"][0]}))

    def calls(number: int) -> set[tuple[str, ...] | None]:
        client = make_client(server.url, ca_path=ca_path, proxy=proxy.url if number % 2 else None)
        granted = {client.generate([f"of-{number}"]).details.scope for _call in range(30)}
        client.close()
        return granted

    with Listener(serve, server_tls(authority)) as server, connect_proxy() as proxy:
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(calls, range(8))) == [{(f"of-{number}",)} for number in range(8)]
        assert server.connections == 8
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def test_no_cookie_is_kept() -> None:
    script = Script(response(INACTIVE, "Set-Cookie: a=b; Path=/"))
    with Listener(script) as server:
        client = make_client(server.url)
        client.introspect("a-token")
        client.introspect("a-token")
    assert not [head for _number, head, _body in script.requests if "cookie" in head.lower()]


def test_a_compressed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(gzip.compress(b"{}" + b" " * 50_000_000))
    script = Script(response(bomb, "Content-Encoding: gzip, gzip"))
    with (
        Listener(script) as server,
        pytest.raises(errors.BadAnswer, match="is compressed, although that was not requested"),
    ):
        make_client(server.url).introspect("a-token")


def test_megabytes_of_cookies_and_dates_are_handled_quickly() -> None:
    headers = ["Set-Cookie: a=b", *["Set-Cookie2: " + "a;" * 32_000] * 40, *["Retry-After: " + DATE * 2_000] * 40]
    start = time.process_time()
    with Listener(Script(response(TOKEN, *headers), response({}, *headers, status="500 Oops"))) as server:
        client = make_client(server.url)
        client.generate(None)
        with pytest.raises(errors.ServerFailed):
            client.generate(None)
    assert time.process_time() - start < 2


def test_a_closed_client_leaves_no_connection() -> None:
    gone = threading.Event()

    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(response(INACTIVE))
        if connection.recv(1) == b"":
            gone.set()

    with Listener(serve) as server:
        client = make_client(server.url)
        client.introspect("a-token")
        assert not gone.wait(0.2)
        client.close()
        assert gone.wait(5)


def test_what_urllib3_logs_about_our_calls_is_dropped_and_about_others_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    # Lines after one that is not a header are not headers either.
    answer = response(INACTIVE).replace(b"\r\n\r\n", f"\r\nno header but {SECRET}\r\nX: {SECRET}\r\n\r\n".encode())
    with Listener(Script(answer)) as server:
        make_client(server.url).introspect("a-token")
        assert not [record for record in caplog.records if record.name.startswith("urllib3")]
        requests.post(server.url, timeout=5)
    assert [record for record in caplog.records if record.name.startswith("urllib3")]


# Pacing


class RecordingPacing(Pacing):
    """Records its calls, and returns what the test says."""

    def __init__(self, may_begin: int = 99, counts: bool = True, may_wait: bool = True) -> None:
        self.events: list[Any] = []
        self.may_begin, self.counts, self.may_wait = may_begin, counts, may_wait

    def begin(self) -> bool:
        self.events.append("begin")
        return self.events.count("begin") <= self.may_begin

    def ended(self, pause: float | None) -> bool:
        self.events.append(("ended", pause is not None))
        return self.counts

    def pause(self, seconds: float) -> bool:
        self.events.append("pause")
        return self.may_wait


LIMITED = response(None, "Retry-After: 1", status="429 Too Many Requests")


def test_a_try_does_not_count_when_the_pacing_waits_for_the_rate_limit() -> None:
    pacing = RecordingPacing(counts=False)
    with Listener(Script(*[LIMITED] * 5, response(INACTIVE))) as server:
        make_client(server.url, pacing, retries=1).introspect("a-token")
    assert pacing.events == ["begin", ("ended", True)] * 5 + ["begin", ("ended", False)]


@pytest.mark.parametrize("limits", [{"max_wait": 0}, {"retries": 0}])
def test_a_wait_that_the_options_forbid_is_not_left_to_the_pacing(limits: dict[str, int]) -> None:
    pacing = RecordingPacing(counts=False)
    with Listener(Script(LIMITED)) as server, pytest.raises(errors.RateLimited):
        make_client(server.url, pacing, **limits).introspect("a-token")
    assert pacing.events == ["begin", ("ended", False)]


def test_a_pause_that_the_pacing_ends_fails_the_call_with_the_last_error() -> None:
    pacing = RecordingPacing(may_wait=False)
    with Listener(Script(LIMITED)) as server, pytest.raises(errors.RateLimited):
        make_client(server.url, pacing).introspect("a-token")
    assert pacing.events == ["begin", ("ended", True), "pause"]


def test_a_call_that_may_not_begin_is_not_sent() -> None:
    script = Script(response(TOKEN))
    with Listener(script) as server, pytest.raises(errors.Stopped, match="the call was not sent"):
        make_client(server.url, RecordingPacing(may_begin=0)).generate(None)
    assert not script.requests


def test_a_call_that_may_not_begin_again_fails_with_the_last_error() -> None:
    with Listener(Script(LIMITED)) as server, pytest.raises(errors.RateLimited):
        make_client(server.url, RecordingPacing(may_begin=1)).introspect("a-token")


def test_the_pacing_learns_that_a_try_ended_whatever_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    pacing = RecordingPacing()
    with Listener(Script(response(TOKEN))) as server:
        client = make_client(server.url, pacing)

        def interrupted() -> bool:
            pacing.events.append("begin")
            # A signal handler can raise this in the middle of a call.
            monkeypatch.setattr(socket, "getaddrinfo", interrupt)
            return True

        def interrupt(*arguments: Any, **options: Any) -> Any:
            raise KeyboardInterrupt

        monkeypatch.setattr(pacing, "begin", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.generate(None)
    assert pacing.events == ["begin", ("ended", False)]
