# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against a real server: each kind of failure, and where it sends the credentials."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from ansible_collections.voucherify.oauth.plugins.module_utils._api import errors
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient
from ansible_collections.voucherify.oauth.plugins.module_utils._api.retries import Connection
from loopback import connect_proxy
from sandbox import Sandbox
from urllib3.exceptions import InsecureRequestWarning

MakeClient = Callable[..., OAuthClient]
CALLS: dict[str, Callable[[OAuthClient], Any]] = {
    "generate": lambda client: client.generate(["vouchers"]),
    "introspect": lambda client: client.introspect("an-unknown-token"),
    "revoke": lambda client: client.revoke("an-unknown-token"),
}
EACH_CALL = pytest.mark.parametrize("operation", CALLS)
EACH_REDIRECT = pytest.mark.parametrize("status", [301, 302, 303, 307, 308])


def failure(client: OAuthClient, operation: str) -> errors.RequestError:
    with pytest.raises(errors.RequestError) as caught:
        CALLS[operation](client)
    assert caught.value.call.operation == operation
    return caught.value


# What goes over the wire


def test_a_call_is_a_form_with_the_api_key_in_its_headers(make_client: MakeClient, sandbox: Sandbox) -> None:
    client = make_client(sandbox)
    client.generate(["vouchers", "campaigns"])
    client.generate(None)
    request, without_scope = sandbox.requests()
    assert (request.method, request.path) == ("POST", "/v1/oauth/token")
    assert request.form == {"grant_type": "client_credentials", "scope": "vouchers campaigns"}
    assert without_scope.form == {"grant_type": "client_credentials"}
    expected = {
        "accept": "application/json",
        "accept-encoding": "identity",
        "content-type": "application/x-www-form-urlencoded",
        "user-agent": "voucherify.oauth/test",
        "x-app-id": sandbox.app_id,
        "x-app-token": sandbox.app_token,
        "x-voucherify-channel": "Ansible",
    }
    assert expected.items() <= request.headers.items()


def test_a_client_keeps_its_connection(make_client: MakeClient, sandbox: Sandbox) -> None:
    client = make_client(sandbox)
    token = client.generate(None)
    client.introspect(token.access_token)
    assert client.revoke(token.access_token) is True
    assert client.revoke(token.access_token) is False
    assert len({request.connection for request in sandbox.requests()}) == 1


def test_a_path_in_the_base_url_is_kept(make_client: MakeClient, sandbox: Sandbox) -> None:
    failure(make_client(sandbox, api_base_url=f"{sandbox.url}/gateway/eu"), "generate")
    assert sandbox.requests()[0].path == "/gateway/eu/v1/oauth/token"


