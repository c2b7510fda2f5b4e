# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Interpret an answer of the Voucherify API as an object or an error. No I/O."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from .errors import ApiError, BadAnswer, Call, RateLimited, Redirected, Refused, RequestError, ServerFailed
from .words import repeats, shown

MAX_ANSWER_BYTES = 1024 * 1024

_ADVICE = {
    400: "correct the option that the API names",
    401: "check app_id and app_token, and that they belong to the project at api_base_url",
    402: "the project's plan does not allow it; check its subscription",
    403: "check the API key's permissions and its list of allowed IP addresses, and that api_base_url belongs to the"
    " project's region",
    404: "check api_base_url",
}
_SCOPE_ADVICE = (
    "correct the option scope; https://docs.voucherify.io/api-reference/oauth/generate-oauth-20-token lists the valid"
    " scopes"
)
_OTHER_ADVICE = "check api_base_url, or ask Voucherify's support"
_TRY_LATER = "run the play again"

# The server did not process the call (RFC 9110, sections 15.5.9 and 15.5.20; RFC 8470, section 5.2).
_NOT_PROCESSED = (408, 421, 425)
# The call may succeed soon (RFC 9110, section 15.5.10; RFC 4918, section 11.3).
_BUSY = (409, 423)

_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
# An HTTP date (RFC 9110, section 5.6.7), which contains a comma itself.
_DATE = re.compile(r"[A-Z][a-z]+, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} [\d:]{8} GMT", re.ASCII)
_LONGEST_SECONDS = 1e9


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of a host.

    path: what was called. body: None if it was longer than MAX_ANSWER_BYTES, or if none of an error's body arrived.
    """

    host: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Success:
    """The API's answer to a call that it carried out.

    content: the JSON object, empty for an answer without a body. server_time: Unix time of the answer in seconds.
    took: seconds from the beginning of the try until the answer was complete.
    """

    status: int
    content: Mapping[str, Any] = field(repr=False)
    server_time: float
    took: float = 0.0


def read(call: Call, answer: Answer, secrets: tuple[str, ...]) -> Success:
    """Return what an answer contains.

    secrets: texts that an error must not repeat, even if the API does.
    Raises BadAnswer, RateLimited, Redirected, Refused or ServerFailed.
    """
    status = answer.status
    if status < 200:
        cause = f"{answer.host} answered {status}, which is not a final answer"
        raise BadAnswer(call, cause, _TRY_LATER, status=status)
    if status < 300:
        return _success(call, answer)
    if status < 400:
        host = re.match(r"(?:https?:)?//(?:[^/@]*@)?([^/?#]+)", answer.headers.get("Location", ""), re.IGNORECASE)
        target = shown(host[1], secrets) if host else "an unknown address"
        redirect = Redirected(
            call,
            f"{answer.host} answered {status}, a redirect to {target}, which is not followed",
            "set api_base_url to the address of the API",
            status=status,
        )
        # See Other: the call was carried out, and the result is elsewhere (RFC 9110, section 15.4.4).
        redirect.outcome_unknown = status == 303
        raise redirect
    api = _api_error(json_object(answer.body) or {}, secrets)
    cause = f"{answer.host} answered {status}" + (f", {api}" if str(api) else "")
    wait = retry_after(answer.headers)
    if status >= 500:
        advice = f"see https://status.voucherify.io, and {_TRY_LATER}"
        raise ServerFailed(call, cause, advice, status=status, api=api, retry_after=wait)
    if status == 429:
        raise _too_many_requests(call, cause, answer.headers, api, wait)
    refusal = Refused(call, cause, _ADVICE.get(status, _OTHER_ADVICE), status=status, api=api)
    if api.key == "invalid_scope":
        refusal.advice = _SCOPE_ADVICE
    refusal.empty = answer.body == b""
    refusal.transient = status in _NOT_PROCESSED or (status in _BUSY and call.risk_if_repeated is None)
    if refusal.transient:
        refusal.retry_after = wait
    if status == 404:
        refusal.cause += f" to {shown(answer.path, secrets)}"
        if answer.path[: -len(call.path)].endswith("/v1"):
            refusal.advice = "leave /v1 off the end of api_base_url"
    raise refusal


def json_object(body: bytes | None) -> dict[str, Any] | None:
    """Return the object that a body contains; None if it is not a complete JSON object."""
    try:
        # An invalid byte may be in a field that is not needed.
        content = json.loads((body or b"").decode(json.detect_encoding(body or b""), errors="replace"))
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the API asks to wait; None if it does not say, or if the time is in the past.

    Reads C(Retry-After) (RFC 9110, section 10.2.3) and Voucherify's C(X-Rate-Limit-Retry), a Unix time. If there are
    several, the latest counts.
    """
    # The server's clock, because this machine's clock may be wrong by more than the wait.
    now = _server_time(headers)
    stated = headers.get("Retry-After", "")
    waits = [
        *_numbers(stated),
        *(at - now for at in _times(stated)),
        *(at - now for at in _numbers(headers.get("X-Rate-Limit-Retry", ""))),
    ]
    longest = max(waits, default=0.0)
    return min(longest, _LONGEST_SECONDS) if longest > 0 else None


def _success(call: Call, answer: Answer) -> Success:
    content = {} if answer.body == b"" else json_object(answer.body)
    if content is None:
        if answer.body is None:
            fault = "is longer than 1 MiB"
        elif answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            fault = "is compressed, although that was not requested"
        else:
            fault = "is not a JSON object"
        cause = f"the answer from {answer.host} {fault}"
        raise BadAnswer(call, cause, "check api_base_url and proxy", status=answer.status)
    return Success(answer.status, content, _server_time(answer.headers))


def _server_time(headers: Mapping[str, str]) -> float:
    """Return the Unix time of an answer by the server's clock, or by this machine's clock if the answer has no date."""
    return next(_times(headers.get("Date", "")), None) or time.time()


def _numbers(header: str) -> Iterator[float]:
    # A header that was sent twice becomes one value with a comma.
    return (float(part) for part in header.split(",") if _NUMBER.fullmatch(part.strip()))


def _times(header: str) -> Iterator[float]:
    for date in _DATE.findall(header):
        with suppress(TypeError, ValueError, OverflowError):
            yield parsedate_to_datetime(date).timestamp()


def _api_error(content: Mapping[str, Any], secrets: tuple[str, ...]) -> ApiError:
    texts = {name: text for name, text in content.items() if isinstance(text, str)}
    names = {}
    for name, form in (("key", r"[a-z_]{1,64}"), ("request_id", r"[A-Za-z0-9_-]{1,40}")):
        if re.fullmatch(form, texts.get(name, "")) and not repeats(texts[name], secrets):
            names[name] = texts[name]
    words = {name: shown(texts[name], secrets) for name in ("message", "details") if name in texts}
    return ApiError(**names, **words)


def _too_many_requests(
    call: Call, cause: str, headers: Mapping[str, str], api: ApiError, wait: float | None
) -> RequestError:
    if headers.get("X-Rate-Limit-Type") == "api_calls_cycle":
        cause += ": the API calls of this billing cycle are used up"
        advice = "waiting does not help; check the project's subscription"
        return Refused(call, cause, advice, status=429, api=api, retry_after=wait)
    advice = "make fewer calls per minute, or raise max_wait"
    return RateLimited(call, cause, advice, status=429, api=api, retry_after=wait)
