# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API as a client sees it: what each endpoint requires, answers and refuses."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Union
from urllib.parse import parse_qsl

from .state import MAX_LIVE_TOKENS, ApiKey, State, Token

FORM = "application/x-www-form-urlencoded"

# From the OpenAPI document, OAuthTokenGenerateRequestBody.
_DOCUMENTED_SCOPES = """
    api assets async-actions campaigns categories client_api client_consents client_customers client_events
    client_promotions client_publish client_qualifications client_redeem client_redemptions client_validate
    client_validations client_vouchers consents customers events exports locations loyalties metadata-schemas
    orders product-collections products promotions publications qualifications redemptions referrals rewards
    segments skus task-results templates trash-bin validation-rules-assignments validation-rules validations
    vouchers
"""
SCOPES = frozenset(_DOCUMENTED_SCOPES.split())

# The path determines the scope: /v1/vouchers needs `vouchers`. `api` covers them all; `client_...` is for browsers.
COLLECTIONS = frozenset(scope for scope in SCOPES if scope != "api" and not scope.startswith("client_"))

# The OpenAPI document requires a scope, the SDK's page does not. `api` is the scope in the example of the document.
DEFAULT_SCOPE = "api"

Headers = Mapping[str, Union[str, Sequence[str], None]]


@dataclass(frozen=True)
class Call:
    """One complete HTTP request.

    target: the target in the request line. path, query: its parts, still percent-encoded.
    headers: names in lower case; the values of a repeated header are joined with a comma.
    """

    method: str
    target: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """One HTTP response. headers: a list sends the header several times, None leaves it out."""

    status: int
    headers: Headers = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def json(cls, status: int, content: Any) -> Answer:
        """Return an answer with `content` as JSON."""
        return cls(status, {"Content-Type": "application/json"}, json.dumps(content).encode())

    def with_headers(self, headers: Headers) -> Answer:
        """Return the same answer with further headers."""
        return replace(self, headers={**self.headers, **headers})


class Refusal(Exception):
    """The API's error object (OpenAPI document, schema Error). Raised when a call is refused."""

    def __init__(self, status: int, key: str, message: str, details: str | None = None, allow: str = "") -> None:
        super().__init__(message)
        error = {"code": status, "key": key, "message": message, "request_id": f"v-{secrets.token_hex(9)}"}
        if details is not None:
            error["details"] = details
        self.answer = Answer.json(status, error).with_headers({"Allow": allow} if allow else {})


def operation_of(path: str) -> str | None:
    """Return the operation of a path, for any method. Return None for an unknown path."""
    if path in _OAUTH:
        return _OAUTH[path][0]
    collection = path[len("/v1/") :]
    return collection if path.startswith("/v1/") and collection in COLLECTIONS else None


def answer_call(state: State, call: Call) -> Answer:
    """Carry out a call. `operation_of` must know its path.

    The rate limit comes first, so that every answer has its headers.
    """
    is_too_many, limit_headers = state.count_call()
    try:
        if is_too_many:
            raise Refusal(429, "too_many_requests", "API limit reached")
        answer = _answer(state, call)
    except Refusal as refusal:
        answer = refusal.answer
    return answer.with_headers(limit_headers)


def _answer(state: State, call: Call) -> Answer:
    path = call.path
    method = "POST" if path in _OAUTH else "GET"
    if call.method != method:
        details = f"{call.method} is not supported by this endpoint. Did you mean {method}?"
        raise Refusal(405, "method_not_allowed", "HTTP Method Not Allowed", details, allow=method)
    if path not in _OAUTH:
        return _list_collection(state, path[len("/v1/") :], call)
    key = _find_key(state, call)
    _require_json_accepted(call)
    if call.query:
        # No document shows these endpoints with a query, and a secret in a query would end up in logs.
        raise Refusal(400, "invalid_query_params", "Invalid query params", "This endpoint takes no query")
    return _OAUTH[path][1](state, key, call)


def _generate(state: State, key: ApiKey, call: Call) -> Answer:
    form = _read_form(call, ("grant_type", "scope"))
    if form.get("grant_type") != "client_credentials":
        raise Refusal(400, "invalid_grant_type", "Invalid grant_type")
    scope = _read_scope(form.get("scope"))
    token = state.make_token(key, scope)
    if token is None:
        # No document names this error. The key is the sandbox's own.
        raise Refusal(400, "too_many_tokens", "Too many tokens", f"A project can have at most {MAX_LIVE_TOKENS}")
    return Answer.json(200, _describe(state, token))


def _introspect(state: State, _key: ApiKey, call: Call) -> Answer:
    token = state.find_live_token(_read_access_token(call))
    if token is None:
        return Answer.json(200, {"active": False})
    return Answer.json(200, {**_describe(state, token), "active": True})


