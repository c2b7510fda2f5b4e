# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of vaulted_tokens that end early: killed, interrupted, timed out, on a full disk, or on a file that moves.

KILLS=50 in the environment repeats the tests of random kills 50 times.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from integration.token_file import TokenFile, numbered_tokens
from sandbox import Sandbox

KILLS = int(os.environ.get("KILLS", "5"))
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file or make it immutable")


@pytest.fixture
def vault(tmp_path: Path, sandbox: Sandbox) -> TokenFile:
    sandbox.configure(rate_limit=0)
    return TokenFile(tmp_path, sandbox)


def assert_next_run_makes_only_what_is_missing(vault: TokenFile, count: int) -> None:
    variables = vault.variables()
    made = len(vault.sandbox.tokens())
    run = vault.run(tokens=numbered_tokens(count))
    assert run.status == 0, run.output
    assert len(vault.sandbox.tokens()) - made == count - len(variables)
    assert len(vault.variables()) == count
    assert not vault.other_files()


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_run_loses_at_most_eight_tokens(vault: TokenFile, number: int) -> None:
    vault.sandbox.configure(latency=0.02)
    started = vault.start(tokens=numbered_tokens(60))
    vault.sandbox.wait_for_calls_in_flight(1)
    time.sleep(random.uniform(0, 1.0))
    # The run may have been faster.
    with suppress(ProcessLookupError, IndexError):
        os.kill(started.worker_pid(), signal.SIGKILL)
    started.end()
    # Calls that were already sent reach the API although nobody waits for the answers.
    time.sleep(0.2)
    assert len(vault.lost_tokens()) <= 8
    assert_next_run_makes_only_what_is_missing(vault, 60)


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_run_that_revokes_loses_at_most_eight_tokens(vault: TokenFile, number: int) -> None:
    assert vault.run(tokens=numbered_tokens(30)).status == 0
    vault.sandbox.configure(latency=0.02)
    started = vault.start(tokens=numbered_tokens(30), force=True, revoke_replaced=True)
    vault.sandbox.wait_for_calls_in_flight(1)
    time.sleep(random.uniform(0, 0.8))
    # The run may have been faster.
    with suppress(ProcessLookupError, IndexError):
        os.kill(started.worker_pid(), signal.SIGKILL)
    started.end()
    time.sleep(0.2)
    assert len(vault.lost_tokens()) <= 8
    run = vault.run(tokens=numbered_tokens(30))
    assert run.status == 0, run.output
    assert not set(vault.variables().values()) - vault.live_tokens()
    assert not vault.other_files()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_token_that_arrived_is_in_the_file_when_the_worker_is_stopped(
    vault: TokenFile, number: signal.Signals
) -> None:
    vault.sandbox.fail("generate", hold=True, times=8)
    started = vault.start(tokens=numbered_tokens(20))
    vault.sandbox.wait_for_calls_in_flight(8)
    os.kill(started.worker_pid(), number)
    time.sleep(0.5)
    vault.sandbox.release()
    run = started.end(60)
    assert run.status != 0
    assert len(vault.sandbox.tokens()) == 8
    assert len(vault.variables()) == 8
    assert not vault.lost_tokens()
    assert_next_run_makes_only_what_is_missing(vault, 20)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_ansible_itself_loses_no_token_that_arrived(vault: TokenFile, number: signal.Signals) -> None:
    vault.sandbox.fail("generate", hold=True, times=8)
    started = vault.start(tokens=numbered_tokens(20))
    vault.sandbox.wait_for_calls_in_flight(8)
    started.process.send_signal(number)
    time.sleep(0.5)
    vault.sandbox.release()
    started.end(60)
    wait_until(lambda: len(vault.variables()) == 8)
    assert len(vault.sandbox.tokens()) == 8
    assert not vault.lost_tokens()


def test_a_worker_whose_parent_died_starts_no_further_call(vault: TokenFile) -> None:
    vault.sandbox.fail("generate", hold=True, times=8)
    started = vault.start(tokens=numbered_tokens(20))
    vault.sandbox.wait_for_calls_in_flight(8)
    started.process.kill()
    time.sleep(0.3)
    vault.sandbox.release()
    wait_until(lambda: len(vault.variables()) == 8)
    time.sleep(1)
    assert len(vault.sandbox.tokens()) == 8
    assert not vault.lost_tokens()
    started.process.communicate()