def test_netrc_adds_no_credentials(
    make_client: MakeClient, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    make_client(sandbox).generate(None)
    assert "authorization" not in sandbox.requests()[0].headers


# No connection: nothing was sent, so every call is tried again


@EACH_CALL
def test_a_refused_connection_is_tried_again(make_client: MakeClient, operation: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    error = failure(make_client(f"http://127.0.0.1:{port}"), operation)
    assert isinstance(error, errors.Unreachable)
    assert error.retries == 2
    assert "cannot be reached (Connection refused) after 2 retries; check api_base_url" in str(error)


# 429: not carried out, so every call is tried again


@EACH_CALL
def test_too_many_requests_are_tried_again(make_client: MakeClient, sandbox: Sandbox, operation: str) -> None:
    sandbox.fail(operation, status=429, headers={"Retry-After": "0"}, times=2)
    CALLS[operation](make_client(sandbox))
    assert len(sandbox.calls(operation)) == 3


USED_UP = {"X-Rate-Limit-Type": "api_calls_cycle", "Retry-After": "0"}


@EACH_CALL
@pytest.mark.parametrize(
    ("headers", "words"), [({"Retry-After": "3000"}, "you can try again in 3000 s"), (USED_UP, "billing cycle")]
)
def test_a_wait_past_max_wait_or_in_vain_fails_at_once(
    make_client: MakeClient, sandbox: Sandbox, operation: str, headers: dict[str, str], words: str
) -> None:
    sandbox.fail(operation, status=429, headers=headers)
    assert words in str(failure(make_client(sandbox), operation))
    assert len(sandbox.calls(operation)) == 1


def test_the_waits_of_one_call_are_waited_and_added_up(make_client: MakeClient, sandbox: Sandbox) -> None:
    sandbox.fail("generate", status=429, headers={"Retry-After": "1"}, times=3)
    start = time.monotonic()
    failure(make_client(sandbox, max_wait=1), "generate")
    assert 1 <= time.monotonic() - start < 5
    assert len(sandbox.calls("generate")) == 2


# After sending: only calls that are safe to repeat are sent again

HALF = "half an answer"
LOST_ANSWERS: dict[str, dict[str, Any]] = {
    "cut": {"cut": True},
    "silence": {"hang": True},
    HALF: {"truncate": True},
    "500": {"status": 500},
    "503": {"status": 503, "headers": {"Retry-After": "0"}},
}
CAUSES = {
    "cut": "the connection was closed early",
    "silence": "timed out",
    HALF: "the connection was closed early",
    "500": "https://status.voucherify.io",
}


@pytest.mark.parametrize("fault", LOST_ANSWERS)
def test_generate_is_never_sent_again_once_it_may_have_been_carried_out(
    make_client: MakeClient, sandbox: Sandbox, fault: str
) -> None:
    sandbox.fail("generate", carried_out=fault != HALF, **LOST_ANSWERS[fault])
    error = failure(make_client(sandbox, timeout=0.5), "generate")
    assert len(sandbox.calls("generate")) == 1
    assert len(sandbox.live_tokens()) == 1
    assert "may have made a token that was lost" in str(error)
    assert CAUSES.get(fault, "") in str(error)


# The answer to a revocation has no body that could be cut in half.
@pytest.mark.parametrize(
    ("operation", "fault"),
    [(call, name) for call in ("introspect", "revoke") for name in LOST_ANSWERS if (call, name) != ("revoke", HALF)],
)
def test_a_call_that_is_safe_to_repeat_is_sent_again(
    make_client: MakeClient, sandbox: Sandbox, operation: str, fault: str
) -> None:
    sandbox.fail(operation, **LOST_ANSWERS[fault])
    CALLS[operation](make_client(sandbox, timeout=0.5 if fault == "silence" else 5))
    assert len(sandbox.calls(operation)) == 2


def test_a_lasting_failure_is_reported_with_its_retries(make_client: MakeClient, sandbox: Sandbox) -> None:
    body = {"code": 502, "key": "some_key", "message": "Some words", "details": "More words", "request_id": "v-9"}
    sandbox.fail("revoke", status=502, body=json.dumps(body), times=9)
    error = failure(make_client(sandbox), "revoke")
    assert len(sandbox.calls("revoke")) == 3
    said = {name: text for name, text in body.items() if name != "code"}
    about = {"operation": "revoke", "status": 502, "retries": 2, "outcome_unknown": True}
    assert error.as_dict() == {**said, **about}
    assert "Some words: More words (some_key) after 2 retries" in str(error)


@EACH_CALL
def test_a_refusal_is_not_sent_again(make_client: MakeClient, sandbox: Sandbox, operation: str) -> None:
    sandbox.fail(operation, status=400, body='{"message": 7, "key": ["x"]}')
    assert "answered 400; correct what" in str(failure(make_client(sandbox), operation))
    assert len(sandbox.calls(operation)) == 1


# A 404 to a revocation

LOST = {"cut": True, "carried_out": True}
LIMITED = {"status": 429, "headers": {"Retry-After": "0"}}
FAILED = {"status": 500, "carried_out": True}
NOT_FOUND = {"status": 404, "body": "<html>no such page</html>", "headers": {"Content-Type": "text/html"}}


@pytest.mark.parametrize(
    ("faults", "is_active", "outcome", "introspections"),
    [
        # A rate limit in between does not make it forget that the answer to its first try was lost.
        ([LOST, LIMITED], True, True, 0),
        ([LIMITED], False, False, 0),
        ([FAILED], True, None, 0),
        ([NOT_FOUND], False, False, 1),
    ],
)
def test_a_404_to_a_revocation_is_interpreted_by_what_happened_before(  # noqa: PLR0917 - pytest gives them by name
    make_client: MakeClient,
    sandbox: Sandbox,
    faults: list[dict[str, Any]],
    is_active: bool,
    outcome: bool | None,
    introspections: int,
) -> None:
    client = make_client(sandbox)
    token = client.generate(None).access_token if is_active else "an-unknown-token"
    for fault in faults:
        sandbox.fail("revoke", **fault)
    assert client.revoke(token) is outcome
    assert not sandbox.live_tokens()
    assert len(sandbox.calls("introspect")) == introspections
    assert client.take_differences() == ["The 404 answer to revoke has a body."] * introspections


@pytest.mark.parametrize(
    ("fault", "is_active", "words"),
    [
        (NOT_FOUND, False, "answered 404 to /v1/oauth/token/revoke; check api_base_url"),
        ({"status": 401}, False, "Cannot introspect the token: .* answered 401"),
        (None, True, "although the token is active; ask Voucherify's support"),
    ],
)
def test_a_404_with_a_body_is_an_error_unless_introspection_says_that_the_token_is_inactive(
    make_client: MakeClient, sandbox: Sandbox, fault: dict[str, Any] | None, is_active: bool, words: str
) -> None:
    client = make_client(sandbox)
    token = client.generate(None).access_token if is_active else "an-unknown-token"
    sandbox.fail("revoke", **NOT_FOUND)
    if fault:
        sandbox.fail("introspect", **fault)
    with pytest.raises(errors.Refused, match=words):
        client.revoke(token)


# Redirects


@EACH_CALL
@EACH_REDIRECT
def test_a_redirect_is_reported_and_its_target_receives_nothing(
    make_client: MakeClient, sandbox: Sandbox, secure_sandbox: Sandbox, operation: str, status: int
) -> None:
    sandbox.fail(operation, status=status, headers={"Location": f"{secure_sandbox.url}/v1/oauth/token"})
    error = failure(make_client(sandbox, validate_certs=False), operation)
    assert not secure_sandbox.requests()
    assert isinstance(error, errors.Redirected)
    assert "a redirect to 127.0.0.1" in str(error)
    assert len(sandbox.calls(operation)) == 1


# Unusable answers

UNUSABLE_ANSWERS = {
    '{"s3cret": 1}': "lacks (access_token|active)",
    '{"access_token": ["s3cret"], "active": "s3cret"}': "has an invalid (access_token|active)",
    "{" + " " * 1024 * 1024 + "}": "is longer than 1 MiB",
}


@pytest.mark.parametrize("operation", ["generate", "introspect"])
@pytest.mark.parametrize(("body", "fault"), UNUSABLE_ANSWERS.items(), ids=UNUSABLE_ANSWERS.values())
def test_an_unusable_answer_is_reported_and_not_quoted(
    make_client: MakeClient, sandbox: Sandbox, operation: str, body: str, fault: str
) -> None:
    sandbox.fail(operation, status=200, body=body)
    error = failure(make_client(sandbox), operation)
    assert isinstance(error, errors.BadAnswer)
    assert len(sandbox.calls(operation)) == 1
    assert re.search(fault, str(error))
    assert "s3cret" not in f"{error} {error.as_dict()}"


def test_the_longest_answer_allowed_is_read(make_client: MakeClient, sandbox: Sandbox) -> None:
    sandbox.fail("introspect", status=200, body='{"active": false}'.ljust(1024 * 1024))
    assert make_client(sandbox).introspect("an-unknown-token") is None


# Certificates


@EACH_CALL
def test_a_certificate_that_does_not_verify_ends_the_call(
    make_client: MakeClient, secure_sandbox: Sandbox, operation: str
) -> None:
    error = failure(make_client(secure_sandbox), operation)
    assert isinstance(error, errors.Unreachable)
    assert error.retries == 0
    assert "cannot be verified (unable to get local issuer certificate); set ca_path" in str(error)
    assert not secure_sandbox.requests()


def test_ca_path_overrides_requests_ca_bundle_which_holds_otherwise(
    make_client: MakeClient, secure_sandbox: Sandbox, ca_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "another.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "another.pem"))
    assert make_client(secure_sandbox, ca_path=ca_path).generate(None)
    assert "cannot be verified" in str(failure(make_client(secure_sandbox), "generate"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_path)
    assert make_client(secure_sandbox).generate(None)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_reported(
    make_client: MakeClient, secure_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    if content:
        (tmp_path / "ca.pem").write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    error = failure(make_client(secure_sandbox), "generate")
    assert "the certificates from REQUESTS_CA_BUNDLE cannot be read" in str(error)
    assert str(error).endswith("check REQUESTS_CA_BUNDLE on the machine where the task runs.")


def test_turning_off_verification_causes_no_warning_and_hides_none_of_others(
    make_client: MakeClient, secure_sandbox: Sandbox, ca_path: str, recwarn: pytest.WarningsRecorder
) -> None:
    assert make_client(secure_sandbox, ca_path=ca_path).generate(None)
    assert InsecureRequestWarning not in [category for _action, _message, category, *_rest in warnings.filters]
    assert make_client(secure_sandbox, validate_certs=False).generate(None)
    assert not [warning for warning in recwarn if warning.category is InsecureRequestWarning]


def test_a_server_without_tls_is_reported(make_client: MakeClient, sandbox: Sandbox) -> None:
    error = failure(make_client(sandbox.url.replace("http:", "https:")), "introspect")
    assert "cannot agree on a TLS connection" in str(error)
    assert error.retries == 0


# Resources of this machine


def test_a_call_is_not_sent_if_no_thread_can_be_started(make_client: MakeClient, sandbox: Sandbox) -> None:
    # No machine has that much memory for the stack of a thread.
    threading.stack_size(1 << 46)
    try:
        error = failure(make_client(sandbox), "generate")
    finally:
        threading.stack_size(0)
    assert isinstance(error, errors.Unreachable)
    assert "this machine has no memory or no threads left" in str(error)
    assert not sandbox.requests()


# Proxies; see also tests/integration/test_proxies.py

ON_THE_WAY = "api.invalid cannot be reached through the proxy 127.0.0.1:1 (Connection refused) after 2 retries"
NOT_VALID = "proxy is not a valid address"


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("http://127.0.0.1:1", f"{ON_THE_WAY}; check proxy"),
        ("http://user:hunter2@127.0.0.1:1", ON_THE_WAY),
        ("//user:hunter2@127.0.0.1:1", ON_THE_WAY),
        ("http://user:hunter2@", NOT_VALID),
        ("nonsense://user:hunter2@x", NOT_VALID),
        # What follows the slash may be a part of the password, and the first part is no host to look up.
        ("http://me:hunter2@hunter2/zz@127.0.0.1:1", NOT_VALID),
        ("http://hunter2?@127.0.0.1:1", NOT_VALID),
        ("http://user:pa@hunter2\\word@127.0.0.1:1", NOT_VALID),
        ("http://user:hunter2\n@127.0.0.1:1", NOT_VALID),
        # Without slashes, urllib3 reads the user name as a scheme.
        ("user:hunter2@127.0.0.1:1", f"{NOT_VALID}; begin it with http://"),
        ("http://user:hunter2@[::1", NOT_VALID),
        ("http://user:hunter2@127.0.0.1:99999", NOT_VALID),
    ],
)
def test_an_unusable_proxy_is_reported_without_its_password(make_client: MakeClient, proxy: str, words: str) -> None:
    error = failure(make_client("https://api.invalid", proxy=proxy), "generate")
    assert words in str(error)
    hidden_chain = error.__suppress_context__ or error.__context__
    assert "hunter2" not in f"{error} {error.as_dict()} {error.__cause__} {hidden_chain}"


def test_a_message_does_not_show_the_password_of_the_proxy(
    make_client: MakeClient, secure_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Both look like plain words.
    body = {"code": 407, "message": "Login hunter.hunter deploy-user hunter%2Ehunter is unknown to (proxy)"}
    secure_sandbox.fail("generate", status=407, body=json.dumps(body))
    with connect_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//deploy-user:hunter%2Ehunter@"))
        error = failure(make_client(secure_sandbox, validate_certs=False), "generate")
    assert error.api["message"] == "Login ******** deploy-user ******** is unknown to (proxy)"


@pytest.mark.parametrize(
    ("environment", "source"),
    [
        ({"https_proxy": "1", "HTTPS_PROXY": "2", "ALL_PROXY": "3"}, "https_proxy"),
        ({"HTTPS_PROXY": "2", "all_proxy": "3"}, "HTTPS_PROXY"),
        ({"ALL_PROXY": "3"}, "ALL_PROXY"),
        # An empty variable hides the one in upper case.
        ({"https_proxy": "", "HTTPS_PROXY": "2", "ALL_PROXY": "3"}, "ALL_PROXY"),
    ],
)
def test_the_variable_that_sets_the_proxy_is_named(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], source: str
) -> None:
    for name, port in environment.items():
        monkeypatch.setenv(name, port and f"http://127.0.0.1:{port}")
    error = failure(make_client("https://api.example", retries=0), "generate")
    assert f"the proxy 127.0.0.1:{environment[source]} " in str(error)
    assert f"check {source} and the network" in str(error)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_plain_http_on_this_machine_never_goes_through_a_proxy(
    make_client: MakeClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://proxy.invalid:3128")
    assert make_client(sandbox).generate(None)
    assert "proxy.invalid" not in str(failure(make_client("http://127.0.0.1:1", retries=0), "generate"))


def test_objects_that_contain_secrets_do_not_show_them_as_text(make_client: MakeClient, sandbox: Sandbox) -> None:
    proxy = "http://user:hunter2@127.0.0.1"
    connection = Connection("an-id", "hunter2", sandbox.url, 5, 0, 5, True, None, proxy, "voucherify.oauth/test")
    token = make_client(sandbox).generate(None)
    assert "hunter2" not in f"{connection}"
    assert token.access_token not in repr(token)
