# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The tokens that this process has seen. Ansible starts a process for each task and host."""

from __future__ import annotations

try:
    from ansible.module_utils.secrets import register_secret  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # ansible-core up to 2.21

    def register_secret(value: str, /) -> str:
        return value


__all__ = ["known_tokens", "register_secret", "remember_token"]

# A shorter text is no token but a placeholder, such as "none", which occurs in many messages.
_SHORTEST_TOKEN = 16
# More than the calls that a message can be about.
_MAX_TOKENS = 50

# A dictionary, because a set has no order.
_tokens: dict[str, None] = {}


def remember_token(token: str) -> None:
    """Keep a token out of the later messages of this process, because the API can name it when it refuses a call.

    ansible-core 2.22 and newer also masks it in all output of the run.
    """
    if len(token) < _SHORTEST_TOKEN:
        return
    register_secret(token)
    _tokens.pop(token, None)
    _tokens[token] = None
    if len(_tokens) > _MAX_TOKENS:
        del _tokens[next(iter(_tokens))]


def known_tokens() -> tuple[str, ...]:
    """Return the tokens that were remembered last."""
    return tuple(_tokens)
