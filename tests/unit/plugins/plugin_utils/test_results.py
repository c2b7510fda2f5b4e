# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a loop item holds a secret; how a hidden result comes out is tested with real playbooks."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.voucherify.oauth.plugins.plugin_utils.results import loop_item_holds


@pytest.mark.parametrize(
    "item",
    [
        "s3cret",
        "before s3cret behind",
        ["s3cret"],
        {"a": {"b": ["s3cret"]}},
        {"s3cret": 1},
        ("s3cret",),
        '{"a":"s3cret"}',
    ],
)
def test_a_secret_is_found_in_the_loop_item(item: object) -> None:
    assert loop_item_holds(["another", "s3cret"], {"ansible_loop_var": "token", "token": item})


def test_a_secret_is_found_in_json_in_the_loop_item() -> None:
    assert loop_item_holds(['"quoted"\n'], {"ansible_loop_var": "item", "item": r'{"a": "\"quoted\"\n"}'})


def test_a_secret_is_found_in_what_an_extended_loop_prints() -> None:
    task_vars = {"ansible_loop_var": "item", "item": 1, "ansible_loop": {"allitems": [1, "s3cret"]}}

    assert loop_item_holds(["s3cret"], task_vars)


@pytest.mark.parametrize(
    "task_vars",
    [
        {},
        {"item": "s3cret"},
        {"ansible_loop_var": "item", "item": "harmless", "other": "s3cret"},
        {"ansible_loop_var": "item", "item": None},
        {"ansible_loop_var": "item"},
    ],
)
def test_where_no_secret_is_printed_nothing_is_hidden(task_vars: dict[str, Any]) -> None:
    assert not loop_item_holds(["s3cret", ""], task_vars)


def test_an_empty_secret_is_no_secret() -> None:
    assert not loop_item_holds([""], {"ansible_loop_var": "item", "item": "anything"})
