# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of a task are decrypted and validated, and messages name options but quote no value."""

from __future__ import annotations

import string
from datetime import date
from typing import Any

import pytest
from ansible.parsing.yaml.objects import AnsibleUnicode
from ansible_collections.voucherify.oauth.plugins.modules import (
    vaulted_vars,
    voucherify_oauth_token,
    voucherify_oauth_token_info,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._arguments import TaskArgsError, decrypted, validated
from hypothesis import given
from hypothesis import strategies as some

SPEC: dict[str, dict[str, Any]] = {
    "key": {"type": "str", "required": True, "fallback": (lambda name: "of the environment", ["KEY"])},
    "count": {"type": "int", "default": 3},
    "tokens": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "scope": {"type": "list", "elements": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "more": {"type": "dict", "options": {"depth": {"type": "int"}}},
        },
    },
}

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": (
        {"tokens": [{"name": "a", "scopes": []}]},
        "tokens[0] has no option scopes; the options are more, name",
    ),
    "unknown at the top": ({"counts": 1}, "There is no option counts; the options are count, key, tokens"),
    "missing": ({"tokens": [{"name": "a"}, {"scope": ["b"]}]}, "tokens[1].name is missing"),
    "null where required": ({"tokens": [{"name": None}]}, "tokens[0].name is missing"),
    "null for a list": ({"tokens": [{"name": "a", "scope": None}]}, "tokens[0].scope is empty (null); give a list"),
    "null for an entry": ({"tokens": [None]}, "tokens[0] is empty (null); give a value, or remove the entry"),
    "a string for an entry": (
        {"tokens": ["name=a"]},
        "tokens[0] must be a mapping, but it is a string; write it as {name: my_token, scope: [vouchers]}, or use the"
        " filter from_yaml on a text",
    ),
    "text for a list": ({"tokens": "[{'name': 'a'}]"}, "tokens[0] must be a mapping, but it is a string; write it as"),
    "a mapping for a scope": (
        {"tokens": [{"name": "a", "scope": ["b", {}]}]},
        "tokens[0].scope[1] must be a string, but it is a mapping; to use one value from it, name that value",
    ),
    "a list in a scope": (
        {"tokens": [{"name": "a", "scope": [["b"]]}]},
        "tokens[0].scope[0] must be a string, but it is a list; a list must not contain another one; use the filter",
    ),
    "an empty choice": ({"tokens": [{"name": "a", "state": ""}]}, "tokens[0].state must be one of"),
    "another choice": ({"tokens": [{"name": "a", "state": "gone"}]}, "tokens[0].state must be one of present, absent"),
    "deeper": (
        {"tokens": [{"name": "a", "more": {"depth": "b"}}]},
        "tokens[0].more.depth must be an integer, but it is a string",
    ),
    "infinity": ({"count": float("inf")}, "count must be an integer, but it is a number"),
    "infinity in words": ({"count": "Infinity"}, "count must be an integer, but it is a string"),
    "an empty number": ({"count": ""}, "count must be an integer, but it is an empty string"),
}


@pytest.mark.parametrize("on_target", [False, True])
@pytest.mark.parametrize(("options", "message"), FAULTS.values(), ids=FAULTS)
def test_an_invalid_value_is_named_by_its_option_and_position(
    options: dict[str, Any], message: str, on_target: bool
) -> None:
    with pytest.raises(TaskArgsError) as caught:
        validated("an.action", SPEC, options, on_target=on_target)
    assert str(caught.value).startswith(message)


def test_valid_options_are_converted_and_completed() -> None:
    assert validated("an.action", SPEC, {"count": "5", "tokens": [{"name": 1, "scope": "a,b"}]}) == {
        "key": "of the environment",
        "count": 5,
        "tokens": [{"name": "1", "scope": ["a", "b"], "state": "present", "more": None}],
    }


def test_a_date_in_a_secret_option_is_left_to_the_check_that_knows_its_name() -> None:
    options = {"path": "a", "variables": {"a": date.max}}
    assert validated("an.action", vaulted_vars.ARGUMENT_SPEC, options)["variables"] == options["variables"]


def test_fallbacks_are_left_to_the_target() -> None:
    assert validated("an.action", SPEC, {}, on_target=True)["key"] is None


def test_missing_keys_are_named_with_the_variables_that_can_set_them() -> None:
    with pytest.raises(TaskArgsError) as caught:
        validated("an.action", voucherify_oauth_token_info.ARGUMENT_SPEC, {"app_id": None, "access_token": "a"})
    assert str(caught.value) == (
        "missing required arguments: app_id, app_token; set these options, or the environment variables"
        " VOUCHERIFY_APP_ID and VOUCHERIFY_APP_TOKEN on the controller"
    )


def test_another_missing_option_is_named_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOUCHERIFY_APP_ID", "a")
    monkeypatch.setenv("VOUCHERIFY_APP_TOKEN", "b")
    with pytest.raises(TaskArgsError) as caught:
        validated("an.action", voucherify_oauth_token_info.ARGUMENT_SPEC, {})
    assert str(caught.value) == "missing required arguments: access_token"


SECRET = "s3cr3t" + string.ascii_uppercase
_values = some.recursive(
    some.sampled_from([SECRET, f"Bearer {SECRET}", f"{SECRET},x", "", None, 1, True, 2.5, SECRET.encode(), date.max]),
    lambda inner: (
        some.lists(inner, max_size=2)
        | some.dictionaries(some.sampled_from(["name", "scope", "a", SECRET]), inner, max_size=2)
    ),
    max_leaves=4,
)
SPECS = {"suboptions": SPEC, "token": voucherify_oauth_token.ARGUMENT_SPEC, "vars": vaulted_vars.ARGUMENT_SPEC}


@pytest.mark.parametrize("on_target", [False, True])
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
@given(data=some.data())
def test_no_message_contains_a_value(spec: dict[str, Any], on_target: bool, data: some.DataObject) -> None:
    options = data.draw(some.dictionaries(some.sampled_from([*spec, SECRET]), _values, max_size=3))
    assert SECRET not in message_about(spec, options, on_target)


def message_about(spec: dict[str, Any], options: dict[str, Any], on_target: bool) -> str:
    try:
        validated("an.action", spec, options, on_target=on_target)
    except TaskArgsError as error:
        return str(error)
    return ""


def test_ansible_strings_become_plain_strings_and_other_values_stay() -> None:
    value = decrypted({AnsibleUnicode("a"): [AnsibleUnicode("b"), 1, None, True, (2.5,)]})

    assert value == {"a": ["b", 1, None, True, [2.5]]}
    assert {type(text) for text in (next(iter(value)), value["a"][0])} == {str}