def test_a_task_timeout_saves_the_tokens_that_arrived(vault: TokenFile) -> None:
    vault.sandbox.fail("generate", hold=True, times=8)
    started = vault.start(tokens=numbered_tokens(20), keywords={"timeout": 2})
    vault.sandbox.wait_for_calls_in_flight(8)
    time.sleep(2.5)
    vault.sandbox.release()
    run = started.end(60)
    assert run.status != 0
    assert "timeout was reached" in run.message
    assert "8 of the 20 tokens" in run.message
    assert len(vault.variables()) == 8
    assert not vault.lost_tokens()


def test_a_stopped_run_waits_at_most_three_timeouts_for_an_answer(vault: TokenFile) -> None:
    vault.sandbox.fail("generate", hang=True, times=8)
    started = vault.start(tokens=numbered_tokens(20), timeout=2, retries=0)
    vault.sandbox.wait_for_calls_in_flight(8)
    start = time.monotonic()
    os.kill(started.worker_pid(), signal.SIGTERM)
    assert started.end(60).status != 0
    assert time.monotonic() - start < 15
    assert not vault.sandbox.tokens()


AGAIN_IN_THE_SAME_PROCESS: dict[str, dict[str, Any]] = {
    "an item of a loop": {"loop": [0, 1]},
    "a further try": {"until": "outcome is succeeded", "retries": 2, "delay": 0},
}


