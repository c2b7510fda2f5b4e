# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers on loopback that treat each connection as a test says: misbehaving HTTP servers and a real CONNECT proxy."""

from __future__ import annotations

import json
import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

# Called with each connection and its number, counting from 0.
Serve = Callable[[socket.socket, int], None]

TIMEOUT_SECONDS = 60


class Listener:
    """Listens on a free port and serves each connection in its own thread."""

    def __init__(self, serve: Serve, tls: ssl.SSLContext | None = None) -> None:
        self._serve = serve
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for connection in self._open:
            cut(connection)

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            number, self.connections = self.connections, self.connections + 1
            connection.settimeout(TIMEOUT_SECONDS)
            self._open.append(connection)
            threading.Thread(target=self._handle, args=(connection, number), daemon=True).start()

    def _handle(self, connection: socket.socket, number: int) -> None:
        # A test may let its client disconnect.
        with suppress(OSError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            try:
                self._serve(connection, number)
            finally:
                cut(connection)


def cut(connection: socket.socket) -> None:
    """Close a connection at once, even if other threads still use it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def read_request(connection: socket.socket) -> tuple[str, bytes]:
    """Read one request. Return its head and its body. Raises OSError if the client disconnects."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(connection)
    head, _sign, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    while length and len(body) < int(length[1]):
        body += _receive(connection)
    return head.decode("latin-1"), body


def _receive(connection: socket.socket) -> bytes:
    part = connection.recv(64 * 1024)
    if not part:
        raise ConnectionResetError
    return part


def response(content: Any = None, *headers: str, status: str = "200 OK") -> bytes:
    """Return a complete HTTP response."""
    body = b"" if content is None else content if isinstance(content, bytes) else json.dumps(content).encode()
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"))
    return head.encode("latin-1") + b"\r\n" + body


def send_slowly(connection: socket.socket, data: bytes, seconds: float = 0.3) -> None:
    """Send one byte at a time."""
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(seconds)


class ConnectProxy:
    """An HTTP proxy that only knows CONNECT (RFC 9110, section 9.3.6).

    heads: the head of each request. status: the status of each answer; only 200 opens a tunnel. cut_at_once: how many
    tunnels to close before anything goes through. cut_when: a tunnel is closed as soon as this returns True.
    """

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.status = "200 Connection established"
        self.cut_at_once = 0
        self.cut_when: Callable[[], bool] = lambda: False
        self.listener = Listener(self._serve)

    @property
    def url(self) -> str:
        return self.listener.url

    def _serve(self, connection: socket.socket, number: int) -> None:
        head, _body = read_request(connection)
        self.heads.append(head)
        if not self.status.startswith("200"):
            connection.sendall(response(b"hunter2 is not welcome", status=self.status))
            return
        method, target, _version = head.split("\r\n")[0].split()
        assert method == "CONNECT"
        host, _colon, port = target.rpartition(":")
        with socket.create_connection((host, int(port))) as upstream:
            connection.sendall(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
            if number < self.cut_at_once:
                return
            self._forward(connection, upstream)

    def _forward(self, one: socket.socket, other: socket.socket) -> None:
        while not self.cut_when():
            readable, _writable, _wrong = select.select([one, other], [], [], 0.05)
            for source in readable:
                data = source.recv(64 * 1024)
                if not data:
                    return
                (other if source is one else one).sendall(data)


@contextmanager
def connect_proxy() -> Iterator[ConnectProxy]:
    proxy = ConnectProxy()
    try:
        yield proxy
    finally:
        proxy.listener.close()
