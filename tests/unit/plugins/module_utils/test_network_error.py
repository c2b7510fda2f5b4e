# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions of a call without an answer become the right error with the right message. Uses no sockets."""

from __future__ import annotations

import socket
import ssl
from http.client import BadStatusLine, RemoteDisconnected

import pytest
import requests
import urllib3
from ansible_collections.voucherify.oauth.plugins.module_utils._api.errors import (
    Call,
    NoAnswer,
    RequestError,
    Unreachable,
    Unsendable,
    Untrusted,
)
from ansible_collections.voucherify.oauth.plugins.module_utils._api.network_error import Route, network_error
from hypothesis import given
from hypothesis import strategies as st

CALL = Call("generate", "generate a token", "/v1/oauth/token", success=200, risk_if_repeated="it may have made a token")
DIRECT = Route("api.example")
PROXIED = Route("api.example", "proxy.example:3128", "HTTPS_PROXY")
WITH_CA_PATH = Route("api.example", ca_source="ca_path")


def tls_error(kind: type[ssl.SSLError] = ssl.SSLError, **attributes: object) -> ssl.SSLError:
    """Return an error with the attributes that OpenSSL sets and Python's constructors do not."""
    error = kind(1, "s3cret")
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


def unverified(code: int, message: str) -> ssl.SSLError:
    return tls_error(ssl.SSLCertVerificationError, verify_code=code, verify_message=message)


def wrapped(root: BaseException, *wrappers: type[Exception]) -> Exception:
    """Return an error that wraps another, as requests wraps errors of urllib3 and urllib3 those of Python."""
    error = root
    for wrapper in wrappers:
        outer = wrapper("s3cret")
        outer.__context__ = error
        error = outer
    assert isinstance(error, Exception)
    return error


def not_connected(root: Exception) -> Exception:
    error = urllib3.exceptions.NewConnectionError(None, "s3cret")  # type: ignore[arg-type]
    error.__cause__ = root
    return wrapped(error, requests.ConnectionError)


def refused_by_proxy(status: int) -> Exception:
    return wrapped(OSError(f"Tunnel connection failed: {status} s3cret"), requests.exceptions.ProxyError)


class SOCKS5AuthError(OSError):
    """Has the name of the error in PySocks, which users need not install."""


class SOCKS5Error(OSError):
    """Has the name of the error in PySocks, which users need not install."""


class CertificateError(ValueError):
    """Like the one in urllib3 1.26, which newer versions do not have."""


def refused_by_socks_proxy(refusal: OSError) -> Exception:
    return not_connected(wrapped(refusal, OSError))


REFUSED = not_connected(ConnectionRefusedError(111, "Connection refused"))
NO_CERTIFICATE = tls_error(library="X509", reason="NO_CERTIFICATE_OR_CRL_FOUND")

