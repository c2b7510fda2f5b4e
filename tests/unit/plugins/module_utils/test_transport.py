# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One try against servers and proxies that misbehave on the wire, are slow or stay silent."""

from __future__ import annotations

import gc
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import trustme
from ansible_collections.voucherify.oauth.plugins.module_utils._api import errors, retries
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient
from loopback import TIMEOUT_SECONDS, Listener, Serve, connect_proxy, read_request, response, send_slowly

MakeClient = Callable[..., OAuthClient]
TOKEN = {"access_token": "a-token", "token_type": "Bearer", "scope": "api", "expires_in": 900, "expires_at": 1}
INACTIVE = {"active": False}
SECRET = "s3cret-app-token-of-a-key"
# Of the tests in which time runs out. Answers on loopback take milliseconds.
SHORT = 0.25


@pytest.fixture(autouse=True)
def _sockets_that_urllib3_leaves() -> Iterator[None]:
    """Collect sockets that a cut handshake leaves now, so that they do not cause warnings in another test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


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


def server_tls(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


# What was sent, and what was not


@pytest.mark.parametrize("fault", ["cut", "silence"])
def test_a_handshake_that_fails_sends_nothing_and_is_tried_again(
    make_client: MakeClient, authority: trustme.CA, ca_path: str, fault: str
) -> None:
    context = server_tls(authority)
    script = Script(response(TOKEN), response(status="404 Not Found"))

    def serve(connection: socket.socket, number: int) -> None:
        if number in (0, 2):
            if fault == "silence":
                time.sleep(1.5)
            return
        with context.wrap_socket(connection, server_side=True) as secure:
            script(secure, number)

    with Listener(serve) as server:
        client = make_client(server.url.replace("http:", "https:"), ca_path=ca_path, timeout=1)
        assert client.generate(None).access_token == "a-token"
        client.close()
        # A 404 after that does not count as this call's success.
        assert client.revoke("a-token") is False
    assert len(script.requests) == 2


def test_a_certificate_for_another_name_is_reported_and_not_tried_again(
    make_client: MakeClient, authority: trustme.CA, ca_path: str
) -> None:
    with Listener(Script(response(TOKEN)), server_tls(authority, "another.example")) as server:
        with pytest.raises(errors.Unreachable, match="check the host's name in api_base_url"):
            make_client(server.url, ca_path=ca_path).generate(None)
        assert server.connections == 1


@pytest.mark.parametrize("answer", [b"SMTP\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", response(TOKEN)[:-5]])
def test_an_answer_that_is_not_http_may_have_made_a_token(make_client: MakeClient, answer: bytes) -> None:
    script = Script(answer, then_cut=True)
    with Listener(script) as server, pytest.raises(errors.NoAnswer, match="may have made a token"):
        make_client(server.url).generate(None)
    assert len(script.requests) == 1


@pytest.mark.parametrize(("status", "tries"), [(403, 1), (407, 1), (503, 3)])
def test_a_proxy_that_refuses_is_named_and_asked_again_only_if_that_may_help(
    make_client: MakeClient, status: int, tries: int
) -> None:
    with connect_proxy() as proxy:
        proxy.status = f"{status} hunter2 is not welcome"
        client = make_client("https://api.invalid", proxy=proxy.url.replace("//", "//me:hunter2@"))
        with pytest.raises(
            errors.Unreachable, match=rf"did not connect to api\.invalid \({status}\).*in proxy"
        ) as caught:
            client.generate(None)
        assert len(proxy.heads) == tries
    assert "hunter2" not in f"{caught.value} {caught.value.as_dict()}"


# Answers that could be mixed up


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", "answered 103, which is not a final answer"),
        (response(b"<html>"), "is not a JSON object"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 17\r\n\r\n" + b'{"active": false}', None),
    ],
    ids=["not final", "a page", "a body that the status forbids"],
)
def test_what_follows_an_odd_answer_is_not_mixed_up_with_the_next(
    make_client: MakeClient, answer: bytes, error: str | None
) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        if number == 0:
            connection.sendall(answer)
            read_request(connection)
            # Not reached after an odd answer, because the connection is closed.
            connection.sendall(response({**TOKEN, "access_token": "of-the-first-call"} if error else TOKEN))
        connection.sendall(response(TOKEN))

    with Listener(serve) as server:
        client = make_client(server.url)
        if error:
            with pytest.raises(errors.BadAnswer, match=error):
                client.revoke("a-token")
        else:
            assert client.revoke("a-token") is True
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
def test_a_complete_token_is_not_lost_when_the_end_of_its_answer_is_missing(
    make_client: MakeClient, what: str, ending: str
) -> None:
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
        timeout = 5 if ending in ("closed", "reset") else 0.5
        assert make_client(server.url, timeout=timeout).generate(None).access_token == "a-token"


@pytest.mark.parametrize("body", [b"", b'{"message": "Not'])
@pytest.mark.parametrize("head", [b"Content-Length: 500", b"Transfer-Encoding: chunked"])
def test_the_status_of_an_error_counts_even_if_its_body_is_cut_short(
    make_client: MakeClient, head: bytes, body: bytes
) -> None:
    script = Script(b"HTTP/1.1 401 Unauthorized\r\n%s\r\n\r\n%s" % (head, body), then_cut=True)
    with Listener(script) as server, pytest.raises(errors.Refused, match=r"answered 401; check app_id"):
        make_client(server.url).introspect("a-token")
    assert len(script.requests) == 1


def test_a_404_whose_body_is_cut_short_is_not_an_empty_one(make_client: MakeClient) -> None:
    script = Script(b"HTTP/1.1 404 Not Found\r\nContent-Length: 500\r\n\r\n", then_cut=True)
    with Listener(script) as server, pytest.raises(errors.Refused, match="check api_base_url"):
        make_client(server.url).revoke("a-token")


# Time: three timeouts for each try


def slow(at_once: bytes, slowly: bytes) -> Serve:
    """Return a server that sends some bytes at once and the others slowly."""

    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(at_once)
        send_slowly(connection, slowly, SHORT / 3)

    return serve


SLOW_HEADERS = slow(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"b" * 999)
SLOW_ANSWERS: dict[str, Serve] = {
    "headers": SLOW_HEADERS,
    "body": slow(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b'{"access_token": "a"}' + b" " * 999),
    "chunks": slow(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 99),
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("what", SLOW_ANSWERS)
def test_a_server_that_answers_too_slowly_is_given_up_after_three_timeouts(
    make_client: MakeClient, authority: trustme.CA, ca_path: str, scheme: str, what: str
) -> None:
    with Listener(SLOW_ANSWERS[what], server_tls(authority) if scheme == "https" else None) as server:
        client = make_client(server.url, ca_path=ca_path, timeout=SHORT)
        start = time.monotonic()
        with pytest.raises(errors.NoAnswer, match=r"timed out.*may have made a token"):
            client.generate(None)
        assert SHORT < time.monotonic() - start < 9 * SHORT


def test_a_slow_proxy_and_a_slow_handshake_each_get_the_whole_timeout(
    make_client: MakeClient, authority: trustme.CA, ca_path: str
) -> None:
    context = server_tls(authority)

    def serve(connection: socket.socket, number: int) -> None:
        assert read_request(connection)[0].startswith("CONNECT")
        # An address only has a third of the timeout to accept.
        time.sleep(0.7)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        time.sleep(0.7)
        with context.wrap_socket(connection, server_side=True) as secure:
            Script(response(INACTIVE))(secure, number)

    with Listener(serve) as proxy:
        client = make_client("https://127.0.0.1:9", proxy=proxy.url, ca_path=ca_path, timeout=1, retries=0)
        assert client.introspect("a-token") is None


def test_a_proxy_that_answers_too_slowly_is_given_up_after_three_timeouts(make_client: MakeClient) -> None:
    start = time.monotonic()
    words = r"127.0.0.1:\d+ \(timed out\)"
    with Listener(SLOW_HEADERS) as proxy, pytest.raises(errors.Unreachable, match=words):
        make_client("https://api.invalid", proxy=proxy.url, timeout=SHORT, retries=0).generate(None)
    assert SHORT < time.monotonic() - start < 9 * SHORT


@pytest.fixture
def unresponsive_port() -> Iterator[int]:
    """A port of 127.0.0.1 that neither accepts nor refuses connections, like a host that is switched off."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        others = [socket.socket() for _number in range(3)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(address)
        time.sleep(0.1)
        with socket.socket() as probe:
            probe.settimeout(0.3)
            if probe.connect_ex(address) == 0:
                pytest.skip("this system queues more connections than the backlog allows")
        yield address[1]
        for other in others:
            other.close()


