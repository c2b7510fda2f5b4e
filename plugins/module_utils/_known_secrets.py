# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The tokens and keys that this process has seen. Ansible starts a process for each task and host."""

from __future__ import annotations

try:
    from ansible.module_utils.secrets import register_secret  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # ansible-core up to 2.21

    def register_secret(value: str, /) -> str:
        return value


# A dictionary, because a set has no order.
_known: dict[str, None] = {}


def remember_secret(secret: str) -> None:
    """Keep a token or a key out of every message of this collection that a later call of the API leads to.

    ansible-core 2.22 and newer also masks it in all output of the run.
    """
    if secret:
        _known[secret] = None
        register_secret(secret)


def known_secrets() -> tuple[str, ...]:
    """Return what was remembered, in that order."""
    return tuple(_known)
