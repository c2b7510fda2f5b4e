# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invalid options are named in a message before anything is sent."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.ansible_release import __version__ as core_version
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible_collections.voucherify.oauth.plugins.module_utils import _options as options_file
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient
from ansible_collections.voucherify.oauth.plugins.module_utils._api.errors import OptionError
from ansible_collections.voucherify.oauth.plugins.module_utils._options import (
    VERSION,
    Options,
    Result,
    bearer_token,
    connection_argument_spec,
    let_core_mask,
    run,
    without_secrets,
)
from sandbox import Sandbox

KEYS = {"app_id": "an-id", "app_token": "a-secret-token"}


def validated(**options: Any) -> ValidationResult:
    result: ValidationResult = ArgumentSpecValidator(connection_argument_spec()).validate({**KEYS, **options})
    return result


def rejection(**options: Any) -> str:
    """Return the message that refuses these options. Fails if they are accepted."""

    def work(client: OAuthClient, options: Options, check_mode: bool) -> Result:
        raise AssertionError("the options were accepted")

    result = run(work, validated(**options).validated_parameters, check_mode=False)
    assert result["failed"]
    message: str = result["msg"]
    return message


def accepted(**options: Any) -> bool:
    def work(client: OAuthClient, options: Options, check_mode: bool) -> Result:
        return {"changed": False}

    return "failed" not in run(work, validated(**options).validated_parameters, check_mode=False)


VALID_URLS = "https://gateway.example:8443/eu http://127.8.8.8 http://[::1]:8080/prefix HTTPS://API.VOUCHERIFY.IO"
INVALID_URLS = {
    "must begin with https://": ["http://api.voucherify.io", "http://127.0.0.1.evil.example"],
    "must not contain a user name": ["https://me:hunter2@api.voucherify.io", "https://api.voucherify.io?x=1"],
    "is not a URL": [
        *("", "api.voucherify.io", "https://", "https://[::1", "https://api.voucherify.io:99999"),
        *("https://api.voucherify.io\n", "http://127.0.0.1\\@evil.example"),
    ],
}


@pytest.mark.parametrize("url", VALID_URLS.split())
def test_a_valid_base_url_is_accepted(url: str) -> None:
    assert accepted(api_base_url=url)


@pytest.mark.parametrize(("words", "url"), [(words, url) for words, urls in INVALID_URLS.items() for url in urls])
def test_an_invalid_base_url_is_refused(words: str, url: str) -> None:
    message = rejection(api_base_url=url)
    assert message.startswith(f"api_base_url {words}")
    assert "hunter2" not in message


@pytest.mark.parametrize("name", ["app_id", "app_token"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "is empty"),
        ("hunter2\n", "line break"),
        ("clé", "in an HTTP header"),
        ("'hunter2'", "is in quotes; remove them"),
        ('"hunter2"', "is in quotes; remove them"),
        ("${HUNTER2}", "is the name of a variable, such as ${NAME}, and not its value"),
        ("$hunter2", "is the name of a variable"),
    ],
)
def test_a_key_that_cannot_be_sent_in_a_header_is_refused_unquoted(name: str, value: str, words: str) -> None:
    message = rejection(**{name: value})
    assert message.startswith(f"{name} ")
    assert words in message
    assert "hunter2" not in message


@pytest.mark.parametrize(("name", "minimum"), [("timeout", 1), ("retries", 0), ("max_wait", 0)])
def test_a_number_out_of_range_is_refused_unquoted(name: str, minimum: int) -> None:
    for value in (minimum - 1, 86401):
        assert rejection(**{name: value}) == f"{name} must be from {minimum} to 86400."
    assert accepted(**{name: minimum})
    assert accepted(**{name: 86400})


