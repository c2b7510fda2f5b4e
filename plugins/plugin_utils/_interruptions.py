# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Signals that ask a task to end, noted instead of obeyed, so that the task can first save what it has in hand."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, ClassVar

# The keyword "timeout" of a task is an alarm in every ansible-core.
_REASONS = {
    signal.SIGINT: "the run was interrupted",
    signal.SIGTERM: "the run was terminated",
    signal.SIGHUP: "the terminal of the run was closed",
    signal.SIGALRM: "the task's timeout was reached",
}


class Interruptions:
    """Notes signals while it is entered, and restores their handlers when it is left.

    Without it, SIGINT and SIGTERM end an Ansible worker process at once: no "except" and no "finally" is executed.
    """

    # Why this process should do nothing more. It is kept, because the other items of a loop and further tries of the
    # keyword until run in the same process, which the signal would have ended.
    _ending: ClassVar[str | None] = None

    def __init__(self) -> None:
        self._timeout: str | None = None
        parent = multiprocessing.parent_process()
        # The parent may be gone already, and then this process has got another one.
        self._parent = os.getppid() if parent is None else parent.pid
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interruptions:
        # Python allows signal handlers in the main thread only.
        if threading.current_thread() is threading.main_thread():
            for number in _REASONS:
                # A signal that the run was told to ignore, by nohup for example, stays ignored.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def reason(self) -> str | None:
        """Return why the task should begin nothing further, as a clause; None while it may go on."""
        if os.getppid() != self._parent:
            # SIGKILL of ansible-playbook does not reach its workers. Nobody would read this task's result.
            return "ansible-playbook itself is gone"
        return Interruptions._ending or self._timeout

    def _note(self, number: int, frame: FrameType | None) -> None:
        # Nothing but an assignment: a lock that this thread has already taken would block it forever.
        reason = _REASONS[signal.Signals(number)]
        if number == signal.SIGALRM:
            # Each try has its own.
            self._timeout = reason
        else:
            Interruptions._ending = reason
