# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP layer against a real server: each kind of failure, and where it sends the credentials."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from ansible_collections.voucherify.oauth.plugins.module_utils._api import errors, waits
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient
from ansible_collections.voucherify.oauth.plugins.module_utils._api.retries import Connection, Credentials, HttpClient
from loopback import connect_proxy
from sandbox import Sandbox
from urllib3.exceptions import InsecureRequestWarning

ApiCall = Callable[[OAuthClient], Any]
GENERATE: ApiCall = lambda client: client.generate(["vouchers"])  # noqa: E731
INTROSPECT: ApiCall = lambda client: client.introspect("an-unknown-token")  # noqa: E731
REVOKE: ApiCall = lambda client: client.revoke("an-unknown-token")  # noqa: E731
CALLS = {"generate": GENERATE, "introspect": INTROSPECT, "revoke": REVOKE}
EACH_CALL = pytest.mark.parametrize("operation", CALLS)
EACH_REPEATABLE_CALL = pytest.mark.parametrize("operation", ["introspect", "revoke"])


@pytest.fixture(autouse=True)
def _short_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "BACK_OFF_BASE_SECONDS", 0.01)


@pytest.fixture(scope="module")
def _second_sandbox() -> Iterator[Sandbox]:
    with Sandbox.start(prefix="/gateway/eu") as running:
        yield running


@pytest.fixture
def elsewhere(_second_sandbox: Sandbox) -> Sandbox:
    """A second server, with a prefix in its base URL."""
    _second_sandbox.reset()
    return _second_sandbox


def make_client(sandbox: Sandbox, **connection: Any) -> OAuthClient:
    settings: dict[str, Any] = {
        "base_url": sandbox.url,
        "timeout": 5,
        "retries": 2,
        "max_wait": 5,
        "validate_certs": True,
        "ca_path": None,
        "proxy": None,
        "user_agent": "voucherify.oauth/test",
    }
    return OAuthClient(
        HttpClient(Connection(**{**settings, **connection}), Credentials(sandbox.app_id, sandbox.app_token))
    )


def failure(client: OAuthClient, operation: str) -> errors.RequestError:
    with pytest.raises(errors.RequestError) as caught:
        CALLS[operation](client)
    assert caught.value.call.operation == operation
    return caught.value


# What goes over the wire


def test_a_call_is_a_form_with_the_api_key_in_its_headers(sandbox: Sandbox) -> None:
    make_client(sandbox).generate(["vouchers", "campaigns"])
    (request,) = sandbox.requests()
    assert (request.method, request.path) == ("POST", "/v1/oauth/token")
    assert request.form == {"grant_type": "client_credentials", "scope": "vouchers campaigns"}
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["accept"] == "application/json"
    assert request.headers["x-app-id"] == sandbox.app_id
    assert request.headers["x-app-token"] == sandbox.app_token


def test_no_scope_is_sent_when_none_is_given(sandbox: Sandbox) -> None:
    make_client(sandbox).generate(None)
    assert sandbox.requests()[0].form == {"grant_type": "client_credentials"}


def test_a_client_keeps_its_connection(sandbox: Sandbox) -> None:
    client = make_client(sandbox)
    token = client.generate(None)
    client.introspect(token.access_token)
    assert client.revoke(token.access_token) is True
    assert client.revoke(token.access_token) is False
    assert len({request.connection for request in sandbox.requests()}) == 1


def test_a_path_in_the_base_url_is_kept(elsewhere: Sandbox) -> None:
    make_client(elsewhere).generate(None)
    assert elsewhere.requests()[0].path == "/gateway/eu/v1/oauth/token"


