# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that lock the same folder: real locks, real processes, folders that are replaced and removed."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file import atomic_write, lock
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import FileAccessError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.lock import Place, locked_place
from unit.plugins.plugin_utils.vars_file.children import Child, wait_until


@contextmanager
def locked_by_another_run(folder: Path) -> Iterator[None]:
    """Hold the lock as another run would."""
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def is_locked(folder: Path) -> bool:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def locked(path: Path) -> AbstractContextManager[Place]:
    return locked_place(str(path), make_folders=True)


def write(path: Path, data: bytes) -> None:
    with locked(path) as place:
        atomic_write.replace(place, atomic_write.read(place), data)


class Waiter(Child):
    """A process that writes a file. `wait` returns when it is waiting for the lock."""

    def __init__(self, path: Path) -> None:
        self._read, told = os.pipe()
        genuine = time.sleep

        def sleep(seconds: Any) -> None:
            os.write(told, b".")
            genuine(seconds)

        def work() -> None:
            time.sleep = sleep  # only in this process
            write(path, b"new")

        super().__init__(work)
        os.close(told)

    def wait(self) -> None:
        assert os.read(self._read, 1) == b"."
        os.close(self._read)


def test_eight_runs_on_one_folder_get_the_lock_one_at_a_time(tmp_path: Path) -> None:
    folder, busy = tmp_path / "new" / "folder", tmp_path / "busy"

    def work(number: int) -> None:
        name = "other.yml" if number == 7 else "vars.yml"
        for _turn in range(3):
            with locked(folder / name) as place:
                busy.mkdir()  # fails if another run has the lock too
                old = atomic_write.read(place)
                atomic_write.replace(place, old, (old.data if old else b"") + b"%d\n" % number)
                busy.rmdir()

    children = [Child(partial(work, number)) for number in range(8)]

    assert [child.result() for child in children] == [0] * 8
    assert sorted((folder / "vars.yml").read_text().split()) == sorted(str(n) for n in list(range(7)) * 3)
    assert (folder / "other.yml").read_text().split() == ["7"] * 3


def test_the_lock_is_released_although_a_forked_process_lives_on_and_when_a_run_is_killed(tmp_path: Path) -> None:
    with locked(tmp_path / "vars.yml"):
        child = Child(lambda: time.sleep(60))
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)
    assert child.is_running
    child.kill()
    child.result()

    def hold() -> None:
        with locked(tmp_path / "vars.yml"):
            time.sleep(60)

    holding = Child(hold)
    wait_until(lambda: is_locked(tmp_path))
    waiting = Waiter(tmp_path / "vars.yml")
    waiting.wait()
    holding.kill()
    assert waiting.result() == 0
    assert holding.result() == -signal.SIGKILL


def test_waiting_too_long_fails_and_says_that_it_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_SECONDS_TO_WAIT", 1.2)
    waited = count()

    with (
        locked_by_another_run(tmp_path),
        pytest.raises(FileAccessError) as raised,
        locked_place(str(tmp_path / "vars.yml"), make_folders=True, on_wait=lambda: next(waited)),
    ):
        pass

    assert str(raised.value) == (
        f"The folder {tmp_path} has been locked by another run for 1 seconds without any change in it; wait for that "
        "run or end it, and run the play again"
    )
    assert next(waited) > 1


def test_a_run_keeps_waiting_while_the_folder_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_SECONDS_TO_WAIT", 0.3)

    def hold() -> None:
        with locked(tmp_path / "vars.yml") as place:
            for _write in range(9):
                time.sleep(0.05)
                atomic_write.replace(place, atomic_write.read(place), b"x")

    child = Child(hold)
    wait_until(lambda: is_locked(tmp_path))
    start = time.monotonic()
    write(tmp_path / "vars.yml", b"new")

    assert time.monotonic() - start > 0.35
    assert child.result() == 0
    assert (tmp_path / "vars.yml").read_bytes() == b"new"


def test_a_signal_ends_the_wait_at_once(tmp_path: Path) -> None:
    def strike(*_arguments: object) -> None:
        raise RuntimeError

    before = signal.signal(signal.SIGALRM, strike)
    with locked_by_another_run(tmp_path):
        start = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(RuntimeError), locked(tmp_path / "vars.yml"):
            pass
        assert time.monotonic() - start < 5
    signal.signal(signal.SIGALRM, before)

    assert not is_locked(tmp_path)


