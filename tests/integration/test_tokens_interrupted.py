# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of vaulted_tokens that end early: killed, interrupted, timed out, on a full disk, or on a file that moves.

A process is only killed while the sandbox keeps its calls waiting, because a worker that is killed while it has the
lock of ansible-core's result queue blocks the next one forever.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from integration.plays import TIME_LIMIT, wait_until
from integration.token_file import TokenFile, numbered_tokens

THOROUGH = pytest.mark.thorough


def assert_next_run_makes_only_what_is_missing(vault: TokenFile, count: int) -> None:
    variables = vault.variables()
    made = len(vault.sandbox.tokens())
    run = vault.run(tokens=numbered_tokens(count))
    assert not run.failed, run.message
    assert len(vault.sandbox.tokens()) - made == count - len(variables)
    assert len(vault.variables()) == count
    assert not vault.other_files()


def wait_for_end(process: int) -> None:
    """Wait until the process with this descriptor has ended, which its parent may not do."""
    assert select.select([process], [], [], TIME_LIMIT)[0]
    os.close(process)


@contextmanager
def held(vault: TokenFile, operation: str, count: int, **how: Any) -> Iterator[None]:
    """Begin a task, keep its next calls waiting during the block, and then release them."""
    vault.sandbox.fail(operation, hold=True, times=count)
    vault.begin(**how)
    vault.sandbox.wait_for_calls_in_flight(count)
    yield
    vault.sandbox.release()


@pytest.mark.parametrize("done", [8, *(pytest.param(number, marks=THOROUGH) for number in (0, 13, 23))])
def test_a_killed_run_loses_at_most_eight_tokens(vault: TokenFile, done: int) -> None:
    in_flight = 8 - done % 8
    vault.sandbox.fail("generate", skip=done, hold=True, times=in_flight)
    started = vault.start(tokens=numbered_tokens(24))
    # All calls before those have been answered.
    wait_until(
        lambda: (len(vault.sandbox.calls("generate")), vault.sandbox.in_flight()) == (done + in_flight, in_flight)
    )
    os.kill(started.worker(), signal.SIGKILL)
    assert started.end().status != 0
    assert len(vault.variables()) == done // 8 * 8
    assert len(vault.lost_tokens()) == 8
    vault.sandbox.release()
    assert_next_run_makes_only_what_is_missing(vault, 24)


@pytest.mark.parametrize("done", [8, *(pytest.param(number, marks=THOROUGH) for number in (0, 13))])
def test_a_run_that_is_killed_while_it_revokes_loses_at_most_eight_tokens(vault: TokenFile, done: int) -> None:
    vault.run(tokens=numbered_tokens(24))
    in_flight = 8 - done % 8
    vault.sandbox.fail("revoke", skip=done, hang=True, times=in_flight)
    started = vault.start(tokens=numbered_tokens(24), force=True, revoke_replaced=True)
    # All calls before those have been answered.
    wait_until(lambda: (len(vault.sandbox.calls("revoke")), vault.sandbox.in_flight()) == (done + in_flight, in_flight))
    os.kill(started.worker(), signal.SIGKILL)
    assert started.end().status != 0
    assert len(vault.lost_tokens()) == in_flight
    assert not vault.run(tokens=numbered_tokens(24)).failed
    assert set(vault.variables().values()) <= vault.live_tokens()
    assert not vault.other_files()


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGTERM, "the run was terminated"),
        pytest.param(signal.SIGINT, "the run was interrupted", marks=THOROUGH),
        pytest.param(signal.SIGHUP, "the terminal of the run was closed", marks=THOROUGH),
    ],
)
def test_every_token_that_arrived_is_in_the_file_when_the_worker_is_stopped(
    vault: TokenFile, number: signal.Signals, reason: str
) -> None:
    tokens = [*numbered_tokens(19), {"name": "token_of_{{ item }}"}]
    # The second item of the loop would run in the same process.
    with held(vault, "generate", 8, tokens=tokens, keywords={"loop": ["one", "two"]}):
        os.kill(vault.long_play.worker(), number)
    run = vault.long_play.end()
    assert reason in run.output
    assert "8 of the 20 tokens" in run.unwrapped
    assert len(vault.sandbox.tokens()) == 8
    assert len(vault.variables()) == 8
    assert not vault.lost_tokens()
    assert_next_run_makes_only_what_is_missing(vault, 19)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=THOROUGH)])
def test_stopping_ansible_itself_loses_no_token_that_arrived(vault: TokenFile, number: signal.Signals) -> None:
    vault.sandbox.fail("generate", hold=True, times=8)
    started = vault.start(tokens=numbered_tokens(20))
    vault.sandbox.wait_for_calls_in_flight(8)
    worker = os.pidfd_open(started.worker())
    started.process.send_signal(number)
    # By then, the worker has the signal.
    wait_until(lambda: started.process.poll() is not None or "User interrupted execution" in started.output)
    vault.sandbox.release()
    assert started.end().status != 0
    wait_for_end(worker)
    assert len(vault.sandbox.tokens()) == 8
    assert len(vault.variables()) == 8
    assert not vault.lost_tokens()


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        pytest.param({"loop": [0, 1]}, marks=THOROUGH),
        pytest.param({"until": "outcome is succeeded", "retries": 2, "delay": 0}, marks=THOROUGH),
    ],
    ids=["alone", "loop", "until"],
)
def test_a_worker_whose_parent_was_killed_starts_no_further_call(vault: TokenFile, keywords: dict[str, Any]) -> None:
    vault.sandbox.fail("generate", hold=True, times=8)
    started = vault.start(tokens=numbered_tokens(20), keywords=keywords)
    vault.sandbox.wait_for_calls_in_flight(8)
    worker = os.pidfd_open(started.worker())
    started.process.kill()
    started.process.wait()
    vault.sandbox.release()
    wait_for_end(worker)
    assert len(vault.sandbox.tokens()) == 8
    assert len(vault.variables()) == 8
    assert not vault.lost_tokens()


