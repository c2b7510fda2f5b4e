# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways in which an API can differ from its documentation and still be usable."""

from __future__ import annotations

from typing import Any

import pytest

# The rows of the report of the playbook `check`.
CALLS = [
    "Generate a token",
    "Introspect it",
    "List vouchers with it",
    "Revoke it",
    "Introspect the revoked token",
    "Revoke it again",
    "Ask for an unknown scope",
    "Use a wrong key",
]
GENERATE, INTROSPECT, USE, REVOKE, INTROSPECT_AGAIN, REVOKE_AGAIN, SCOPE, KEY = CALLS

RATE_LIMIT = ["X-Rate-Limit-Limit", "X-Rate-Limit-Remaining"]
_NO_LIMITS = {"headers": {RATE_LIMIT[0]: None, RATE_LIMIT[1]: ["1", "2"]}}
_FIELDS = {
    "drop": ["token_type", "code", "message"],
    "retype": {"expires_in": "str", "expires_at": "float", "scope": "list"},
    "add": {"exp": 1, "a-secret-that-is-a-name": None},
}
# What the API answers, and the rows that differ because of it.
HANDLED_DEVIATIONS: dict[str, tuple[dict[str, dict[str, Any]], list[str]]] = {
    "several at once": (
        {
            "generate": {**_FIELDS, **_NO_LIMITS, "success_status": 201},
            "introspect": {**_FIELDS, **_NO_LIMITS, "success_status": 202},
            "revoke": {**_NO_LIMITS, "success_status": 200, "not_found_body": '{"code": 404, "message": "not found"}'},
        },
        [call for call in CALLS if call != USE],
    ),
    "no token_type, 201, and a 404 with a body": (
        {
            "generate": {"drop": ["token_type"], "success_status": 201},
            "introspect": {"drop": ["token_type"]},
            "revoke": {"not_found_body": '{"code": 404, "message": "not found"}'},
        },
        [GENERATE, INTROSPECT, REVOKE_AGAIN],
    ),
    "numbers as strings and a list of scopes": (
        {"any": {"retype": {"expires_in": "str", "expires_at": "float", "scope": "list"}}},
        [GENERATE, INTROSPECT],
    ),
    "only the essential fields": (
        {"any": {"drop": ["token_type", "client_id", "scope", "expires_in", "expires_at"]}},
        [GENERATE, INTROSPECT],
    ),
    "other success statuses": (
        {"generate": {"success_status": 202}, "introspect": {"success_status": 202}, "revoke": {"success_status": 200}},
        [GENERATE, INTROSPECT, REVOKE, INTROSPECT_AGAIN],
    ),
    "no or two rate limits": (
        {"any": _NO_LIMITS},
        CALLS,
    ),
    "errors without a code": ({"any": {"drop": ["code", "message"]}}, [SCOPE, KEY]),
    "further fields": ({"any": {"add": {"exp": 1, "new": None}}}, []),
    "a field whose name is a secret": ({"any": {"add": {"a-secret-that-is-a-name": 1}}}, []),
}
EACH_HANDLED = pytest.mark.parametrize(
    "deviation",
    [
        pytest.param(name, marks=[] if name == "several at once" else pytest.mark.thorough)
        for name in HANDLED_DEVIATIONS
    ],
)