def test_netrc_adds_no_credentials(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    make_client(sandbox).generate(None)
    assert "authorization" not in sandbox.requests()[0].headers


def test_a_cookie_is_not_needed_to_tell_two_keys_apart(sandbox: Sandbox) -> None:
    ours = make_client(sandbox).generate(None)
    theirs = OAuthClient(
        HttpClient(
            Connection(sandbox.url, 5, 0, 5, True, None, None, "voucherify.oauth/test"),
            Credentials(sandbox.other_app_id, sandbox.other_app_token),
        )
    ).generate(None)
    assert ours.details.client_id != theirs.details.client_id


# No connection: nothing was sent, so every call is tried again


@EACH_CALL
def test_a_refused_connection_is_tried_again(sandbox: Sandbox, operation: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    error = failure(make_client(sandbox, base_url=f"http://127.0.0.1:{port}"), operation)
    assert isinstance(error, errors.Unreachable)
    assert error.retries == 2
    assert "Connection refused" in str(error)
    assert "check api_base_url" in str(error)


def test_a_name_that_does_not_resolve_is_reported(sandbox: Sandbox) -> None:
    error = failure(make_client(sandbox, base_url="https://no-such-host.invalid", retries=0), "generate")
    assert isinstance(error, errors.Unreachable)
    assert "no-such-host.invalid cannot be reached" in str(error)


# 429: not carried out, so every call is tried again


@EACH_CALL
def test_too_many_requests_are_tried_again(sandbox: Sandbox, operation: str) -> None:
    sandbox.fail(operation, status=429, headers={"Retry-After": "0"}, times=2)
    CALLS[operation](make_client(sandbox))
    assert len(sandbox.calls(operation)) == 3


def test_retry_after_is_waited_for(sandbox: Sandbox) -> None:
    sandbox.fail("generate", status=429, headers={"Retry-After": "1"})
    start = time.monotonic()
    make_client(sandbox).generate(None)
    assert time.monotonic() - start >= 1


def test_x_rate_limit_retry_is_waited_for(sandbox: Sandbox) -> None:
    sandbox.fail("generate", status=429, headers={"X-Rate-Limit-Retry": str(int(time.time()) + 2)})
    start = time.monotonic()
    make_client(sandbox).generate(None)
    assert 0.5 < time.monotonic() - start < 4


@EACH_CALL
def test_a_wait_past_max_wait_fails_at_once_and_says_when(sandbox: Sandbox, operation: str) -> None:
    sandbox.fail(operation, status=429, headers={"Retry-After": "3000"})
    error = failure(make_client(sandbox), operation)
    assert len(sandbox.calls(operation)) == 1
    assert "you can try again in 3000 s" in str(error)


def test_the_waits_of_one_call_are_added_up(sandbox: Sandbox) -> None:
    sandbox.fail("generate", status=429, headers={"Retry-After": "1"}, times=3)
    failure(make_client(sandbox, max_wait=1), "generate")
    assert len(sandbox.calls("generate")) == 2


@EACH_CALL
def test_a_used_up_billing_cycle_is_not_tried_again(sandbox: Sandbox, operation: str) -> None:
    sandbox.fail(operation, status=429, headers={"X-Rate-Limit-Type": "api_calls_cycle", "Retry-After": "0"})
    error = failure(make_client(sandbox), operation)
    assert len(sandbox.calls(operation)) == 1
    assert "billing cycle" in str(error)


# After sending: only calls that are safe to repeat are sent again

HALF = "half an answer"
LOST_ANSWERS: dict[str, dict[str, Any]] = {
    "cut": {"cut": True},
    "silence": {"hang": True},
    HALF: {"truncate": True},
    "500": {"status": 500},
    "503": {"status": 503, "headers": {"Retry-After": "0"}},
}
EACH_LOST_ANSWER = pytest.mark.parametrize("fault", LOST_ANSWERS.values(), ids=LOST_ANSWERS)


@EACH_LOST_ANSWER
def test_generate_is_never_sent_again_once_it_may_have_been_carried_out(
    sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    sandbox.fail("generate", carried_out=not fault.get("truncate"), **fault)
    error = failure(make_client(sandbox, timeout=1), "generate")
    assert len(sandbox.calls("generate")) == 1
    assert len(sandbox.live_tokens()) == 1
    assert "may have made a token that was lost" in str(error)


@pytest.mark.parametrize(("fault", "cause"), [("cut", "the connection was closed early"), ("silence", "timed out")])
def test_a_lost_answer_is_reported_with_its_cause(sandbox: Sandbox, fault: str, cause: str) -> None:
    sandbox.fail("introspect", **LOST_ANSWERS[fault])
    error = failure(make_client(sandbox, timeout=1, retries=0), "introspect")
    assert f"sent no complete answer ({cause}); run the play again" in str(error)


# The answer to a revocation has no body that could be cut in half.
@pytest.mark.parametrize(
    ("operation", "fault"),
    [(call, name) for call in ("introspect", "revoke") for name in LOST_ANSWERS if (call, name) != ("revoke", HALF)],
)
def test_a_call_that_is_safe_to_repeat_is_sent_again(sandbox: Sandbox, operation: str, fault: str) -> None:
    sandbox.fail(operation, **LOST_ANSWERS[fault])
    CALLS[operation](make_client(sandbox, timeout=1))
    assert len(sandbox.calls(operation)) == 2


@EACH_REPEATABLE_CALL
def test_a_lasting_failure_is_reported_with_its_retries(sandbox: Sandbox, operation: str) -> None:
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


def test_a_404_to_the_retry_of_a_revoke_whose_answer_was_lost_counts_as_success(sandbox: Sandbox) -> None:
    client = make_client(sandbox)
    token = client.generate(None).access_token
    sandbox.fail("revoke", cut=True, carried_out=True)
    # A rate limit in between does not make it forget.
    sandbox.fail("revoke", status=429, headers={"Retry-After": "0"})
    assert client.revoke(token) is True
    assert len(sandbox.calls("revoke")) == 3
    assert not sandbox.live_tokens()


def test_a_404_to_the_retry_of_a_rate_limited_revoke_means_an_inactive_token(sandbox: Sandbox) -> None:
    sandbox.fail("revoke", status=429, headers={"Retry-After": "0"})
    assert make_client(sandbox).revoke("an-unknown-token") is False


NOT_FOUND: dict[str, Any] = {
    "status": 404,
    "body": "<html>no such page</html>",
    "headers": {"Content-Type": "text/html"},
}


def test_a_404_with_a_body_means_an_inactive_token_when_introspection_agrees(sandbox: Sandbox) -> None:
    sandbox.fail("revoke", **NOT_FOUND)
    client = make_client(sandbox)
    assert client.revoke("an-unknown-token") is False
    assert [call.operation for call in sandbox.requests()] == ["revoke", "introspect"]
    assert client.take_differences() == ["The 404 answer to revoke has a body."]


def test_an_empty_404_to_a_revocation_causes_no_further_call(sandbox: Sandbox) -> None:
    assert make_client(sandbox).revoke("an-unknown-token") is False
    assert len(sandbox.requests()) == 1


def test_a_404_to_the_introspection_as_well_means_a_wrong_base_url(sandbox: Sandbox) -> None:
    sandbox.fail("any", times=2, **NOT_FOUND)
    error = failure(make_client(sandbox), "revoke")
    assert "answered 404 to /v1/oauth/token/revoke; check api_base_url" in str(error)
    assert "html" not in str(error)


def test_a_404_with_a_body_is_an_error_when_the_token_is_active(sandbox: Sandbox) -> None:
    client = make_client(sandbox)
    token = client.generate(None).access_token
    sandbox.fail("revoke", **NOT_FOUND)
    with pytest.raises(errors.Refused, match="although the token is active"):
        client.revoke(token)


def test_a_404_with_a_body_is_an_error_when_the_token_cannot_be_introspected(sandbox: Sandbox) -> None:
    sandbox.fail("revoke", **NOT_FOUND)
    sandbox.fail("introspect", status=401)
    with pytest.raises(errors.Refused) as caught:
        make_client(sandbox).revoke("an-unknown-token")
    assert caught.value.status == 401


def test_a_404_after_a_failure_of_the_server_claims_neither_success_nor_failure(sandbox: Sandbox) -> None:
    client = make_client(sandbox)
    token = client.generate(None).access_token
    sandbox.fail("revoke", status=500, carried_out=True)
    assert client.revoke(token) is None


def test_v1_at_the_end_of_the_base_url_is_reported(sandbox: Sandbox) -> None:
    error = failure(make_client(sandbox, base_url=f"{sandbox.url}/v1"), "generate")
    assert "answered 404 to /v1/v1/oauth/token; leave /v1 off the end of api_base_url" in str(error)


def test_a_401_to_a_revocation_does_not_mean_an_inactive_token(sandbox: Sandbox) -> None:
    sandbox.fail("revoke", status=401)
    assert failure(make_client(sandbox), "revoke").status == 401


# Refusals


@EACH_CALL
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 415])
def test_a_refusal_quotes_the_api_and_is_not_sent_again(sandbox: Sandbox, operation: str, status: int) -> None:
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
def test_a_call_that_was_not_processed_is_sent_again(sandbox: Sandbox, operation: str, status: int) -> None:
    sandbox.fail(operation, status=status)
    CALLS[operation](make_client(sandbox))
    assert len(sandbox.calls(operation)) == 2


@pytest.mark.parametrize("status", [409, 423])
def test_a_busy_api_is_called_again_only_where_that_is_safe(sandbox: Sandbox, status: int) -> None:
    sandbox.fail("introspect", status=status)
    sandbox.fail("generate", status=status)
    client = make_client(sandbox)
    assert client.introspect("an-unknown-token") is None
    assert "may have made" not in str(failure(client, "generate"))
    assert [call.operation for call in sandbox.requests()] == ["introspect", "introspect", "generate"]


def test_a_failure_of_the_api_names_the_status_page(sandbox: Sandbox) -> None:
    sandbox.fail("introspect", status=500)
    assert "see https://status.voucherify.io" in str(failure(make_client(sandbox, retries=0), "introspect"))


# Redirects


@EACH_CALL
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_reported_and_its_target_receives_nothing(
    sandbox: Sandbox, elsewhere: Sandbox, operation: str, status: int
) -> None:
    sandbox.fail(operation, status=status, headers={"Location": f"{elsewhere.url}/v1/oauth/token"})
    error = failure(make_client(sandbox), operation)
    assert not elsewhere.requests()
    assert isinstance(error, errors.Redirected)
    assert "a redirect to 127.0.0.1" in str(error)
    assert len(sandbox.calls(operation)) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_the_result_of_generate_may_have_made_a_token(sandbox: Sandbox, status: int) -> None:
    sandbox.fail("generate", status=status, headers={"Location": "/v1/oauth/token/1"})
    assert failure(make_client(sandbox), "generate").may_have_made_a_token == (status == 303)


@pytest.mark.parametrize("location", ["http://[::1", "//", "https://evil.example:port/", "http://%zz"])
def test_a_redirect_to_an_invalid_url_is_reported(sandbox: Sandbox, location: str) -> None:
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
        "has the wrong type for (access_token|active)",
    ),
    "compressed": ({"body": "s3cret", "headers": {"Content-Encoding": "br"}}, "is compressed"),
}