Resolve = Callable[..., Any]


@pytest.fixture
def resolve_to(monkeypatch: pytest.MonkeyPatch) -> Callable[[Resolve], None]:
    """Return a function that sets how *.example is looked up. A real resolver cannot be used here."""
    resolve = socket.getaddrinfo

    def use(fake: Resolve) -> None:
        def resolve_example(host: str, *arguments: Any, **options: Any) -> Any:
            if not host.endswith(".example"):
                return resolve(host, *arguments, **options)
            return [resolve(address, *arguments, **options)[0] for address in fake()]

        monkeypatch.setattr(socket, "getaddrinfo", resolve_example)

    return use


def test_dead_addresses_do_not_keep_the_next_one_from_being_tried(
    make_client: MakeClient, unresponsive_port: int, resolve_to: Callable[[Resolve], None]
) -> None:
    def serve() -> None:
        with server.accept()[0] as connection:
            Script(response(INACTIVE), then_cut=True)(connection, 0)

    with socket.create_server(("127.0.0.3", unresponsive_port)) as server:
        resolve_to(lambda: [*["127.0.0.1"] * 4, "127.0.0.3"])
        threading.Thread(target=serve, daemon=True).start()
        client = make_client(f"http://some.example:{unresponsive_port}", timeout=1, retries=0)
        assert client.introspect("a-token") is None


