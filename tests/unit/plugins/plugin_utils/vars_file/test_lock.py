# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that lock the same folder: real locks, real processes, folders that are replaced and removed."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file import folder_lock
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.folder_lock import locked_place
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.lock_holder import lock_holder
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.locked_file import LockedFile
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_errors import FileAccessError
from unit.plugins.plugin_utils.vars_file.children import Child, wait_until


@contextmanager
def locked_by_another_run(folder: Path) -> Iterator[int]:
    """Hold the lock as another run would."""
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield descriptor
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


def count_waiting(folder: Path) -> int:
    """Return how many processes or threads wait for the lock of a folder, according to the kernel."""
    inode = f":{folder.stat().st_ino}"
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return sum(fields[1] == "->" and fields[6].endswith(inode) for fields in lines)


def write(path: Path, data: bytes) -> None:
    with locked_place(str(path), make_folders=True) as place:
        file = LockedFile(place)
        file.replace(file.read(), data)


needs_lock_list = pytest.mark.skipif(
    not Path("/proc/locks").exists(), reason="needs /proc/locks, which lists who waits for a lock"
)


def test_twelve_runs_on_one_folder_get_the_lock_one_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    busy = tmp_path / "busy"

    def work(number: int) -> None:
        name = "other.yml" if number == 11 else "vars.yml"
        for _turn in range(5):
            with locked_place(str(folder / name), make_folders=True) as place:
                busy.mkdir()  # fails if another run has the lock too
                file = LockedFile(place)
                old = file.read()
                file.replace(old, (old.data if old else b"") + b"%d\n" % number)
                busy.rmdir()

    children = [Child(lambda number=number: work(number)) for number in range(12)]  # type: ignore[misc]

    assert [child.result() for child in children] == [0] * 12
    assert sorted((folder / "vars.yml").read_text().split()) == sorted(str(n) for n in list(range(11)) * 5)
    assert (folder / "other.yml").read_text().split() == ["11"] * 5


@needs_lock_list
def test_a_run_that_locks_again_at_once_does_not_starve_a_waiting_run(tmp_path: Path) -> None:
    turns = []
    with locked_by_another_run(tmp_path):
        child = Child(lambda: write(tmp_path / "vars.yml", b"served"))
        wait_until(lambda: count_waiting(tmp_path))
    while not (tmp_path / "vars.yml").exists():
        turns.append(1)
        assert len(turns) < 1000
        with locked_by_another_run(tmp_path):
            time.sleep(0.01)

    assert child.result() == 0


def test_the_lock_is_released_although_a_forked_process_lives_on(tmp_path: Path) -> None:
    with locked_place(str(tmp_path / "vars.yml"), make_folders=True):
        child = Child(lambda: time.sleep(60))
        assert is_locked(tmp_path)

    assert not is_locked(tmp_path)
    assert child.is_running
    child.kill()
    child.result()


@needs_lock_list
def test_the_lock_of_a_killed_run_is_released(tmp_path: Path) -> None:
    def hold() -> None:
        with locked_place(str(tmp_path / "vars.yml"), make_folders=True):
            time.sleep(60)

    child = Child(hold)
    wait_until(lambda: is_locked(tmp_path))
    waiting = Child(lambda: write(tmp_path / "vars.yml", b"new"))
    wait_until(lambda: count_waiting(tmp_path))
    child.kill()

    assert waiting.result() == 0
    assert child.result() == -signal.SIGKILL


def test_waiting_too_long_fails_with_the_folder_and_the_holder_of_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_lock, "_SECONDS_TO_WAIT", 0.3)
    program = (
        "import fcntl, os, sys, time; d = os.open(sys.argv[1], os.O_RDONLY); fcntl.flock(d, fcntl.LOCK_EX);"
        "print(flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), "--password=secret"], stdout=subprocess.PIPE
    )
    assert holder.stdout
    holder.stdout.readline()

    with (
        pytest.raises(FileAccessError) as raised,
        locked_place(str(tmp_path / "vars.yml"), make_folders=True),
    ):
        pass

    holder.kill()
    holder.communicate()
    sentence = str(raised.value)
    assert sentence.startswith(f"The folder {tmp_path} has been locked by another run")
    assert sentence.endswith("seconds without any change in it; wait for that run or end it, and run the play again")
    assert "secret" not in sentence
    if Path("/proc/locks").exists():
        assert f" (process {holder.pid}, python" in sentence


