# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment variables by which a program finds the sandbox."""

from __future__ import annotations

from collections.abc import Mapping

from .control import ROOT
from .project import ApiKey


def describe_sandbox(server_url: str, prefix: str, key: ApiKey) -> dict[str, str]:
    """What the collection reads, and in VOUCHERIFY_SANDBOX_URL the control interface."""
    return {
        "VOUCHERIFY_APP_ID": key.app_id,
        "VOUCHERIFY_APP_TOKEN": key.app_token,
        "VOUCHERIFY_API_BASE_URL": server_url + prefix,
        "VOUCHERIFY_SANDBOX_URL": server_url + ROOT,
    }


def without_proxy_on_loopback(environment: Mapping[str, str]) -> dict[str, str]:
    """The same environment, in which a proxy is not asked for what is on this machine.

    Set in both spellings, because programs differ in which one they look at first.
    """
    exceptions = environment.get("no_proxy") or environment.get("NO_PROXY")
    loopback = "127.0.0.1,localhost"
    no_proxy = f"{exceptions},{loopback}" if exceptions else loopback
    return {**environment, "NO_PROXY": no_proxy, "no_proxy": no_proxy}
