# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Try a call once over HTTP: send a form and read the answer, in bounded time.

This is the only file that imports C(requests) and urllib3. It works with urllib3 1.26 and 2.
"""

from __future__ import annotations

import http.client
import io
import logging
import os
import re
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from .answers import MAX_ANSWER_BYTES, Answer, json_object
from .errors import Call, LibraryMissing, Unsendable
from .network_error import Route, network_error

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    from requests.utils import get_environ_proxies, select_proxy

    IMPORT_ERROR: LibraryMissing | None = None
# Not only ImportError: with a broken OpenSSL, the import can raise AttributeError.
except Exception as import_error:
    IMPORT_ERROR = LibraryMissing(import_error, traceback.format_exc())
    HTTPAdapter = object  # type: ignore[assignment,misc]

# One try takes at most this many times C(timeout).
TIMEOUTS_PER_TRY = 3

# Several addresses of a host may be dead, so each one only gets this share of C(timeout) to accept a connection.
_ADDRESSES_PER_TIMEOUT = 3


@dataclass(frozen=True)
class Credentials:
    """An API key of a Voucherify project: the pair that authorises every call of its OAuth API."""

    app_id: str
    app_token: str = field(repr=False)


@dataclass(frozen=True)
class Connection:
    """How the API is reached: the module options of the same names, checked. Times are seconds.

    user_agent: the HTTP header of that name.
    """

    base_url: str
    timeout: float
    retries: int
    max_wait: int
    validate_certs: bool
    ca_path: str | None
    proxy: str | None = field(repr=False)
    user_agent: str


class Transport:
    """Sends calls with one API key over one kept-alive connection. Only one thread at a time may use it."""

    def __init__(self, connection: Connection, credentials: Credentials) -> None:
        """Raises LibraryMissing if C(requests) cannot be imported."""
        if IMPORT_ERROR:
            raise IMPORT_ERROR
        self._connection = connection
        self._app_token = credentials.app_token
        self._headers = {
            "Accept": "application/json",
            # A small compressed answer may unpack to a gigabyte.
            "Accept-Encoding": "identity",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": connection.user_agent,
            "X-Voucherify-Channel": "Ansible",
            "X-App-Id": credentials.app_id,
            "X-App-Token": credentials.app_token,
        }
        # An adapter, because a session also reads the environment, keeps cookies and looks into redirects.
        self._adapter = _Adapter()
        # Of the last call, because the environment may set another proxy for the next one.
        self._proxy: _Proxy | None = None
        if not connection.validate_certs:
            # The user has turned verification off, so the warning says nothing new.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def send(self, call: Call, form: Mapping[str, str]) -> Answer:
        """Send a call once and return the answer. Raises RequestError if there was none."""
        connection = self._connection
        url = connection.base_url + call.path
        host, path = urlsplit(url)[1:3]
        body = _Form(form)
        proxy = self._proxy = self._proxy_for(url)
        if proxy and not proxy.place:
            advice = f"correct {proxy.source}, and percent-encode special characters in its user name and password"
            raise Unsendable(call, f"{proxy.source} is not a valid proxy address", advice)
        ca_bundle, ca_source = self._ca_bundle()
        attempt = _Attempt(
            lambda: self._adapter.send(
                requests.Request("POST", url, headers=self._headers, data=body).prepare(),
                stream=True,
                timeout=connection.timeout,
                verify=connection.validate_certs and (ca_bundle or True),
                proxies={"https": proxy.address} if proxy else {},
            )
        )
        try:
            attempt.start()
            attempt.join(connection.timeout * TIMEOUTS_PER_TRY)
        except (RuntimeError, MemoryError) as error:
            attempt.error = error
        finally:
            # A thread that is still running can send nothing more. Its connection is not used again, see `close`.
            body.close()
        response = attempt.response
        # In this order, because the thread may still be reading.
        is_whole, received = attempt.is_whole, bytes(attempt.body)
        is_too_long = len(received) > MAX_ANSWER_BYTES
        # The status of an error says enough. A JSON object that is closed is complete, even if more was promised.
        if response and (is_whole or is_too_long or response.status >= 400 or json_object(received) is not None):
            if not is_whole or _has_forbidden_body(response):
                self.close()
            content = None if is_too_long or not (is_whole or received) else received
            return Answer(host, path, response.status, response.headers, content)
        route = Route(host, proxy.place if proxy else None, proxy.source if proxy else None, ca_source)
        time_is_up = TimeoutError() if attempt.connected else urllib3.exceptions.ConnectTimeoutError()
        failure = network_error(call, attempt.error or time_is_up, route, form_was_read=body.was_read)
        # The exception keeps sockets alive, and its text may quote a proxy's password, so the chain ends here.
        attempt.error = None
        raise failure from None

    def close(self) -> None:
        """Close all connections, those in use as soon as they are given back. The next call makes a new one."""
        self._adapter.close()

    def secrets(self, form: Mapping[str, str]) -> tuple[str, ...]:
        """Return the texts that no message about the last call, which had this form, may repeat."""
        of_proxy = self._proxy.passwords if self._proxy else ()
        return (self._app_token, form.get("access_token", ""), *of_proxy)

    def _proxy_for(self, url: str) -> _Proxy | None:
        # Plain HTTP is only for this machine, and a proxy could read the credentials.
        if urlsplit(url).scheme == "http":
            return None
        if self._connection.proxy:
            return _Proxy(self._connection.proxy, "proxy")
        address = select_proxy(url, get_environ_proxies(url, no_proxy=None))
        # An empty variable in lower case hides the one in upper case.
        names = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
        source = next((name for name in names if os.environ.get(name) == address), "this machine's proxy setting")
        return _Proxy(address, source) if address else None

    def _ca_bundle(self) -> tuple[str | None, str | None]:
        """Return the file or folder of certificates to trust, and the option or variable that sets it."""
        if self._connection.ca_path:
            return self._connection.ca_path, "ca_path"
        name = next((name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if os.environ.get(name)), None)
        return name and os.environ[name], name


class _Proxy:
    """A proxy for the calls.

    source: the option or environment variable that sets it. passwords: its password, as in the address and decoded.
    place: its host and port, which may be shown; None if it is unclear which part of the address is the host.
    """

    def __init__(self, address: str, source: str) -> None:
        self.address = address
        self.source = source
        self.passwords: tuple[str, ...] = ()
        self.place: str | None = None
        try:
            parts = urlsplit(address if "//" in address else f"//{address}")
            port = parts.port
        except ValueError:
            return
        # A slash or a similar character in the password ends the address early: a part of the password would be looked
        # up as the name of a host, and shown. urllib3 reads a backslash as a slash, and urlsplit drops line breaks.
        if address.count("@") == parts.netloc.count("@") and not re.search(r"[\\\0- \x7f]", address):
            self.passwords = (parts.password or "", unquote(parts.password or ""))
            self.place = f"{parts.hostname}:{port}" if parts.hostname and port else parts.hostname


class _Form(io.BytesIO):
    """A form that notes when it is read, because it may have been sent from then on. Once closed, it cannot be read."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(urlencode(fields, errors="surrogatepass").encode())
        self.was_read = False
        self._lock = threading.Lock()

    def read(self, size: int | None = -1) -> bytes:
        with self._lock:
            part = super().read(size)
            self.was_read = True
            return part

    def close(self) -> None:
        with self._lock:
            super().close()


