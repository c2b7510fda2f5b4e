# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""How long to wait before a call is sent again, and the interface for waiting."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

BACK_OFF_BASE_SECONDS = 0.5
BACK_OFF_CAP_SECONDS = 8.0
# A wait that the API asks for is made longer by up to this share, so that clients do not all return together.
JITTER = 0.2

_NUMBER = re.compile(r"\d{1,400}(?:\.\d{1,400})?", re.ASCII)
# An HTTP date (RFC 9110, section 5.6.7), which contains a comma itself.
_DATE = re.compile(r"[A-Z][a-z]+, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} [\d:]{8} GMT", re.ASCII)
_LONGEST_SECONDS = 1e9
# A server may send megabytes of dates, and parsing them takes time.
_MAX_READ_CHARACTERS = 1024


class Pacing:
    """Decides when each try of a call may begin. This one is for a single caller; threads may share a subclass."""

    def begin(self) -> bool:
        """Called before each try. Returns False if the call must not be sent."""
        return True

    def ended(self, pause: float | None) -> bool:
        """Called after each try, whatever its outcome.

        pause: seconds to wait after a 429; None if the try ended in another way.
        Returns whether the try counts towards C(retries) and its pause towards C(max_wait). If not, the next C(begin)
        does the waiting.
        """
        return True

    def pause(self, seconds: float) -> bool:
        """Wait between two tries. Returns False if there must be no further try."""
        time.sleep(seconds)
        return True


def shortest_pause(retries: int, retry_after: float | None) -> float:
    """Return the minimum seconds to wait: half of the exponential back-off, or longer if the API asked for it."""
    return max(_back_off(retries) / 2, retry_after or 0.0)


def jittered(pause: float, retries: int) -> float:
    """Make a pause longer at random, so that many clients do not send at the same time."""
    return pause + random.uniform(0.0, _back_off(retries) / 2 + pause * JITTER)  # noqa: S311 - not a secret


def _back_off(retries: int) -> float:
    # The exponent is limited to avoid an overflow.
    return min(BACK_OFF_CAP_SECONDS, BACK_OFF_BASE_SECONDS * 2.0 ** min(retries, 30))


def server_time(headers: Mapping[str, str]) -> float:
    """Return the Unix time of an answer by the server's clock, or by this machine's clock if the answer has no date."""
    return next(_times(headers.get("Date", "")), None) or time.time()


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the API asks to wait; None if it does not say, or if the time is in the past.

    Reads C(Retry-After) (RFC 9110, section 10.2.3) and Voucherify's C(X-Rate-Limit-Retry), a Unix time. If there are
    several, the latest counts.
    """
    # The server's clock, because this machine's clock may be wrong by more than the wait.
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
    # A header that was sent twice becomes one value with a comma.
    for part in header.split(","):
        if _NUMBER.fullmatch(part.strip()):
            yield float(part)


def _times(header: str) -> Iterator[float]:
    for date in _DATE.findall(header[:_MAX_READ_CHARACTERS]):
        with suppress(TypeError, ValueError, OverflowError):
            yield parsedate_to_datetime(date).timestamp()
