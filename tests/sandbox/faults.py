# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .answer import Answer

OPERATIONS = ("generate", "introspect", "revoke", "vouchers")
ANY = "any"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the calls of one operation, or of `any`.

    skip: calls that pass first. times: calls that are struck then.
    carried_out: the project does the work all the same, and only its answer is lost.
    delay: seconds before whatever is answered or done.

    Then at most one of:
    status, headers, body, body_size: this answer instead; the body is text, padded with spaces to `body_size` bytes, so
        that JSON stays JSON. It is called JSON unless `headers` say otherwise.
    cut: the connection is closed without an answer.
    hang: no answer, until the client goes.
    truncate: the true answer's head and half of its body, then the connection is closed.
    With none of them the true answer comes, late. Where the true answer comes, the work is always carried out.
    """

    operation: str
    times: int = 1
    skip: int = 0
    carried_out: bool = False
    delay: float = 0.0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    body_size: int = 0
    cut: bool = False
    hang: bool = False
    truncate: bool = False

    def __post_init__(self) -> None:
        """Raises TypeError or ValueError for what cannot be meant."""
        if self.operation not in (*OPERATIONS, ANY):
            raise ValueError(f"operation is one of {', '.join(OPERATIONS)} or {ANY}")
        if self.times < 1 or self.skip < 0 or self.delay < 0 or self.body_size < 0:
            raise ValueError("times is 1 or more; skip, delay and body_size are 0 or more")
        for name in ("carried_out", "cut", "hang", "truncate"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} is true or false")
        if [self.status is not None, self.cut, self.hang, self.truncate].count(True) > 1:
            raise ValueError("status, cut, hang and truncate exclude each other")
        if self.status is None and (self.headers or self.body or self.body_size):
            raise ValueError("an answer needs a status")

    @property
    def is_silent(self) -> bool:
        """Whether the client hears nothing at all."""
        return self.cut or self.hang

    @property
    def needs_true_answer(self) -> bool:
        """Whether the project must do its work for this fault."""
        return self.carried_out or not (self.is_silent or self.status is not None)

    @property
    def answer(self) -> Answer | None:
        """What is answered instead of the truth, if anything is."""
        if self.status is None:
            return None
        body = self.body.encode().ljust(self.body_size)
        return Answer(self.status, {"Content-Type": "application/json", **self.headers}, body)


NO_FAULT = Fault(ANY)


class FaultQueue:
    """The faults still to come. They strike in the order in which they were ordered."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Order one more fault."""
        self._pending.append(fault)

    def take(self, operation: str) -> Fault:
        """The fault that strikes a call now, or NO_FAULT.

        Only the first that fits is asked: while it skips, none strikes.
        """
        for position, fault in enumerate(self._pending):
            if fault.operation in (operation, ANY):
                return self._use(position, fault)
        return NO_FAULT

    def pending(self) -> list[Fault]:
        """What has not struck, or not as often as it shall."""
        return list(self._pending)

    def _use(self, position: int, fault: Fault) -> Fault:
        if fault.skip > 0:
            self._pending[position] = replace(fault, skip=fault.skip - 1)
            return NO_FAULT
        if fault.times > 1:
            self._pending[position] = replace(fault, times=fault.times - 1)
        else:
            del self._pending[position]
        return fault