class _Attempt(threading.Thread):
    """Sends a request and reads the answer. Nothing can end a stuck name lookup, so it may have to be given up.

    Other threads may read the attributes at any time. connected: whether a new connection was made. response, body:
    what has arrived of the answer. is_whole: whether that is all. error: why there will be no more.
    """

    def __init__(self, send: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._send = send
        self.connected = False
        self.response: urllib3.HTTPResponse | None = None
        self.body = bytearray()
        self.is_whole = False
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with self._send() as response:
                self._read(response.raw)
        # Any exception, because requests raises many kinds for a malformed proxy.
        except Exception as error:
            self.error = error

    def _read(self, raw: Any) -> None:
        # The answer of http.client, because the others lose what they have received if the rest does not arrive.
        answer = raw._original_response
        self.response = raw
        left = answer.length
        part = b"first"
        while part and left != 0 and len(self.body) <= MAX_ANSWER_BYTES:
            part = answer.read1(64 * 1024)
            self.body += part
            left = left and left - len(part)
        if not left and len(self.body) <= MAX_ANSWER_BYTES:
            self.is_whole = True
            raw.release_conn()


class _Adapter(HTTPAdapter):
    """Makes connections of the kind below. This method is where each request passes by, with any proxy."""

    def cert_verify(self, conn: Any, *arguments: Any) -> None:
        super().cert_verify(conn, *arguments)
        conn.ConnectionCls = _bounded(conn.ConnectionCls)


@cache
def _bounded(kind: type[Any]) -> type[Any]:
    return kind if issubclass(kind, _Bounded) else type(kind.__name__, (_Bounded, kind), {})


class _FinalResponse(http.client.HTTPResponse):
    """Skips interim answers, such as 103. http.client only skips 100."""

    def _read_status(self) -> tuple[str, int, str]:
        # After 101, the connection uses another protocol.
        while 101 < (found := super()._read_status())[1] < 200:  # type: ignore[misc]
            http.client.parse_headers(self.fp)
        return found  # type: ignore[no-any-return]


class _Bounded:
    """Changes a connection of urllib3, which would give all of C(timeout) to each address of a host."""

    response_class = _FinalResponse

    def _new_conn(self: Any) -> Any:
        timeout = self.timeout
        # The proxy's answers are a part of connecting to a SOCKS proxy.
        if not hasattr(self, "_socks_options"):
            self.timeout = timeout / _ADDRESSES_PER_TIMEOUT
        try:
            made = super()._new_conn()  # type: ignore[misc]
        finally:
            self.timeout = timeout
        made.settimeout(timeout)
        threading.current_thread().connected = True  # type: ignore[attr-defined]
        return made


def _has_forbidden_body(response: urllib3.HTTPResponse) -> bool:
    """Whether an answer announces a body that its status forbids, which would be read as the next answer."""
    length = response.headers.get("Content-Length", "0")
    return response.status in (204, 304) and (length != "0" or "Transfer-Encoding" in response.headers)


# If a header is malformed, urllib3 logs a warning that quotes it, and Ansible may write that to its log file.
for _name in ("connection", "connectionpool"):
    logging.getLogger(f"urllib3.{_name}").addFilter(
        lambda _record: not isinstance(threading.current_thread(), _Attempt)
    )
