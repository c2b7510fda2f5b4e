# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that use one file of tokens at the same time, and rate limits that calls share."""

from __future__ import annotations

import fcntl
import os
import re
import time

import pytest
from integration.plays import wait_until
from integration.token_file import MODULE, TokenFile, numbered_tokens
from sandbox import ALWAYS


def test_runs_at_the_same_time_share_tokens_and_lose_none(vault: TokenFile) -> None:
    every = numbered_tokens(12)
    vault.sandbox.fail("generate", hold=True, times=6)
    runs = [vault.start(tokens=every[first : first + 6]) for first in (0, 3, 6)]
    vault.sandbox.wait_for_calls_in_flight(6)
    # One has the lock, and the others wait for it.
    wait_until(lambda: all(run.has_open(vault.folder) for run in runs))
    vault.sandbox.release()
    done = [run.end() for run in runs]
    assert not [run.message for run in done if run.failed]
    assert len(vault.sandbox.tokens()) == 12
    assert len(vault.variables()) == 12
    assert not vault.lost_tokens()
    operations = [operation for run in done for operation in run.operations.values()]
    assert sorted(operations) == ["generated"] * 12 + ["kept"] * 6


def test_a_kept_token_that_ages_during_a_long_wait_is_replaced(vault: TokenFile) -> None:
    vault.sandbox.stop_clock()
    vault.run(tokens=numbered_tokens(1))
    # The kept token has one second more than it needs, and the other call waits longer than that.
    vault.sandbox.advance(900 - 300 - 1)
    vault.sandbox.fail("generate", status=429, headers={"Retry-After": "2"})
    run = vault.run(tokens=numbered_tokens(2))
    assert run.operations == {"token_0": "replaced", "token_1": "generated"}
    assert all(token["expires_in"] >= 300 for token in run.result["tokens"])
    assert len(vault.variables()) == 2


def test_a_rate_limit_that_calls_share_uses_up_no_retries(vault: TokenFile) -> None:
    # Eight calls are in flight when the first one is refused.
    vault.sandbox.fail("generate", hold=True, status=429, headers={"Retry-After": "1"}, times=6)
    vault.sandbox.fail("generate", hold=True, times=2)
    vault.begin(tokens=numbered_tokens(10), retries=2, max_wait=20)
    vault.sandbox.wait_for_calls_in_flight(8)
    vault.sandbox.release()
    run = vault.long_play.end()
    assert not run.failed
    assert "tokens are" not in run.output, "only a long task says where it is"
    assert vault.sandbox.most_in_flight() == 8
    assert len(vault.variables()) == 10
    assert not vault.lost_tokens()


def test_a_rate_limit_that_does_not_end_fails_but_saves_the_tokens_made_so_far(vault: TokenFile) -> None:
    vault.sandbox.fail("generate", skip=9, status=429, headers={"Retry-After": "1"}, times=ALWAYS)
    run = vault.run(tokens=numbered_tokens(20), retries=1, max_wait=10)
    assert "429" in run.message
    assert "9 of the 20 tokens" in run.message
    assert len(vault.variables()) == 9
    assert not vault.lost_tokens()


@pytest.mark.thorough
def test_a_long_task_says_every_ten_seconds_where_it_is(vault: TokenFile) -> None:
    descriptor = os.open(vault.folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        vault.begin(tokens=numbered_tokens(9), keywords={"loop": [1]}, max_wait=60)
        time.sleep(7)
        vault.sandbox.fail("generate", skip=8, status=429, headers={"Retry-After": "12"})
    finally:
        os.close(descriptor)
    run = vault.long_play.end()
    assert not run.failed
    lines = [line for line in run.output.splitlines() if line.startswith(f"{MODULE}: ")]
    assert re.fullmatch(f"{MODULE}: waited [5-7] s for another run that has locked {vault.folder}", lines[0])
    assert re.fullmatch(f"{MODULE}: 8 of 9 tokens are in the file; the API asks to wait [1-5] s", lines[1])
    assert len(lines) == 2


def test_a_lost_answer_is_reported_and_nothing_else_is_lost(vault: TokenFile) -> None:
    # The last call of the batch, because a failure stops the calls that have not begun.
    vault.sandbox.fail("generate", skip=7, cut=True, carried_out=True)
    run = vault.run(tokens=numbered_tokens(8))
    assert "it may have made a token that was lost" in run.message
    assert "7 of the 8 tokens" in run.message
    assert len(vault.lost_tokens()) == 1
    assert len(vault.variables()) == 7
