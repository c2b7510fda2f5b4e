# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""One try of a call over HTTP: from a form to an answer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from ._answers import MAX_ANSWER_BYTES, Answer, json_object
from ._deadline import Deadline, current_deadline
from ._errors import Call
from ._network_error import Route, network_error
from ._quotable import quotable
from ._session import IMPORT_ERROR, Session, accept_unverified, environment_proxy

# One try takes at most so many times C(timeout).
TIMEOUTS_OF_A_TRY = 3


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
    timeout: int
    retries: int
    max_wait: int
    validate_certs: bool
    ca_path: str | None
    proxy: str | None = field(repr=False)
    user_agent: str


class Transport:
    """Sends calls with one API key over one kept-alive session. To be used by one thread at a time."""

    def __init__(self, connection: Connection, credentials: Credentials) -> None:
        """Raises LibraryMissing where C(requests) cannot be imported."""
        if IMPORT_ERROR:
            raise IMPORT_ERROR
        self._connection = connection
        self._credentials = credentials
        parts = urlsplit(connection.base_url)
        self._host = parts.netloc
        self._is_plain = parts.scheme == "http"
        self._session = Session()
        if not connection.validate_certs:
            accept_unverified()

    def send(self, call: Call, form: Mapping[str, str]) -> Answer:
        """Send a call once and return what was answered. Raises RequestError where there was no answer."""
        connection = self._connection
        url = connection.base_url + call.path
        body = _Form(form)
        answer = failure = None
        with Deadline(connection.timeout, connection.timeout * TIMEOUTS_OF_A_TRY) as deadline:
            proxy, proxy_source = self._proxy(url)
            ca_bundle, ca_source = self._ca_bundle()
            try:
                with self._session.post(
                    url,
                    data=body,
                    headers={
                        "Accept": "application/json",
                        # What is small when it comes may need a gigabyte once it is unpacked.
                        "Accept-Encoding": "identity",
                        "Content-Type": "application/x-www-form-urlencoded",
                        "User-Agent": connection.user_agent,
                        "X-Voucherify-Channel": "Ansible",
                    },
                    auth=self._authorise,
                    timeout=connection.timeout,
                    verify=connection.validate_certs and (ca_bundle or True),
                    proxies={"https": proxy} if proxy else {},
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    answer = Answer(
                        self._host, urlsplit(url).path, response.status_code, response.headers, _body(response.raw)
                    )
            # Anything, because a malformed proxy makes requests fail in ways of its own.
            except Exception as error:
                failure = error
        # When the time is over, what was read may be a part. Shutting the connection down looks like its end.
        is_part = deadline.expired and answer is not None and json_object(answer.body) is None
        if deadline.expired or _has_forbidden_body(answer):
            self.close()
        if answer is None or is_part:
            shown = self._shown_proxy(proxy)
            route = Route(self._host, shown, proxy_source, ca_source)
            # The time being over explains whatever was raised. The texts of what was raised may quote a proxy's
            # password, so the chain of exceptions ends here.
            raised = None if deadline.expired else failure
            raise network_error(call, raised, route, form_was_read=body.was_read) from None
        return answer

    def close(self) -> None:
        """Close all connections. The next call makes a new one."""
        self._session.close()

    def secrets(self, form: Mapping[str, str]) -> tuple[str, ...]:
        """Return what no text about a call with this form may repeat."""
        try:
            password = urlsplit(self._connection.proxy or "").password or ""
        except ValueError:
            password = ""
        return (self._credentials.app_token, form.get("access_token", ""), password, unquote(password))

    def _authorise(self, request: Any) -> Any:
        request.headers["X-App-Id"] = self._credentials.app_id
        request.headers["X-App-Token"] = self._credentials.app_token
        return request

    def _proxy(self, url: str) -> tuple[str | None, str | None]:
        """Return the proxy to use and which option or environment variable names it."""
        # Plain HTTP is for this machine only, and a proxy would read the credentials.
        if self._is_plain:
            return None, None
        if self._connection.proxy:
            return self._connection.proxy, "proxy"
        return environment_proxy(url)

    def _ca_bundle(self) -> tuple[str | None, str | None]:
        """Return the file or folder of certificates to trust and which option or variable names it."""
        if self._connection.ca_path:
            return self._connection.ca_path, "ca_path"
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            if os.environ.get(name):
                return os.environ[name], name
        return None, None

    def _shown_proxy(self, proxy: str | None) -> str | None:
        if not proxy:
            return None
        try:
            parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
            # A password with a slash that is not encoded would end the address, and be a part of it.
            if not parts.hostname or ("@" in proxy and "@" not in parts.netloc):
                return "with a malformed address"
            place = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
        except ValueError:
            return "with a malformed address"
        return quotable(place, self.secrets({}))


class _Form:
    """A form that notes when it is read, which is when it is handed over to be sent."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._unread = urlencode(fields, errors="surrogatepass").encode()
        self._length = len(self._unread)
        self.was_read = False

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        # requests reads only what can be iterated, and then does not iterate it.
        yield self.read()

    def read(self, size: int = -1) -> bytes:
        deadline = current_deadline()
        if deadline and deadline.expired and not self.was_read:
            raise TimeoutError
        self.was_read = True
        end = self._length if size < 0 else size
        part, self._unread = self._unread[:end], self._unread[end:]
        return part


def _body(raw: Any) -> bytes | None:
    """Read an answer's body as it comes; None when it is longer than any answer may be."""
    # Without it urllib3 1.26 takes half an answer for a whole one.
    raw.enforce_content_length = True
    body = b""
    try:
        while chunk := raw.read(64 * 1024, decode_content=False):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                return None
    except Exception as error:
        # What http.client had read of an answer in chunks is only in the exception that urllib3 made another of.
        part = getattr(error.__context__, "partial", b"")
        body += part if isinstance(part, bytes) else b""
        # An object says itself where it ends, so nothing of it is missing although the server had promised more.
        if json_object(body) is None:
            raise
    return body


def _has_forbidden_body(answer: Answer | None) -> bool:
    """Whether a body follows that must not be there and is not read, and would be taken for the next answer."""
    if answer is None or answer.status not in (204, 304):
        return False
    return answer.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in answer.headers
