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

from .errors import BadAnswer, Call, RateLimited, Redirected, Refused, RequestError, ServerFailed
from .words import repeats, shown

MAX_ANSWER_BYTES = 1024 * 1024

# What an answer with an error means, by its status or else by the first digit of it.
_ERRORS: dict[int, tuple[type[RequestError], str]] = {
    1: (BadAnswer, "{later}"),
    3: (Redirected, "set api_base_url to the address of the API"),
    4: (Refused, "check api_base_url, or ask Voucherify's support"),
    5: (ServerFailed, "see https://status.voucherify.io, and check api_base_url; {later}"),
    400: (Refused, "correct what the API names"),
    401: (
        Refused,
        "check app_id and app_token, and that they belong to the project at api_base_url, or whether the key was"
        " regenerated, blocked or deleted; it must be one of Application keys, not of OAuth Service",
    ),
    402: (Refused, "the project's plan does not allow it; check its subscription"),
    403: (
        Refused,
        "check the API key's permissions and its list of allowed IP addresses, and that api_base_url belongs to the"
        " project's region",
    ),
    404: (Refused, "check api_base_url"),
    429: (RateLimited, "make fewer calls per minute, or raise retries and max_wait"),
}
# What is wrong with a call that the API refused with 400, by a pattern in its name for the error.
_ADVICE_BY_KEY = {
    "^invalid_scope$": "correct the option scope;"
    " https://docs.voucherify.io/api-reference/oauth/generate-oauth-20-token lists the valid scopes",
    "limit|exceeded": "the project may have 1000 tokens, the maximum; revoke some, or wait up to 15 minutes",
}

# The server did not process the call (RFC 9110, sections 15.5.9 and 15.5.20; RFC 8470, section 5.2).
_NOT_PROCESSED = (408, 421, 425)
# The call may succeed soon (RFC 9110, section 15.5.10; RFC 4918, section 11.3).
_BUSY = (409, 423)

# In C(Retry-After), a small number is a wait, and a large one can only be a Unix time.
_LARGEST_WAIT_SECONDS = 1e9


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of a host.

    path: what was called. body: None if it was longer than MAX_ANSWER_BYTES, or if none of an error's body arrived.
    secrets: texts that an error must not repeat, even if the API does.
    """

    host: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes | None = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


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


def read(call: Call, answer: Answer) -> Success:
    """Return what an answer contains. Raises BadAnswer, RateLimited, Redirected, Refused or ServerFailed."""
    status = answer.status
    if 200 <= status < 300:
        return _success(call, answer)
    kind, advice = _ERRORS.get(status) or _ERRORS[min(status // 100, 5)]
    api = _api_error(answer)
    cause, advice = f"{answer.host} answered {status}", advice.format(later=call.later)
    error = kind(call, cause, advice, status=status, api=api, retry_after=retry_after(answer.headers))
    words = ": ".join(api[name].rstrip(".: ") for name in ("message", "details") if name in api)
    if words or "key" in api:
        error.cause += f", {words} ({api['key']})" if words and "key" in api else f", {words or api['key']}"
    error.empty = answer.body == b""
    if status < 200:
        error.cause += ", which is not a final answer"
    elif status < 400:
        host = re.match(r"(?:https?:)?//(?:[^/@]*@)?([^/?#]+)", answer.headers.get("Location", ""), re.IGNORECASE)
        target = shown(host[1], answer.secrets) if host else "an unknown address"
        error.cause += f", a redirect to {target}, which is not followed"
    elif status in _NOT_PROCESSED or (status in _BUSY and call.risk_if_repeated is None):
        error.transient = True
    elif status == 404:
        error.cause += f" to {shown(answer.path, answer.secrets)}"
        if answer.path[: -len(call.path)].endswith("/v1"):
            error.advice = "leave /v1 off the end of api_base_url"
    elif answer.headers.get("X-Rate-Limit-Type") == "api_calls_cycle":
        error.transient = False
        error.cause += ": the API calls of this billing cycle are used up"
        error.advice = "waiting does not help; check the project's subscription"
    elif status == 400:
        fitting = (advice for form, advice in _ADVICE_BY_KEY.items() if re.search(form, api.get("key", "")))
        error.advice = next(fitting, error.advice)
    raise error


def json_object(body: bytes | None) -> dict[str, Any] | None:
    """Return the object that a body contains; None if it is not a complete JSON object."""
    try:
        # An invalid byte may be in a field that is not needed.
        content = json.loads((body or b"").decode("utf-8-sig", errors="replace"))
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
    times = _times(f"{headers.get('Retry-After', '')},{headers.get('X-Rate-Limit-Retry', '')}")
    longest = max((time - now if time > _LARGEST_WAIT_SECONDS else time for time in times), default=0.0)
    return longest if longest > 0 else None


def _success(call: Call, answer: Answer) -> Success:
    content = {} if answer.body == b"" else json_object(answer.body)
    if content is None:
        fault = "is longer than 1 MiB" if answer.body is None else "is not a JSON object"
        cause = f"the answer from {answer.host} {fault}"
        raise BadAnswer(call, cause, "check api_base_url and proxy", status=answer.status)
    return Success(answer.status, content, _server_time(answer.headers))


def _server_time(headers: Mapping[str, str]) -> float:
    """Return the Unix time of an answer by the server's clock, or by this machine's clock if the answer has no date."""
    return next(_times(headers.get("Date", "")), None) or time.time()


def _times(header: str) -> Iterator[float]:
    """Yield the numbers of a header, and its HTTP dates as Unix times."""
    # A header that was sent twice becomes one value with a comma. A date has a comma too, after the day of the week.
    for part in header.split(","):
        with suppress(TypeError, ValueError, OverflowError):
            yield parsedate_to_datetime(part).timestamp() if ":" in part else float(part)


def _api_error(answer: Answer) -> dict[str, str]:
    """Return what may be shown of the fields of an error."""
    texts = {name: text for name, text in (json_object(answer.body) or {}).items() if isinstance(text, str)}
    said = {name: shown(texts.get(name, ""), answer.secrets) for name in ("message", "details")}
    for name, form in (("key", r"[a-z_]{1,64}"), ("request_id", r"[A-Za-z0-9_-]{1,40}")):
        if re.fullmatch(form, texts.get(name, "")) and not repeats(texts[name], answer.secrets):
            said[name] = texts[name]
    return {name: text for name, text in said.items() if text}
