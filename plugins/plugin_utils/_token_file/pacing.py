# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""When the calls of a task may begin: one pace for all, until a signal asks the task to end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from types import FrameType
from typing import Any, ClassVar

from ...module_utils._api.retries import Pacing

# Every ansible-core implements the task keyword "timeout" with an alarm.
_REASONS = {
    signal.SIGINT: "the run was interrupted",
    signal.SIGTERM: "the run was terminated",
    signal.SIGHUP: "the terminal of the run was closed",
    signal.SIGALRM: "the task's timeout was reached",
}


class Interruptions:
    """A context manager that notes signals, and restores their handlers at the end.

    Without it, SIGINT and SIGTERM end an Ansible worker process at once: no "except" and no "finally" is executed.
    """

    # Why this process should do nothing more. It applies to the whole process, because the signal would have ended it:
    # the other items of a loop and further tries of the keyword until run in the same process.
    _ending: ClassVar[str | None] = None

    def __init__(self) -> None:
        self._timeout: str | None = None
        parent = multiprocessing.parent_process()
        # The parent may have ended already, and then os.getppid returns another process.
        self._parent = os.getppid() if parent is None else parent.pid
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> None:
        # Python allows signal handlers only in the main thread.
        if threading.current_thread() is threading.main_thread():
            for number in _REASONS:
                # A signal that the run was told to ignore, by nohup for example, stays ignored.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._note)

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def reason(self) -> str | None:
        """Return why the task should start nothing new, as a clause; None if it may continue."""
        if os.getppid() != self._parent:
            # A SIGKILL to ansible-playbook does not reach its workers, but nobody would read this task's result.
            return "ansible-playbook itself has ended"
        return Interruptions._ending or self._timeout

    def _note(self, number: int, frame: FrameType | None) -> None:
        # Only an assignment, because waiting for a lock that this thread already has would block it forever.
        reason = _REASONS[signal.Signals(number)]
        if number == signal.SIGALRM:
            # Each try of the task has its own timeout.
            self._timeout = reason
        else:
            Interruptions._ending = reason


class SharedPacing(Pacing):
    """One pace for the calls of several threads, because a rate limit applies to the whole project.

    After a 429, the call that received it goes first. It waits for as long as the API asked, and the others wait until
    it succeeds. Only another 429 to that call counts toward its retries.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._stopped = threading.Event()
        # When a rate limit ends, in seconds of the monotonic clock.
        self.limited_until = 0.0
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
            if pause is not None:
                self.limited_until = time.monotonic() + pause
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
