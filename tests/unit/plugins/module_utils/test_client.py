# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against a real server: each kind of failure, and where it sends the credentials."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
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


def test_a_name_that_does_not_resolve_is_reported(make_client: MakeClient) -> None:
    error = failure(make_client("https://no-such-host.invalid", retries=0), "generate")
    assert isinstance(error, errors.Unreachable)
    assert "no-such-host.invalid cannot be reached" in str(error)


# 429: not carried out, so every call is tried again


@EACH_CALL
def test_too_many_requests_are_tried_again(make_client: MakeClient, sandbox: Sandbox, operation: str) -> None:
    sandbox.fail(operation, status=429, headers={"Retry-After": "0"}, times=2)
    CALLS[operation](make_client(sandbox))
    assert len(sandbox.calls(operation)) == 3


@pytest.mark.parametrize("header", ["Retry-After", "X-Rate-Limit-Retry"])
def test_the_wait_that_the_api_asks_for_is_waited(make_client: MakeClient, sandbox: Sandbox, header: str) -> None:
    value = "1" if header == "Retry-After" else str(int(time.time()) + 2)
    sandbox.fail("generate", status=429, headers={header: value})
    start = time.monotonic()
    make_client(sandbox).generate(None)
    assert 0.5 < time.monotonic() - start < 5


@EACH_CALL
def test_a_wait_past_max_wait_fails_at_once_and_says_when(
    make_client: MakeClient, sandbox: Sandbox, operation: str
) -> None:
    sandbox.fail(operation, status=429, headers={"Retry-After": "3000"})
    error = failure(make_client(sandbox), operation)
    assert len(sandbox.calls(operation)) == 1
    assert "you can try again in 3000 s" in str(error)


def test_the_waits_of_one_call_are_added_up(make_client: MakeClient, sandbox: Sandbox) -> None:
    sandbox.fail("generate", status=429, headers={"Retry-After": "1"}, times=3)
    failure(make_client(sandbox, max_wait=1), "generate")
    assert len(sandbox.calls("generate")) == 2


@EACH_CALL
def test_a_used_up_billing_cycle_is_not_tried_again(make_client: MakeClient, sandbox: Sandbox, operation: str) -> None:
    sandbox.fail(operation, status=429, headers={"X-Rate-Limit-Type": "api_calls_cycle", "Retry-After": "0"})
    assert "billing cycle" in str(failure(make_client(sandbox), operation))
    assert len(sandbox.calls(operation)) == 1


# After sending: only calls that are safe to repeat are sent again

HALF = "half an answer"
LOST_ANSWERS: dict[str, dict[str, Any]] = {
    "cut": {"cut": True},
    "silence": {"hang": True},
    HALF: {"truncate": True},
    "500": {"status": 500},
    "503": {"status": 503, "headers": {"Retry-After": "0"}},
}
CAUSES = {"cut": "the connection was closed early", "silence": "timed out", "500": "https://status.voucherify.io"}


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


@pytest.mark.parametrize("operation", ["introspect", "revoke"])
def test_a_lasting_failure_is_reported_with_its_retries(
    make_client: MakeClient, sandbox: Sandbox, operation: str
) -> None:
    body = json.dumps({"code": 502, "message": "Bad gateway", "request_id": "v-1"})
    sandbox.fail(operation, status=502, body=body, times=9)
    error = failure(make_client(sandbox), operation)
    assert len(sandbox.calls(operation)) == 3
    assert error.as_dict() == {
        "operation": operation,
        "status": 502,
        "message": "Bad gateway",
        "request_id": "v-1",
        "retries": 2,
        "outcome_unknown": True,
    }
    assert "after 2 retries" in str(error)


# A 404 to a revocation

NOT_FOUND: dict[str, Any] = {
    "status": 404,
    "body": "<html>no such page</html>",
    "headers": {"Content-Type": "text/html"},
}


def test_a_404_to_the_retry_of_a_revoke_whose_answer_was_lost_counts_as_success(
    make_client: MakeClient, sandbox: Sandbox
) -> None:
    client = make_client(sandbox)
    token = client.generate(None).access_token
    sandbox.fail("revoke", cut=True, carried_out=True)
    # A rate limit in between does not make it forget.
    sandbox.fail("revoke", status=429, headers={"Retry-After": "0"})
    assert client.revoke(token) is True
    assert len(sandbox.calls("revoke")) == 3
    assert not sandbox.live_tokens()


