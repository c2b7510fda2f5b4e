# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Call the OAuth API for many tokens: several calls at once, at one pace, until a failure or an interruption."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar, Union

from ...module_utils._api.client import OAuthClient, Token
from ...module_utils._api.errors import RateLimited
from ...module_utils._api.retries import Pacing
from .module_client import ModuleClient
from .pacing import Interruptions, SharedPacing

A = TypeVar("A")
T = TypeVar("T")
# Makes the three calls of the API in this process, or executes a module for each.
TokenClient = Union[OAuthClient, ModuleClient]

_CALLS_AT_ONCE = 8
_SECONDS_BETWEEN_CHECKS = 0.05


def introspect(client: TokenClient, token: str) -> Token | None:
    """Return a token with its details; None if it is not active."""
    details = client.introspect(token)
    return Token(token, details) if details else None


class TokenCalls:
    """Makes a call for each token of a batch, while it is open.

    new_client: makes a client for one thread. at_once: how many calls can be in progress at the same time. With one,
    the calls run in the main thread, because ansible-core's contexts do not reach other threads.
    """

    def __init__(self, new_client: Callable[[Pacing], TokenClient], at_once: int = _CALLS_AT_ONCE) -> None:
        self.interruptions = Interruptions()
        # Called with the number of calls of this batch that are answered: several times a second, or before each call
        # if only one is made at once.
        self.while_waiting: Callable[[int], object] = lambda answered: None
        self.at_once = at_once
        self._new_client = new_client
        self._pacing = SharedPacing()
        self._pool = ThreadPoolExecutor(at_once)
        # The first one here, so that a missing library or a wrong option is found before anything else is done.
        self._clients: dict[int, TokenClient] = {threading.get_ident(): new_client(self._pacing)}

    @contextmanager
    def opened(self) -> Iterator[TokenCalls]:
        """Note interruptions until the end, and then close the connections."""
        with self.interruptions:
            try:
                yield self
            finally:
                self._pacing.stop()
                self._pool.shutdown()
                for client in self._clients.values():
                    client.close()

    def each(
        self, call: Callable[[TokenClient, A], T], arguments: Sequence[A], *, whatever_happens: bool = False
    ) -> list[T | Exception]:
        """Make a call with each argument, and return the outcomes in the same order.

        After the first failure, or an interruption, no further call begins, and calls in progress are finished.
        whatever_happens: begin every call, even then.
        """
        self._pacing.start(whatever_happens=whatever_happens)
        if self.at_once == 1:
            outcomes: list[T | Exception] = []
            for argument in arguments:
                self.while_waiting(len(outcomes))
                outcomes.append(self._outcome(call, argument, whatever_happens))
            return outcomes
        futures = [self._pool.submit(self._outcome, call, argument, whatever_happens) for argument in arguments]
        # In steps, because a signal handler must not set an event itself: that might block forever.
        while waiting := wait(futures, timeout=_SECONDS_BETWEEN_CHECKS).not_done:
            self._stop_if_interrupted()
            self.while_waiting(len(futures) - len(waiting))
        return [future.result() for future in futures]

    def _outcome(self, call: Callable[[TokenClient, A], T], argument: A, whatever_happens: bool) -> T | Exception:
        """Make a call with this thread's client."""
        self._stop_if_interrupted()
        # Any exception, because it must not lose the tokens that the other threads have made.
        try:
            thread = threading.get_ident()
            if thread not in self._clients:
                self._clients[thread] = self._new_client(self._pacing)
            return call(self._clients[thread], argument)
        except Exception as error:
            # If all calls must be made, only a rate limit affects the others.
            if not whatever_happens or isinstance(error, RateLimited):
                self._pacing.stop()
            return error

    @property
    def limited_for(self) -> int:
        """The seconds that the API still asks to wait because of a rate limit."""
        return max(0, round(self._pacing.limited_until - time.monotonic()))

    def _stop_if_interrupted(self) -> None:
        if self.interruptions.reason():
            self._pacing.stop()
