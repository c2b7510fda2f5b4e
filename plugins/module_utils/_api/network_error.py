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

from .errors import Call, NoAnswer, RequestError, Unreachable
from .words import shown


class _Cause(NamedTuple):
    """A row of the table.

    raised: names of exceptions, of which one, or a subclass, must be in the chain; names, because requests, urllib3 and
        PySocks are not imported here. says: a pattern in what that exception says, see `_said`; its last group, if any,
        becomes {words}.
    again: whether another try can succeed. cause, advice: see RequestError.
    """

    raised: tuple[str, ...]
    says: str
    again: bool
    cause: str
    advice: str


_TIMED_OUT = "timed out"
_CUT = "the connection was closed early, or the answer is not HTTP"
# What to check before another try, by what happened, if the form was read.
_IF_IT_HAPPENS_AGAIN = {
    _TIMED_OUT: "raise timeout if the API is slow; ",
    _CUT: "check the port in api_base_url if it happens again; ",
}
_CERTIFICATE_ERRORS = ("CertificateError", "SSLCertVerificationError")
_BAD_CERTIFICATE = "the certificate of {host}{or_proxy} cannot be verified ({words})"
_PROXY_REFUSED = "the proxy {proxy} did not connect to {host} ({words})"
_ASK_PROXY = "check the address, user name and password in {source}, or ask the proxy's administrator to allow {host}"

# The first row that applies counts. The numbers are OpenSSL's X509_V_ERR_*, HTTP statuses and the replies of RFC 1928.
# fmt: off
_CAUSES = (
    _Cause(_CERTIFICATE_ERRORS, r"^(?:62|64) (.*)", False, _BAD_CERTIFICATE,
           "check the host's name in api_base_url, or get a certificate for that name"),
    _Cause(_CERTIFICATE_ERRORS, r"^(?:9|10) (.*)", False, _BAD_CERTIFICATE,
           "renew the certificate, or correct this machine's clock"),
    # What RFC 5280 asks of a certificate. Python 3.13 and newer check it.
    _Cause(_CERTIFICATE_ERRORS, r"^(?:8\d|9[0-4]) (.*)", False, _BAD_CERTIFICATE,
           "the authority must issue certificates that newer versions of Python accept; ca_path is not the fault"),
    _Cause(_CERTIFICATE_ERRORS, r"^\d+ (.*)", False, _BAD_CERTIFICATE,
           "set ca_path to the certificate of the authority that signed it, or to a folder made by openssl rehash"),
    _Cause(("OSError",), r"^Tunnel connection failed: (5\d\d)\b|^0x0[13456]: (.*)", True, _PROXY_REFUSED, _ASK_PROXY),
    _Cause(("OSError",), r"^Tunnel connection failed: (\d+)|^0x..: (.*)|^((?:All offered )?SOCKS5 authentication.*)",
           False, _PROXY_REFUSED, _ASK_PROXY),
    _Cause(("NewConnectionError", "ConnectTimeoutError"), "", True,
           "{host} cannot be reached{through} ({root})", "{check}"),
    # The parts of OpenSSL that read certificates, and the errors ENOENT, EACCES and EISDIR.
    _Cause(("OSError",), r"^(?:x509|pem|asn1): |CA certificate bundle|^\[Errno (?:2|13|21)\]", False,
           "the certificates from {ca} cannot be read, so {host} was not called",
           "check {ca} on the machine where the task runs"),
    # Other errors of OpenSSL, which are the same at every try, unless the connection was closed.
    _Cause(("SSLError",), r"^[a-z0-9]*: (?!unexpected eof)(.+)", False,
           "{host}{or_proxy} and this machine cannot agree on a TLS connection ({words})",
           "check the port in {addresses}, and which versions of TLS both sides allow"),
    _Cause(("InvalidSchema",), "SOCKS", False, "{source} is a SOCKS proxy, but this Python lacks the library for it",
           "install PySocks, or use an HTTP proxy"),
    _Cause(("LocationValueError", "InvalidURL", "UnicodeError"), "", False, "{address} is not a valid address",
           "correct {address}"),
    _Cause(("MemoryError", "RuntimeError"), "^$|start new thread", False,
           "this machine has no memory or no threads left for the call",
           "end other programs, or raise the limits of this user"),
    _Cause(("BaseException",), "", True,
           "the connection to {host}{or_proxy} ended before anything was sent ({root})", "{check}"),
)
# fmt: on


@dataclass(frozen=True)
class Route:
    """How the API is reached, in words that may be shown.

    host: the host of the API. proxy: host and port of the proxy, or None. source: the option or environment variable
    that sets the proxy. ca: what sets the trusted certificates.
    """

    host: str
    proxy: str | None = None
    source: str = "proxy"
    ca: str = "the Python package certifi"


def network_error(call: Call, error: BaseException, route: Route, *, form_was_read: bool) -> RequestError:
    """Say why a try failed.

    error: what was raised. form_was_read: whether the form was read to be sent. When in doubt, True.
    """
    chain = list(_chain(error))
    root = _root(chain)
    if form_was_read:
        advice = _IF_IT_HAPPENS_AGAIN.get(root, "")
        return NoAnswer(call, f"{route.host} sent no complete answer ({root})", advice + call.later)
    cause, link, match = next(
        (cause, link, match)
        for cause in _CAUSES
        for link in chain
        if _is_a(link, *cause.raised) and (match := re.search(cause.says, _said(link)))
    )
    words = match[match.lastindex or 0]
    names = {**_names(route), "words": words if isinstance(link, ssl.SSLError) else shown(words), "root": root}
    found = Unreachable(call, cause.cause.format_map(names), cause.advice.format_map(names))
    found.transient = cause.again
    return found


def _names(route: Route) -> dict[str, str]:
    """Return what the sentences of the table call the parts of a route."""
    return {
        "host": route.host,
        "proxy": f"{route.proxy}",
        "source": route.source,
        "ca": route.ca,
        "or_proxy": f", or the proxy {route.proxy} in front of it," if route.proxy else "",
        "through": f" through the proxy {route.proxy}" if route.proxy else "",
        "check": f"check {route.source if route.proxy else 'api_base_url, proxy'} and the network",
        "addresses": f"api_base_url and {route.source}" if route.proxy else "api_base_url",
        "address": route.source if route.proxy else "api_base_url",
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
    if _is_a(link, *_CERTIFICATE_ERRORS):
        # Python before 3.10 and urllib3 before 2 compare the names themselves, and then there is no error of OpenSSL.
        return f"{getattr(link, 'verify_code', 62)} {getattr(link, 'verify_message', 'it is for another name')}"
    if isinstance(link, ssl.SSLError):
        names = f"{getattr(link, 'library', None) or ''}: {getattr(link, 'reason', None) or ''}"
        return names.replace("_", " ").lower()
    return str(link)


def _root(chain: list[BaseException]) -> str:
    """Say in a few words what happened, quoting only the operating system or OpenSSL."""
    for link in reversed(chain):
        # In Python 3.9, socket.timeout is not a TimeoutError. urllib3 has its own exceptions for the same.
        if type(link).__name__ in ("TimeoutError", "timeout", "ReadTimeoutError", "ConnectTimeoutError"):
            return _TIMED_OUT
        words = _said(link).partition(": ")[2] if isinstance(link, ssl.SSLError) else getattr(link, "strerror", None)
        if words:
            return str(words)
    return _CUT