def test_a_form_that_was_given_up_is_never_sent(make_client: MakeClient, resolve_to: Callable[[Resolve], None]) -> None:
    answered, received = threading.Event(), bytearray()

    def late() -> list[str]:
        answered.wait(TIMEOUT_SECONDS)
        return ["127.0.0.1"]

    def serve(connection: socket.socket, number: int) -> None:
        while part := connection.recv(1024):
            received.extend(part)
        ended.set()

    ended = threading.Event()
    resolve_to(late)
    with Listener(serve) as server:
        client = make_client(f"http://late.example:{server.port}", timeout=SHORT, retries=0)
        start = time.monotonic()
        with pytest.raises(errors.Unreachable, match=r"late\.example:\d+ cannot be reached \(timed out\)"):
            client.generate(None)
        assert time.monotonic() - start < 9 * SHORT
        # Now the name server answers, and the thread that was given up connects.
        answered.set()
        assert ended.wait(TIMEOUT_SECONDS)
    assert received.startswith(b"POST /v1/oauth/token")
    assert received.endswith(b"\r\n\r\n")


@pytest.mark.thorough
def test_a_stuck_name_server_does_not_delay_the_end_of_the_process() -> None:
    program = """
import socket, time
socket.getaddrinfo = lambda *arguments, **options: time.sleep(600)
from ansible_collections.voucherify.oauth.plugins.module_utils._api import errors
from ansible_collections.voucherify.oauth.plugins.module_utils._api.retries import Connection, HttpClient
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient

connection = Connection("an-id", "a-secret", "https://stuck.example", 0.25, 1, 5, True, None, None, "test")
try:
    OAuthClient(HttpClient(connection)).generate(None)
except errors.Unreachable as error:
    print(error)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program]
    # Two tries of 0.75 seconds each, and time for the imports.
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert "stuck.example cannot be reached (timed out) after 1 retry" in finished.stdout


# SOCKS


def socks_proxy(*answers: bytes) -> Serve:
    """Return a proxy that sends these answers (RFC 1928) to the messages of the client, whatever they say."""

    def serve(connection: socket.socket, number: int) -> None:
        for answer in answers:
            connection.recv(1024)
            connection.sendall(answer)

    return serve


NO_METHOD, PASSWORD, REFUSED_PASSWORD, NO_PASSWORD = b"\5\xff", b"\5\2", b"\1\1", b"\5\0"
NOT_ALLOWED, HOST_UNREACHABLE = b"\5\2\0\1" + b"\0" * 6, b"\5\4\0\1" + b"\0" * 6


@pytest.mark.parametrize(
    ("answers", "words", "tries"),
    [
        ([NO_METHOD], r"api\.invalid \(All offered .* were rejected\); check the address, user name and", 1),
        ([PASSWORD, REFUSED_PASSWORD], r"api\.invalid \(SOCKS5 .*\); check the address, user name and password", 1),
        ([NO_PASSWORD, NOT_ALLOWED], r"did not connect to api\.invalid \(Connection not allowed by ruleset\)", 1),
        ([NO_PASSWORD, HOST_UNREACHABLE], r"did not connect to api\.invalid \(Host unreachable\) after 2 retries", 3),
    ],
)
def test_a_socks_proxy_that_refuses_is_reported_and_asked_again_only_if_that_may_help(
    make_client: MakeClient, answers: list[bytes], words: str, tries: int
) -> None:
    with Listener(socks_proxy(*answers)) as proxy:
        url = f"socks5h://somebody:hunter2@127.0.0.1:{proxy.port}"
        with pytest.raises(errors.Unreachable, match=words) as caught:
            make_client("https://api.invalid", proxy=url).generate(None)
        assert proxy.connections == tries
    assert "hunter2" not in str(caught.value)


# Connections


def test_generate_uses_a_new_connection_after_a_pause_or_a_failure(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = response(status="429 Too Many Requests")
    script = Script(response(INACTIVE), *[response(TOKEN)] * 2, limited, response(TOKEN))
    with Listener(script) as server:
        client = make_client(server.url)
        client.introspect("a-token")
        client.generate(None)
        monkeypatch.setattr(retries, "IDLE_SECONDS", 0.05)
        time.sleep(0.1)
        client.generate(None)
        monkeypatch.setattr(retries, "IDLE_SECONDS", 60)
        client.generate(None)
    assert [number for number, _head, _body in script.requests] == [0, 0, 1, 1, 2]


@pytest.mark.thorough
def test_many_clients_at_once_mix_nothing_up(make_client: MakeClient, authority: trustme.CA, ca_path: str) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        while True:
            _head, body = read_request(connection)
            connection.sendall(response({**TOKEN, "scope": parse_qs(body.decode())["scope"][0]}))

    def calls(number: int) -> set[tuple[str, ...] | None]:
        client = make_client(server.url, ca_path=ca_path, proxy=proxy.url if number % 2 else None)
        return {client.generate([f"of-{number}"]).details.scope for _call in range(30)}

    with Listener(serve, server_tls(authority)) as server, connect_proxy() as proxy:
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(calls, range(8))) == [{(f"of-{number}",)} for number in range(8)]
        assert server.connections == 8


@pytest.mark.thorough
def test_many_calls_leave_no_thread_and_no_descriptor(make_client: MakeClient) -> None:
    def open_now() -> tuple[int, int]:
        gc.collect()
        return threading.active_count(), len(os.listdir("/dev/fd"))

    def serve(connection: socket.socket, number: int) -> None:
        for _number in range(4):
            read_request(connection)
            connection.sendall(response(INACTIVE))
        read_request(connection)
        connection.sendall(response(INACTIVE)[:-5])

    before = open_now()
    with Listener(serve) as server:
        client = make_client(server.url, retries=0)
        for number in range(1, 301):
            if number % 5:
                client.introspect("a-token")
            else:
                with pytest.raises(errors.NoAnswer):
                    client.introspect("a-token")
        client.close()
    end = time.monotonic() + 5
    while open_now() > before and time.monotonic() < end:
        time.sleep(0.05)
    assert open_now() <= before


def test_what_urllib3_logs_about_our_calls_is_dropped_and_about_others_is_not(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    # Lines after one that is not a header are not headers either.
    answer = response(INACTIVE).replace(b"\r\n\r\n", f"\r\nno header but {SECRET}\r\nX: {SECRET}\r\n\r\n".encode())
    with Listener(Script(answer)) as server:
        make_client(server.url).introspect("a-token")
        assert not [record for record in caplog.records if record.name.startswith("urllib3")]
        requests.post(server.url, timeout=5)
    assert [record for record in caplog.records if record.name.startswith("urllib3")]
