# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Try a call once over HTTP: send a form and read the answer, in bounded time.

This is the only file that imports C(requests) and urllib3. It works with urllib3 1.26 and 2.
"""

from __future__ import annotations

import io
import logging
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from .answers import MAX_ANSWER_BYTES, Answer, json_object
from .errors import Call, LibraryMissing, Unreachable
from .network_error import Route, network_error

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    from requests.utils import get_environ_proxies, select_proxy

    IMPORT_ERROR: Exception | None = None
# Not only ImportError: with a broken OpenSSL, the import can raise AttributeError.
except Exception as import_error:
    IMPORT_ERROR = import_error
    HTTPAdapter = object  # type: ignore[assignment,misc]

# One try takes at most this many times C(timeout).
TIMEOUTS_PER_TRY = 3
# Several addresses of a host may be dead, so each one only gets this share of C(timeout) to accept a connection.
_ADDRESSES_PER_TIMEOUT = 3
# The password, and the host with its port. A slash or a similar character in the password would end the address early:
# a part of the password would be looked up as the name of a host, and shown. Without slashes, urllib3 reads a user name
# as a scheme, and it reads a backslash as a slash.
_PROXY = re.compile(
    r"(?:(?:\w+:)?//(?:[^:/?#\\\0- \x7f]*(?::([^/?#\\\0- \x7f]*))?@)?)?"
    r"((?:[^:@/?#\\\0- \x7f]+|\[[\da-fA-F:.]+\])(?::\d{1,5})?)/?"
)


@dataclass(frozen=True)
class Connection:
    """An API key, and how the API is reached: the module options of the same names, checked. Times are seconds.

    user_agent: the HTTP header of that name. key_sources: where the halves of the key come from, if that may be why the
    API refuses it, as the end of a sentence.
    """

    app_id: str
    app_token: str = field(repr=False)
    api_base_url: str
    timeout: float
    retries: int
    max_wait: int
    validate_certs: bool
    ca_path: str | None
    proxy: str | None = field(repr=False)
    user_agent: str
    key_sources: str = ""


class Transport:
    """Sends calls with one API key over one kept-alive connection. Only one thread at a time may use it."""

    def __init__(self, connection: Connection) -> None:
        """Raises LibraryMissing if C(requests) cannot be imported."""
        if IMPORT_ERROR:
            raise LibraryMissing from IMPORT_ERROR
        self._connection = connection
        self._headers = {
            "Accept": "application/json",
            # A small compressed answer may unpack to a gigabyte.
            "Accept-Encoding": "identity",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": connection.user_agent,
            "X-Voucherify-Channel": "Ansible",
            "X-App-Id": connection.app_id,
            "X-App-Token": connection.app_token,
        }
        # An adapter, because a session also reads the environment, keeps cookies and looks into redirects.
        self._adapter = _Adapter()
        if not connection.validate_certs:
            # The user has turned verification off, so the warning says nothing new.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def send(self, call: Call, form: Mapping[str, str]) -> Answer:
        """Send a call once and return the answer. Raises RequestError if there was none."""
        connection = self._connection
        url = connection.api_base_url + call.path
        host, path = urlsplit(url)[1:3]
        body = _Form(urlencode(form, errors="surrogatepass").encode())
        if (proxy := self._proxy_for(url)) and not proxy.place:
            advice = "begin it with http://, and percent-encode special characters in its user name and password"
            raise Unreachable(call, f"{proxy.source} is not a valid address", advice)
        variables = {name: os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")}
        trusted = {"ca_path": connection.ca_path, **variables, Route.ca: True}
        ca, verify = next((name, value) for name, value in trusted.items() if value)
        attempt = _Attempt(
            lambda: self._adapter.send(
                requests.Request("POST", url, headers=self._headers, data=body).prepare(),
                stream=True,
                timeout=connection.timeout,
                verify=connection.validate_certs and verify,
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
            content = None if is_too_long or not (is_whole or received) else received
            secrets = (connection.app_token, form.get("access_token", ""), *(proxy.passwords if proxy else ()))
            return Answer(host, path, response.status, response.headers, content, secrets)
        route = Route(host, proxy.place, proxy.source, ca) if proxy else Route(host, ca=ca)
        # If the thread has ended without an error, the answer ended early.
        time_is_up = urllib3.exceptions.ConnectTimeoutError() if attempt.is_alive() else None
        cause = attempt.error or time_is_up or EOFError()
        failure = network_error(call, cause, route, form_was_read=body.was_read)
        # The exception keeps sockets alive, and its text may quote a proxy's password, so the chain ends here.
        attempt.error = None
        raise failure from None

    def close(self) -> None:
        """Close all connections, those in use as soon as they are given back. The next call makes a new one."""
        self._adapter.close()

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


class _Proxy:
    """A proxy for the calls.

    source: the option or environment variable that sets it. passwords: its password, as in the address and decoded.
    place: its host and port, which may be shown; None if it is unclear which part of the address is the host.
    """

    def __init__(self, address: str, source: str) -> None:
        self.address, self.source, parts = address, source, _PROXY.fullmatch(address)
        self.passwords = (parts[1] or "", unquote(parts[1] or "")) if parts else ()
        self.place = parts[2] if parts else None


class _Form(io.BytesIO):
    """A form that notes when it is read, because it may have been sent from then on. Once closed, it cannot be read."""

    was_read = False

    def read(self, size: int | None = -1) -> bytes:
        # Before reading: if the form is closed between these lines, in doubt it counts as read.
        self.was_read = True
        return super().read(size)


class _Attempt(threading.Thread):
    """Sends a request and reads the answer. Nothing can end a stuck name lookup, so it may have to be given up.

    Other threads may read the attributes at any time. response, body: what has arrived of the answer. is_whole: whether
    that is all. error: why there will be no more.
    """

    def __init__(self, send: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._send = send
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
        left, part = answer.length, b"first"
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


class _Bounded:
    """Changes a connection of urllib3, which would give all of C(timeout) to each address of a host."""

    def _new_conn(self: Any) -> Any:
        timeout = self.timeout
        # The proxy's answers are a part of connecting to a SOCKS proxy.
        if not hasattr(self, "_socks_options"):
            self.timeout = timeout / _ADDRESSES_PER_TIMEOUT
        made = super()._new_conn()  # type: ignore[misc]
        made.settimeout(timeout)
        self.timeout = timeout
        return made


# If a header is malformed, urllib3 logs a warning that quotes it, and Ansible may write that to its log file.
for _name in ("urllib3.connection", "urllib3.connectionpool"):
    logging.getLogger(_name).addFilter(lambda _record: not isinstance(threading.current_thread(), _Attempt))
