# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Take an exclusive lock (flock) on the folder of a file.

Locking the folder leaves no lock file behind, and the lock stays when the file itself is replaced.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from .errors import FileAccessError, file_access

# A descriptor with which every system call fails; None would mean the current folder.
NO_FOLDER = -1

_SECONDS_TO_WAIT = 600.0
_SECONDS_BETWEEN_TRIES = 0.1
_ATTEMPTS = 1000

# Called again and again while the lock is waited for.
OnWait = Callable[[], object]


@dataclass(frozen=True)
class Place:
    """Where a file is, or will be: the absolute path that was given, the real path, and its open folder."""

    given: str
    path: str
    descriptor: int

    def moved_to(self) -> str | None:
        """Return the real path that the given path leads to now; None if it is still the same file and folder."""
        now, is_same = os.path.realpath(self.given), self.descriptor == NO_FOLDER
        with suppress(OSError):
            is_same = is_same or os.path.samestat(os.stat(os.path.dirname(now)), os.fstat(self.descriptor))
        return None if is_same and now == self.path else now


@contextmanager
def locked_place(path: str, *, make_folders: bool, lock: bool = True, on_wait: OnWait | None = None) -> Iterator[Place]:
    """Lock the folder of the file at an absolute path; symbolic links are followed.

    With `make_folders`, missing folders are created. At the end, the file's own folder is removed again if it was
    created here and is empty, because Ansible ignores `all.yml` next to an empty folder `all`. Without `make_folders`,
    the place has the descriptor NO_FOLDER if the folder is missing. `lock=False` only opens the folder.

    Raises FileAccessError if the operating system refuses, or if another run keeps the lock for ten minutes in which
    nothing in the folder changes.
    """
    place, is_made = _open(path, make_folders, on_wait, lock=lock)
    try:
        yield place
    finally:
        try:
            # With the lock, so that another run that waits for it notices that the folder is gone.
            if is_made and place.moved_to() is None:
                _remove_if_empty(place)
        finally:
            _close(place)


def _open(path: str, make_folders: bool, on_wait: OnWait | None, *, lock: bool) -> tuple[Place, bool]:
    """Return the place, locked, and whether its folder was created."""
    for _attempt in range(_ATTEMPTS):
        if os.path.islink(path) and not os.path.exists(path):
            raise FileAccessError(f"{path} is a broken symbolic link; correct or remove it")
        if os.path.isdir(path):
            raise FileAccessError(f"{path} is a folder; give the path of a vars file")
        real = os.path.realpath(path)
        folder = os.path.dirname(real)
        is_made = make_folders and not os.path.isdir(folder)
        if is_made:
            with file_access(f"create the folder {folder}"):
                os.makedirs(folder, exist_ok=True)
        with file_access(f"open the folder {folder}"):
            try:
                place = Place(path, real, os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
            except FileNotFoundError:
                if make_folders:
                    continue  # Another run has just removed it.
                return Place(path, real, NO_FOLDER), False
        with file_access(
            f"lock the folder {folder}", "choose a path on a file system that can lock folders (NFS cannot)"
        ):
            try:
                if lock:
                    _lock(place, on_wait)
                if not lock or place.moved_to() is None:
                    return place, is_made
            except BaseException as error:
                # If nobody can lock the folder, no other run uses it.
                if is_made and isinstance(error, OSError):
                    _remove_if_empty(place)
                _close(place)
                raise
        _close(place)
    raise FileAccessError(f"The folder of {path} was replaced repeatedly while this run waited; run the play again")


def _lock(place: Place, on_wait: OnWait | None) -> None:
    """Try again and again, because a blocking call could not be given up, and would delay signals."""
    since, latest = time.monotonic(), None
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(place.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        now, status = time.monotonic(), os.fstat(place.descriptor)
        change = status.st_mtime_ns, status.st_ctime_ns
        if change != latest:
            since, latest = now, change
        if now - since > _SECONDS_TO_WAIT:
            raise FileAccessError(
                f"The folder {os.path.dirname(place.path)} has been locked by another run for {_SECONDS_TO_WAIT:.0f} "
                "seconds without any change in it; wait for that run or end it, and run the play again"
            )
        if on_wait:
            on_wait()
        time.sleep(_SECONDS_BETWEEN_TRIES)


def _remove_if_empty(place: Place) -> None:
    with suppress(OSError):
        os.rmdir(os.path.dirname(place.path))


def _close(place: Place) -> None:
    if place.descriptor == NO_FOLDER:
        return
    # Closing is not enough, because a process that was forked meanwhile would keep the lock. The task's timeout can
    # occur in between.
    try:
        with suppress(OSError):
            fcntl.flock(place.descriptor, fcntl.LOCK_UN)
    finally:
        os.close(place.descriptor)
