# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Explain why a try got no answer, and whether anything was sent. Turns exceptions into a RequestError. No I/O.

Whether the form was read is known and not derived from the exceptions. They only provide the words, and show whether
another try can succeed.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import Call, NoAnswer, RequestError, Unreachable, Unsendable, Untrusted

_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (\d{3})\b")
_SOCKS_REPLY = re.compile(r"0x[0-9A-Fa-f]{2}\b")
# The replies of RFC 1928 about a general failure, the network or the host. The others are about rules or abilities.
_TRANSIENT_SOCKS_REPLIES = ("0x01", "0x03", "0x04", "0x05", "0x06")
# What Python raises if a connection ended during the handshake. Other TLS errors are the same at every try.
_INTERRUPTED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
# How OpenSSL reports an answer that is not TLS; this depends on its version.
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "UNKNOWN_PROTOCOL",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
)
# OpenSSL's X509_V_ERR_*: not yet valid, expired; and a mismatch of the name or the address.
_WRONG_TIME = (9, 10)
_WRONG_NAME = (62, 64)


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


def network_error(call: Call, error: BaseException | None, route: Route, *, form_was_read: bool) -> RequestError:
    """Say why a try failed.

    error: what was raised; None if a connection was open and the time of the try was up.
    form_was_read: whether the form was read to be sent. When in doubt, True.
    """
    chain = list(_chain(error or TimeoutError()))
    cause = _cause(chain)
    if form_was_read:
        return NoAnswer(call, f"{route.host} sent no complete answer ({cause})", "run the play again")
    return (
        _untrusted(call, chain, route)
        or _refused_by_proxy(call, chain, route)
        or _refused_by_socks_proxy(call, chain, route)
        or _unusable_certificates(call, chain, route)
        or _no_common_tls(call, chain, route)
        or _unsendable(call, chain, route)
        or _unreachable(call, chain, route, cause)
    )


def _untrusted(call: Call, chain: list[BaseException], route: Route) -> RequestError | None:
    for link in chain:
        if not _is_a(link, "SSLCertVerificationError", "CertificateError"):
            continue
        # Python before 3.10 and urllib3 before 2 compare the names themselves, and then there is no error of OpenSSL.
        words = getattr(link, "verify_message", "it is for another name")
        code = getattr(link, "verify_code", _WRONG_NAME[0])
        advice = "set ca_path to the certificate of the authority that signed it, or correct the certificate"
        if code in _WRONG_NAME:
            advice = "check the host's name in api_base_url, or get a certificate for that name"
        elif code in _WRONG_TIME:
            advice = "renew the certificate, or correct this machine's clock"
        # If the proxy itself uses TLS, it may be the certificate of either.
        other = f", or of the proxy {route.proxy} in front of it," if route.proxy else ""
        return Untrusted(call, f"the certificate of {route.host}{other} cannot be verified ({words})", advice)
    return None


def _refused_by_proxy(call: Call, chain: list[BaseException], route: Route) -> RequestError | None:
    # The text after the status comes from the proxy and is not shown.
    status = next((int(match[1]) for link in chain if (match := _TUNNEL_REFUSED.search(str(link)))), None)
    if status is None:
        return None
    source = route.proxy_source or "proxy"
    advice = {
        403: f"ask the proxy's administrator to allow {route.host}, or set another proxy in {source}",
        407: f"check the user name and the password in {source}",
    }.get(status, f"check {source}, or ask the proxy's administrator")
    cause = f"the proxy {route.proxy} answered {status} when it was asked to connect to {route.host}"
    error = Unreachable(call, cause, advice, status=status)
    error.transient = status >= 500
    return error


def _refused_by_socks_proxy(call: Call, chain: list[BaseException], route: Route) -> RequestError | None:
    for link in chain:
        source = route.proxy_source or "proxy"
        if _is_a(link, "SOCKS5AuthError"):
            cause, advice = "refused the authentication", f"check the user name and the password in {source}"
            # PySocks mentions methods when the proxy chose none of the offered ones (RFC 1928, section 3).
            if "methods" in str(link):
                cause = "accepted none of the offered authentication methods"
                advice = f"set a user name and a password in {source}, or ask the proxy's administrator"
            is_transient = False
        # PySocks begins its text with the reply's code (RFC 1928, section 6).
        elif _is_a(link, "SOCKS4Error", "SOCKS5Error") and (match := _SOCKS_REPLY.match(str(link))):
            cause = f"answered {match[0]} when it was asked to connect to {route.host}"
            advice = f"check {source}, or ask the proxy's administrator to allow {route.host}"
            is_transient = match[0] in _TRANSIENT_SOCKS_REPLIES
        else:
            continue
        error = Unreachable(call, f"the proxy {route.proxy} {cause}", advice)
        error.transient = is_transient
        return error
    return None


