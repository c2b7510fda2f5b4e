# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Limit the time of one try, whatever the server does. A socket's timeout only limits each read, not their sum.

It also tells whether the current thread is calling the API.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import TypeVar, cast

T = TypeVar("T")

_thread = threading.local()


class Deadline:
    """Shuts down the sockets of a try when its time is up, so that reading from or writing to them fails.

    A context manager; leaving it ends the try. expired: whether the time was up before that.
    """

    def __init__(self, timeout: float, total: float) -> None:
        """timeout: seconds for each step, such as one read. total: seconds for all steps together."""
        self.timeout = timeout
        self.expired = False
        self._end = time.monotonic() + total
        self._timer = threading.Timer(total, self._expire)
        self._timer.daemon = True
        # Our own handles for the same connections, because the original sockets do not stay available: TLS wraps them,
        # and http.client drops one as soon as the server says that it will close the connection.
        self._handles: list[socket.socket] = []

    def __enter__(self) -> Deadline:
        self._timer.start()
        _thread.deadline = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _thread.deadline = None
        self._timer.cancel()
        self._timer.join()
        for handle in self._handles:
            handle.close()

    @property
    def left(self) -> float:
        """Seconds left; never 0, because a socket with a timeout of 0 does not block at all."""
        return max(0.001, self._end - time.monotonic())

    def call(self, work: Callable[[], T]) -> T:
        """Do work that cannot be interrupted. Raises what C(work) raises, or TimeoutError if the time is up first.

        C(work) runs in a thread, which is abandoned when the time is up.
        """
        outcomes: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

        def do() -> None:
            try:
                outcomes.put((work(), None))
            except BaseException as error:
                outcomes.put((None, error))

        threading.Thread(target=do, daemon=True).start()
        try:
            result, error = outcomes.get(timeout=self.left)
        except Empty:
            raise TimeoutError from None
        if error:
            raise error
        return cast("T", result)

    @property
    def has_connection(self) -> bool:
        """Whether a connection was made, or kept from an earlier try."""
        return bool(self._handles)

    def watch(self, descriptor: int) -> None:
        """Also shut down the connection of this file descriptor when the time is up."""
        self._handles.append(socket.socket(fileno=os.dup(descriptor)))
        if self.expired:
            self._expire()

    def _expire(self) -> None:
        self.expired = True
        for handle in list(self._handles):
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)


def current_deadline() -> Deadline | None:
    """Return the deadline of this thread's current try, or None."""
    return getattr(_thread, "deadline", None)
