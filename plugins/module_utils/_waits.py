# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""How long to wait before a call is sent again, and who does the waiting."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

BACK_OFF_BASE_SECONDS = 0.5
BACK_OFF_CAP_SECONDS = 8.0
# The share of a wait that the API asks for by which it is made longer at most, so that clients do not return together.
JITTER = 0.2

_NUMBER = re.compile(r"\d{1,400}(?:\.\d{1,400})?", re.ASCII)
# An HTTP date (RFC 9110, section 5.6.7), which contains a comma itself.
_DATE = re.compile(r"[A-Z][a-z]+, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} [\d:]{8} GMT", re.ASCII)
_LONGEST_SECONDS = 1e9
# A server may send megabytes, and reading each date takes time.
_MAX_READ_CHARACTERS = 1024


class Pacing:
    """Decides when each try of a call may begin. This one serves a single caller; others may be shared by threads."""

    def begin(self) -> bool:
        """Called before each try; returns False where the call must not be sent."""
        return True

    def ended(self, pause: float | None) -> bool:
        """Called after each try, whatever its outcome.

        pause: seconds that a 429 asks to wait for; None where the try ended in another way.
        Returns whether the try counts as one of C(retries) and its pause towards C(max_wait). Where it does not, the
        next C(begin) does the waiting.
        """
        return True

    def pause(self, seconds: float) -> bool:
        """Wait between two tries; returns False where no further try may follow."""
        time.sleep(seconds)
        return True


def shortest_pause(retries: int, retry_after: float | None) -> float:
    """Return the minimum of seconds to wait: half of the exponential back-off, and what the API asked for."""
    return max(_back_off(retries) / 2, retry_after or 0.0)


def jittered(pause: float, retries: int) -> float:
    """Make a pause longer by chance, so that many clients do not send at the same time."""
    return pause + random.uniform(0.0, _back_off(retries) / 2 + pause * JITTER)  # noqa: S311 - it is no secret


def _back_off(retries: int) -> float:
    # The exponent is limited because a float is.
    return min(BACK_OFF_CAP_SECONDS, BACK_OFF_BASE_SECONDS * 2.0 ** min(retries, 30))


def server_time(headers: Mapping[str, str]) -> float:
    """Return the Unix time of an answer by the server's clock, or by this machine's where it is not told."""
    return next(_times(headers.get("Date", "")), None) or time.time()


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the API asks to wait; None where it does not say, or names a time that is over.

    Reads C(Retry-After) (RFC 9110, section 10.2.3) and Voucherify's C(X-Rate-Limit-Retry), a Unix time. Where there
    are several, the latest counts.
    """
    # The server's clock, because this machine's may be off by more than the wait.
    now = server_time(headers)
    stated = headers.get("Retry-After", "")
    waits = [
        *_numbers(stated),
        *(at - now for at in _times(stated)),
        *(at - now for at in _numbers(headers.get("X-Rate-Limit-Retry", ""))),
    ]
    longest = max(waits, default=0.0)
    return min(longest, _LONGEST_SECONDS) if longest > 0 else None


def _numbers(header: str) -> Iterator[float]:
    # A header that is there twice reaches us as one value with a comma.
    for part in header.split(","):
        if _NUMBER.fullmatch(part.strip()):
            yield float(part)


def _times(header: str) -> Iterator[float]:
    for date in _DATE.findall(header[:_MAX_READ_CHARACTERS]):
        with suppress(TypeError, ValueError, OverflowError):
            yield parsedate_to_datetime(date).timestamp()