def test_a_404_after_a_rate_limit_means_an_inactive_token(make_client: MakeClient, sandbox: Sandbox) -> None:
    sandbox.fail("revoke", status=429, headers={"Retry-After": "0"})
    assert make_client(sandbox).revoke("an-unknown-token") is False
    assert {call.operation for call in sandbox.requests()} == {"revoke"}


def test_a_404_after_a_failure_of_the_server_claims_neither_success_nor_failure(
    make_client: MakeClient, sandbox: Sandbox
) -> None:
    client = make_client(sandbox)
    token = client.generate(None).access_token
    sandbox.fail("revoke", status=500, carried_out=True)
    assert client.revoke(token) is None


def test_a_404_with_a_body_means_an_inactive_token_when_introspection_agrees(
    make_client: MakeClient, sandbox: Sandbox
) -> None:
    sandbox.fail("revoke", **NOT_FOUND)
    client = make_client(sandbox)
    assert client.revoke("an-unknown-token") is False
    assert [call.operation for call in sandbox.requests()] == ["revoke", "introspect"]
    assert client.take_differences() == ["The 404 answer to revoke has a body."]


def test_a_404_to_the_introspection_as_well_means_a_wrong_base_url(make_client: MakeClient, sandbox: Sandbox) -> None:
    sandbox.fail("any", times=2, **NOT_FOUND)
    error = failure(make_client(sandbox), "revoke")
    assert "answered 404 to /v1/oauth/token/revoke; check api_base_url" in str(error)
    assert "html" not in str(error)


def test_a_404_with_a_body_is_an_error_when_the_token_is_active(make_client: MakeClient, sandbox: Sandbox) -> None:
    client = make_client(sandbox)
    token = client.generate(None).access_token
    sandbox.fail("revoke", **NOT_FOUND)
    with pytest.raises(errors.Refused, match="although the token is active"):
        client.revoke(token)


def test_a_404_with_a_body_is_an_error_when_the_token_cannot_be_introspected(
    make_client: MakeClient, sandbox: Sandbox
) -> None:
    sandbox.fail("revoke", **NOT_FOUND)
    sandbox.fail("introspect", status=401)
    with pytest.raises(errors.Refused) as caught:
        make_client(sandbox).revoke("an-unknown-token")
    assert caught.value.status == 401


# Refusals


@EACH_CALL
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 415])
def test_a_refusal_quotes_the_api_and_is_not_sent_again(
    make_client: MakeClient, sandbox: Sandbox, operation: str, status: int
) -> None:
    words = {"code": status, "key": "some_key", "message": "Some words", "details": "More words", "request_id": "v-9"}
    sandbox.fail(operation, status=status, body=json.dumps(words))
    # After a 404 with a body to a revocation, the token is introspected.
    if (operation, status) == ("revoke", 404):
        sandbox.fail("introspect", status=404)
    error = failure(make_client(sandbox), operation)
    assert len(sandbox.calls(operation)) == 1
    assert "Some words: More words (some_key)" in str(error)
    assert error.as_dict()["request_id"] == "v-9"


@EACH_CALL
@pytest.mark.parametrize("status", [408, 421, 425])
def test_a_call_that_was_not_processed_is_sent_again(
    make_client: MakeClient, sandbox: Sandbox, operation: str, status: int
) -> None:
    sandbox.fail(operation, status=status)
    CALLS[operation](make_client(sandbox))
    assert len(sandbox.calls(operation)) == 2


@pytest.mark.parametrize("status", [409, 423])
def test_a_busy_api_is_called_again_only_where_that_is_safe(
    make_client: MakeClient, sandbox: Sandbox, status: int
) -> None:
    sandbox.fail("introspect", status=status)
    sandbox.fail("generate", status=status)
    client = make_client(sandbox)
    assert client.introspect("an-unknown-token") is None
    assert "may have made" not in str(failure(client, "generate"))
    assert [call.operation for call in sandbox.requests()] == ["introspect", "introspect", "generate"]


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
    # See Other: the result of the call is elsewhere.
    assert error.may_have_made_a_token == ((operation, status) == ("generate", 303))


@pytest.mark.parametrize("location", ["http://[::1", "//", "https://evil.example:port/", "http://%zz", "/elsewhere"])
def test_a_redirect_to_an_unusual_url_is_reported(make_client: MakeClient, sandbox: Sandbox, location: str) -> None:
    sandbox.fail("generate", status=302, headers={"Location": location})
    assert isinstance(failure(make_client(sandbox), "generate"), errors.Redirected)


