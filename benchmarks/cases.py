# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks that are compared, written as in a playbook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Task = dict[str, Any]

TOKEN_MODULE = "voucherify.oauth.voucherify_oauth_token"


@dataclass(frozen=True)
class Case:
    """A way to make sure that one token is valid.

    title: its name on the page. calls: all API operations that it calls for one token.
    """

    title: str
    tasks: tuple[Task, ...]
    calls: tuple[str, ...]


def make_cases(token: str) -> dict[str, Case]:
    """Return every case for a valid token, which is given as a template. Our module keeps it."""
    ours = {
        TOKEN_MODULE: {
            "app_id": "{{ app_id }}",
            "app_token": "{{ app_token }}",
            "api_base_url": "{{ api_base_url }}",
            "access_token": token,
        }
    }
    introspect = _uri("/v1/oauth/introspect", {"access_token": token})
    generate = _uri("/v1/oauth/token", {"grant_type": "client_credentials", "scope": "vouchers"})
    return {
        "worker": Case("`voucherify_oauth_token`, in the worker", (ours,), ("introspect",)),
        "debug": Case("`debug` (floor: a task without a module)", ({"ansible.builtin.debug": {"msg": token}},), ()),
        # Python reads this variable when it starts, so the task needs a separate process.
        "module": Case(
            "`voucherify_oauth_token`, as a module",
            ({**ours, "environment": {"PYTHONNODEBUGRANGES": "1"}},),
            ("introspect",),
        ),
        "uri": Case("one `uri` (introspect)", (introspect,), ("introspect",)),
        "two_uri": Case("two `uri` (introspect, generate)", (introspect, generate), ("introspect", "generate")),
        "ping": Case("`ping` (floor: a module without work)", ({"ansible.builtin.ping": {"data": token}},), ()),
    }


def by_hand(path: str, *, kept: bool) -> list[Task]:
    """Return the tasks that users write without this collection: `uri`, `ansible-vault` and `copy`.

    The tokens are those in the variable `names`. kept: they are already in the file and valid, so the tasks only
    introspect them.
    """
    if kept:
        return [
            {"ansible.builtin.include_vars": {"file": path, "name": "stored"}, "no_log": True},
            {
                **_uri("/v1/oauth/introspect", {"access_token": "{{ stored[item] }}"}),
                "loop": "{{ names }}",
                "register": "introspected",
            },
            {
                "ansible.builtin.assert": {
                    "that": "introspected.results | selectattr('json.active') | length == names | length"
                },
                "no_log": True,
            },
        ]
    folder = path.rpartition("/")[0]
    return [
        {
            **_uri("/v1/oauth/token", {"grant_type": "client_credentials", "scope": "vouchers"}),
            "loop": "{{ names }}",
            "register": "made",
        },
        {
            "ansible.builtin.command": {
                "argv": [
                    *("ansible-vault", "encrypt_string", "--vault-password-file", "vault-password"),
                    *("--stdin-name", "{{ item.item }}"),
                ],
                "stdin": "{{ item.json.access_token }}",
                "stdin_add_newline": False,
            },
            "loop": "{{ made.results }}",
            "register": "vaulted",
            "no_log": True,
        },
        {"ansible.builtin.file": {"path": folder, "state": "directory", "mode": "0700"}},
        {
            "ansible.builtin.copy": {
                "dest": path,
                "content": "{{ vaulted.results | map(attribute='stdout') | join('\n') }}\n",
                "mode": "0600",
            },
            "no_log": True,
        },
    ]


def _uri(path: str, form: Mapping[str, str]) -> Task:
    return {
        "ansible.builtin.uri": {
            "url": "{{ api_base_url }}" + path,
            "method": "POST",
            "headers": {"X-App-Id": "{{ app_id }}", "X-App-Token": "{{ app_token }}", "Accept": "application/json"},
            "body_format": "form-urlencoded",
            "body": form,
        },
        "no_log": True,
    }
