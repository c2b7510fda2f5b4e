# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Call the OAuth API for many tokens with the token modules, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import (
    GENERATE,
    INTROSPECT,
    REVOKE,
    TokenDetails,
)
from ansible_collections.voucherify.oauth.plugins.module_utils._api.errors import Call, OAuthError, Stopped

from .calls import (
    Made,
    Outcome,
    Reading,
    Scope,
    TokenCalls,
)
from .interruptions import Interruptions

A = TypeVar("A")
T = TypeVar("T")


class ModuleFailed(OAuthError):
    """A token module failed. The text is its message."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        super().__init__(str(result.get("msg", "the module gave no reason")))
        self._error = dict(result.get("error", {}))

    @property
    def may_have_made_a_token(self) -> bool:
        return self._error.get("operation") == GENERATE.operation and bool(self._error.get("outcome_unknown"))

    def as_dict(self) -> dict[str, Any]:
        return self._error


class ModuleCalls(TokenCalls):
    """Makes each call with a token module in a new process, if this process may not make HTTP calls.

    execute: runs a module on the controller, given its full name and options, and returns the result.
    """

    at_once = 1

    def __init__(
        self, execute: Callable[[str, dict[str, Any]], Mapping[str, Any]], interruptions: Interruptions
    ) -> None:
        self._execute = execute
        self._interruptions = interruptions

    def introspect(self, tokens: Sequence[str]) -> list[Outcome[Reading | None]]:
        return self._each(INTROSPECT, self._introspect, tokens)

    def generate(self, scopes: Sequence[Scope]) -> list[Outcome[Made]]:
        return self._each(GENERATE, self._generate, scopes)

    def revoke(self, tokens: Sequence[str], *, whatever_happens: bool = False) -> list[Outcome[bool | None]]:
        return self._each(REVOKE, self._revoke, tokens, whatever_happens=whatever_happens)

    def _each(
        self, call: Call, execute: Callable[[A], T], arguments: Sequence[A], *, whatever_happens: bool = False
    ) -> list[Outcome[T]]:
        outcomes: list[Outcome[T]] = []
        stopped = False
        for argument in arguments:
            if not whatever_happens and (stopped or self._interruptions.reason()):
                cause = "the call was not started, because the task was ending"
                outcomes.append(Stopped(call, cause, "run the play again"))
                continue
            try:
                outcomes.append(execute(argument))
            except Exception as error:
                stopped = True
                outcomes.append(error)
        return outcomes

    def _introspect(self, token: str) -> Reading | None:
        result = self._result("voucherify_oauth_token_info", access_token=token)
        return Reading(_details(result)) if result["active"] else None

    def _generate(self, scope: Scope) -> Made:
        result = self._result("voucherify_oauth_token", **({} if scope is None else {"scope": list(scope)}))
        return Made(result["access_token"], Reading(_details(result)))

    def _revoke(self, token: str) -> bool:
        return bool(self._result("voucherify_oauth_token", state="absent", access_token=token)["changed"])

    def _result(self, module: str, **options: Any) -> Mapping[str, Any]:
        result = self._execute(f"voucherify.oauth.{module}", options)
        if result.get("failed") or result.get("unreachable"):
            raise ModuleFailed(result)
        return result


def _details(result: Mapping[str, Any]) -> TokenDetails:
    scope = result.get("scope")
    return TokenDetails(
        token_type=result.get("token_type", ""),
        scope=None if scope is None else tuple(scope),
        client_id=result.get("client_id"),
        expires_at=result.get("expires_at"),
        expires_in=result.get("expires_in"),
    )