@pytest.mark.parametrize("change", ["replaced", "removed", "made again", "link"])
def test_a_run_locks_the_folder_that_the_path_leads_to_after_the_wait(tmp_path: Path, change: str) -> None:
    folder, old = tmp_path / "outer" / "folder", tmp_path / "old"
    (tmp_path / "one").mkdir()
    folder.parent.mkdir()
    if change == "link":
        folder.symlink_to(tmp_path / "one")
    else:
        folder.mkdir()
    with locked_by_another_run(folder):
        waiting = Waiter(folder / "vars.yml")
        waiting.wait()
        if change == "link":
            folder.unlink()
            old.mkdir()
            folder.symlink_to(old)
        elif change == "replaced":
            folder.rename(old)
            folder.mkdir()
        else:
            folder.rmdir()
            folder.parent.rmdir()
            if change == "made again":
                folder.mkdir(parents=True)

    assert waiting.result() == 0
    assert (folder / "vars.yml").read_bytes() == b"new"
    assert list((tmp_path / "one").iterdir()) == []
    assert change != "replaced" or list(old.iterdir()) == []


def test_runs_that_make_and_remove_the_same_folders_do_not_disturb_each_other(tmp_path: Path) -> None:
    def work(number: int) -> None:
        for turn in range(10):
            inner = "x" if number % 2 else "x/y"
            with locked(tmp_path / "a" / inner / f"{number}.yml") as place:
                if turn == 9:
                    atomic_write.replace(place, atomic_write.read(place), b"new")

    children = [Child(partial(work, number)) for number in range(6)]

    assert [child.result() for child in children] == [0] * 6
    assert len(list(tmp_path.rglob("*.yml"))) == 6


@pytest.mark.parametrize(
    ("change", "moved_to", "written"),
    [("nothing", None, "one"), ("link", "two", "one"), ("replaced", "one", "three"), ("removed", "one", None)],
)
def test_a_path_that_leads_elsewhere_while_the_lock_is_held_is_noticed(
    tmp_path: Path, change: str, moved_to: str | None, written: str | None
) -> None:
    one, two, current = (tmp_path / name for name in ("one", "two", "current"))
    one.mkdir()
    two.mkdir()
    current.symlink_to("one")

    with locked(current / "vars.yml") as place:
        assert place.moved_to() is None
        if change == "link":
            current.unlink()
            current.symlink_to("two")
        elif change == "replaced":
            one.rename(tmp_path / "three")
            one.mkdir()
        elif change == "removed":
            one.rmdir()
        assert place.moved_to() == (moved_to and f"{tmp_path}/{moved_to}/vars.yml")
        if written:
            # Into the folder that is locked, wherever it is now.
            atomic_write.replace(place, None, b"new")

    assert [path.parent.name for path in tmp_path.glob("[ot]*/vars.yml")] == ([written] if written else [])


@pytest.mark.parametrize("inner", [".", "all"])
def test_a_file_system_that_cannot_lock_is_named_and_no_empty_folder_is_left(
    tmp_path: Path, inner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS does this, but a test cannot mount it everywhere."""

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    folder = (tmp_path / inner).resolve()
    with pytest.raises(FileAccessError) as raised, locked(folder / "vars.yml"):
        pass

    assert str(raised.value) == (
        f"Cannot lock the folder {folder}: {os.strerror(errno.ENOLCK)}; choose a path on a file system that can lock "
        "folders (NFS cannot) and run the play again"
    )
    assert list(tmp_path.iterdir()) == []


def test_without_a_lock_nothing_is_waited_for_and_nothing_is_made(tmp_path: Path) -> None:
    with (
        locked_by_another_run(tmp_path),
        locked_place(str(tmp_path / "vars.yml"), make_folders=False, lock=False) as place,
    ):
        assert atomic_write.read(place) is None
    with locked_place(str(tmp_path / "new" / "vars.yml"), make_folders=False, lock=False) as place:
        assert atomic_write.read(place) is None
        assert place.moved_to() is None

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fails", [False, True])
def test_a_new_folder_that_stays_empty_is_removed_and_others_stay(tmp_path: Path, fails: bool) -> None:
    (tmp_path / "old").mkdir()
    replaced = tmp_path / "replaced"
    for name in ("old", "used", "replaced", "new/empty"):
        with suppress(ValueError), locked(tmp_path / name / "vars.yml"):
            if name == "used":
                (tmp_path / "used" / "theirs").touch()
            if name == "replaced":
                replaced.rename(tmp_path / "renamed")
                replaced.mkdir()
            if fails:
                raise ValueError

    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert found == ["new", "old", "renamed", "replaced", "used", "used/theirs"]


def test_new_folders_get_the_mode_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "group_vars" / "all" / "vars.yml", b"new")
    finally:
        os.umask(before)

    assert {oct(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_dir()} == {"0o40750"}


def test_no_descriptor_is_left_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_SECONDS_TO_WAIT", 0.0)

    def descriptors() -> int:
        return len(os.listdir("/dev/fd"))

    before = descriptors()
    for _turn in range(5):
        write(tmp_path / "vars.yml", b"x")
        with locked_by_another_run(tmp_path), pytest.raises(FileAccessError):
            write(tmp_path / "vars.yml", b"x")

    assert descriptors() == before
