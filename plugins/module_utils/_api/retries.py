# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Send a call to the Voucherify API, and send it again after a wait if that is safe and may succeed.

This file knows neither Ansible nor what a call means, and leaves HTTP to C(transport.py).
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import replace

from .answers import Success, read
from .errors import Call, NoAnswer, RateLimited, RequestError, ServerFailed, Stopped
from .transport import IMPORT_ERROR, Connection, Transport

__all__ = ["IMPORT_ERROR", "Connection", "HttpClient", "Pacing"]

# The server may close an idle connection just as a call is sent on it. Then it is unknown whether the call arrived, so
# a call that must not be repeated gets a new connection after this many seconds.
IDLE_SECONDS = 1.0

BACK_OFF_BASE_SECONDS = 0.5
BACK_OFF_CAP_SECONDS = 8.0
# A wait that the API asks for is made longer by up to this share, so that clients do not all return together.
JITTER = 0.2


class Pacing:
    """Decides when each try of a call may begin. This one is for a single caller; threads may share a subclass."""

    def begin(self) -> bool:
        """Called before each try. Returns False if the call must not be sent."""
        return True

    def ended(self, pause: float | None) -> bool:
        """Called after each try, whatever its outcome.

        pause: seconds to wait after a 429; None if the try ended in another way.
        Returns whether the try counts toward C(retries) and its pause toward C(max_wait). If not, the next C(begin)
        does the waiting.
        """
        return True

    def pause(self, seconds: float) -> bool:
        """Wait between two tries. Returns False if there must be no further try."""
        time.sleep(seconds)
        return True


class HttpClient:
    """Sends calls with one API key. Only one thread at a time may use it."""

    def __init__(self, connection: Connection, pacing: Pacing | None = None) -> None:
        """Raises LibraryMissing if C(requests) cannot be imported."""
        self._retries = connection.retries
        self._max_wait = connection.max_wait
        self._key_sources = connection.key_sources
        self._pacing = pacing or Pacing()
        self._transport = Transport(connection)
        self._last_used = time.monotonic()

    def post(self, call: Call, form: Mapping[str, str]) -> Success:
        """Send one call as a form, and again if that is safe and may succeed. Raises RequestError."""
        waited = 0.0
        retries = 0
        error: RequestError | None = None
        answer_lost = server_failed = False
        while True:
            if not self._pacing.begin():
                raise error or Stopped(call, "the call was not sent, because the task was stopped", call.later)
            limited_for = None
            try:
                return self._try(call, form)
            except RequestError as failure:
                error = failure
                error.retries = retries
                error.advice += self._key_sources if error.status == 401 else ""
                error.answer_lost_before, error.server_failed_before = answer_lost, server_failed
                answer_lost = answer_lost or isinstance(error, NoAnswer)
                server_failed = server_failed or isinstance(error, ServerFailed)
                shortest = shortest_pause(retries, error.retry_after)
                may_wait = self._retries > 0 and error.may_be_sent_again and waited + shortest <= self._max_wait
                pause = min(jittered(shortest, retries), self._max_wait - waited)
                if may_wait and isinstance(error, RateLimited):
                    limited_for = pause
            finally:
                counts = self._pacing.ended(limited_for)
            if not counts and limited_for is not None:
                continue
            if not may_wait or retries >= self._retries or not self._pacing.pause(pause):
                raise error
            waited += pause
            retries += 1

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def _try(self, call: Call, form: Mapping[str, str]) -> Success:
        if call.risk_if_repeated and time.monotonic() - self._last_used > IDLE_SECONDS:
            self._transport.close()
        start = time.monotonic()
        try:
            success = read(call, self._transport.send(call, form))
            return replace(success, took=time.monotonic() - start)
        except RequestError:
            # The connection may be broken, or more bytes may follow that would be read as the next answer.
            self._transport.close()
            raise
        finally:
            self._last_used = time.monotonic()


def shortest_pause(retries: int, retry_after: float | None) -> float:
    """Return the minimum seconds to wait: half of the exponential back-off, or longer if the API asked for it."""
    return max(_back_off(retries) / 2, retry_after or 0.0)


def jittered(pause: float, retries: int) -> float:
    """Make a pause longer at random, so that many clients do not send at the same time."""
    return pause + random.uniform(0.0, _back_off(retries) / 2 + pause * JITTER)  # noqa: S311 - not a secret


def _back_off(retries: int) -> float:
    # The exponent is limited to avoid an overflow.
    return min(BACK_OFF_CAP_SECONDS, BACK_OFF_BASE_SECONDS * 2.0 ** min(retries, 30))