@needs_lock_list
def test_the_holder_of_the_right_lock_is_found_among_several(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two", "three")]
    children = []
    for folder in folders:

        def hold(path: Path = folder / "vars.yml") -> None:
            with locked_place(str(path), make_folders=True):
                time.sleep(60)

        children.append(Child(hold))
    wait_until(lambda: all(folder.exists() and is_locked(folder) for folder in folders))
    holders = []
    for folder in (*folders, tmp_path):
        descriptor = os.open(folder, os.O_RDONLY)
        holders.append(lock_holder(descriptor))
        os.close(descriptor)
    for child in children:
        child.kill()
        child.result()

    assert [str(holder).split(",", maxsplit=1)[0] for holder in holders] == [
        *(f"process {child.pid}" for child in children),
        "None",
    ]


def test_a_run_keeps_waiting_while_the_folder_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_lock, "_SECONDS_TO_WAIT", 0.5)

    def hold() -> None:
        with locked_place(str(tmp_path / "vars.yml"), make_folders=True) as place:
            file = LockedFile(place)
            for _write in range(15):
                time.sleep(0.1)
                file.replace(file.read(), b"x")

    child = Child(hold)
    wait_until(lambda: is_locked(tmp_path))
    start = time.monotonic()
    write(tmp_path / "vars.yml", b"new")

    assert time.monotonic() - start > 0.7
    assert child.result() == 0
    assert (tmp_path / "vars.yml").read_bytes() == b"new"


@needs_lock_list
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_signal_ends_the_wait_and_a_lock_that_arrives_later_is_released(tmp_path: Path) -> None:
    class Alarm(Exception):
        pass

    def strike(*_arguments: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, strike)
    with locked_by_another_run(tmp_path):
        start = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(Alarm), locked_place(str(tmp_path / "vars.yml"), make_folders=True):
            pass
        assert time.monotonic() - start < 5
        assert count_waiting(tmp_path) == 1
        # The child inherits the open descriptors, and would keep a lock that is only closed and not released.
        child = Child(lambda: time.sleep(60))
    signal.signal(signal.SIGALRM, before)

    wait_until(lambda: not is_locked(tmp_path) and threading.active_count() == 1)
    assert child.is_running
    child.kill()
    child.result()


@needs_lock_list
def test_a_run_locks_the_new_folder_when_its_folder_is_replaced_while_it_waits(tmp_path: Path) -> None:
    folder, old = tmp_path / "folder", tmp_path / "old"
    folder.mkdir()
    with locked_by_another_run(folder):
        child = Child(lambda: write(folder / "vars.yml", b"new"))
        wait_until(lambda: count_waiting(folder))
        folder.rename(old)
        folder.mkdir()
        # The child does not wait for the holder of the old lock.
        assert child.result() == 0

    assert (folder / "vars.yml").read_bytes() == b"new"
    assert list(old.iterdir()) == []