def test_a_task_timeout_saves_the_tokens_that_arrived(vault: TokenFile) -> None:
    with held(vault, "generate", 8, tokens=numbered_tokens(20), keywords={"timeout": 4}):
        # The time began before the calls.
        time.sleep(4.1)
    run = vault.long_play.end()
    assert "timeout was reached" in run.message
    assert "8 of the 20 tokens" in run.message
    assert len(vault.variables()) == 8
    assert not vault.lost_tokens()


def test_a_write_that_succeeds_despite_an_error_is_reported_as_written(vault: TokenFile) -> None:
    late_error = """
import errno, os
replace = os.replace
def failing(*paths, **options):
    replace(*paths, **options)
    if ".vaulted_vars." in str(paths[0]):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
os.replace = failing
"""
    # Python executes this when it starts.
    (vault.home / "sitecustomize.py").write_text(late_error)
    run = vault.start(tokens=numbered_tokens(3), environment={"PYTHONPATH": str(vault.home)}).end()
    assert run.failed
    assert run.result["changed"] is True
    assert all(token["written"] and token["vault_id"] == "default" for token in run.result["tokens"])
    assert len(vault.variables()) == 3
    assert not vault.lost_tokens()


def limit_file_size(process: int, size: int = 16) -> None:
    """Make writes to files fail in a process, as on a full disk."""
    _soft, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (size, hard))


def test_tokens_that_could_not_be_written_are_revoked_or_named(vault: TokenFile) -> None:
    with held(vault, "generate", 3, tokens=numbered_tokens(3)):
        limit_file_size(vault.long_play.worker())
    run = vault.long_play.end()
    assert "The new tokens that were not found in the file were revoked." in run.message
    assert len(vault.sandbox.calls("revoke")) == 3
    assert not vault.live_tokens()

    vault.sandbox.fail("revoke", times=99, status=403, body="{}")
    with held(vault, "generate", 2, tokens=numbered_tokens(2)):
        limit_file_size(vault.long_play.worker())
    run = vault.long_play.end()
    assert "could not be revoked and expire within 15 minutes: token_0, token_1." in run.message
    assert not vault.variables()


def test_tokens_that_are_not_found_in_the_file_after_a_failed_write_are_revoked(vault: TokenFile) -> None:
    with held(vault, "generate", 2, tokens=numbered_tokens(2)):
        vault.path.write_text("broken: [")
    message = vault.long_play.end().message
    assert "is not valid YAML" in message
    assert "The new tokens that were not found in the file were revoked." in message
    assert not vault.live_tokens()


def test_a_revoked_token_counts_as_a_change_although_its_variable_stays(vault: TokenFile) -> None:
    vault.run(tokens=numbered_tokens(2))
    with held(vault, "revoke", 1, tokens=[numbered_tokens(1)[0]], state="absent"):
        limit_file_size(vault.long_play.worker())
    run = vault.long_play.end()
    assert run.failed
    assert run.result["changed"] is True
    assert len(vault.variables()) == 2
    assert len(vault.live_tokens()) == 1


def test_no_token_is_made_when_the_file_cannot_be_replaced(vault: TokenFile) -> None:
    vault.path.write_text("other: value\n" + "# filler\n" * 1000)
    vault.run(tokens=numbered_tokens(1))
    token = vault.variables()["token_0"]
    before = vault.path.read_bytes()
    with held(vault, "introspect", 1, tokens=numbered_tokens(8)):
        limit_file_size(vault.long_play.worker(), 4096)
    assert vault.long_play.end().failed
    assert vault.live_tokens() == {token}
    assert vault.path.read_bytes() == before
    assert not vault.other_files()


def test_what_somebody_else_saves_meanwhile_is_kept_and_costs_no_token(vault: TokenFile) -> None:
    vault.path.write_text("# a comment\nother: value\n")
    old = vault.path.read_bytes()
    vault.sandbox.fail("generate", skip=8, hold=True, times=8)
    vault.begin(tokens=numbered_tokens(16))
    vault.sandbox.wait_for_calls_in_flight(8)
    assert len(vault.variables()) == 9
    # Without the first eight tokens, and with another value of a listed variable.
    vault.path.write_bytes(old + b"edited: meanwhile\ntoken_1: their-own-value\n")
    vault.sandbox.release()
    assert not vault.long_play.end().failed
    variables = vault.variables()
    assert (variables.pop("edited"), variables.pop("other")) == ("meanwhile", "value")
    assert len(variables) == 16
    assert set(variables.values()) == vault.live_tokens()


def test_a_path_that_leads_elsewhere_at_the_end_fails_the_task_and_keeps_the_result(vault: TokenFile) -> None:
    link, other = vault.home / "current", vault.home / "other"
    other.mkdir()
    link.symlink_to(vault.folder)
    with held(vault, "generate", 1, path=str(link / "tokens.yml"), tokens=numbered_tokens(1)):
        link.unlink()
        link.symlink_to(other)
    run = vault.long_play.end()
    assert run.failed
    assert f"The path now leads to {other}/tokens.yml, but led to {vault.path} when" in run.message
    assert run.operations == {"token_0": "generated"}
    assert set(vault.variables().values()) == vault.live_tokens()
