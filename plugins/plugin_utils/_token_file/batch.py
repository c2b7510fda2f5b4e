# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Call the OAuth API for many tokens: several calls at once, at one pace, until a failure or an interruption."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Optional, Protocol, TypeVar, Union

from ...module_utils._api.client import Token, TokenDetails
from ...module_utils._api.errors import RateLimited
from ...module_utils._api.retries import Pacing
from .interruptions import Interruptions

A = TypeVar("A")
T = TypeVar("T")
# The outcome of one call: its answer, or the error in its place.
Outcome = Union[T, Exception]
Scope = Optional[Sequence[str]]

_CALLS_AT_ONCE = 8
_SECONDS_BETWEEN_CHECKS = 0.05


class TokenClient(Protocol):
    """The three calls of the API, as C(OAuthClient) makes them."""

    def generate(self, scope: Scope) -> Token:
        """Make a token."""

    def introspect(self, access_token: str) -> TokenDetails | None:
        """Ask for the details of a token; None for one that is not active."""

    def revoke(self, access_token: str) -> bool | None:
        """Revoke a token. Return whether it was active until then; None if that is unknown."""

    def close(self) -> None:
        """Close all connections."""


@dataclass(frozen=True)
class ActiveToken:
    """A token, and what the API said about it at a moment, in seconds of this machine's monotonic clock."""

    access_token: str = field(repr=False)
    details: TokenDetails
    described_at: float = field(default_factory=time.monotonic)

    def details_now(self) -> TokenDetails:
        """Return the details with the seconds that are left now."""
        if self.details.expires_in is None:
            return self.details
        return replace(self.details, expires_in=self.details.expires_in - int(time.monotonic() - self.described_at))


def introspect(client: TokenClient, token: str) -> ActiveToken | None:
    """Return a token with its details; None if it is not active."""
    details = client.introspect(token)
    return ActiveToken(token, details) if details else None


def generate(client: TokenClient, scope: Scope) -> ActiveToken:
    """Return a new token with its details."""
    token = client.generate(scope)
    return ActiveToken(token.access_token, token.details)


def revoke(client: TokenClient, token: str) -> bool | None:
    """Revoke a token. Return whether it was active until then; None if that is unknown."""
    return client.revoke(token)


class SharedPacing(Pacing):
    """One pace for the calls of several threads, because a rate limit applies to the whole project.

    After a 429, the call that received it goes first. It waits for as long as the API asked, and the others wait until
    it succeeds. Only another 429 to that call counts towards its retries.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._stopped = threading.Event()
        self.start()

    def start(self, *, whatever_happens: bool = False) -> None:
        """Let calls begin, even if they were stopped before. Must not be called while a call is in progress."""
        self._whatever_happens = whatever_happens
        self._first: int | None = None
        self._first_pause = 0.0
        self._stopped.clear()
        self._open.set()

    def stop(self) -> None:
        """Let no further call begin, and end every pause."""
        self._stopped.set()
        self._open.set()

    def begin(self) -> bool:
        if self._first == threading.get_ident():
            pause, self._first_pause = self._first_pause, 0.0
            return self.pause(pause)
        self._open.wait()
        return self._whatever_happens or not self._stopped.is_set()

    def ended(self, pause: float | None) -> bool:
        this = threading.get_ident()
        with self._lock:
            if self._first == this:
                if pause is None:
                    self._first = None
                    self._open.set()
                return True
            if pause is not None and self._first is None and not self._stopped.is_set():
                self._first, self._first_pause = this, pause
                self._open.clear()
            return pause is None or self._stopped.is_set()

    def pause(self, seconds: float) -> bool:
        return not self._stopped.wait(seconds)


class TokenCalls:
    """Makes a call for each token of a batch. A context manager that closes the connections.

    new_client: makes a client for one thread. at_once: how many calls can be in progress at the same time. With one,
    the calls run in the main thread, because ansible-core's contexts do not reach other threads.
    """

    def __init__(
        self, new_client: Callable[[Pacing], TokenClient], interruptions: Interruptions, at_once: int = _CALLS_AT_ONCE
    ) -> None:
        self.interruptions = interruptions
        self.at_once = at_once
        self._new_client = new_client
        self._pacing = SharedPacing()
        self._pool = ThreadPoolExecutor(at_once)
        # The first one here, so that a missing library or a wrong option is found before anything else is done.
        self._clients: dict[int, TokenClient] = {0: new_client(self._pacing)}

    def __enter__(self) -> TokenCalls:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pacing.stop()
        self._pool.shutdown()
        for client in self._clients.values():
            client.close()

    def each(
        self, call: Callable[[TokenClient, A], T], arguments: Sequence[A], *, whatever_happens: bool = False
    ) -> list[Outcome[T]]:
        """Make a call with each argument, and return the outcomes in the same order.

        After the first failure, or an interruption, no further call begins, and calls in progress are finished.
        whatever_happens: begin every call, even then.
        """
        self._pacing.start(whatever_happens=whatever_happens)
        waiting = deque(enumerate(arguments))
        outcomes: dict[int, Outcome[T]] = {}

        def work(number: int) -> None:
            while waiting:
                # Another thread may have taken the last one.
                with suppress(IndexError):
                    position, argument = waiting.popleft()
                    outcomes[position] = self._outcome(number, call, argument, whatever_happens)

        threads: list[Future[None]] = []
        # This process may not be able to start as many threads. Raising that would lose the tokens of the others.
        with suppress(RuntimeError):
            while self.at_once > 1 and len(threads) < min(self.at_once, len(arguments)):
                threads.append(self._pool.submit(work, len(threads)))
        if not threads:
            work(0)
        # In steps, because a signal handler must not set an event itself: that might block forever.
        while wait(threads, timeout=_SECONDS_BETWEEN_CHECKS).not_done:
            self._stop_if_interrupted()
        return [outcomes[position] for position in range(len(arguments))]

    def _outcome(
        self, number: int, call: Callable[[TokenClient, A], T], argument: A, whatever_happens: bool
    ) -> Outcome[T]:
        """Make a call with the client of this number."""
        self._stop_if_interrupted()
        # Any exception, because it must not lose the tokens that the other threads have made.
        try:
            if number not in self._clients:
                self._clients[number] = self._new_client(self._pacing)
            return call(self._clients[number], argument)
        except Exception as error:
            # If all calls must be made, only a rate limit affects the others.
            if not whatever_happens or isinstance(error, RateLimited):
                self._pacing.stop()
            return error

    def _stop_if_interrupted(self) -> None:
        if self.interruptions.reason():
            self._pacing.stop()