# Unusable answers

UNUSABLE_ANSWERS: dict[str, tuple[dict[str, Any], str]] = {
    "not JSON": ({"body": "<html>s3cret</html>"}, "is not a JSON object"),
    "not an object": ({"body": '["s3cret"]'}, "is not a JSON object"),
    "too long": ({"body": "{}", "body_size": 1024 * 1024 + 1}, "is longer than 1 MiB"),
    "an essential field missing": ({"body": '{"s3cret": 1}'}, "lacks (access_token|active)"),
    "an essential field of a wrong type": (
        {"body": '{"access_token": ["s3cret"], "active": "s3cret"}'},
        "has an invalid (access_token|active)",
    ),
    "compressed": ({"body": "s3cret", "headers": {"Content-Encoding": "br"}}, "is compressed"),
}


@pytest.mark.parametrize("operation", ["generate", "introspect"])
@pytest.mark.parametrize("what", UNUSABLE_ANSWERS)
def test_an_unusable_answer_is_reported_and_not_quoted(
    make_client: MakeClient, sandbox: Sandbox, operation: str, what: str
) -> None:
    answer, fault = UNUSABLE_ANSWERS[what]
    sandbox.fail(operation, status=200, **answer)
    error = failure(make_client(sandbox), operation)
    assert isinstance(error, errors.BadAnswer)
    assert len(sandbox.calls(operation)) == 1
    with pytest.raises(errors.BadAnswer, match=fault):
        raise error
    assert "s3cret" not in f"{error} {error.as_dict()}"


def test_the_longest_answer_allowed_is_read(make_client: MakeClient, sandbox: Sandbox) -> None:
    sandbox.fail("introspect", status=200, body='{"active": false}', body_size=1024 * 1024)
    assert make_client(sandbox).introspect("an-unknown-token") is None


# Certificates


@EACH_CALL
def test_a_certificate_that_does_not_verify_ends_the_call(
    make_client: MakeClient, secure_sandbox: Sandbox, operation: str
) -> None:
    error = failure(make_client(secure_sandbox), operation)
    assert isinstance(error, errors.Untrusted)
    assert error.retries == 0
    assert "cannot be verified (unable to get local issuer certificate); set ca_path" in str(error)
    assert not secure_sandbox.requests()


def test_ca_path_overrides_requests_ca_bundle_which_holds_otherwise(
    make_client: MakeClient, secure_sandbox: Sandbox, ca_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "another.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "another.pem"))
    assert make_client(secure_sandbox, ca_path=ca_path).generate(None)
    assert isinstance(failure(make_client(secure_sandbox), "generate"), errors.Untrusted)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_path)
    assert make_client(secure_sandbox).generate(None)


