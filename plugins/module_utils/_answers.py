# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""What an answer of the Voucherify API means: the object it holds, or the error that it is. No I/O."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote_plus, urlsplit

from ._errors import ApiError, BadAnswer, Call, RateLimited, Redirected, Refused, ServerFailed

MAX_ANSWER_BYTES = 1024 * 1024
MAX_QUOTED_CHARACTERS = 300

_ADVICE = {
    400: "mend the option that the API names",
    401: "check app_id and app_token, and that they belong to the project behind api_base_url",
    402: "the project's plan does not allow it; see its subscription",
    403: "check the API key's permissions and its list of allowed IP addresses",
    404: "check api_base_url",
    407: "check the user name and password in proxy",
}
_OTHER_ADVICE = "check api_base_url, or ask Voucherify's support"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of a host. A body of None was longer than MAX_ANSWER_BYTES."""

    host: str
    status: int
    headers: Mapping[str, str]
    body: bytes | None = field(repr=False)


def read(call: Call, answer: Answer, secrets: tuple[str, ...]) -> dict[str, Any]:
    """Return the JSON object that an answer holds, empty for one without a body.

    secrets: texts that an error must not repeat, though the API may.
    Raises BadAnswer, RateLimited, Redirected, Refused or ServerFailed.
    """
    status = answer.status
    if 300 <= status < 400:
        target = _quotable(_host_of(answer.headers.get("Location", "")), secrets) or "a place it does not name"
        raise Redirected(
            call,
            f"{answer.host} answered {status}, a redirect to {target}, which is not followed",
            "set api_base_url to where the API is",
            status=status,
        )
    content = _json_object(answer.body)
    if status == call.success:
        if answer.body == b"":
            return {}
        if content is None:
            fault = "is longer than 1 MiB" if answer.body is None else "is not a JSON object"
            raise BadAnswer(call, f"the answer of {answer.host} {fault}", "check api_base_url and proxy", status=status)
        return content
    api = _api_error(content or {}, secrets)
    said = f"{answer.host} answered {status}" + (f", {api}" if str(api) else "")
    if status == 429:
        raise _too_many_requests(call, said, answer.headers, api)
    if status >= 500:
        retry_after = _retry_after(answer.headers)
        raise ServerFailed(call, said, "run the play again", status=status, api=api, retry_after=retry_after)
    if status < 400:
        raise BadAnswer(call, f"{said} instead of {call.success}", "check api_base_url and proxy", status=status)
    refusal = Refused(call, said, _ADVICE.get(status, _OTHER_ADVICE), status=status, api=api)
    refusal.empty = answer.body == b""
    raise refusal


def _json_object(body: bytes | None) -> dict[str, Any] | None:
    try:
        content = json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _api_error(content: Mapping[str, Any], secrets: tuple[str, ...]) -> ApiError:
    words = {name: content.get(name) for name in ("key", "message", "details", "request_id")}
    return ApiError(**{name: _quotable(word, secrets) for name, word in words.items() if isinstance(word, str)})


def _quotable(text: str, secrets: tuple[str, ...]) -> str:
    """Make a server's words fit to be shown: one short line, without control characters and without our secrets."""
    for secret in filter(None, secrets):
        for written in (secret, quote_plus(secret)):
            text = text.replace(written, "********")
    line = "".join(character if character.isprintable() else " " for character in text[:MAX_QUOTED_CHARACTERS])
    return " ".join(line.split())


def _host_of(location: str) -> str:
    try:
        return urlsplit(location).hostname or ""
    except ValueError:
        return ""


def _too_many_requests(call: Call, said: str, headers: Mapping[str, str], api: ApiError) -> RateLimited | Refused:
    retry_after = _retry_after(headers)
    if headers.get("X-Rate-Limit-Type") == "api_calls_cycle":
        said += ": the API calls of this billing cycle are used up"
        advice = "waiting within a run does not help; see the project's subscription"
        return Refused(call, said, advice, status=429, api=api, retry_after=retry_after)
    advice = "make fewer calls a minute, or raise max_wait"
    return RateLimited(call, said, advice, status=429, api=api, retry_after=retry_after)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the API wants to be left alone for; None where it does not say, or names the past."""
    stated = headers.get("Retry-After", "").strip()
    if stated.isdecimal():
        return float(stated)
    unix_time = headers.get("X-Rate-Limit-Retry", "").strip()
    at = _timestamp(stated) or (float(unix_time) if unix_time.isdecimal() else None)
    # The server's own clock, where it tells it: this machine's may be off by more than the wait.
    now = _timestamp(headers.get("Date", "")) or time.time()
    return at - now if at is not None and at > now else None


def _timestamp(http_date: str) -> float | None:
    try:
        return parsedate_to_datetime(http_date).timestamp()
    except (TypeError, ValueError):
        return None
