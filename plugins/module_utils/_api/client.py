# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The three calls of Voucherify's OAuth API (v1) and their answers. Uses neither Ansible nor an HTTP library."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .answers import Success
from .errors import BadAnswer, Call, Refused
from .retries import HttpClient
from .tokens import TOKEN_LIFE_SECONDS, TokenDetails, is_token, token_details

__all__ = ["OAuthClient", "Token", "TokenDetails", "is_token"]

GENERATE = Call(
    "generate",
    "generate a token",
    "/v1/oauth/token",
    success=200,
    risk_if_repeated="it may have made a token that was lost (such a token expires within 15 minutes)",
)
INTROSPECT = Call("introspect", "introspect the token", "/v1/oauth/introspect", success=200)
REVOKE = Call(
    "revoke",
    "revoke the token",
    "/v1/oauth/token/revoke",
    success=204,
    # The next run may make another token instead of revoking this one.
    later="the token expires within 15 minutes even if it is not revoked",
)


@dataclass(frozen=True)
class Token:
    """A token, and what the API said about it at a moment, in seconds of this machine's monotonic clock."""

    access_token: str = field(repr=False)
    details: TokenDetails
    described_at: float = field(default_factory=time.monotonic)

    def details_now(self) -> TokenDetails:
        """Return the details with the seconds that are left now."""
        left, age = self.details.expires_in, int(time.monotonic() - self.described_at)
        return replace(self.details, expires_in=None if left is None else left - age)


class OAuthClient:
    """The OAuth API of one project, with one API key. Only one thread at a time may use it."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._differences: dict[str, None] = {}

    def generate(self, scope: Sequence[str] | None, grant_type: str = "client_credentials") -> Token:
        """Make a token (RFC 6749, section 4.4) with the given scopes; for None, the API chooses.

        Raises RequestError; if its C(may_have_made_a_token) is true, a token may have been made and lost.
        """
        form = {"grant_type": grant_type}
        if scope is not None:
            form["scope"] = " ".join(scope)
        success = self._post(GENERATE, form)
        access_token = success.content.get("access_token")
        if not isinstance(access_token, str) or not is_token(access_token):
            raise _bad_answer(GENERATE, success, "access_token")
        details = token_details(GENERATE, success, scope=scope, life=TOKEN_LIFE_SECONDS, note=self._note)
        return Token(access_token, details)

    def introspect(self, access_token: str) -> TokenDetails | None:
        """Ask for the details of a token (RFC 7662); None if it is unknown, expired or revoked.

        Raises RequestError.
        """
        success = self._post(INTROSPECT, {"access_token": access_token})
        active = success.content.get("active")
        if not isinstance(active, bool):
            raise _bad_answer(INTROSPECT, success, "active")
        return token_details(INTROSPECT, success, scope=None, life=None, note=self._note) if active else None

    def revoke(self, access_token: str) -> bool | None:
        """Revoke a token (RFC 7009).

        Returns True if this call revoked it, False if it was no longer active, and None if it is no longer active
        and an earlier try of this call, which the API answered with an error, may have revoked it.
        Raises RequestError.
        """
        try:
            self._post(REVOKE, {"access_token": access_token})
        except Refused as error:
            if error.status != 404:
                raise
            if not error.empty:
                self._check_that_inactive(access_token, error)
            if error.answer_lost_before:
                return True
            return None if error.server_failed_before else False
        return True

    def take_differences(self) -> list[str]:
        """Return how answers differed from the API's documentation, in sentences without values, and clear the list."""
        taken, self._differences = list(self._differences), {}
        return taken

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _post(self, call: Call, form: dict[str, str]) -> Success:
        success = self._http.post(call, form)
        if success.status != call.success:
            self._note(f"The status of {call.operation} is {success.status} instead of {call.success}.")
        return success

    def _note(self, difference: str) -> None:
        self._differences[difference] = None

    def _check_that_inactive(self, access_token: str, refusal: Refused) -> None:
        """Distinguish an inactive token from a wrong base URL; both may be a 404 with a body. Raises RequestError."""
        try:
            active = self.introspect(access_token) is not None
        except Refused as error:
            raise (refusal if error.status == 404 else error) from None
        if active:
            refusal.cause += ", although the token is active"
            refusal.advice = "ask Voucherify's support"
            raise refusal
        self._note(f"The 404 answer to {REVOKE.operation} has a body.")


def _bad_answer(call: Call, success: Success, name: str) -> BadAnswer:
    # A token with white space, for example, would end in the middle of an HTTP header.
    fault = "lacks" if success.content.get(name) is None else "has an invalid"
    return BadAnswer(call, f"the API's answer {fault} {name}", "check api_base_url and proxy", status=success.status)