def test_a_ca_file_without_a_certificate_is_reported(
    make_client: MakeClient, secure_sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    error = failure(make_client(secure_sandbox, ca_path=str(tmp_path / "ca.pem")), "generate")
    assert isinstance(error, errors.Unsendable)
    assert "from ca_path contains no certificate" in str(error)


def test_a_missing_ca_bundle_from_the_environment_is_reported(
    make_client: MakeClient, secure_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    error = failure(make_client(secure_sandbox), "generate")
    assert isinstance(error, errors.Unsendable)
    assert "from REQUESTS_CA_BUNDLE cannot be read or does not exist" in str(error)
    assert str(error).endswith("correct REQUESTS_CA_BUNDLE.")


def test_turning_off_verification_causes_no_warning_and_hides_none_of_others(
    make_client: MakeClient, secure_sandbox: Sandbox, ca_path: str, recwarn: pytest.WarningsRecorder
) -> None:
    assert make_client(secure_sandbox, ca_path=ca_path).generate(None)
    assert InsecureRequestWarning not in [category for _action, _message, category, *_rest in warnings.filters]
    assert make_client(secure_sandbox, validate_certs=False).generate(None)
    assert not [warning for warning in recwarn if warning.category is InsecureRequestWarning]


def test_a_connection_that_is_cut_after_the_handshake_is_not_a_certificate_error(
    make_client: MakeClient, secure_sandbox: Sandbox, ca_path: str
) -> None:
    secure_sandbox.fail("generate", cut=True)
    assert isinstance(failure(make_client(secure_sandbox, ca_path=ca_path), "generate"), errors.NoAnswer)
    assert len(secure_sandbox.calls("generate")) == 1


def test_a_server_without_tls_is_reported(make_client: MakeClient, sandbox: Sandbox) -> None:
    error = failure(make_client(sandbox.url.replace("http:", "https:")), "introspect")
    assert "does not speak TLS; check the port in api_base_url" in str(error)
    assert error.retries == 0


# Resources of this machine


@EACH_CALL
def test_a_call_is_not_sent_if_no_thread_can_be_started(
    make_client: MakeClient, sandbox: Sandbox, operation: str
) -> None:
    client = make_client(sandbox)
    # No machine has that much memory for the stack of a thread.
    threading.stack_size(1 << 46)
    try:
        error = failure(client, operation)
    finally:
        threading.stack_size(0)
    assert isinstance(error, errors.Unsendable)
    assert "this machine has no memory or no threads left" in str(error)
    assert not sandbox.requests()


# Proxies; see also tests/integration/test_proxies.py

ON_THE_WAY = "the proxy 127.0.0.1:1 on the way to api.invalid cannot be reached (Connection refused) after 2 retries"
NOT_VALID = "proxy is not a valid proxy address"


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("http://127.0.0.1:1", f"{ON_THE_WAY}; check proxy"),
        ("http://user:hunter2@127.0.0.1:1", ON_THE_WAY),
        ("//user:hunter2@127.0.0.1:1", ON_THE_WAY),
        ("http://user:hunter2@", NOT_VALID),
        ("nonsense://user:hunter2@x", NOT_VALID),
        ("http://user:12/hunter2@127.0.0.1:1", NOT_VALID),
        ("http://user:#hunter2@127.0.0.1:1", NOT_VALID),
        # What follows the slash may be a part of the password, and the first part is no host to look up.
        ("http://me:hunter2@hunter2/zz@127.0.0.1:1", NOT_VALID),
        ("http://hunter2?@127.0.0.1:1", NOT_VALID),
        ("hunter2/zz@127.0.0.1:1", NOT_VALID),
        ("http://user:pa@hunter2\\word@127.0.0.1:1", NOT_VALID),
        ("http://user:hunter2\n@127.0.0.1:1", NOT_VALID),
        # Without slashes, urllib3 reads the user name as a scheme.
        ("user:hunter2@127.0.0.1:1", NOT_VALID),
        ("/user", NOT_VALID),
        ("http://user:hunter2@[::1", NOT_VALID),
        ("http://user:hunter2@127.0.0.1:99999", NOT_VALID),
    ],
)
def test_an_unusable_proxy_is_reported_without_its_password(make_client: MakeClient, proxy: str, words: str) -> None:
    error = failure(make_client("https://api.invalid", proxy=proxy), "generate")
    assert words in str(error)
    hidden_chain = error.__suppress_context__ or error.__context__
    assert "hunter2" not in f"{error} {error.as_dict()} {error.__cause__} {hidden_chain}"


@pytest.mark.parametrize("source", ["option", "environment"])
def test_a_message_does_not_show_the_password_of_the_proxy(
    make_client: MakeClient, secure_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    # Both look like plain words.
    words = "hunter.hunter deploy-user hunter%2Ehunter"
    body = json.dumps({"code": 407, "message": f"Login {words} is unknown to (proxy)"})
    secure_sandbox.fail("generate", status=407, body=body)
    with connect_proxy() as proxy:
        address = proxy.url.replace("//", "//deploy-user:hunter%2Ehunter@")
        monkeypatch.setenv("HTTPS_PROXY", address)
        client = make_client(secure_sandbox, proxy=address if source == "option" else None, validate_certs=False)
        error = failure(client, "generate")
    assert error.api["message"] == "Login ******** deploy-user ******** is unknown to (proxy)"


def test_a_socks_proxy_without_pysocks_says_what_to_install(tmp_path: Path) -> None:
    # Python finds this module before the real one.
    (tmp_path / "socks.py").write_text("raise ImportError\n")
    program = """
from ansible_collections.voucherify.oauth.plugins.module_utils._api import errors
from ansible_collections.voucherify.oauth.plugins.module_utils._api.retries import Connection, HttpClient
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient

proxy = "socks5://user:hunter2@127.0.0.1:1"
connection = Connection("an-id", "a-secret", "https://api.invalid", 5, 0, 5, True, None, proxy, "voucherify.oauth/test")
try:
    OAuthClient(HttpClient(connection)).generate(None)
except errors.Unsendable as error:
    print(error, error.as_dict())
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-c", program]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "install PySocks" in finished.stdout
    assert "hunter2" not in finished.stdout


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
