# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Try a call once over HTTP: send a form and read the answer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from .answers import MAX_ANSWER_BYTES, Answer, json_object
from .deadline import Deadline, current_deadline
from .errors import Call, Unsendable
from .known_tokens import known_tokens
from .network_error import Route, network_error
from .proxy import Proxy
from .quotable import quotable
from .session import IMPORT_ERROR, Session, accept_unverified, environment_proxy

# One try takes at most this many times C(timeout).
TIMEOUTS_PER_TRY = 3

# All answers of the API are shorter.
_SHORT_BODY_BYTES = 16 * 1024

_SHORTEST_KEY = 16


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
    """Sends calls with one API key over one kept-alive session. Only one thread at a time may use it."""

    def __init__(self, connection: Connection, credentials: Credentials) -> None:
        """Raises LibraryMissing if C(requests) cannot be imported."""
        if IMPORT_ERROR:
            raise IMPORT_ERROR
        self._connection = connection
        self._credentials = credentials
        parts = urlsplit(connection.base_url)
        self._host = parts.netloc
        self._is_plain = parts.scheme == "http"
        self._session = Session()
        # Of the last call, because the environment may set another proxy for the next one.
        self._proxy: Proxy | None = None
        if not connection.validate_certs:
            accept_unverified()

    def send(self, call: Call, form: Mapping[str, str]) -> Answer:
        """Send a call once and return the answer. Raises RequestError if there was none."""
        connection = self._connection
        url = connection.base_url + call.path
        body = _Form(form)
        answer = failure = None
        proxy = self._proxy = self._proxy_for(url)
        if proxy and not proxy.place:
            advice = f"correct {proxy.source}, and percent-encode special characters in its user name and password"
            raise Unsendable(call, f"{proxy.source} is not a valid proxy address", advice)
        ca_bundle, ca_source = self._ca_bundle()
        deadline = Deadline(connection.timeout, connection.timeout * TIMEOUTS_PER_TRY)
        try:
            with (
                deadline,
                self._session.post(
                    url,
                    data=body,
                    headers={
                        "Accept": "application/json",
                        # A small compressed answer may unpack to a gigabyte.
                        "Accept-Encoding": "identity",
                        "Content-Type": "application/x-www-form-urlencoded",
                        "User-Agent": connection.user_agent,
                        "X-Voucherify-Channel": "Ansible",
                    },
                    auth=self._authorise,
                    timeout=connection.timeout,
                    verify=connection.validate_certs and (ca_bundle or True),
                    proxies={"https": proxy.address} if proxy else {},
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                answer = Answer(
                    self._host, urlsplit(url).path, response.status_code, response.headers, _body(response.raw)
                )
        # Any exception, because requests raises many kinds for a malformed proxy.
        except Exception as error:
            failure = error
        if deadline.expired or _has_forbidden_body(answer):
            self.close()
        if answer is None or (deadline.expired and _is_incomplete(answer)):
            place = quotable(proxy.place or "", self.secrets({})) if proxy else None
            route = Route(self._host, place, proxy.source if proxy else None, ca_source)
            # If the time was up, that is the cause of every exception of a connection. The texts of exceptions may
            # quote a proxy's password, so the chain ends here.
            raised = None if deadline.expired and deadline.has_connection else failure
            raise network_error(call, raised, route, form_was_read=body.was_read) from None
        return answer

    def close(self) -> None:
        """Close all connections. The next call makes a new one."""
        self._session.close()

    def secrets(self, form: Mapping[str, str]) -> tuple[str, ...]:
        """Return the texts that no message about the last call, which had this form, may repeat."""
        of_proxy = self._proxy.secrets if self._proxy else ()
        return (self._credentials.app_token, form.get("access_token", ""), *of_proxy)

    def secrets_in_errors(self, form: Mapping[str, str]) -> tuple[str, ...]:
        """Return the texts that no message about a failure of the last call may repeat."""
        app_id = self._credentials.app_id
        # It is the secret part of the key if the two were mixed up. A short text occurs in harmless words.
        return (*self.secrets(form), *known_tokens(), *([app_id] if len(app_id) >= _SHORTEST_KEY else []))

    def _authorise(self, request: Any) -> Any:
        request.headers["X-App-Id"] = self._credentials.app_id
        request.headers["X-App-Token"] = self._credentials.app_token
        return request

    def _proxy_for(self, url: str) -> Proxy | None:
        # Plain HTTP is only for this machine, and a proxy could read the credentials.
        if self._is_plain:
            return None
        if self._connection.proxy:
            return Proxy(self._connection.proxy, "proxy")
        return environment_proxy(url)

    def _ca_bundle(self) -> tuple[str | None, str | None]:
        """Return the file or folder of certificates to trust, and the option or variable that sets it."""
        if self._connection.ca_path:
            return self._connection.ca_path, "ca_path"
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            if os.environ.get(name):
                return os.environ[name], name
        return None, None


class _Form:
    """A form that notes when it is read, because it may have been sent from then on."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._unread = urlencode(fields, errors="surrogatepass").encode()
        self._length = len(self._unread)
        self.was_read = False

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        # requests only streams a body that has this method, although read is called then.
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
    """Read an answer's body; None if it is longer than MAX_ANSWER_BYTES, or if none of an error's body arrived."""
    # Without this, urllib3 1.26 accepts an incomplete answer.
    raw.enforce_content_length = True
    body = bytearray()
    # read waits until it has as many bytes as it was asked for, and if that fails, it loses those that it has received.
    # read1 returns what has arrived. urllib3 1.26 does not have it, so there each byte is read by itself.
    read, size = (raw.read1, 64 * 1024) if hasattr(raw, "read1") else (raw.read, 1)
    try:
        while part := read(size if len(body) < _SHORT_BODY_BYTES else 64 * 1024, decode_content=False):
            body += part
            if len(body) > MAX_ANSWER_BYTES:
                return None
    except Exception:
        # The status of an error says enough.
        if raw.status >= 400:
            return bytes(body) or None
        # A JSON object that is closed is complete, even if the server promised more bytes.
        if json_object(bytes(body)) is None:
            raise
    return bytes(body)


def _is_incomplete(answer: Answer) -> bool:
    """Whether an answer lacks something that matters. When its connection is shut down, it seems to end there."""
    return answer.status < 400 and json_object(answer.body) is None


def _has_forbidden_body(answer: Answer | None) -> bool:
    """Whether an answer announces a body that its status forbids, which would be read as the next answer."""
    if answer is None or answer.status not in (204, 304):
        return False
    return answer.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in answer.headers