@pytest.mark.parametrize("keywords", AGAIN_IN_THE_SAME_PROCESS.values(), ids=AGAIN_IN_THE_SAME_PROCESS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_was_told_to_stop_starts_no_further_item_or_try(
    vault: TokenFile, number: signal.Signals, keywords: dict[str, Any]
) -> None:
    vault.sandbox.fail("generate", hold=True, times=8)
    tokens = [{"name": f"token_{number}{{{{ item | default('') }}}}", "scope": ["vouchers"]} for number in range(12)]
    started = vault.start(tokens=tokens, keywords=keywords)
    vault.sandbox.wait_for_calls_in_flight(8)
    # SIGKILL goes to ansible-playbook, SIGTERM to its worker.
    os.kill(started.process.pid if number == signal.SIGKILL else started.worker_pid(), number)
    time.sleep(0.5)
    vault.sandbox.release()
    wait_until(lambda: len(vault.variables()) == 8)
    started.end(60)
    time.sleep(1)
    assert len(vault.sandbox.tokens()) == 8
    assert not vault.lost_tokens()


def test_a_client_that_cannot_be_created_loses_no_token(vault: TokenFile) -> None:
    certificates = vault.home / "certificates.pem"
    certificates.write_text("")
    assert vault.run(tokens=numbered_tokens(1)).status == 0
    vault.sandbox.fail("introspect", hold=True)
    started = vault.start(tokens=numbered_tokens(8), ca_path=str(certificates))
    vault.sandbox.wait_for_calls_in_flight(1)
    # All but the first call of a batch need a new client.
    certificates.unlink()
    vault.sandbox.release()
    run = started.end()
    assert run.status != 0
    assert "ca_path" in run.message
    assert not vault.lost_tokens()


def test_a_process_that_can_start_no_more_threads_uses_those_it_has(vault: TokenFile) -> None:
    few_threads = """
import multiprocessing, threading
start = threading.Thread.start
count = 0
def refusing(self):
    global count
    # ansible-core itself starts such a thread, but not in a worker.
    count += "ThreadPoolExecutor" in self.name and multiprocessing.parent_process() is not None
    if count > 3 and "ThreadPoolExecutor" in self.name:
        raise RuntimeError("can't start new thread")
    start(self)
threading.Thread.start = refusing
"""
    vault.sandbox.configure(latency=0.1)
    run = vault.run(tokens=numbered_tokens(8), environment=vault.with_startup_code(few_threads))
    assert run.status == 0, run.output
    assert vault.sandbox.most_in_flight() == 3
    assert len(vault.variables()) == 8
    assert not vault.lost_tokens()


# The rename with this number, counting from 1, reports an error, and either takes effect or not. C(then) runs before.
RENAME_FAILS = """
import errno, os
replace = os.replace
count = 0
def failing(*paths, **options):
    global count
    if ".vaulted_vars." not in str(paths[0]):
        return replace(*paths, **options)
    count += 1
    if count != {number} or {succeeds}:
        replace(*paths, **options)
    if count == {number}:
        {then}
        raise OSError(errno.EIO, os.strerror(errno.EIO))
os.replace = failing
"""


def failing_rename(vault: TokenFile, number: int, *, succeeds: bool = False, then: str = "pass") -> dict[str, str]:
    return vault.with_startup_code(RENAME_FAILS.format(number=number, succeeds=succeeds, then=then))


def test_a_write_that_succeeds_despite_an_error_is_reported_as_written(vault: TokenFile) -> None:
    faults = failing_rename(vault, 1, succeeds=True)
    run = vault.run(tokens=numbered_tokens(3), environment=faults)
    assert run.status != 0
    assert run.result["changed"] is True
    assert all(token["written"] and token["vault_id"] == "default" for token in run.result["tokens"])
    assert len(vault.variables()) == 3
    assert not vault.lost_tokens()


def test_tokens_that_could_not_be_written_are_revoked_and_reported(vault: TokenFile) -> None:
    run = vault.run(tokens=numbered_tokens(3), environment=failing_rename(vault, 1))
    assert run.status != 0
    assert "The new tokens that are not in the file were revoked." in run.message
    assert len(vault.sandbox.calls("revoke")) == 3
    assert not vault.live_tokens()


def test_tokens_that_can_be_neither_written_nor_revoked_are_named(vault: TokenFile) -> None:
    vault.sandbox.fail("revoke", times=99, status=403, body="{}")
    run = vault.run(tokens=numbered_tokens(2), environment=failing_rename(vault, 1))
    assert run.status != 0
    assert "could not be revoked and expire within 15 minutes: token_0, token_1." in run.message


def test_after_a_failed_write_of_a_file_that_cannot_be_read_no_token_is_revoked(vault: TokenFile) -> None:
    spoil = f"open({str(vault.path)!r}, 'w').write('broken: [')"
    run = vault.run(tokens=numbered_tokens(2), environment=failing_rename(vault, 1, then=spoil))
    assert run.status != 0
    assert (
        "It is unknown which of the new tokens are in the file, so none was revoked (token_0, token_1)." in run.message
    )
    assert len(vault.live_tokens()) == 2


def test_a_token_in_the_file_is_not_revoked_when_a_write_fails(vault: TokenFile) -> None:
    assert vault.run(tokens=numbered_tokens(1)).status == 0
    token = vault.variables()["token_0"]
    # An API might issue the same token again.
    vault.sandbox.fail("generate", replace={"access_token": token})
    faults = failing_rename(vault, 2)
    assert vault.run(tokens=numbered_tokens(2), environment=faults).status != 0
    assert vault.variables() == {"token_0": token}
    assert token in vault.live_tokens()


def test_a_revoked_token_counts_as_a_change_although_its_variable_stays(vault: TokenFile) -> None:
    assert vault.run(tokens=numbered_tokens(1)).status == 0
    faults = failing_rename(vault, 2)
    run = vault.run(tokens=numbered_tokens(1), state="absent", environment=faults)
    assert run.status != 0
    assert not vault.live_tokens()
    assert run.result["changed"] is True


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


@contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """Limit the size of files for this process and its children, as a disk that fills up does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_no_token_is_made_when_the_disk_is_full(vault: TokenFile) -> None:
    vault.path.write_text("other: value\n" + "# filler\n" * 1000)
    before = vault.path.read_bytes()
    with limited_file_size(4096):
        run = vault.run(tokens=numbered_tokens(8))
    assert run.status != 0
    assert not vault.sandbox.tokens()
    assert vault.path.read_bytes() == before
    assert not vault.other_files()


@AS_ROOT
def test_no_token_is_made_for_a_bind_mounted_file(vault: TokenFile) -> None:
    vault.path.write_text("other: value\n")
    if subprocess.run(["mount", "--bind", vault.path, vault.path], capture_output=True, check=False).returncode:
        pytest.skip("mount is not allowed here")
    try:
        run = vault.run(tokens=numbered_tokens(2))
    finally:
        subprocess.run(["umount", vault.path], check=True)
    assert run.status != 0
    assert str(vault.path) in run.message
    assert not vault.sandbox.tokens()
    assert vault.path.read_text() == "other: value\n"
    assert not vault.other_files()


@AS_ROOT
def test_no_token_is_made_for_an_immutable_file(vault: TokenFile) -> None:
    vault.path.write_text("other: value\n")
    chattr = shutil.which("chattr")
    if not chattr or subprocess.run([chattr, "+i", vault.path], capture_output=True, check=False).returncode:
        pytest.skip("chattr cannot make a file immutable here")
    try:
        run = vault.run(tokens=numbered_tokens(2))
    finally:
        subprocess.run([chattr, "-i", vault.path], check=True)
    assert run.status != 0
    assert not vault.sandbox.tokens()
    assert not vault.other_files()


def test_an_editor_that_saves_an_older_version_loses_no_token(vault: TokenFile) -> None:
    vault.path.write_text("# a comment\nother: value\n")
    old = vault.path.read_bytes()
    vault.sandbox.fail("generate", skip=8, hold=True, times=8)
    started = vault.start(tokens=numbered_tokens(16))
    vault.sandbox.wait_for_calls_in_flight(8)
    wait_until(lambda: vault.path.read_bytes() != old)
    vault.path.write_bytes(old + b"edited: meanwhile\n")
    vault.sandbox.release()
    run = started.end()
    assert run.status == 0, run.output
    variables = vault.variables()
    assert variables["edited"] == "meanwhile"
    assert variables["other"] == "value"
    assert len(variables) == 18
    assert not vault.lost_tokens()


def test_a_listed_variable_that_somebody_changes_gets_its_token_and_other_changes_are_kept(vault: TokenFile) -> None:
    vault.sandbox.fail("generate", hold=True, times=3)
    started = vault.start(tokens=numbered_tokens(3))
    vault.sandbox.wait_for_calls_in_flight(3)
    vault.path.write_text("token_1: their-own-value\nother: their-own-value\n")
    vault.sandbox.release()
    run = started.end()
    assert run.status == 0, run.output
    variables = vault.variables()
    assert variables.pop("other") == "their-own-value"
    assert set(variables) == {"token_0", "token_1", "token_2"}
    assert set(variables.values()) == vault.live_tokens()


def test_switching_a_link_while_the_lock_is_held_fails_and_names_both_folders(vault: TokenFile) -> None:
    one, two = vault.folder / "one", vault.folder / "two"
    one.mkdir()
    two.mkdir()
    current = vault.folder / "current"
    current.symlink_to(one)
    vault.sandbox.fail("generate", hold=True, times=8)
    path = current / "tokens.yml"
    started = vault.start(tokens=numbered_tokens(20), path=str(path))
    vault.sandbox.wait_for_calls_in_flight(8)
    (vault.folder / "next").symlink_to(two)
    (vault.folder / "next").rename(current)
    vault.sandbox.release()
    run = started.end()
    assert run.status != 0
    assert str(one) in run.message
    assert str(two) in run.message
    vault.path = one / "tokens.yml"
    assert len(vault.variables()) == 20
    assert not vault.lost_tokens()
    assert not list(two.iterdir())


def test_a_link_that_is_switched_while_a_run_waits_is_followed(vault: TokenFile) -> None:
    one, two = vault.folder / "one", vault.folder / "two"
    one.mkdir()
    two.mkdir()
    current = vault.folder / "current"
    current.symlink_to(one)
    vault.sandbox.fail("generate", hold=True)
    holder = vault.start(tokens=numbered_tokens(1), path=str(one / "tokens.yml"))
    vault.sandbox.wait_for_calls_in_flight(1)
    waiting = vault.start(tokens=numbered_tokens(1), path=str(current / "tokens.yml"))
    time.sleep(2)
    (vault.folder / "next").symlink_to(two)
    (vault.folder / "next").rename(current)
    vault.sandbox.release()
    assert holder.end().status == 0
    run = waiting.end()
    assert run.status == 0, run.output
    assert (two / "tokens.yml").exists()
    assert len(vault.sandbox.tokens()) == 2