def test_a_refused_key_of_which_one_half_is_from_the_environment_says_so(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = options_of(sandbox, app_token="a-key-of-another-project")
    assert "comes from" not in run(generate, options, check_mode=False)["msg"]
    monkeypatch.setenv("VOUCHERIFY_APP_ID", sandbox.app_id)
    message = run(generate, options, check_mode=False)["msg"]
    assert message.endswith("; app_id comes from the environment, and app_token from an option.")


@pytest.mark.parametrize(("token", "kept"), [("a|b:c~==", "a|b:c~=="), ("", None), (None, None)])
def test_an_access_token_is_opaque_and_an_empty_one_counts_as_none(token: str | None, kept: str | None) -> None:
    assert bearer_token({"access_token": token}) == kept


@pytest.mark.parametrize("token", ["hunter2\n", "Bearer hunter2", "hunter2é", "\thunter2"])
def test_an_access_token_that_cannot_be_sent_in_a_header_is_refused_unquoted(token: str) -> None:
    with pytest.raises(OptionError, match="access_token contains white space") as caught:
        bearer_token({"access_token": token})
    assert "hunter2" not in str(caught.value)


# Results


def options_of(sandbox: Sandbox, **options: Any) -> Options:
    keys = {"app_id": sandbox.app_id, "app_token": sandbox.app_token, "api_base_url": sandbox.url, "max_wait": 0}
    return {**validated(**{**keys, **options}).validated_parameters}


def generate(client: OAuthClient, options: Options, check_mode: bool) -> Result:
    return {"changed": True, "access_token": client.generate(None).access_token}


def test_ansible_core_is_asked_to_mask_secrets_but_no_placeholders(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    # Only ansible-core 2.22 and later have the real one.
    monkeypatch.setattr(options_file, "register_secret", registered.append)
    for secret in ("a-secret-token", "x", "token", "", None, ["a-secret-token"]):
        let_core_mask(secret)
    assert registered == ["a-secret-token"]


FAILURE: Result = {
    "failed": True,
    "msg": "It said a-secret-token, the-access-token, a-password and user; 12345678.",
    "warnings": ["Not another-token."],
    "error": {"operation": "generate", "status": 400, "message": "a-secret-token", "details": "a-password"},
}


def test_a_failure_is_searched_for_the_secrets_of_the_task() -> None:
    options = {**KEYS, "access_token": "the-access-token", "proxy": "http://user:a-password@proxy.example:3128"}
    assert without_secrets(FAILURE, options, ["another-token"]) == {
        "failed": True,
        "msg": "It said ********, ********, ******** and user; 12345678.",
        "warnings": ["Not ********."],
        "error": {"operation": "generate", "status": 400, "message": "********", "details": "********"},
    }


@pytest.mark.parametrize("proxy", [None, "", "http://proxy.example", "http://[broken", "user:short@proxy"])
def test_a_short_secret_hides_nothing_in_a_failure(proxy: str | None) -> None:
    options = {"app_token": "said", "access_token": "", "proxy": proxy}
    assert without_secrets(FAILURE, options, ["generate"[:7]]) == FAILURE


def test_each_call_names_this_collection_ansible_core_and_python(sandbox: Sandbox) -> None:
    # A slash at the end of the base URL is dropped.
    run(generate, options_of(sandbox, api_base_url=f"{sandbox.url}//"), check_mode=False)
    (request,) = sandbox.requests()
    assert request.path == "/v1/oauth/token"
    wanted = f"voucherify.oauth/{VERSION} (ansible-core/{core_version}; Python/{platform.python_version()})"
    assert request.headers["user-agent"] == wanted


def test_the_version_is_that_of_the_collection() -> None:
    galaxy = yaml.safe_load((Path(__file__).parents[4] / "galaxy.yml").read_text())
    assert galaxy["version"] == VERSION


def test_a_failure_has_a_message_and_error_fields_and_nothing_else(sandbox: Sandbox) -> None:
    sandbox.fail("generate", status=400, body='{"key": "invalid_scope", "message": "Invalid scope: coupons"}')
    result = run(generate, options_of(sandbox), check_mode=False)
    assert result == {
        "failed": True,
        "changed": False,
        "msg": f"Cannot generate a token: {sandbox.url[7:]} answered 400, Invalid scope: coupons (invalid_scope);"
        " correct the option scope; https://docs.voucherify.io/api-reference/oauth/generate-oauth-20-token lists the"
        " valid scopes.",
        "error": {
            "operation": "generate",
            "status": 400,
            "key": "invalid_scope",
            "message": "Invalid scope: coupons",
            "retries": 0,
        },
    }


def test_differences_are_in_the_result_of_their_task_even_if_it_fails(sandbox: Sandbox) -> None:
    sandbox.fail("introspect", status=203, body='{"active": true}')

    def work(client: OAuthClient, options: Options, check_mode: bool) -> Result:
        client.introspect("a-token")
        raise OptionError("no.")

    result = run(work, options_of(sandbox), check_mode=False)
    assert result["failed"]
    assert len(result["differences"]) == 6
    assert "differences" not in run(generate, options_of(sandbox), check_mode=False)


def test_an_import_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "requests.py").write_text("raise AttributeError('urllib3 v2 only supports OpenSSL 1.1.1')")
    program = (
        "import json\n"
        "from ansible_collections.voucherify.oauth.plugins.module_utils import _options as options\n"
        "from ansible_collections.voucherify.oauth.plugins.module_utils._api import retries as http\n"
        "names = {'app_id': 'a', 'app_token': 'b', 'api_base_url': 'https://x', 'timeout': 1, 'retries': 0,"
        " 'max_wait': 0, 'validate_certs': True, 'ca_path': None, 'proxy': None}\n"
        "assert http.IMPORT_ERROR\n"
        "print(json.dumps(options.run(lambda *arguments: {}, names, check_mode=False)))\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    finished = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(finished.stdout)
    assert result["failed"] is True
    assert result["changed"] is False
    assert "although it is installed: urllib3 v2 only supports OpenSSL 1.1.1" in result["msg"]
    assert "Traceback" not in result["msg"]


def test_the_environment_fills_in_what_the_task_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"app_id": "from-the-environment", "app_token": "a-token", "api_base_url": "https://us1.api.voucherify.io"}
    for name, value in given.items():
        monkeypatch.setenv(f"VOUCHERIFY_{name.upper()}", value)
    result = ArgumentSpecValidator(connection_argument_spec()).validate({})
    assert not result.error_messages
    assert given.items() <= result.validated_parameters.items()
    # An empty variable counts as not set, because CI systems set variables without a value.
    for name in given:
        monkeypatch.setenv(f"VOUCHERIFY_{name.upper()}", "")
    result = ArgumentSpecValidator(connection_argument_spec()).validate({})
    assert "missing required arguments: app_id, app_token" in result.error_messages
    assert result.validated_parameters["api_base_url"] == "https://api.voucherify.io"
