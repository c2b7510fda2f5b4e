# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Explain why a try got no answer. Turns exceptions into a RequestError. No I/O.

Whether the form was read is known and not derived from the exceptions. They only provide the words, and show whether
another try can succeed.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .errors import Call, NoAnswer, RequestError, Unreachable, Unsendable, Untrusted
from .words import shown

# What Python raises if a connection ended during the handshake. Other TLS errors are the same at every try.
_INTERRUPTED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


class _Cause(NamedTuple):
    """A row of the table.

    raised: names of exceptions, of which one, or a subclass, must be in the chain; names, because requests, urllib3 and
        PySocks are not imported here. says: a pattern in what that exception says, see `_said`; its last group, if any,
        becomes {words}.
    kind, again: the RequestError, and whether another try can succeed. cause, advice: see RequestError.
    """

    raised: tuple[str, ...]
    says: str
    kind: type[RequestError]
    again: bool
    cause: str
    advice: str


_BAD_CERTIFICATE = "the certificate of {host}{or_proxy} cannot be verified ({words})"
_TUNNEL_REFUSED = "the proxy {proxy} answered {words} when it was asked to connect to {host}"
_SOCKS_REFUSED = "the proxy {proxy} did not connect to {host} ({words})"
_ASK_PROXY = "check {source}, or ask the proxy's administrator to allow {host}"
_NO_CA_FILE = "the file or folder of certificates from {ca} cannot be read or does not exist, so {host} was not called"
_NO_RESOURCES = "this machine has no memory or no threads left for the call"
_RAISE_LIMITS = "end other programs, or raise the limits of this user"
_CHECK_ALL = "check api_base_url, proxy and the network"

# The first row that applies counts. The numbers are OpenSSL's X509_V_ERR_*, HTTP statuses and the replies of RFC 1928.
# fmt: off
_CAUSES = (
    _Cause(("CertificateError", "SSLCertVerificationError"), r"^(?:62|64) (.*)", Untrusted, False,
           _BAD_CERTIFICATE, "check the host's name in api_base_url, or get a certificate for that name"),
    _Cause(("SSLCertVerificationError",), r"^(?:9|10) (.*)", Untrusted, False,
           _BAD_CERTIFICATE, "renew the certificate, or correct this machine's clock"),
    _Cause(("SSLCertVerificationError",), r"^\d+ (.*)", Untrusted, False, _BAD_CERTIFICATE,
           "set ca_path to the certificate of the authority that signed it, or correct the certificate"),
    _Cause(("OSError",), r"Tunnel connection failed: (407)\b", Unreachable, False,
           _TUNNEL_REFUSED, "check the user name and the password in {source}"),
    _Cause(("OSError",), r"Tunnel connection failed: (5\d\d)\b", Unreachable, True, _TUNNEL_REFUSED, _ASK_PROXY),
    _Cause(("OSError",), r"Tunnel connection failed: (\d{3})\b", Unreachable, False, _TUNNEL_REFUSED, _ASK_PROXY),
    _Cause(("SOCKS5AuthError",), r"(.*)", Unreachable, False, "the proxy {proxy} refused the authentication ({words})",
           "check the user name and the password in {source}"),
    _Cause(("SOCKS4Error", "SOCKS5Error"), r"^0x0[13456]: (.*)", Unreachable, True, _SOCKS_REFUSED, _ASK_PROXY),
    _Cause(("SOCKS4Error", "SOCKS5Error"), r"^0x..: (.*)", Unreachable, False, _SOCKS_REFUSED, _ASK_PROXY),
    _Cause(("NewConnectionError", "ConnectTimeoutError"), "", Unreachable, True,
           "{way} cannot be reached ({root})", "{check_way}"),
    # The parts of OpenSSL that read certificates.
    _Cause(("SSLError",), r"^(?:x509|pem|asn1): ", Unsendable, False, "the file or folder of certificates from {ca}"
           " contains no certificate that can be read, so {host} was not called", "{correct_ca}"),
    _Cause(("OSError",), "CA certificate bundle", Unsendable, False, _NO_CA_FILE, "{correct_ca}"),
    _Cause(("FileNotFoundError", "PermissionError", "IsADirectoryError"), "", Unsendable, False,
           _NO_CA_FILE, "{correct_ca}"),
    # How OpenSSL reports an answer that is not TLS; this depends on its version.
    _Cause(("SSLError",), r"^[a-z0-9]*: (?:wrong version number|http request|unknown protocol|packet length too long"
           r"|record layer failure)$", Unreachable, False,
           "{host}{or_proxy} does not speak TLS", "check the port in {addresses}"),
    _Cause(("SSLError",), r"^[a-z0-9]*: (.+)", Unreachable, False,
           "{host} and this machine cannot agree on a TLS connection ({words})",
           "check {addresses}, and which versions of TLS both sides allow"),
    _Cause(("InvalidSchema",), "SOCKS", Unsendable, False,
           "the proxy in {source} is a SOCKS proxy, but this Python lacks the library for it",
           "install PySocks, or use an HTTP proxy"),
    _Cause(("MemoryError",), "", Unsendable, False, _NO_RESOURCES, _RAISE_LIMITS),
    _Cause(("RuntimeError",), "start new thread", Unsendable, False, _NO_RESOURCES, _RAISE_LIMITS),
)
# fmt: on
_INVALID_ADDRESS = _Cause(
    (), "", Unsendable, False, "{address} is not a valid {party} address ({words})", "correct {address}"
)
_ENDED = _Cause(
    (), "", Unreachable, True, "the connection to {host}{through} ended before anything was sent ({root})", _CHECK_ALL
)


