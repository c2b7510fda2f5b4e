# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reached the sandbox."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from .call import Call


@dataclass(frozen=True)
class LoggedRequest:
    """One request.

    operation: generate, introspect, revoke or vouchers, by the path alone; None for any other path.
    path: as sent: with the query, and with the host if the sandbox was taken for a proxy. headers: names in lower case.
    form: the fields of the body; of a repeated one the last value.
    status: what was answered, None while nothing is.
    connection: 1 for the first TCP connection that brought a request, and so on.
    received_at: Unix time in seconds, by the sandbox's clock.
    """

    operation: str | None
    method: str
    path: str
    headers: Mapping[str, str]
    form: Mapping[str, str]
    status: int | None
    connection: int
    received_at: int


class Journal:
    """The log of requests, in the order in which they were read to their end."""

    def __init__(self) -> None:
        self._entries: list[LoggedRequest] = []
        # Holding on to the connections keeps Python from giving one's identity to another.
        self._connections: dict[Hashable, int] = {}

    def note(self, operation: str | None, call: Call, connection: Hashable, now: int) -> int:
        """Write down a request that has no answer yet; returns its place, for `note_status`."""
        self._entries.append(
            LoggedRequest(
                operation=operation,
                method=call.method,
                path=call.target,
                headers=call.headers,
                form=dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)),
                status=None,
                connection=self._connections.setdefault(connection, len(self._connections) + 1),
                received_at=now,
            )
        )
        return len(self._entries) - 1

    def note_status(self, place: int, status: int) -> None:
        """Write down what a request is answered with."""
        self._entries[place] = replace(self._entries[place], status=status)

    def entries(self) -> list[LoggedRequest]:
        """Every request so far."""
        return list(self._entries)
