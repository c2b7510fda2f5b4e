# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Take an exclusive lock (flock) on the folder of a file.

Locking the folder leaves no lock file behind, and the lock stays when the file itself is replaced.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from .lock_holder import lock_holder
from .vault_errors import LOCK_ADVICE, FileAccessError, file_access

NO_FOLDER = -1
"""A descriptor with which every system call fails; None would mean the current folder."""

_MODE_OF_NEW_FOLDERS = 0o700
_SECONDS_TO_WAIT = 600.0
_SECONDS_BETWEEN_CHECKS = 0.1
_ATTEMPTS = 1000
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True)
class Place:
    """Where a file is, or will be: the absolute path that was given, the real path, and its open folder."""

    given: str
    path: str
    descriptor: int

    @property
    def folder(self) -> str:
        """The current path of the open folder, which may have been renamed. Only Linux notices that."""
        with suppress(OSError):
            return os.readlink(f"/proc/self/fd/{self.descriptor}").removesuffix(" (deleted)")
        return os.path.dirname(self.path)

    def moved_to(self) -> str | None:
        """Return the real path that the given path leads to now; None if it is still the same file and folder."""
        now = os.path.realpath(self.given)
        if now != self.path:
            return now
        if self.descriptor == NO_FOLDER:
            return None
        try:
            same = os.path.samestat(os.stat(os.path.dirname(now)), os.fstat(self.descriptor))
        except OSError:
            same = False
        return None if same else now


@contextmanager
def locked_place(path: str, make_folders: bool, lock: bool = True) -> Iterator[Place]:
    """Lock the folder of the file at an absolute path; symbolic links are followed.

    With `make_folders`, missing folders are created with mode 0700. Those that are still empty at the end are removed.
    Without it, the place has the descriptor NO_FOLDER if the folder is missing. `lock=False` only opens the folder.

    Raises FileAccessError if the operating system refuses, or if another run keeps the lock for ten minutes in which
    nothing in the folder changes.
    """
    for _attempt in range(_ATTEMPTS):
        made: list[str] = []
        place = _open(path, make_folders, made)
        if place is None:
            continue
        try:
            if not lock or place.descriptor == NO_FOLDER or _lock(place, made):
                try:
                    yield place
                    return
                finally:
                    # Before the lock is released, because the next run with the lock checks that the folder exists.
                    _remove_unused(place, made)
        finally:
            _release(place)
    raise FileAccessError(f"The folder of {path} was replaced repeatedly while this run waited; run the play again")


def _open(path: str, make_folders: bool, made: list[str]) -> Place | None:
    """Return the place; None if another run has just removed a folder of it. Appends created folders to `made`."""
    real = _real_path(path)
    folder = os.path.dirname(real)
    try:
        if make_folders:
            _make_folders(folder, made)
        elif not _is_folder(folder):
            return Place(path, real, NO_FOLDER)
        with file_access(f"open the folder {folder}", passing=FileNotFoundError):
            return Place(path, real, os.open(folder, _FOLDER_FLAGS))
    except FileNotFoundError:
        return None


def _real_path(path: str) -> str:
    if os.path.islink(path) and not os.path.exists(path):
        raise FileAccessError(f"{path} is a broken symbolic link; correct or remove it")
    if os.path.isdir(path):
        raise FileAccessError(f"{path} is a folder; give the path of a vars file")
    return os.path.realpath(path)


def _is_folder(path: str) -> bool:
    """Whether a folder exists. Unlike os.path.isdir, this raises FileAccessError if there is no permission to look."""
    with file_access(f"access {path}"):
        try:
            os.stat(os.path.join(path, "."))
        except FileNotFoundError:
            return False
        return True


def _make_folders(folder: str, made: list[str]) -> None:
    """Create the folder and its missing parents. Raises FileNotFoundError if a parent is removed meanwhile."""
    if os.path.isdir(folder):
        return
    _make_folders(os.path.dirname(folder), made)
    with file_access(f"create the folder {folder}", passing=FileNotFoundError), suppress(FileExistsError):
        os.mkdir(folder, _MODE_OF_NEW_FOLDERS)
        made.append(folder)


def _lock(place: Place, made: list[str]) -> bool:
    """Wait for the lock. Returns False, with or without the lock, if the path now leads to another folder."""
    with file_access(f"lock the folder {place.folder}", LOCK_ADVICE):
        try:
            fcntl.flock(place.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _wait(place) and place.moved_to() is None
        except OSError:
            # Nobody can lock the folder, so no other run uses the folders that were created.
            for folder in reversed(made):
                with suppress(OSError):
                    os.rmdir(folder)
            raise
    return place.moved_to() is None


def _wait(place: Place) -> bool:
    """Wait in short steps, so that this thread can handle signals, while another one waits for the lock."""
    waiter = _Waiter(place.descriptor)
    try:
        waiter.start()
        since, latest = time.monotonic(), _last_change(place.descriptor)
        while not waiter.done.wait(_SECONDS_BETWEEN_CHECKS):
            if place.moved_to() is not None:
                return False
            change = _last_change(place.descriptor)
            if change != latest:
                since, latest = time.monotonic(), change
            if time.monotonic() - since > _SECONDS_TO_WAIT:
                raise FileAccessError(_too_long(place))
        if waiter.error:
            raise waiter.error
        return True
    finally:
        waiter.give_up()


class _Waiter(threading.Thread):
    """Waits for a lock, and releases it at once if it is not wanted any more."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(daemon=True)
        # Both descriptors share the lock, and this one stays open while this thread needs it.
        self._descriptor = os.dup(descriptor)
        self._decision = threading.Lock()
        self._is_wanted = True
        self.done = threading.Event()
        self.error: OSError | None = None

    def run(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            self.error = error
        with self._decision:
            if not self._is_wanted:
                _unlock(self._descriptor)
            self.done.set()
        os.close(self._descriptor)

    def give_up(self) -> None:
        """Stop waiting. This does not release a lock that was already obtained."""
        with self._decision:
            self._is_wanted = False


def _last_change(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_mtime_ns, status.st_ctime_ns


def _too_long(place: Place) -> str:
    holder = lock_holder(place.descriptor)
    return (
        f"The folder {place.folder} has been locked by another run{f' ({holder})' if holder else ''} for "
        f"{_SECONDS_TO_WAIT:.0f} seconds without any change in it; wait for that run or end it, and run the play again"
    )


def _remove_unused(place: Place, made: list[str]) -> None:
    """Remove the created folders that are empty, unless another run has locked one to write a file there."""
    if not made or place.moved_to() is not None:
        return
    for folder in reversed(made):
        with suppress(OSError):
            if folder == os.path.dirname(place.path):
                os.rmdir(folder)
                continue
            descriptor = os.open(folder, _FOLDER_FLAGS)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.rmdir(folder)
            finally:
                _unlock(descriptor)
                os.close(descriptor)


def _release(place: Place) -> None:
    if place.descriptor == NO_FOLDER:
        return
    try:
        # Closing is not enough, because a process that was forked meanwhile would keep the lock.
        _unlock(place.descriptor)
    finally:
        os.close(place.descriptor)


def _unlock(descriptor: int) -> None:
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
