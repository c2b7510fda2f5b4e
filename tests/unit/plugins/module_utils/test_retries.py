# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a call is sent again: not before the wait that the API asks for, and only if the pacing agrees."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.voucherify.oauth.plugins.module_utils._api import errors
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient
from ansible_collections.voucherify.oauth.plugins.module_utils._api.retries import (
    BACK_OFF_BASE_SECONDS,
    BACK_OFF_CAP_SECONDS,
    Pacing,
    jittered,
    shortest_pause,
)
from hypothesis import given
from hypothesis import strategies as st
from loopback import Listener, Serve, read_request, response

MakeClient = Callable[..., OAuthClient]
INACTIVE = response({"active": False})
LIMITED = response(None, "Retry-After: 1", status="429 Too Many Requests")


@given(st.integers(0, 10**9), st.none() | st.floats(0, 1e9))
def test_a_pause_is_never_shorter_than_the_back_off_or_the_requested_wait(retries: int, asked: float | None) -> None:
    shortest = shortest_pause(retries, asked)
    assert shortest >= (asked or 0)
    assert shortest >= BACK_OFF_BASE_SECONDS / 2
    assert shortest <= max(asked or 0, BACK_OFF_CAP_SECONDS / 2)
    assert shortest <= jittered(shortest, retries) <= shortest * 1.2 + BACK_OFF_CAP_SECONDS / 2


class RecordingPacing(Pacing):
    """Records its calls, and returns what the test says."""

    def __init__(self, may_begin: int = 99, counts: bool = True, may_wait: bool = True) -> None:
        self.events: list[Any] = []
        self.may_begin, self.counts, self.may_wait = may_begin, counts, may_wait

    def begin(self) -> bool:
        self.events.append("begin")
        return self.events.count("begin") <= self.may_begin

    def ended(self, pause: float | None) -> bool:
        self.events.append(("ended", pause is not None))
        return self.counts

    def pause(self, seconds: float) -> bool:
        self.events.append("pause")
        return self.may_wait


def answering(*answers: bytes) -> Serve:
    """Return a server that gives these answers, one to a connection, and repeats the last one."""

    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(answers[min(number, len(answers) - 1)])

    return serve


def test_a_try_does_not_count_when_the_pacing_waits_for_the_rate_limit(make_client: MakeClient) -> None:
    pacing = RecordingPacing(counts=False)
    with Listener(answering(*[LIMITED] * 5, INACTIVE)) as server:
        make_client(server.url, pacing, retries=1).introspect("a-token")
    assert pacing.events == ["begin", ("ended", True)] * 5 + ["begin", ("ended", False)]


@pytest.mark.parametrize(
    ("pacing", "settings", "events"),
    [
        # A wait that the options forbid is not left to the pacing.
        (RecordingPacing(counts=False), {"max_wait": 0}, ["begin", ("ended", False)]),
        (RecordingPacing(counts=False), {"retries": 0}, ["begin", ("ended", False)]),
        (RecordingPacing(may_wait=False), {}, ["begin", ("ended", True), "pause"]),
        (RecordingPacing(may_begin=1), {}, ["begin", ("ended", True), "pause", "begin"]),
    ],
    ids=["max_wait", "retries", "the pause is ended", "no further try may begin"],
)
def test_a_call_that_may_not_be_sent_again_fails_with_the_last_error(
    make_client: MakeClient, pacing: RecordingPacing, settings: dict[str, int], events: list[Any]
) -> None:
    with Listener(answering(LIMITED)) as server, pytest.raises(errors.RateLimited):
        make_client(server.url, pacing, **settings).introspect("a-token")
    assert pacing.events == events


def test_a_call_that_may_not_begin_is_not_sent(make_client: MakeClient) -> None:
    with Listener(answering(INACTIVE)) as server:
        with pytest.raises(errors.Stopped, match="the call was not sent"):
            make_client(server.url, RecordingPacing(may_begin=0)).generate(None)
        assert server.connections == 0


def test_the_pacing_learns_that_a_try_ended_whatever_is_raised(make_client: MakeClient) -> None:
    pacing = RecordingPacing()

    def interrupt(connection: socket.socket, number: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        read_request(connection)

    with Listener(interrupt) as server, pytest.raises(KeyboardInterrupt):
        make_client(server.url, pacing).generate(None)
    assert pacing.events == ["begin", ("ended", False)]