def _revoke(state: State, _key: ApiKey, call: Call) -> Answer:
    return Answer(204 if state.revoke_token(_read_access_token(call)) else 404)


_OAUTH: dict[str, tuple[str, Callable[[State, ApiKey, Call], Answer]]] = {
    "/v1/oauth/token": ("generate", _generate),
    "/v1/oauth/introspect": ("introspect", _introspect),
    "/v1/oauth/token/revoke": ("revoke", _revoke),
}
OPERATIONS = ("generate", "introspect", "revoke", *sorted(COLLECTIONS))


def _list_collection(state: State, name: str, call: Call) -> Answer:
    if "authorization" in call.headers:
        _require_scope(state, name, call.headers["authorization"])
    else:
        _find_key(state, call)
    _require_json_accepted(call)
    entries = [{"id": f"{name}_{number}", "active": True} for number in (1, 2)]
    data_ref = name.replace("-", "_")
    return Answer.json(200, {"object": "list", "data_ref": data_ref, data_ref: entries, "total": len(entries)})


def _require_scope(state: State, scope: str, authorization: str) -> None:
    # Exactly "Bearer", although RFC 9110 allows any case: the document calls `token_type` the header's prefix.
    prefix, _sign, access_token = authorization.partition(" ")
    token = state.find_live_token(access_token) if prefix == "Bearer" else None
    if token is None:
        raise Refusal(401, "unauthorized", "Unauthorized", "The access token is unknown, expired or revoked")
    if not {"api", scope} & set(token.scope.split(" ")):
        # No document shows this error. The status is that of RFC 6750, section 3.1.
        raise Refusal(403, "insufficient_scope", "Forbidden", f"The access token's scope does not cover {scope}")


def _find_key(state: State, call: Call) -> ApiKey:
    key = state.find_key(call.headers.get("x-app-id"), call.headers.get("x-app-token"))
    if key is None:
        raise Refusal(401, "unauthorized", "Unauthorized", "X-App-Id and X-App-Token belong to no API key")
    return key


def _describe(state: State, token: Token) -> dict[str, Any]:
    return {
        "access_token": token.access_token,
        "client_id": token.client_id,
        "expires_at": token.expires_at,
        "expires_in": token.expires_at - state.now(),
        "scope": token.scope,
        "token_type": "Bearer",
    }


def _require_json_accepted(call: Call) -> None:
    """Raise Refusal 406 if `Accept` rules out JSON.

    Without the header everything is accepted (RFC 9110, section 12.5.1).
    """
    accepted = {part.partition(";")[0].strip().lower() for part in call.headers.get("accept", "*/*").split(",")}
    if not accepted & {"application/json", "application/*", "*/*"}:
        raise Refusal(406, "not_acceptable", "Not Acceptable", "The only response format is application/json")


def _read_access_token(call: Call) -> str:
    """Return the only field of introspect and revoke.

    An empty value counts as missing (RFC 6749, section 3.2). The documentation of revoke shows no 400, but its schema
    requires the field.
    """
    access_token = _read_form(call, ("access_token",)).get("access_token")
    if not access_token:
        raise Refusal(400, "missing_parameters", "Missing parameters")
    return access_token


def _read_form(call: Call, allowed: Collection[str]) -> dict[str, str]:
    """Return the fields of the body.

    Stricter than RFC 6749, section 3.2, which ignores unknown fields: here they are mistakes of the client.
    """
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Refusal(415, "unsupported_media_type", "Unsupported Media Type", f"Send the request as {FORM}")
    try:
        text = call.body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict") if text else []
    except ValueError:
        raise Refusal(400, "invalid_payload", "Invalid payload", "The body is not a UTF-8 form") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name not in allowed:
            raise Refusal(400, "invalid_payload", "Invalid payload", f"Unknown field: {name}")
        if name in fields:
            raise Refusal(400, "invalid_payload", "Invalid payload", f"Field sent more than once: {name}")
        fields[name] = value
    return fields


def _read_scope(asked: str | None) -> str:
    """Return the scope as the API spells it, each value once.

    Raises Refusal with the first value that is not a scope. Two spaces in a row have an empty value between them, which
    RFC 6749, section 3.3, does not allow.
    """
    if asked is None:
        return DEFAULT_SCOPE
    for value in asked.split(" "):
        # Case does not matter, because the documents contradict each other: `SKUs` and `skus`.
        if value.lower() not in SCOPES:
            raise Refusal(400, "invalid_scope", f"Invalid scope: {value}")
    return " ".join(dict.fromkeys(asked.lower().split(" ")))
