# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""What can go wrong between this collection and the API, as exceptions that hold words and never a secret.

Each tells three things that the retry loop and the user need: whether the same call may succeed later, whether the API
may have carried it out all the same, and what a person can do about it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """One operation of the API, as far as sending it and speaking of it goes.

    operation: its name for programs, such as C(generate).
    purpose: completes the sentence "Cannot …".
    path: below the base URL, with a leading slash.
    success: the HTTP status that means it was carried out.
    hazard: what a second sending might have done, where the first may have arrived; None where sending again is safe.
    """

    operation: str
    purpose: str
    path: str
    success: int
    hazard: str | None = None


@dataclass(frozen=True)
class ApiError:
    """The API's own words about a refusal (schema C(Error) of its OpenAPI document); every field may be missing."""

    key: str | None = None
    message: str | None = None
    details: str | None = None
    request_id: str | None = None

    def __str__(self) -> str:
        words = ": ".join(word.rstrip(".: ") for word in (self.message, self.details) if word)
        return f"{words} ({self.key})" if words and self.key else words or self.key or ""


class OAuthError(Exception):
    """Base of everything that this collection raises on purpose; its text is a sentence for the user."""


class OptionError(OAuthError):
    """An option's value cannot be used; nothing was sent."""


class LibraryMissing(OAuthError):
    """The Python library C(requests) cannot be imported by this interpreter."""


class RequestError(OAuthError):
    """A call that brought no usable answer.

    said: what the network or the API said, as the middle of a sentence.
    advice: what a person can do, as the end of that sentence.
    retry_after: seconds until the API wants to hear the call again, where it said so.
    retries: how many times the call was sent again before this was raised.
    """

    transient = False
    maybe_carried_out = False

    def __init__(
        self,
        call: Call,
        said: str,
        advice: str,
        *,
        status: int | None = None,
        api: ApiError | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(said)
        self.call = call
        self.said = said
        self.advice = advice
        self.status = status
        self.api = api or ApiError()
        self.retry_after = retry_after
        self.retries = 0

    @property
    def may_be_sent_again(self) -> bool:
        return self.transient and not (self.maybe_carried_out and self.call.hazard)

    def __str__(self) -> str:
        parts = [f"Cannot {self.call.purpose}: {self.said}"]
        if self.retries:
            parts[0] += f" after {self.retries} {'retry' if self.retries == 1 else 'retries'}"
        if self.maybe_carried_out and self.call.hazard:
            parts.append(f"it was not sent again, for {self.call.hazard}")
        if self.retry_after is not None:
            parts.append(f"it may be tried again in {self.retry_after:.0f} s")
        return "; ".join([*parts, self.advice]) + "."

    def as_dict(self) -> dict[str, str | int]:
        """Return what is known of the failure, for programs: the C(error) of a failed task."""
        known = {
            "operation": self.call.operation,
            "status": self.status,
            "key": self.api.key,
            "message": self.api.message or self.said,
            "details": self.api.details,
            "request_id": self.api.request_id,
            "retries": self.retries,
        }
        return {name: value for name, value in known.items() if value is not None}


class Unsendable(RequestError):
    """The request could not be built from what this machine offers: a proxy address or a CA file that is none."""


class Unreachable(RequestError):
    """No connection came about, so nothing was sent."""

    transient = True


class Untrusted(RequestError):
    """The server's certificate does not verify, so nothing was sent."""


class NoAnswer(RequestError):
    """The request was sent, or may have been, and no whole answer came."""

    transient = True
    maybe_carried_out = True


class ServerFailed(RequestError):
    """A 5xx: the API says that the fault is its own."""

    transient = True
    maybe_carried_out = True


class RateLimited(RequestError):
    """A 429 that waiting cures; the call was not carried out."""

    transient = True


class Refused(RequestError):
    """A 4xx, or a 429 that waiting does not cure.

    empty: whether the answer had no body.
    after_lost_answer: whether an earlier try of the same call may have been carried out.
    """

    empty = False
    after_lost_answer = False


class Redirected(RequestError):
    """A 3xx. It is never followed, because the credentials would go with it."""


class BadAnswer(RequestError):
    """An answer that claims success and is not what the API's document promises."""

    maybe_carried_out = True
