# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The three calls of Voucherify's OAuth API (v1) and what they answer. Knows no Ansible and no HTTP library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ._errors import BadAnswer, Call, Refused, RequestError
from ._http import HttpClient

T = TypeVar("T")

GENERATE = Call(
    "generate",
    "generate a token",
    "/v1/oauth/token",
    success=200,
    hazard="it may have made a token that no one holds (such a token expires within 15 minutes)",
)
INTROSPECT = Call("introspect", "introspect the token", "/v1/oauth/introspect", success=200)
REVOKE = Call("revoke", "revoke the token", "/v1/oauth/token/revoke", success=204)


@dataclass(frozen=True)
class TokenDetails:
    """What the API tells of a live token (schema C(OAuthToken) of its OpenAPI document), without the token itself.

    expires_at: Unix time in seconds. expires_in: seconds left when the API answered.
    """

    token_type: str
    scope: tuple[str, ...]
    client_id: str
    expires_at: int
    expires_in: int


@dataclass(frozen=True)
class Token:
    """A token that was just made."""

    access_token: str = field(repr=False)
    details: TokenDetails


class OAuthClient:
    """The OAuth API of one project, with one API key. Every method raises RequestError."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def generate(self, scope: Sequence[str] | None) -> Token:
        """Make a token (RFC 6749, section 4.4) with the scopes named, or with the API's choice for None.

        Where the answer holds a token but is not whole, the token is revoked before BadAnswer is raised: nobody else
        could ever revoke it.
        """
        form = {"grant_type": "client_credentials"}
        if scope is not None:
            form["scope"] = " ".join(scope)
        answer = self._http.post(GENERATE, form)
        access_token = _field(GENERATE, answer, "access_token", str)
        if not access_token:
            fault = "the API's answer has an empty access_token"
            raise BadAnswer(GENERATE, fault, "check api_base_url and proxy", status=GENERATE.success)
        try:
            return Token(access_token, _details(GENERATE, answer))
        except BadAnswer as error:
            if self._revoked_for_sure(access_token):
                error.maybe_carried_out = False
                error.advice = f"the token that came with it has been revoked; {error.advice}"
            raise

    def introspect(self, access_token: str) -> TokenDetails | None:
        """Ask what a token is good for (RFC 7662); None for one that is unknown, expired or revoked."""
        answer = self._http.post(INTROSPECT, {"access_token": access_token})
        if not _field(INTROSPECT, answer, "active", bool):
            return None
        return _details(INTROSPECT, answer)

    def revoke(self, access_token: str) -> bool:
        """End a token's life (RFC 7009). Return whether this call ended it; False when it was not active any more."""
        try:
            self._http.post(REVOKE, {"access_token": access_token})
        except Refused as error:
            # The API says "not active" with an empty 404; one with a body comes from a wrong base URL.
            if error.status == 404 and error.empty:
                return error.after_lost_answer
            raise
        return True

    def _revoked_for_sure(self, access_token: str) -> bool:
        try:
            self.revoke(access_token)
        except RequestError:
            return False
        return True


def _details(call: Call, answer: Mapping[str, Any]) -> TokenDetails:
    return TokenDetails(
        token_type=_field(call, answer, "token_type", str),
        scope=tuple(_field(call, answer, "scope", str).split()),
        client_id=_field(call, answer, "client_id", str),
        expires_at=_field(call, answer, "expires_at", int),
        expires_in=_field(call, answer, "expires_in", int),
    )


def _field(call: Call, answer: Mapping[str, Any], name: str, kind: type[T]) -> T:
    value = answer.get(name)
    # To isinstance a bool is an int, and to the API it is not.
    if isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
        return value
    fault = "lacks" if name not in answer else "has a wrong type for"
    raise BadAnswer(call, f"the API's answer {fault} {name}", "check api_base_url and proxy", status=call.success)