@dataclass(frozen=True)
class Route:
    """How the API is reached, in words that may be shown.

    host: the host of the API. proxy: host and port of the proxy, or None. proxy_source, ca_source: the option or
    environment variable that sets the proxy or the trusted certificates, or None.
    """

    host: str
    proxy: str | None = None
    proxy_source: str | None = None
    ca_source: str | None = None


def network_error(call: Call, error: BaseException, route: Route, *, form_was_read: bool) -> RequestError:
    """Say why a try failed.

    error: what was raised. form_was_read: whether the form was read to be sent. When in doubt, True.
    """
    chain = list(_chain(error))
    root = _root(chain)
    if form_was_read:
        return NoAnswer(call, f"{route.host} sent no complete answer ({root})", "run the play again")
    cause, words = _find(chain)
    names = {**_names(route), "words": words, "root": root}
    status = int(words) if cause.cause == _TUNNEL_REFUSED else None
    found = cause.kind(call, cause.cause.format_map(names), cause.advice.format_map(names), status=status)
    found.transient = cause.again
    return found


def _find(chain: list[BaseException]) -> tuple[_Cause, str]:
    """Return the row for a chain of exceptions, and its {words}."""
    for cause in _CAUSES:
        for link in chain:
            match = re.search(cause.says, _said(link)) if _is_a(link, *cause.raised) else None
            if match:
                words = match[match.lastindex or 0]
                return cause, words if isinstance(link, ssl.SSLError) else shown(words)
    # Both libraries raise ValueError for an address that cannot be parsed. Errors that come neither from them nor from
    # the operating system were raised before anything could be sent.
    first = chain[0]
    if isinstance(first, ValueError) or not (isinstance(first, OSError) or _is_a(first, "HTTPError")):
        return _INVALID_ADDRESS, type(first).__name__
    return _ENDED, ""


def _names(route: Route) -> dict[str, str]:
    """Return what the sentences of the table call the parts of a route."""
    source = route.proxy_source or "proxy"
    proxy = f"the proxy {route.proxy}"
    return {
        "host": route.host,
        "proxy": f"{route.proxy}",
        "source": source,
        "or_proxy": f", or {proxy} in front of it," if route.proxy else "",
        "through": f" through {proxy}" if route.proxy else "",
        "way": f"{proxy} on the way to {route.host}" if route.proxy else route.host,
        "check_way": f"check {source} and the network" if route.proxy else _CHECK_ALL,
        "addresses": f"api_base_url and {source}" if route.proxy else "api_base_url",
        "address": source if route.proxy else "api_base_url",
        "party": "proxy" if route.proxy else "server",
        "ca": route.ca_source or "the Python package certifi",
        "correct_ca": f"correct {route.ca_source}" if route.ca_source else "reinstall certifi",
    }


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all exceptions that led to it, wherever Python, urllib3 and requests keep them."""
    waiting, seen = [error], set()
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        kept = [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
        waiting += [part for part in kept if isinstance(part, BaseException)]


def _is_a(link: BaseException, *names: str) -> bool:
    return any(kind.__name__ in names for kind in type(link).__mro__)


def _said(link: BaseException) -> str:
    """Return what an exception says: for a certificate, the number and the text; for another TLS error, both names."""
    if _is_a(link, "CertificateError", "SSLCertVerificationError"):
        # Python before 3.10 and urllib3 before 2 compare the names themselves, and then there is no error of OpenSSL.
        return f"{getattr(link, 'verify_code', 62)} {getattr(link, 'verify_message', 'it is for another name')}"
    if isinstance(link, _INTERRUPTED):
        return ""
    if isinstance(link, ssl.SSLError):
        names = f"{getattr(link, 'library', None) or ''}: {getattr(link, 'reason', None) or ''}"
        return names.replace("_", " ").lower()
    return str(link)


def _root(chain: list[BaseException]) -> str:
    """Say in a few words what happened, quoting only the operating system or OpenSSL."""
    for link in reversed(chain):
        # In Python 3.9, socket.timeout is not a TimeoutError. urllib3 has its own exceptions for the same.
        if type(link).__name__ in ("TimeoutError", "timeout", "ReadTimeoutError", "ConnectTimeoutError"):
            return "timed out"
        words = _said(link).partition(": ")[2] if isinstance(link, ssl.SSLError) else getattr(link, "strerror", None)
        if words:
            return str(words)
    invalid = [link for link in chain if _is_a(link, "HTTPException", "InvalidHeader")]
    if all(_is_a(link, "RemoteDisconnected", "IncompleteRead") for link in invalid):
        return "the connection was closed early"
    return "the answer is not valid HTTP"
