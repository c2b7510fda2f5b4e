# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Note signals that ask a task to end instead of obeying them, so that the task can first save its tokens."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from types import FrameType
from typing import Any, ClassVar

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

    def __enter__(self) -> Interruptions:
        # Python allows signal handlers only in the main thread.
        if threading.current_thread() is threading.main_thread():
            for number in _REASONS:
                # A signal that the run was told to ignore, by nohup for example, stays ignored.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._note)
        return self

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
