# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Call the OAuth API for many tokens, with several calls at once from this process."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Optional, TypeVar, Union

from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient, TokenDetails
from ansible_collections.voucherify.oauth.plugins.module_utils._api.errors import RateLimited
from ansible_collections.voucherify.oauth.plugins.module_utils._api.retries import Pacing

from .interruptions import Interruptions

A = TypeVar("A")
T = TypeVar("T")
# The outcome of one call: its answer, or the error in its place.
Outcome = Union[T, Exception]
Scope = Optional[Sequence[str]]

_CALLS_AT_ONCE = 8
_SECONDS_BETWEEN_CHECKS = 0.05


@dataclass(frozen=True)
class Reading:
    """What the API said about an active token, and when, in seconds of this machine's monotonic clock."""

    details: TokenDetails
    taken_at: float = field(default_factory=time.monotonic)

    def now(self) -> TokenDetails:
        """Return the details with the seconds that are left now."""
        if self.details.expires_in is None:
            return self.details
        return replace(self.details, expires_in=self.details.expires_in - int(time.monotonic() - self.taken_at))


@dataclass(frozen=True)
class Made:
    """A token that was just made."""

    access_token: str = field(repr=False)
    reading: Reading


class TokenCalls(ABC):
    """The three calls of the API, each for a batch of tokens.

    The outcomes are in the order of the arguments. After the first failure, or an interruption, no further call of the
    batch is started, and calls in progress are finished.

    at_once: how many calls can be in progress at the same time.
    """

    at_once: int

    @abstractmethod
    def introspect(self, tokens: Sequence[str]) -> list[Outcome[Reading | None]]:
        """Ask for the details of each token; None for one that is not active."""

    @abstractmethod
    def generate(self, scopes: Sequence[Scope]) -> list[Outcome[Made]]:
        """Make a token for each scope."""

    @abstractmethod
    def revoke(self, tokens: Sequence[str], *, whatever_happens: bool = False) -> list[Outcome[bool | None]]:
        """Revoke each token. An outcome says whether the token was active until then.

        whatever_happens: start every call, even after a failure or an interruption.
        """


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

    def failed(self, error: Exception) -> None:
        """Called when a call has failed for good. If all calls must be made, only a rate limit affects the others."""
        if not self._whatever_happens or isinstance(error, RateLimited):
            self.stop()

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


class WorkerCalls(TokenCalls):
    """Calls from this process, each thread with its own connection. A context manager that closes the connections."""

    at_once = _CALLS_AT_ONCE

    def __init__(self, new_client: Callable[[Pacing], OAuthClient], interruptions: Interruptions) -> None:
        self._new_client = new_client
        self._interruptions = interruptions
        self._pacing = SharedPacing()
        self._pool = ThreadPoolExecutor(self.at_once)
        self._idle: SimpleQueue[OAuthClient] = SimpleQueue()
        # Here, so that a missing library or a wrong option is found before anything else is done.
        self._idle.put(new_client(self._pacing))

    def __enter__(self) -> WorkerCalls:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pacing.stop()
        self._pool.shutdown()
        while not self._idle.empty():
            self._idle.get().close()

    def introspect(self, tokens: Sequence[str]) -> list[Outcome[Reading | None]]:
        return self._all(_introspect, tokens)

    def generate(self, scopes: Sequence[Scope]) -> list[Outcome[Made]]:
        return self._all(_generate, scopes)

    def revoke(self, tokens: Sequence[str], *, whatever_happens: bool = False) -> list[Outcome[bool | None]]:
        return self._all(OAuthClient.revoke, tokens, whatever_happens=whatever_happens)

    def _all(
        self, call: Callable[[OAuthClient, A], T], arguments: Sequence[A], *, whatever_happens: bool = False
    ) -> list[Outcome[T]]:
        self._pacing.start(whatever_happens=whatever_happens)
        waiting: SimpleQueue[tuple[int, A]] = SimpleQueue()
        for entry in enumerate(arguments):
            waiting.put(entry)
        outcomes: dict[int, Outcome[T]] = {}

        def work() -> None:
            with suppress(Empty):
                while True:
                    position, argument = waiting.get_nowait()
                    outcomes[position] = self._one(call, argument)

        threads = self._begin(work, min(self.at_once, len(arguments)))
        while True:
            # Checked here, because a signal handler must not set an event: that might block forever.
            if self._interruptions.reason():
                self._pacing.stop()
            if not wait(threads, timeout=_SECONDS_BETWEEN_CHECKS).not_done:
                return [outcomes[position] for position in range(len(arguments))]

    def _begin(self, work: Callable[[], None], count: int) -> list[Future[None]]:
        """Begin the same work in this many threads, or in fewer if this process cannot start as many."""
        threads: list[Future[None]] = []
        with suppress(RuntimeError):
            while len(threads) < count:
                threads.append(self._pool.submit(work))
        # If some threads run, raising an error would lose the tokens that they make.
        if count and not threads:
            raise RuntimeError("no thread can be started")
        return threads

    def _one(self, call: Callable[[OAuthClient, A], T], argument: A) -> Outcome[T]:
        client = None
        # Any exception, because it must not lose the tokens that the other threads have made.
        try:
            client = self._idle_client()
            return call(client, argument)
        except Exception as error:
            self._pacing.failed(error)
            return error
        finally:
            if client:
                self._idle.put(client)

    def _idle_client(self) -> OAuthClient:
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._new_client(self._pacing)


def _introspect(client: OAuthClient, token: str) -> Reading | None:
    details = client.introspect(token)
    return Reading(details) if details else None


def _generate(client: OAuthClient, scope: Scope) -> Made:
    token = client.generate(scope)
    return Made(token.access_token, Reading(token.details))
