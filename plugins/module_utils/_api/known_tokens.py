# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The last tokens that this process has seen. Ansible starts a process for each task and host."""

from __future__ import annotations

# A shorter text is not a token but a placeholder, such as "none", which occurs in many messages.
_SHORTEST_TOKEN = 16
# More than the calls that a message can be about.
_MAX_TOKENS = 50

# A dictionary, because a set has no order.
_tokens: dict[str, None] = {}


def add_known_token(token: str) -> bool:
    """Keep a token out of the later messages of this process. Return False for a text that is too short to be one."""
    if len(token) < _SHORTEST_TOKEN:
        return False
    _tokens.pop(token, None)
    _tokens[token] = None
    if len(_tokens) > _MAX_TOKENS:
        del _tokens[next(iter(_tokens))]
    return True


def known_tokens() -> tuple[str, ...]:
    """Return the tokens that were added last."""
    return tuple(_tokens)
