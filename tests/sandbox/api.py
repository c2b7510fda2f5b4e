# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints as a client sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .accept import require_json_accepted
from .answer import Answer
from .call import Call
from .form import read_form
from .project import ApiKey, Token
from .refusal import Refusal
from .scopes import read_scope
from .world import World

VOUCHERS = [
    {"id": "v_1", "code": "SPRING-10", "type": "DISCOUNT_VOUCHER", "active": True, "object": "voucher"},
    {"id": "v_2", "code": "GIFT-50", "type": "GIFT_VOUCHER", "active": True, "object": "voucher"},
]


def operation_of(path: str) -> str | None:
    """The operation that a path below the base URL stands for, whatever the method."""
    endpoint = _ENDPOINTS.get(path)
    return endpoint.operation if endpoint else None


def answer_call(world: World, path: str, call: Call) -> Answer:
    """Do what a call asks for. `path` is one that `operation_of` knows.

    The limit is looked at first, so that every answer of the API tells where the limit stands.
    """
    endpoint = _ENDPOINTS[path]
    allowance = world.rate_limit.count(world.settings.rate_limit)
    try:
        if allowance.is_exceeded:
            raise Refusal(429, "too_many_requests", "API limit reached", headers=allowance.wait_headers)
        if call.method != endpoint.method:
            raise _wrong_method(call.method, endpoint.method)
        answer = endpoint.answer(world, call)
    except Refusal as refusal:
        answer = refusal.to_answer()
    return answer.with_headers(allowance.headers)


def _generate(world: World, call: Call) -> Answer:
    key = _open_oauth_call(world, call)
    form = read_form(call, ("grant_type", "scope"))
    if form.get("grant_type") != "client_credentials":
        raise Refusal(400, "invalid_grant_type", "Invalid grant_type")
    asked = read_scope(form.get("scope"))
    granted = world.settings.granted_scope
    token = world.project.make_token(key, asked if granted is None else granted)
    return Answer.json(200, _describe(world, token))


def _introspect(world: World, call: Call) -> Answer:
    _open_oauth_call(world, call)
    token = world.project.find_live_token(_read_access_token(call))
    if token is None:
        return Answer.json(200, {"active": False})
    return Answer.json(200, {**_describe(world, token), "active": True})


def _revoke(world: World, call: Call) -> Answer:
    _open_oauth_call(world, call)
    return Answer(204 if world.project.revoke_token(_read_access_token(call)) else 404)


def _list_vouchers(world: World, call: Call) -> Answer:
    if "authorization" in call.headers:
        _require_scope_for_vouchers(world, call.headers["authorization"])
    else:
        _find_key(world, call)
    require_json_accepted(call)
    return Answer.json(200, {"object": "list", "data_ref": "vouchers", "vouchers": VOUCHERS, "total": len(VOUCHERS)})


def _open_oauth_call(world: World, call: Call) -> ApiKey:
    """What the three OAuth endpoints ask of every call; returns the key that it was made with."""
    key = _find_key(world, call)
    require_json_accepted(call)
    if call.query:
        # No document gives these endpoints a query, and a secret in one would end up in logs.
        raise Refusal(400, "invalid_query_params", "Invalid query params", "This endpoint takes no query")
    return key


def _find_key(world: World, call: Call) -> ApiKey:
    key = world.project.find_key(call.headers.get("x-app-id"), call.headers.get("x-app-token"))
    if key is None:
        raise Refusal(401, "unauthorized", "Unauthorized", "X-App-Id and X-App-Token belong to no API key")
    return key


def _read_access_token(call: Call) -> str:
    """The one field of introspect and revoke.

    An empty value is none (RFC 6749, section 3.2). That revoke misses it in the same words as introspect is the
    strict reading: its document knows no 400, but its schema requires the field.
    """
    access_token = read_form(call, ("access_token",)).get("access_token")
    if not access_token:
        raise Refusal(400, "missing_parameters", "Missing parameters")
    return access_token


def _describe(world: World, token: Token) -> dict[str, Any]:
    return {
        "access_token": token.access_token,
        "client_id": token.client_id,
        "expires_at": token.expires_at,
        "expires_in": token.expires_at - world.clock.now(),
        "scope": token.scope,
        "token_type": "Bearer",
    }


def _require_scope_for_vouchers(world: World, authorization: str) -> None:
    # Exactly "Bearer", though RFC 9110 would take any case: the document calls `token_type` the header's prefix.
    prefix, _sign, access_token = authorization.partition(" ")
    token = world.project.find_live_token(access_token) if prefix == "Bearer" else None
    if token is None:
        raise Refusal(401, "unauthorized", "Unauthorized", "The access token is unknown, expired or revoked")
    if not {"api", "vouchers"} & set(token.scope.split(" ")):
        # No document shows this error. The status is that of RFC 6750, section 3.1.
        raise Refusal(403, "insufficient_scope", "Forbidden", "The access token's scope does not cover vouchers")


def _wrong_method(method: str, right: str) -> Refusal:
    details = f"{method} is not supported by this endpoint. Did you mean {right}?"
    return Refusal(405, "method_not_allowed", "HTTP Method Not Allowed", details, {"Allow": right})


@dataclass(frozen=True)
class _Endpoint:
    operation: str
    method: str
    answer: Callable[[World, Call], Answer]


_ENDPOINTS = {
    "/v1/oauth/token": _Endpoint("generate", "POST", _generate),
    "/v1/oauth/introspect": _Endpoint("introspect", "POST", _introspect),
    "/v1/oauth/token/revoke": _Endpoint("revoke", "POST", _revoke),
    "/v1/vouchers": _Endpoint("vouchers", "GET", _list_vouchers),
}