def _unusable_certificates(call: Call, chain: list[BaseException], route: Route) -> RequestError | None:
    if _not_connected(chain):
        return None
    for link in chain:
        # X509 and PEM are the parts of OpenSSL that read certificates.
        unreadable = isinstance(link, ssl.SSLError) and getattr(link, "library", "") in ("X509", "PEM", "ASN1")
        missing = "CA certificate bundle" in str(link) or isinstance(
            link, (FileNotFoundError, PermissionError, IsADirectoryError)
        )
        if unreadable or missing:
            source = route.ca_source or "the Python package certifi"
            fault = "contains no certificate that can be read" if unreadable else "cannot be read or does not exist"
            what = f"the file or folder of certificates from {source} {fault}"
            advice = f"correct {source}" if route.ca_source else "reinstall certifi"
            return Unsendable(call, f"{what}, so {route.host} was not called", advice)
    return None


def _no_common_tls(call: Call, chain: list[BaseException], route: Route) -> RequestError | None:
    """Explain a handshake that fails in the same way each time."""
    for link in chain:
        reason = _openssl_reason(link)
        if reason:
            names = "api_base_url" + (f" and {route.proxy_source}" if route.proxy_source else "")
            if reason in _NOT_TLS:
                other = f", or the proxy {route.proxy} in front of it," if route.proxy else ""
                cause, advice = f"{route.host}{other} does not speak TLS", f"check the port in {names}"
            else:
                words = reason.replace("_", " ").lower()
                cause = f"{route.host} and this machine cannot agree on a TLS connection ({words})"
                advice = f"check {names}, and which versions of TLS both sides allow"
            error = Unreachable(call, cause, advice)
            error.transient = False
            return error
    return None


def _unsendable(call: Call, chain: list[BaseException], route: Route) -> RequestError | None:
    if any(_is_a(link, "InvalidSchema") and "SOCKS" in str(link) for link in chain):
        return Unsendable(
            call,
            f"the proxy in {route.proxy_source} is a SOCKS proxy, but this Python lacks the library for it",
            "install PySocks, or use an HTTP proxy",
        )
    if any(isinstance(link, MemoryError) or "start new thread" in str(link) for link in chain):
        return Unsendable(
            call,
            "this machine has no memory or no threads left for the call",
            "end other programs, or raise the limits of this user",
        )
    # Both libraries raise ValueError for an address that cannot be parsed. Errors that come neither from them nor from
    # the operating system were raised before anything could be sent.
    if isinstance(chain[0], ValueError) or not (isinstance(chain[0], OSError) or _is_a(chain[0], "HTTPError")):
        source = route.proxy_source or "api_base_url"
        what = "proxy" if route.proxy_source else "server"
        return Unsendable(
            call, f"{source} is not a valid {what} address ({type(chain[0]).__name__})", f"correct {source}"
        )
    return None


def _unreachable(call: Call, chain: list[BaseException], route: Route, cause: str) -> RequestError:
    not_connected = _not_connected(chain)
    if route.proxy and not_connected:
        words = f"the proxy {route.proxy} on the way to {route.host} cannot be reached ({cause})"
        return Unreachable(call, words, f"check {route.proxy_source} and the network")
    advice = "check api_base_url, proxy and the network"
    if not_connected:
        return Unreachable(call, f"{route.host} cannot be reached ({cause})", advice)
    through = f" through the proxy {route.proxy}" if route.proxy else ""
    words = f"the connection to {route.host}{through} ended before anything was sent ({cause})"
    return Unreachable(call, words, advice)


def _not_connected(chain: list[BaseException]) -> bool:
    return any(_is_a(link, "NewConnectionError", "ConnectTimeoutError") for link in chain)


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
    """Whether an exception is of a class of requests or urllib3, by name, so that neither has to be imported here."""
    return any(kind.__name__ in names for kind in type(link).__mro__)


def _openssl_reason(link: BaseException) -> str:
    """Return OpenSSL's name for an error that is the same at every try; empty for any other exception."""
    if not isinstance(link, ssl.SSLError) or isinstance(link, _INTERRUPTED):
        return ""
    return getattr(link, "reason", None) or ""


def _cause(chain: list[BaseException]) -> str:
    """Say in a few words what happened, quoting only the operating system or OpenSSL."""
    for link in reversed(chain):
        # In Python 3.9, socket.timeout is not a TimeoutError. urllib3 has its own exception for the same.
        if isinstance(link, (TimeoutError, socket.timeout)) or _is_a(link, "ReadTimeoutError"):
            return "timed out"
        if _openssl_reason(link):
            return _openssl_reason(link).replace("_", " ").lower()
        if isinstance(link, OSError) and link.strerror and not isinstance(link, ssl.SSLError):
            return str(link.strerror)
    if any(
        _is_a(link, "HTTPException", "InvalidHeader") and not _is_a(link, "RemoteDisconnected", "IncompleteRead")
        for link in chain
    ):
        return "the answer is not valid HTTP"
    return "the connection was closed early"
