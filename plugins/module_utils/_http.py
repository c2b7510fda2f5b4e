# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""One conversation with the Voucherify API over HTTP: sending, time limits and retries.

This is the only file that knows C(requests). It does not know what a call means, and it does not know Ansible.
"""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ._answers import MAX_ANSWER_BYTES, Answer, read
from ._errors import (
    Call,
    LibraryMissing,
    NoAnswer,
    Refused,
    RequestError,
    Unreachable,
    Unsendable,
    Untrusted,
)

try:
    import requests
    import urllib3

    HAS_REQUESTS = True
except ImportError:
    HAS_REQUESTS = False

BACK_OFF_BASE_SECONDS = 0.5
BACK_OFF_CAP_SECONDS = 8.0


@dataclass(frozen=True)
class Keys:
    """An API key of a Voucherify project: the pair that authorises every call of its OAuth API."""

    app_id: str
    app_token: str = field(repr=False)


@dataclass(frozen=True)
class Connection:
    """How the API is reached: the module options of the same names, checked. Times are seconds."""

    base_url: str
    timeout: int
    retries: int
    max_wait: int
    validate_certs: bool
    ca_path: str | None
    proxy: str | None = field(repr=False)


class HttpClient:
    """Sends calls with one API key over one kept-alive session."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        """Raises LibraryMissing where C(requests) cannot be imported."""
        if not HAS_REQUESTS:
            raise LibraryMissing("requests")
        self._connection = connection
        self._keys = keys
        self._host = urlsplit(connection.base_url).netloc
        self._session = requests.Session()
        # Even when told to follow none, requests works out a redirect's target, and reads its whole body for that.
        self._session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        # Each unverified call would print a warning; with validate_certs=false the user has decided.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def post(self, call: Call, form: Mapping[str, str]) -> dict[str, Any]:
        """Send one call as a form, again where that is safe and may help.

        Returns the JSON object that was answered, empty for an answer without a body.
        Raises RequestError, without a secret in it.
        """
        waited = 0.0
        answer_lost = False
        retries = 0
        while True:
            try:
                return self._send(call, form)
            except RequestError as error:
                error.retries = retries
                if isinstance(error, Refused):
                    error.after_lost_answer = answer_lost
                answer_lost = answer_lost or error.maybe_carried_out
                pause = _back_off(retries) if error.retry_after is None else error.retry_after
                waited += pause
                last_try = retries == self._connection.retries or waited > self._connection.max_wait
                if last_try or not error.may_be_sent_again:
                    raise
            retries += 1
            time.sleep(pause)

    def _send(self, call: Call, form: Mapping[str, str]) -> dict[str, Any]:
        connection = self._connection
        try:
            with self._session.post(
                connection.base_url + call.path,
                data=form,
                headers={"Accept": "application/json"},
                # An auth of our own also keeps ~/.netrc from adding an Authorization header.
                auth=self._authorise,
                timeout=connection.timeout,
                # Given with each request, because REQUESTS_CA_BUNDLE beats what the session holds.
                verify=connection.validate_certs and (connection.ca_path or True),
                proxies={"http": connection.proxy, "https": connection.proxy} if connection.proxy else None,
                allow_redirects=False,
                stream=True,
            ) as response:
                answer = Answer(self._host, response.status_code, response.headers, _body(response))
        # Anything, for a malformed proxy makes requests fail in ways of its own.
        except Exception as error:
            # Its text may quote a proxy's password, so the chain of exceptions ends here.
            raise self._network_error(call, error) from None
        return read(call, answer, secrets=(self._keys.app_token, form.get("access_token", "")))

    def _authorise(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-App-Id"] = self._keys.app_id
        request.headers["X-App-Token"] = self._keys.app_token
        return request

    def _network_error(self, call: Call, error: Exception) -> RequestError:
        """Tell what befell the request: could it not be sent, or is it unknown what became of it?"""
        chain = list(_chain(error))

        def within(*kinds: type[BaseException]) -> bool:
            return any(isinstance(link, kinds) for link in chain)

        cause = _cause(chain)
        if within(ssl.SSLCertVerificationError):
            return Untrusted(
                call,
                f"the certificate of {self._host} does not verify ({cause})",
                "set ca_path to the authority that signed it, or mend the certificate",
            )
        if within(urllib3.exceptions.ProxyError):
            return Unreachable(
                call,
                f"the proxy on the way to {self._host} cannot be reached ({cause})",
                "check proxy and the proxy variables of the environment",
            )
        if within(urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError):
            return Unreachable(
                call, f"{self._host} cannot be reached ({cause})", "check api_base_url, proxy and the network"
            )
        # X509 is where OpenSSL reads the certificates to trust.
        bundle_unreadable = any(isinstance(link, ssl.SSLError) and link.library == "X509" for link in chain)
        # ValueErrors are about addresses that are none. What neither library made its own happened before sending.
        theirs = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError)
        if bundle_unreadable or isinstance(error, ValueError) or not isinstance(error, theirs):
            return Unsendable(
                call,
                f"a request to {self._host} cannot be made here ({type(error).__name__})",
                "check api_base_url, timeout, ca_path, proxy, REQUESTS_CA_BUNDLE and the environment's proxy variables",
            )
        advice = "run the play again"
        if within(ssl.SSLError):
            advice = f"check that api_base_url and proxy name servers that speak TLS, or {advice}"
        return NoAnswer(call, f"the connection to {self._host} brought no whole answer ({cause})", advice)


def _back_off(retries: int) -> float:
    """Return seconds to wait before the next try: exponential, with jitter so that many hosts do not come at once."""
    pause = min(BACK_OFF_CAP_SECONDS, BACK_OFF_BASE_SECONDS * 2.0**retries)
    return pause * random.uniform(0.5, 1.0)  # noqa: S311 - nobody gains by guessing it


def _body(response: requests.Response) -> bytes | None:
    """Read an answer's body; None when it is longer than any answer may be."""
    body = b""
    for chunk in response.iter_content(64 * 1024):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            return None
    return body


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _cause(chain: list[BaseException]) -> str:
    """Say in a few words what is at the root, from texts that the operating system or OpenSSL wrote."""
    for link in reversed(chain):
        if isinstance(link, ssl.SSLCertVerificationError):
            return str(link.verify_message)
        # Python 3.9 has a socket.timeout that is no TimeoutError; urllib3's own says the same.
        if isinstance(link, (TimeoutError, urllib3.exceptions.ReadTimeoutError)):
            return "timed out"
        if isinstance(link, ssl.SSLError):
            return str(link.reason or "TLS failed").replace("_", " ").lower()
        if isinstance(link, OSError) and link.strerror:
            return str(link.strerror)
    return "it was closed half-way"
