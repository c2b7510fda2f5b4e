# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The C(requests) session that sends all calls, which differs from the default one.

This is the only file that imports C(requests) and urllib3. It works with urllib3 1.26 and 2.
"""

from __future__ import annotations

import http.client
import logging
import os
import socket
import traceback
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from .deadline import Deadline, current_deadline
from .errors import LibraryMissing
from .proxy import Proxy

try:
    import requests
    import requests.adapters
    import urllib3
    from requests.utils import get_environ_proxies, select_proxy
    from urllib3.util import connection as urllib3_connection

    IMPORT_ERROR: LibraryMissing | None = None
# Not only ImportError: with a broken OpenSSL, the import can raise AttributeError.
except Exception as import_error:
    IMPORT_ERROR = LibraryMissing(import_error, traceback.format_exc())
    # Placeholders, so that the classes below can be defined. They are never used.
    requests = SimpleNamespace(Session=object, adapters=SimpleNamespace(HTTPAdapter=object))  # type: ignore[assignment]


class Session(requests.Session):
    """A session that ignores the environment, keeps no cookies and follows no redirects."""

    def __init__(self) -> None:
        super().__init__()
        # Otherwise it would use ~/.netrc, REQUESTS_CA_BUNDLE and the proxy variables. We read the last two ourselves.
        self.trust_env = False
        self.mount("https://", _Adapter())
        self.mount("http://", _Adapter())

    def get_redirect_target(self, resp: requests.Response) -> None:
        # Even when told to follow no redirects, requests works out the target, and reads the whole body for that.
        return None


class _Adapter(requests.adapters.HTTPAdapter):
    """Makes connections that observe the deadline of the try."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _add_deadline(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        _add_deadline(manager)
        return manager


def _add_deadline(manager: Any) -> None:
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _with_deadline(pool) for scheme, pool in pools.items()}


@cache
def _with_deadline(pool: type[Any]) -> type[Any]:
    if issubclass(pool.ConnectionCls, _DeadlineMixin):
        return pool
    connection = type(pool.ConnectionCls.__name__, (_DeadlineMixin, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


class _FinalResponse(http.client.HTTPResponse):
    """Skips interim answers, such as 103, and drops cookies. http.client only skips 100."""

    def begin(self) -> None:
        super().begin()
        # requests parses cookies even if none may be kept, and http.cookiejar can take half a minute for one.
        for name in ("Set-Cookie", "Set-Cookie2"):
            del self.headers[name]

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        # After 101, the connection uses another protocol.
        while 101 < status < 200:
            http.client.parse_headers(self.fp)
            version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, status, reason


class _DeadlineMixin:
    """Changes a connection of urllib3 1.26 or 2 so that it observes the deadline."""

    response_class = _FinalResponse

    def _new_conn(self: Any) -> socket.socket:
        deadline = current_deadline()
        connect: Callable[[], socket.socket] = super()._new_conn  # type: ignore[misc]
        if deadline is None:
            made = connect()
        # PySocks makes its own connections, and keeps reading while a proxy sends.
        elif hasattr(self, "_socks_options"):
            made = deadline.call(connect)
        else:
            made = _connected(self, deadline)
        if deadline:
            deadline.watch(made.fileno())
        return made

    def putrequest(self: Any, *args: Any, **options: Any) -> None:
        # The connection may be kept from an earlier call.
        deadline = current_deadline()
        if deadline and self.sock is not None:
            deadline.watch(self.sock.fileno())
        super().putrequest(*args, **options)  # type: ignore[misc]


def _connected(connection: Any, deadline: Deadline) -> socket.socket:
    """Connect to the first address of a host that accepts. All attempts together observe the deadline."""
    name = getattr(connection, "_dns_host", connection.host).strip("[]")
    last: Exception | None = None
    family = urllib3_connection.allowed_gai_family()
    try:
        found = deadline.call(lambda: socket.getaddrinfo(name, connection.port, family, socket.SOCK_STREAM))
    except OSError as error:
        found, last = [], error
    addresses = list(dict.fromkeys(str(address[0]) for *_kind, address in found))
    for position, address in enumerate(addresses):
        share = min(deadline.timeout, deadline.left / (len(addresses) - position))
        try:
            made = urllib3_connection.create_connection(
                (address, connection.port), share, socket_options=connection.socket_options
            )
        except OSError as error:
            last = error
            continue
        made.settimeout(deadline.timeout)
        return made
    raise urllib3.exceptions.NewConnectionError(connection, "no connection") from last


def accept_unverified() -> None:
    """Print no warnings about unverified calls, because the user has turned verification off."""
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


def environment_proxy(url: str) -> Proxy | None:
    """Return the proxy that the environment sets for a URL."""
    proxy = select_proxy(url, get_environ_proxies(url, no_proxy=None))
    names = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    # An empty variable in lower case hides the one in upper case.
    source = next((name for name in names if os.environ.get(name) == proxy), "this machine's proxy setting")
    return Proxy(proxy, source) if proxy else None


class _QuietDuringCalls(logging.Filter):
    """Drops what is logged while this thread calls the API, because urllib3 quotes headers that the server sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        return current_deadline() is None


# A filter only applies to the logger that it was added to, not to the loggers below it.
for _name in ("connection", "connectionpool", "poolmanager", "response", "util.retry", "util.ssl_"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_QuietDuringCalls())
