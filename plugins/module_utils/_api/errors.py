# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Exceptions for everything that can go wrong between this collection and the API. None contains a secret.

Each says three things that the retry loop and the user need: whether the same call may succeed later, whether the API
may have carried it out, and what the user can do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_LOSS = (
    "The failed call may have made a token that was lost. It counts toward the project's limit of 1000 tokens until it"
    " expires, within 15 minutes."
)
POSSIBLE_LOSS = f"{_LOSS} The keyword until would run the task again and could make another one."
# If the tokens are kept in a file, nothing that was made before is made again.
POSSIBLE_LOSS_IN_FILE = f"{_LOSS} The next run continues with the tokens that are in the file."


@dataclass(frozen=True)
class Call:
    """One operation of the API.

    operation: its name for programs, such as C(generate).
    purpose: completes the sentence "Cannot …".
    path: below the base URL, with a leading slash.
    success: the HTTP status that the API's documentation promises.
    risk_if_repeated: why it must not be sent again if the first try may have arrived, as a clause; None if sending it
        again is safe.
    later: what to do if it may succeed later, as the end of a sentence.
    """

    operation: str
    purpose: str
    path: str
    success: int
    risk_if_repeated: str | None = None
    later: str = "run the play again"


class OAuthError(Exception):
    """Base of the exceptions about calls and their options; the text is a sentence for the user."""

    @property
    def may_have_made_a_token(self) -> bool:
        """Whether the API may have made a token that was lost."""
        return False


class OptionError(OAuthError):
    """An option's value cannot be used; nothing was sent."""


class LibraryMissing(OAuthError):
    """The Python library C(requests) cannot be imported by this interpreter. C(__cause__) is what the import raised."""


class RequestError(OAuthError):
    """A call got no usable answer.

    cause: what the network or the API said, as the middle of a sentence.
    advice: what the user can do, as the end of that sentence.
    status: the HTTP status of the answer, if there was one.
    api: what the API said, with the names of the schema C(Error) of its OpenAPI document. Each may be missing.
    retry_after: seconds after which the API accepts the call again, if it said so.
    retries: how many times the call was sent again before this was raised.
    transient: whether the same call may succeed later.
    outcome_unknown: whether the API may have carried out the call.
    empty: whether the answer had no body.
    answer_lost_before, server_failed_before: whether an earlier try of the same call ended in NoAnswer, ServerFailed.
    """

    transient = False
    outcome_unknown = False
    empty = answer_lost_before = server_failed_before = False

    def __init__(
        self,
        call: Call,
        cause: str,
        advice: str,
        *,
        status: int | None = None,
        api: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(cause)
        self.call = call
        self.cause = cause
        self.advice = advice
        self.status = status
        self.api = api or {}
        self.retry_after = retry_after
        self.retries = 0

    @property
    def may_have_made_a_token(self) -> bool:
        return self.outcome_unknown and self.call.risk_if_repeated is not None

    @property
    def may_be_sent_again(self) -> bool:
        return self.transient and not self.may_have_made_a_token

    def __str__(self) -> str:
        return f"{self.account}; {self.advice}."

    @property
    def account(self) -> str:
        """What happened, as a sentence without its full stop and without advice."""
        parts = [f"Cannot {self.call.purpose}: {self.cause}"]
        if self.retries:
            parts[0] += f" after {self.retries} {'retry' if self.retries == 1 else 'retries'}"
        if self.may_have_made_a_token:
            parts.append(f"the call was not sent again, because {self.call.risk_if_repeated}")
        if self.retry_after is not None:
            parts.append(f"you can try again in {self.retry_after:.0f} s")
        return "; ".join(parts)

    def as_dict(self) -> dict[str, str | int | bool]:
        """Return the details of the failure for programs, as C(error) of a failed task."""
        known = {
            "operation": self.call.operation,
            "status": self.status,
            "message": self.cause,
            **self.api,
            "retries": self.retries,
            "outcome_unknown": self.outcome_unknown or None,
        }
        return {name: value for name, value in known.items() if value is not None}


class Unreachable(RequestError):
    """No connection was made, or it ended before the form was read. Nothing was sent."""


class Stopped(RequestError):
    """The call was not sent, because its C(Pacing) said so."""


class NoAnswer(RequestError):
    """The form was read, and no complete answer arrived."""

    transient = True
    outcome_unknown = True


class ServerFailed(RequestError):
    """A 5xx: the API says that the fault is its own."""

    transient = True
    outcome_unknown = True


class RateLimited(RequestError):
    """A 429: the call was not carried out."""

    transient = True


class Refused(RequestError):
    """A 4xx, except 429."""


class Redirected(RequestError):
    """A 3xx. It is never followed, because the credentials would be sent with the new call."""


class BadAnswer(RequestError):
    """An answer that reports success but lacks something essential, or one that is not final."""

    outcome_unknown = True
