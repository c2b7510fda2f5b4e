# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions of a call without an answer become the right error with the right message. Uses no sockets."""

from __future__ import annotations

import socket
import ssl
from http.client import RemoteDisconnected

import pytest
import requests
import urllib3
from ansible_collections.voucherify.oauth.plugins.module_utils._api.errors import (
    Call,
    NoAnswer,
    Unreachable,
)
from ansible_collections.voucherify.oauth.plugins.module_utils._api.network_error import Route, network_error
from hypothesis import given
from hypothesis import strategies as st

CALL = Call("generate", "generate a token", "/v1/oauth/token", success=200, risk_if_repeated="it may have made a token")
DIRECT = Route("api.example")
PROXIED = Route("api.example", "proxy.example:3128", "HTTPS_PROXY")


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


class CertificateError(ValueError):
    """Like the one in urllib3 1.26, which newer versions do not have."""


BY_URLLIB3 = wrapped(CertificateError("x"), requests.ConnectionError)
TUNNEL_CUT = wrapped(RemoteDisconnected("s3cret"), requests.exceptions.ProxyError)
# The exception, the route, whether the call may be sent again, and part of the message. What real servers and proxies
# can cause is in test_client.py and test_transport.py.
CASES: dict[str, tuple[Exception, Route, bool, str]] = {
    "timed out": (TimeoutError(), DIRECT, True, "ended before anything was sent (timed out)"),
    "a firewall": (not_connected(PermissionError(1, "Not permitted")), DIRECT, True, "be reached (Not permitted)"),
    "no such name": (not_connected(socket.gaierror(-2, "Name unknown")), DIRECT, True, "(Name unknown); check api_bas"),
    "tunnel cut": (TUNNEL_CUT, PROXIED, True, "proxy.example:3128 in front of it, ended before anything was sent"),
    "handshake cut": (wrapped(tls_error(ssl.SSLEOFError), requests.ConnectionError), DIRECT, True, "closed early"),
    "handshake cut, OpenSSL 3": (tls_error(reason="UNEXPECTED_EOF_WHILE_READING"), DIRECT, True, "ended before"),
    "no TLS behind a proxy": (
        tls_error(reason="RECORD_LAYER_FAILURE"),
        *(PROXIED, False, "(record layer failure); check the port in api_base_url and HTTPS_PROXY"),
    ),
    "name, by Python 3.9": (ssl.SSLCertVerificationError("s3cret"), DIRECT, False, "name in api_base_url"),
    "name, by urllib3": (BY_URLLIB3, DIRECT, False, "name in api_base_url"),
    "expired": (unverified(10, "certificate has expired"), DIRECT, False, "renew the certificate"),
    "refused by Python 3.13": (
        unverified(85, "Missing Authority Key Identifier"),
        *(DIRECT, False, "(Missing Authority Key Identifier); the authority must issue certificates that newer"),
    ),
    "unreadable": (PermissionError(13, "Denied"), Route("api.example", ca="ca_path"), False, "check ca_path on the"),
    "no bundle": (OSError("Could not find a suitable TLS CA certificate bundle"), DIRECT, False, "certifi cannot be"),
    "malformed host": (UnicodeError("s3cret"), DIRECT, False, "api_base_url is not a valid address"),
    "no library for SOCKS": (requests.exceptions.InvalidSchema("Missing SOCKS"), PROXIED, False, "install PySocks"),
    "no memory": (MemoryError(), DIRECT, False, "no memory or no threads left"),
}


@pytest.mark.parametrize("case", CASES)
def test_whether_anything_was_sent_depends_on_the_form_and_not_on_what_was_raised(case: str) -> None:
    error, route, again, words = CASES[case]
    before = network_error(CALL, error, route, form_was_read=False)
    assert isinstance(before, Unreachable)
    assert before.may_be_sent_again is again
    assert not before.may_have_made_a_token
    assert words in str(before)
    after = network_error(CALL, error, route, form_was_read=True)
    assert isinstance(after, NoAnswer)
    assert after.may_have_made_a_token
    assert not after.may_be_sent_again
    assert ("raise timeout if the API is slow; run" in str(after)) is ("(timed out)" in str(after))
    assert ("check the port in api_base_url if" in str(after)) is ("the answer is not HTTP)" in str(after))
    assert "s3cret" not in f"{before} {before.as_dict()} {after} {after.as_dict()}"


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
