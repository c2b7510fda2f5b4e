# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that cannot work are named in a sentence before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible_collections.voucherify.oauth.plugins.module_utils._oauth import OAuthClient
from ansible_collections.voucherify.oauth.plugins.module_utils._options import (
    Options,
    Result,
    connection_argument_spec,
    run,
)

KEYS = {"app_id": "an-id", "app_token": "a-secret-token"}


def validated(**options: Any) -> ValidationResult:
    result: ValidationResult = ArgumentSpecValidator(connection_argument_spec()).validate({**KEYS, **options})
    return result


def fault(**options: Any) -> str:
    """Run with these options; the work must never be reached."""

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


@pytest.mark.parametrize(
    "url",
    [
        "https://api.voucherify.io",
        "https://api.voucherify.io/",
        "https://gateway.example:8443/voucherify/eu",
        "http://127.0.0.1:8080",
        "http://127.8.8.8",
        "http://[::1]:8080/prefix",
        "http://localhost:9",
        "HTTPS://API.VOUCHERIFY.IO",
    ],
)
def test_a_base_url_may_be(url: str) -> None:
    assert accepted(api_base_url=url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://api.voucherify.io", "must begin with https://"),
        ("ftp://api.voucherify.io", "must begin with https://"),
        ("http://127.0.0.1.evil.example", "must begin with https://"),
        ("http://localhost.evil.example", "must begin with https://"),
        ("https://me:hunter2@api.voucherify.io", "user name or a password"),
        ("https://me@api.voucherify.io", "user name or a password"),
        ("https://api.voucherify.io?x=1", "query or a fragment"),
        ("https://api.voucherify.io/#top", "query or a fragment"),
        ("https://api.voucherify.io?", "query or a fragment"),
        ("api.voucherify.io", "is no URL"),
        ("https://", "is no URL"),
        ("https:///v1", "is no URL"),
        ("https://[::1", "is no URL"),
        ("https://api.voucherify.io:http", "is no URL"),
        ("https://api.voucherify.io:99999", "is no URL"),
        ("https://api.voucherify.io\n", "is no URL"),
        ("https://api .voucherify.io", "is no URL"),
        ("http://127.0.0.1\\@evil.example", "is no URL"),
        ("", "is no URL"),
    ],
)
def test_a_base_url_may_not_be(url: str, words: str) -> None:
    message = fault(api_base_url=url)
    assert message.startswith("api_base_url ")
    assert words in message
    assert "hunter2" not in message


@pytest.mark.parametrize("name", ["app_id", "app_token"])
@pytest.mark.parametrize(("value", "words"), [("", "is empty"), ("hunter2\n", "line end"), ("clé", "no HTTP header")])
def test_a_key_that_no_header_can_carry_is_refused_unquoted(name: str, value: str, words: str) -> None:
    message = fault(**{name: value})
    assert message.startswith(f"{name} ")
    assert words in message
    assert "hunter2" not in message


@pytest.mark.parametrize(("name", "value"), [("timeout", 0), ("retries", -1), ("max_wait", -1)])
def test_a_number_out_of_range_is_refused(name: str, value: int) -> None:
    assert fault(**{name: value}).startswith(f"{name} is {value}; it must be ")


def test_a_ca_file_that_is_not_there_is_named() -> None:
    assert fault(ca_path="/nowhere/ca.pem") == "ca_path is /nowhere/ca.pem, and there is no such file."


def test_the_environment_fills_in_what_the_task_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOUCHERIFY_APP_ID", "from-the-environment")
    monkeypatch.setenv("VOUCHERIFY_APP_TOKEN", "a-token")
    monkeypatch.setenv("VOUCHERIFY_API_BASE_URL", "https://us1.api.voucherify.io")
    result = ArgumentSpecValidator(connection_argument_spec()).validate({})
    assert not result.error_messages
    assert result.validated_parameters["app_id"] == "from-the-environment"
    assert result.validated_parameters["app_token"] == "a-token"
    assert result.validated_parameters["api_base_url"] == "https://us1.api.voucherify.io"


def test_an_empty_environment_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VOUCHERIFY_APP_ID", "VOUCHERIFY_APP_TOKEN", "VOUCHERIFY_API_BASE_URL"):
        monkeypatch.setenv(name, "")
    result = ArgumentSpecValidator(connection_argument_spec()).validate({})
    assert "missing required arguments: app_id, app_token" in result.error_messages
    assert result.validated_parameters["api_base_url"] == "https://api.voucherify.io"