# The exception, the route, the expected error, whether the call may be sent again, and part of the message.
CASES: dict[str, tuple[Exception, Route, type[RequestError], bool, str]] = {
    "timed out": (TimeoutError(), DIRECT, Unreachable, True, "ended before anything was sent (timed out)"),
    "never connected": (
        urllib3.exceptions.ConnectTimeoutError(),
        *(DIRECT, Unreachable, True, "api.example cannot be reached (timed out); check api_base_url, proxy and"),
    ),
    "refused": (REFUSED, DIRECT, Unreachable, True, "api.example cannot be reached (Connection refused)"),
    "a firewall": (not_connected(PermissionError(1, "Not permitted")), DIRECT, Unreachable, True, "Not permitted"),
    "no such name": (not_connected(socket.gaierror(-2, "Name unknown")), DIRECT, Unreachable, True, "(Name unknown)"),
    "proxy refused": (
        REFUSED,
        *(PROXIED, Unreachable, True),
        "the proxy proxy.example:3128 on the way to api.example cannot be reached (Connection refused); check "
        "HTTPS_PROXY and the network",
    ),
    "tunnel cut": (
        wrapped(RemoteDisconnected("s3cret"), requests.exceptions.ProxyError),
        *(PROXIED, Unreachable, True),
        "through the proxy proxy.example:3128 ended before anything was sent (the connection was closed early)",
    ),
    "proxy wants a password": (refused_by_proxy(407), PROXIED, Unreachable, False, "password in HTTPS_PROXY"),
    "proxy forbids": (refused_by_proxy(403), PROXIED, Unreachable, False, "to allow api.example"),
    "proxy is busy": (refused_by_proxy(502), PROXIED, Unreachable, True, "answered 502"),
    "handshake cut": (
        wrapped(tls_error(ssl.SSLEOFError), requests.exceptions.SSLError),
        *(DIRECT, Unreachable, True, "closed early"),
    ),
    "handshake silent": (wrapped(socket.timeout("s3cret"), requests.Timeout), DIRECT, Unreachable, True, "timed out"),
    "no TLS": (tls_error(reason="WRONG_VERSION_NUMBER"), DIRECT, Unreachable, False, "does not speak TLS"),
    "no TLS behind a proxy": (
        tls_error(reason="RECORD_LAYER_FAILURE"),
        *(PROXIED, Unreachable, False),
        "api.example, or the proxy proxy.example:3128 in front of it, does not speak TLS; check the port in "
        "api_base_url and HTTPS_PROXY",
    ),
    "version of TLS": (tls_error(reason="UNSUPPORTED_PROTOCOL"), DIRECT, Unreachable, False, "(unsupported protocol)"),
    "authority": (unverified(20, "unable to get local issuer certificate"), DIRECT, Untrusted, False, "set ca_path"),
    "name": (unverified(62, "Hostname mismatch"), DIRECT, Untrusted, False, "(Hostname mismatch); check the host's"),
    "name, by Python 3.9": (ssl.SSLCertVerificationError("s3cret"), DIRECT, Untrusted, False, "name in api_base_url"),
    "name, by urllib3": (wrapped(CertificateError("x"), requests.ConnectionError), DIRECT, Untrusted, False, "name in"),
    "expired": (unverified(10, "certificate has expired"), DIRECT, Untrusted, False, "renew the certificate"),
    "no bundle": (OSError("Could not find a suitable TLS CA certificate bundle"), DIRECT, Unsendable, False, "certifi"),
    "unreadable": (
        wrapped(PermissionError(13, "Permission denied"), OSError),
        WITH_CA_PATH,
        Unsendable,
        False,
        "correct ca_path",
    ),
    "bad bundle": (NO_CERTIFICATE, WITH_CA_PATH, Unsendable, False, "from ca_path contains no certificate"),
    "malformed proxy": (
        requests.exceptions.InvalidProxyURL("s3cret"),
        *(PROXIED, Unsendable, False, "HTTPS_PROXY is not a valid proxy address (InvalidProxyURL)"),
    ),
    "malformed host": (UnicodeError("s3cret"), DIRECT, Unsendable, False, "correct api_base_url"),
    "no thread": (RuntimeError("can't start new thread"), DIRECT, Unsendable, False, "no memory or no threads left"),
    "no memory": (MemoryError(), DIRECT, Unsendable, False, "no memory or no threads left"),
    "SOCKS proxy refuses the password": (
        refused_by_socks_proxy(SOCKS5AuthError("SOCKS5 authentication failed")),
        *(PROXIED, Unreachable, False, "(SOCKS5 authentication failed); check the user name and the password in HTTPS"),
    ),
    "SOCKS proxy forbids": (
        refused_by_socks_proxy(SOCKS5Error("0x02: Connection not allowed by ruleset")),
        *(PROXIED, Unreachable, False),
        "the proxy proxy.example:3128 did not connect to api.example (Connection not allowed by ruleset)",
    ),
    "SOCKS proxy cannot reach": (
        refused_by_socks_proxy(SOCKS5Error("0x04: Host unreachable")),
        *(PROXIED, Unreachable, True, "did not connect to api.example (Host unreachable)"),
    ),
    "no library for SOCKS": (
        requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support."),
        *(PROXIED, Unsendable, False, "install PySocks"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_before_the_form_was_read_nothing_was_sent(case: str) -> None:
    error, route, kind, again, words = CASES[case]
    result = network_error(CALL, error, route, form_was_read=False)
    assert result.__class__ is kind
    assert result.may_be_sent_again is again
    assert not result.may_have_made_a_token
    assert words in str(result)
    assert "s3cret" not in f"{result} {result.as_dict()}"


@pytest.mark.parametrize("case", CASES)
def test_once_the_form_was_read_the_outcome_is_unknown_whatever_was_raised(case: str) -> None:
    result = network_error(CALL, *CASES[case][:2], form_was_read=True)
    assert isinstance(result, NoAnswer)
    assert result.may_have_made_a_token
    assert not result.may_be_sent_again
    assert "s3cret" not in f"{result} {result.as_dict()}"


@pytest.mark.parametrize("error", [BadStatusLine("s3cret"), requests.exceptions.InvalidHeader("s3cret")])
def test_an_answer_that_is_not_http_is_reported(error: Exception) -> None:
    result = network_error(CALL, wrapped(error, requests.ConnectionError), DIRECT, form_was_read=True)
    assert "(the answer is not valid HTTP)" in str(result)


def test_what_a_library_says_is_shown_as_plain_words() -> None:
    error = refused_by_socks_proxy(SOCKS5Error("0x01: refused for s3cret"))
    assert "(refused for ********)" in str(network_error(CALL, error, PROXIED, form_was_read=False))


@given(
    st.lists(st.sampled_from([OSError, ValueError, ssl.SSLError, KeyError, RuntimeError]), min_size=1), st.booleans()
)
def test_any_chain_of_exceptions_becomes_a_message_without_a_secret(
    kinds: list[type[Exception]], was_read: bool
) -> None:
    result = network_error(CALL, wrapped(kinds[0]("s3cret"), *kinds[1:]), PROXIED, form_was_read=was_read)
    assert result.outcome_unknown is was_read
    assert "s3cret" not in str(result)


def test_exceptions_that_refer_to_each_other_cause_no_endless_loop() -> None:
    one, other = OSError("one"), OSError("other")
    one.__context__, other.__context__ = other, one
    assert network_error(CALL, one, DIRECT, form_was_read=True)