def test_a_folder_that_is_replaced_just_before_it_is_locked_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, old = tmp_path / "folder", tmp_path / "old"
    folder.mkdir()
    genuine = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        if not old.exists():
            folder.rename(old)
            folder.mkdir()
        genuine(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    write(folder / "vars.yml", b"new")

    assert (folder / "vars.yml").read_bytes() == b"new"
    assert list(old.iterdir()) == []


@needs_lock_list
@pytest.mark.parametrize("made_again", [False, True])
def test_a_folder_that_is_removed_while_a_run_waits_is_made_again(tmp_path: Path, made_again: bool) -> None:
    folder = tmp_path / "outer" / "folder"
    folder.mkdir(parents=True)
    with locked_by_another_run(folder):
        child = Child(lambda: write(folder / "vars.yml", b"new"))
        wait_until(lambda: count_waiting(folder))
        folder.rmdir()
        folder.parent.rmdir()
        if made_again:
            folder.mkdir(parents=True)

    assert child.result() == 0
    assert (folder / "vars.yml").read_bytes() == b"new"


@needs_lock_list
def test_a_run_that_removes_its_new_folder_does_not_take_it_from_a_waiting_run(tmp_path: Path) -> None:
    folder = tmp_path / "outer" / "folder"

    def fail() -> None:
        with locked_place(str(folder / "vars.yml"), make_folders=True):
            children.append(Child(lambda: write(folder / "vars.yml", b"new")))
            wait_until(lambda: count_waiting(folder))
            raise ValueError

    children: list[Child] = []
    with pytest.raises(ValueError):  # noqa: PT011 - this test's own
        fail()

    assert children[0].result() == 0
    assert (folder / "vars.yml").read_bytes() == b"new"


def test_runs_that_make_and_remove_the_same_folders_do_not_disturb_each_other(tmp_path: Path) -> None:
    def work(number: int) -> None:
        for turn in range(20):
            inner = "x" if number % 2 else "x/y"
            path = tmp_path / "a" / inner / f"{number}.yml"
            with locked_place(str(path), make_folders=True) as place:
                file = LockedFile(place)
                if turn == 19:
                    file.replace(file.read(), b"new")

    children = [Child(lambda number=number: work(number)) for number in range(8)]  # type: ignore[misc]

    assert [child.result() for child in children] == [0] * 8
    assert len(list(tmp_path.rglob("*.yml"))) == 8


@needs_lock_list
def test_a_link_that_is_switched_while_a_run_waits_is_followed_again(tmp_path: Path) -> None:
    for release in ("one", "two"):
        (tmp_path / release).mkdir()
    current = tmp_path / "current"
    current.symlink_to("one")
    with locked_by_another_run(tmp_path / "one"):
        child = Child(lambda: write(current / "vars.yml", b"new"))
        wait_until(lambda: count_waiting(tmp_path / "one"))
        current.unlink()
        current.symlink_to("two")

    assert child.result() == 0
    assert [path.name for path in (tmp_path / "one").iterdir()] == []
    assert (tmp_path / "two" / "vars.yml").read_bytes() == b"new"


@pytest.mark.parametrize("change", ["nothing", "link", "link to nowhere", "replaced", "removed"])
def test_a_path_that_leads_elsewhere_while_the_lock_is_held_is_noticed(tmp_path: Path, change: str) -> None:
    one, two, current = (tmp_path / name for name in ("one", "two", "current"))
    one.mkdir()
    two.mkdir()
    current.symlink_to("one")
    moved_to: dict[str, Path | None] = {
        "nothing": None,
        "link": two / "vars.yml",
        "link to nowhere": tmp_path / "nowhere" / "vars.yml",
        "replaced": one / "vars.yml",
        "removed": one / "vars.yml",
    }

    with locked_place(str(current / "vars.yml"), make_folders=True) as place:
        assert place.moved_to() is None
        if change.startswith("link"):
            current.unlink()
            current.symlink_to("two" if change == "link" else "nowhere")
        elif change == "replaced":
            one.rename(tmp_path / "three")
            one.mkdir()
        elif change == "removed":
            one.rmdir()
        found = place.moved_to()
        folder = place.folder
        if change != "removed":
            LockedFile(place).replace(None, b"new")

    wanted = moved_to[change]
    assert found == (str(wanted) if wanted else None)
    is_told = Path("/proc/self/fd").exists() and change == "replaced"
    assert folder == str(tmp_path / "three" if is_told else one)
    if change != "removed":
        assert [path.parent.name for path in tmp_path.rglob("vars.yml")][-1] == ("three" if is_told else "one")


@pytest.mark.parametrize("number", [errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_that_cannot_lock_is_named_before_anything_is_made(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS does this, but a test cannot mount it everywhere."""

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(FileAccessError) as raised,
        locked_place(str(tmp_path / "vars.yml"), make_folders=True),
    ):
        pass

    assert str(raised.value) == (
        f"Cannot lock the folder {tmp_path}: {os.strerror(number)}; choose a path on a file system that can lock "
        "folders (NFS cannot) and run the play again"
    )
    assert list(tmp_path.iterdir()) == []


def test_without_a_lock_nothing_is_waited_for_and_nothing_is_made(tmp_path: Path) -> None:
    with (
        locked_by_another_run(tmp_path),
        locked_place(str(tmp_path / "vars.yml"), make_folders=False, lock=False) as place,
    ):
        assert LockedFile(place).read() is None
    with locked_place(str(tmp_path / "new" / "vars.yml"), make_folders=False, lock=False) as place:
        assert LockedFile(place).read() is None
        assert place.moved_to() is None

    assert list(tmp_path.iterdir()) == []


def test_new_folders_that_are_not_used_are_removed_with_the_lock_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with locked_place(str(tmp_path / "a" / "b" / "c" / "vars.yml"), make_folders=True):
        (tmp_path / "a" / "b" / "other").mkdir()

    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["a", "a/b", "a/b/other"]


def test_an_empty_folder_that_replaced_a_new_one_stays(tmp_path: Path) -> None:
    folder, old = tmp_path / "folder", tmp_path / "old"
    with locked_place(str(folder / "vars.yml"), make_folders=True):
        folder.rename(old)
        folder.mkdir()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "old"]


def test_a_new_folder_that_another_run_has_locked_stays(tmp_path: Path) -> None:
    with locked_place(str(tmp_path / "a" / "b" / "vars.yml"), make_folders=True):
        descriptor = os.open(tmp_path / "a", os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    assert [path.name for path in tmp_path.rglob("*")] == ["a"]
    os.close(descriptor)


def test_no_descriptor_is_left_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_lock, "_SECONDS_TO_WAIT", 0.0)

    def descriptors() -> int:
        return len(os.listdir("/dev/fd"))

    before = descriptors()
    for _turn in range(5):
        write(tmp_path / "vars.yml", b"x")
        with locked_by_another_run(tmp_path), pytest.raises(FileAccessError):
            write(tmp_path / "vars.yml", b"x")
    wait_until(lambda: threading.active_count() == 1)

    assert descriptors() == before
