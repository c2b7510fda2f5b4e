# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names and values are accepted, and the messages about others."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import InvalidVariableError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.names import (
    check_name,
    check_names,
    check_variables,
)


@pytest.mark.parametrize("name", ["a", "_", "vouchers_token", "A1", "on", "no", "null", "match", "type"])
def test_an_identifier_is_accepted(name: str) -> None:
    check_names([name])


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        ("1secret", "begins with a digit"),
        ("sec-ret", "contains the character '-'"),
        ("sec ret", "contains the character ' '"),
        ("sec.ret", "contains the character '.'"),
        ("sécret", "contains the character 'é'"),
        ("secret\n", r"contains the character '\n'"),
    ],
)
def test_a_name_that_is_not_an_identifier_is_refused_by_its_position_and_not_quoted(name: str, problem: str) -> None:
    rest = (
        f" {problem}; the name of a variable consists of ASCII letters, digits and underscores, and does not begin "
        "with a digit"
    )
    with pytest.raises(InvalidVariableError) as of_names:
        check_names(["a", name])
    with pytest.raises(InvalidVariableError) as of_variables:
        check_variables({"a": "x", name: "y"})

    assert str(of_names.value) == "names[1]" + rest
    assert str(of_variables.value) == "Name 2 in variables" + rest
    assert "secret" not in rest


SECRETS = ["gT7kPq2LmX9sVb4RzW1c", "token_gT7kPq2LmX9sVb4RzW1c", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9_abc"]
WORDS = ["voucherify_vouchers_token_2026_v1", "voucherifyVouchersProductionAccessTokenId", "VOUCHERIFYPRODUCTIONTOKEN"]


@pytest.mark.parametrize("name", [*SECRETS, "a3f81c07b2e94d5c", "k8sclustereuwest1"])
def test_a_name_that_looks_like_a_secret_is_refused_and_not_quoted(name: str) -> None:
    with pytest.raises(InvalidVariableError) as raised:
        check_name(name, "tokens[1].name")

    assert str(raised.value) == (
        "tokens[1].name looks like a token or a key, and results show the names of variables; choose another name"
    )


@pytest.mark.parametrize("name", [*WORDS, "voucherifyproductiontoken2", "sha256_of_x509_certificate", "k8s_v1_22"])
def test_a_long_name_of_words_and_numbers_is_accepted(name: str) -> None:
    check_name(name, "tokens[1].name")


@pytest.mark.parametrize("name", ["class", "None", "none", "True", "true"])
def test_a_keyword_is_refused(name: str) -> None:
    with pytest.raises(InvalidVariableError) as raised:
        check_name(name, "tokens[1].name")

    assert str(raised.value) == ("tokens[1].name is a keyword of Python or Jinja; choose another name for the variable")


RESERVED = ["hosts", "tasks", "environment", "when", "name"]
MAGIC = ["groups", "hostvars", "playbook_dir", "inventory_hostname", "item", "ansible_facts", "ansible_play_batch"]


@pytest.mark.parametrize("name", [*RESERVED, *MAGIC])
def test_a_reserved_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidVariableError) as raised:
        check_names([name])

    assert str(raised.value) == f"names[0] is '{name}', which Ansible reserves; choose another name for the variable"


def test_a_name_that_is_not_a_string_is_refused() -> None:
    with pytest.raises(InvalidVariableError) as raised:
        check_variables({1: "x"})

    assert str(raised.value) == "Name 1 in variables is an integer, not a string; put it in quotes"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (4711, "an integer"),
        (True, "a boolean"),
        (None, "null"),
        (47.11, "a float"),
        (["4711"], "a list"),
        ({"x": "4711"}, "a mapping"),
        (datetime.date(4711, 1, 1), "a date"),
        (b"4711", "a bytes"),
    ],
)
def test_a_value_that_is_not_a_string_is_refused_by_name_and_type_only(value: object, kind: str) -> None:
    with pytest.raises(InvalidVariableError) as raised:
        check_variables({"good": "x", "bad": value})

    text_filter = "to_json" if kind in {"a list", "a mapping"} else "string"
    advice = "it a value" if value is None else f"a string, or use the filter '{text_filter}'"
    assert str(raised.value) == (f"The value of 'bad' is {kind}, not a string; give {advice}")


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("$ANSIBLE_VAULT;1.1;AES256\n4711", "already vaulted; give it as plain text"),
        ("$ANSIBLE_VAULT 4711", "already vaulted; give it as plain text"),
        ("4711 \udcff", "not valid Unicode; encode it, for example as Base64"),
    ],
)
def test_a_string_that_cannot_be_vaulted_is_refused_without_quoting_it(value: str, what: str) -> None:
    with pytest.raises(InvalidVariableError) as raised:
        check_variables({"bad": value})

    assert str(raised.value) == f"The value of 'bad' is {what}"
