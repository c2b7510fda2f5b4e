# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Voucherify project: its API keys and the tokens made with them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .clock import Clock
from .refusal import Refusal
from .secret import random_alphanumerics

TOKEN_LIFE = 900
MOST_LIVE_TOKENS = 1000


@dataclass(frozen=True)
class ApiKey:
    """What a client proves itself with, and the public name by which its tokens call it."""

    app_id: str
    app_token: str
    client_id: str

    @classmethod
    def random(cls) -> ApiKey:
        """A new key whose parts look like Voucherify's."""
        return cls(str(uuid.uuid4()), str(uuid.uuid4()), random_alphanumerics(21))


@dataclass(frozen=True)
class Token:
    """An access token. expires_at: Unix time in seconds. status: active, expired or revoked."""

    access_token: str
    scope: str
    client_id: str
    expires_at: int
    status: str = "active"


class Project:
    """The tokens of one project, by the sandbox's clock.

    Any key of the project may introspect and revoke any of its tokens. The documents know no other failure than
    "not found or inactive", and they count tokens by project. RFC 7009, section 2.1, would refuse another client's.
    """

    def __init__(self, keys: Sequence[ApiKey], clock: Clock) -> None:
        self._keys = tuple(keys)
        self._clock = clock
        self._tokens: dict[str, Token] = {}

    def find_key(self, app_id: str | None, app_token: str | None) -> ApiKey | None:
        """The key that both parts belong to."""
        for key in self._keys:
            if (key.app_id, key.app_token) == (app_id, app_token):
                return key
        return None

    def make_token(self, key: ApiKey, scope: str) -> Token:
        """A new token. Raises Refusal when 1000 are live (OpenAPI document, generate-oauth-token)."""
        if len(self.live_tokens()) >= MOST_LIVE_TOKENS:
            # No document names the error. The key is the sandbox's own.
            raise Refusal(400, "too_many_tokens", "Too many tokens", f"A project has {MOST_LIVE_TOKENS} at most")
        token = Token(random_alphanumerics(50), scope, key.client_id, self._clock.now() + TOKEN_LIFE)
        self._tokens[token.access_token] = token
        return token

    def find_live_token(self, access_token: str) -> Token | None:
        """The token, unless it is unknown, expired or revoked."""
        token = self._tokens.get(access_token)
        return token if token is not None and self._is_live(token) else None

    def revoke_token(self, access_token: str) -> bool:
        """Whether there was a live token to revoke."""
        token = self.find_live_token(access_token)
        if token is None:
            return False
        self._tokens[access_token] = replace(token, status="revoked")
        return True

    def live_tokens(self) -> list[Token]:
        """Every token that still works."""
        return [token for token in self._tokens.values() if self._is_live(token)]

    def tokens(self) -> list[Token]:
        """Every token ever made, in the order of their making."""
        return [self._as_of_now(token) for token in self._tokens.values()]

    def _is_live(self, token: Token) -> bool:
        return token.status == "active" and self._clock.now() < token.expires_at

    def _as_of_now(self, token: Token) -> Token:
        if token.status == "active" and not self._is_live(token):
            return replace(token, status="expired")
        return token