@pytest.mark.parametrize("operation", ["generate", "introspect"])
@pytest.mark.parametrize(("answer", "fault"), UNUSABLE_ANSWERS.values(), ids=UNUSABLE_ANSWERS)
def test_an_unusable_answer_is_reported_and_not_quoted(
    sandbox: Sandbox, operation: str, answer: dict[str, Any], fault: str
) -> None:
    sandbox.fail(operation, status=200, **answer)
    error = failure(make_client(sandbox), operation)
    assert isinstance(error, errors.BadAnswer)
    assert len(sandbox.calls(operation)) == 1
    with pytest.raises(errors.BadAnswer, match=fault):
        raise error
    assert "s3cret" not in f"{error} {error.as_dict()}"


def test_the_longest_answer_allowed_is_read(sandbox: Sandbox) -> None:
    sandbox.fail("introspect", status=200, body='{"active": false}', body_size=1024 * 1024)
    assert make_client(sandbox).introspect("an-unknown-token") is None


def test_an_empty_token_is_no_token(sandbox: Sandbox) -> None:
    sandbox.fail("generate", status=200, body=json.dumps({"access_token": ""}))
    assert "an empty access_token" in str(failure(make_client(sandbox), "generate"))
    assert not sandbox.calls("revoke")


# Certificates


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def secure_sandbox(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("tls")
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    for blob in issued.cert_chain_pems:
        blob.write_to_path(folder / "certificate.pem", append=True)
    with Sandbox.start(certificate=folder / "certificate.pem", key=folder / "key.pem") as running:
        yield running


@pytest.fixture
def ca_path(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


@EACH_CALL
def test_a_certificate_that_does_not_verify_ends_the_call(secure_sandbox: Sandbox, operation: str) -> None:
    secure_sandbox.reset()
    error = failure(make_client(secure_sandbox), operation)
    assert isinstance(error, errors.Untrusted)
    assert error.retries == 0
    assert "cannot be verified (unable to get local issuer certificate); set ca_path" in str(error)
    assert not secure_sandbox.requests()


def test_ca_path_is_trusted_and_overrides_requests_ca_bundle(
    secure_sandbox: Sandbox, ca_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "another.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "another.pem"))
    assert make_client(secure_sandbox, ca_path=ca_path).generate(None)
    assert isinstance(failure(make_client(secure_sandbox), "generate"), errors.Untrusted)


def test_requests_ca_bundle_is_used_without_ca_path(
    secure_sandbox: Sandbox, ca_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_path)
    assert make_client(secure_sandbox).generate(None)


def test_a_ca_file_without_a_certificate_is_reported(secure_sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    error = failure(make_client(secure_sandbox, ca_path=str(tmp_path / "ca.pem")), "generate")
    assert "from ca_path contains no certificate" in str(error)
    assert "nobody has" not in str(error)


def test_a_missing_ca_bundle_from_the_environment_is_reported(
    secure_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    error = failure(make_client(secure_sandbox), "generate")
    assert isinstance(error, errors.Unsendable)
    assert "from REQUESTS_CA_BUNDLE cannot be read or does not exist" in str(error)
    assert str(error).endswith("correct REQUESTS_CA_BUNDLE.")


def test_turning_off_verification_causes_no_warning(secure_sandbox: Sandbox, recwarn: pytest.WarningsRecorder) -> None:
    assert make_client(secure_sandbox, validate_certs=False).generate(None)
    assert not [warning for warning in recwarn if warning.category is InsecureRequestWarning]


def test_a_client_that_verifies_does_not_hide_the_warnings_of_others(sandbox: Sandbox) -> None:
    make_client(sandbox, validate_certs=True).generate(None)
    assert InsecureRequestWarning not in [category for _action, _message, category, *_rest in warnings.filters]


def test_a_connection_that_is_cut_after_the_handshake_is_not_a_certificate_error(
    secure_sandbox: Sandbox, ca_path: str
) -> None:
    secure_sandbox.reset()
    secure_sandbox.fail("generate", cut=True)
    error = failure(make_client(secure_sandbox, ca_path=ca_path), "generate")
    assert isinstance(error, errors.NoAnswer)
    assert len(secure_sandbox.calls("generate")) == 1


def test_a_server_without_tls_is_reported(sandbox: Sandbox) -> None:
    error = failure(make_client(sandbox, base_url=sandbox.url.replace("http:", "https:")), "introspect")
    assert "does not speak TLS; check the port in api_base_url" in str(error)
    assert error.retries == 0


# Resources of this machine


@EACH_CALL
def test_a_call_is_not_sent_if_no_thread_can_be_started(sandbox: Sandbox, operation: str) -> None:
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


def test_an_unreachable_proxy_is_not_mistaken_for_the_api(secure_sandbox: Sandbox) -> None:
    error = failure(make_client(secure_sandbox, proxy="http://127.0.0.1:1"), "generate")
    assert isinstance(error, errors.Unreachable)
    assert error.retries == 2
    assert "the proxy 127.0.0.1:1 on the way to 127.0.0.1" in str(error)
    assert "cannot be reached (Connection refused) after 2 retries; check proxy" in str(error)


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("http://user:hunter2@127.0.0.1:1", "the proxy 127.0.0.1:1 on the way"),
        ("http://user:hunter2@", "proxy is not a valid proxy address"),
        ("nonsense://user:hunter2@x", "proxy is not a valid proxy address"),
        ("http://user:12/hunter2@127.0.0.1:1", "proxy is not a valid proxy address"),
        ("http://user:#hunter2@127.0.0.1:1", "proxy is not a valid proxy address"),
        # What follows the slash may be a part of the password, and the first part is no host to look up.
        ("http://me:hunter2@hunter2/zz@127.0.0.1:1", "proxy is not a valid proxy address"),
        ("http://hunter2?@127.0.0.1:1", "proxy is not a valid proxy address"),
        ("hunter2/zz@127.0.0.1:1", "proxy is not a valid proxy address"),
        ("http://user:pa@hunter2\\word@127.0.0.1:1", "proxy is not a valid proxy address"),
        ("http://user:hunter2\n@127.0.0.1:1", "proxy is not a valid proxy address"),
        ("//user:hunter2@127.0.0.1:1", "the proxy 127.0.0.1:1 on the way"),
        # Without slashes, urllib3 reads the user name as a scheme.
        ("user:hunter2@127.0.0.1:1", "proxy is not a valid proxy address"),
        ("/user", "proxy is not a valid proxy address"),
        ("http://user:hunter2@[::1", "proxy is not a valid proxy address"),
        ("http://user:hunter2@127.0.0.1:99999", "proxy is not a valid proxy address"),
    ],
)
def test_an_unusable_proxy_is_reported_without_its_password(secure_sandbox: Sandbox, proxy: str, words: str) -> None:
    error = failure(make_client(secure_sandbox, proxy=proxy), "generate")
    assert words in str(error)
    assert (
        "hunter2"
        not in f"{error} {error.as_dict()} {error.__cause__} {error.__suppress_context__ or error.__context__}"
    )


def test_a_refusal_does_not_show_the_id_of_the_key_which_may_be_mixed_up_with_its_secret(sandbox: Sandbox) -> None:
    body = json.dumps({"code": 401, "message": f"There is no key {sandbox.app_id}"})
    sandbox.fail("generate", status=401, body=body)
    error = failure(make_client(sandbox), "generate")
    assert error.api.message == "There is no key ********"


@pytest.mark.parametrize("source", ["option", "environment"])
def test_a_message_does_not_show_the_password_of_the_proxy(
    secure_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    words = "hunter%2B2hunter deploy-user hunter+2hunter"
    body = json.dumps({"code": 407, "message": f"Login {words} is unknown to {{proxy}}"})
    secure_sandbox.fail("generate", status=407, body=body)
    with connect_proxy() as proxy:
        address = proxy.url.replace("//", "//deploy-user:hunter%2B2hunter@")
        monkeypatch.setenv("HTTPS_PROXY", address)
        client = make_client(secure_sandbox, proxy=address if source == "option" else None, validate_certs=False)
        error = failure(client, "generate")
    assert error.api.message == "Login ******** deploy-user ******** is unknown to {proxy}"


def test_a_socks_proxy_without_pysocks_says_what_to_install(tmp_path: Path) -> None:
    # Python finds this module before the real one.
    (tmp_path / "socks.py").write_text("raise ImportError\n")
    program = """
from ansible_collections.voucherify.oauth.plugins.module_utils._api import errors
from ansible_collections.voucherify.oauth.plugins.module_utils._api.retries import Connection, Credentials, HttpClient
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient

proxy = "socks5://user:hunter2@127.0.0.1:1"
connection = Connection("https://api.invalid", 5, 0, 5, True, None, proxy, "voucherify.oauth/test")
try:
    OAuthClient(HttpClient(connection, Credentials("an-id", "a-secret"))).generate(None)
except errors.Unsendable as error:
    print(error, error.as_dict())
"""
    finished = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
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
    secure_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], source: str
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, port in environment.items():
        monkeypatch.setenv(name, port and f"http://127.0.0.1:{port}")
    error = failure(make_client(secure_sandbox, base_url="https://api.example", retries=0), "generate")
    assert f"the proxy 127.0.0.1:{environment[source]} " in str(error)
    assert f"check {source} and the network" in str(error)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_plain_http_on_this_machine_never_goes_through_a_proxy(
    sandbox: Sandbox, elsewhere: Sandbox, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, elsewhere.url)
    assert make_client(sandbox).generate(None)
    assert not elsewhere.requests()


def test_a_failure_of_plain_http_does_not_blame_a_proxy(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")
    error = failure(make_client(sandbox, base_url="http://127.0.0.1:1", retries=0), "generate")
    assert "proxy.example" not in str(error)


def test_objects_that_contain_secrets_do_not_show_them_as_text(sandbox: Sandbox) -> None:
    keys = Credentials("an-id", "hunter2")
    connection = Connection(sandbox.url, 5, 0, 5, True, None, "http://user:hunter2@127.0.0.1", "voucherify.oauth/test")
    token = make_client(sandbox).generate(None)
    assert "hunter2" not in f"{keys} {connection}"
    assert token.access_token not in repr(token)
