# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""A client of the OAuth API that runs a token module for each call, where this process may not make HTTP calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...module_utils._api import client as api
from ...module_utils._api.errors import Call, OAuthError, Stopped
from ...module_utils._api.retries import Pacing

# Runs a module on the controller, given its full name and options, and returns the result.
Execute = Callable[[str, dict[str, Any]], Mapping[str, Any]]


class ModuleFailed(OAuthError):
    """A token module failed. The text is its message."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        super().__init__(str(result["msg"]))
        self._error = dict(result.get("error", {}))

    @property
    def may_have_made_a_token(self) -> bool:
        return self._error.get("operation") == api.GENERATE.operation and bool(self._error.get("outcome_unknown"))

    def as_dict(self) -> dict[str, Any]:
        return self._error


class ModuleClient:
    """Makes the same calls as C(OAuthClient), and raises Stopped or ModuleFailed.

    connection: the options that all token modules share.
    """

    def __init__(self, execute: Execute, connection: Mapping[str, Any], pacing: Pacing) -> None:
        self._execute = execute
        self._connection = connection
        self._pacing = pacing

    def generate(self, scope: Sequence[str] | None) -> api.Token:
        options = {} if scope is None else {"scope": list(scope)}
        result = self._result(api.GENERATE, "voucherify_oauth_token", options)
        return api.Token(result["access_token"], _details(result))

    def introspect(self, access_token: str) -> api.TokenDetails | None:
        result = self._result(api.INTROSPECT, "voucherify_oauth_token_info", {"access_token": access_token})
        return _details(result) if result["active"] else None

    def revoke(self, access_token: str) -> bool | None:
        """Revoke a token. A result does not tell whether an earlier try may have done it, so that counts as False."""
        options = {"state": "absent", "access_token": access_token}
        return bool(self._result(api.REVOKE, "voucherify_oauth_token", options)["changed"])

    def close(self) -> None:
        """Do nothing, because each module closes its own connection."""

    def _result(self, call: Call, module: str, options: dict[str, Any]) -> Mapping[str, Any]:
        if not self._pacing.begin():
            raise Stopped(call, "the call was not sent, because the task was stopped", "run the play again")
        result = self._execute(f"voucherify.oauth.{module}", {**self._connection, **options})
        if result.get("failed") or result.get("unreachable"):
            raise ModuleFailed(result)
        return result


def _details(result: Mapping[str, Any]) -> api.TokenDetails:
    scope = result.get("scope")
    known: dict[str, Any] = {key: result.get(key) for key in ("token_type", "client_id", "expires_at", "expires_in")}
    return api.TokenDetails(scope=None if scope is None else tuple(scope), **known)
