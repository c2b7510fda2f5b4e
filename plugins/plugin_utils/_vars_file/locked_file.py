# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""A file that is read and replaced under a lock: at every moment the old one or the new one stands, and no other.

The lock is on the folder (flock), which leaves nothing behind and still holds when the file itself is replaced.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from .vault_errors import (
    FileAccessError,
    FileChangedError,
    file_access,
)

_MODE_OF_NEW_FILES = 0o600
_MODE_OF_NEW_FOLDERS = 0o700
_SECONDS_TO_WAIT = 60.0
_SECONDS_BETWEEN_TRIES = 0.05
# Whatever is tried with this descriptor fails, where None would mean the current folder.
_NO_FOLDER = -1

# From a group_vars folder Ansible loads nothing that begins with a dot, and include_vars loads nothing that ends so.
_TEMPORARY = ".vaulted_vars.{}.tmp"
_TEMPORARY_PATTERN = re.compile(r"\.vaulted_vars\.[0-9a-f]{16}\.tmp")

_ACL = "system.posix_acl_access"  # where Linux keeps an access control list


@dataclass(frozen=True)
class Standing:
    """A file as it stood when it was read."""

    data: bytes
    status: os.stat_result
    acl: bytes | None

    @property
    def mode(self) -> int:
        return stat.S_IMODE(self.status.st_mode)

    def is_same(self, other: Standing) -> bool:
        """Whether nobody has written, replaced or given away the file in between."""
        mine, its = self.status, other.status
        return (self.data, mine.st_dev, mine.st_ino, mine.st_mtime_ns, mine.st_mode, mine.st_uid, mine.st_gid) == (
            (other.data, its.st_dev, its.st_ino, its.st_mtime_ns, its.st_mode, its.st_uid, its.st_gid)
        )


class LockedFile:
    """The file at `path`, which no other run edits as long as `locked` holds the lock.

    Every method raises FileAccessError where the operating system refuses.
    """

    def __init__(self, path: str, folder: int) -> None:
        self.path = path
        self._name = os.path.basename(path)
        self._folder = folder

    def read(self) -> Standing | None:
        """The file as it stands, or None when there is none."""
        if self._folder == _NO_FOLDER:
            return None
        with file_access(f"read {self.path}"):
            try:
                if not stat.S_ISREG(os.stat(self._name, dir_fd=self._folder, follow_symlinks=False).st_mode):
                    raise FileAccessError(f"{self.path} is no regular file; give the path of a vars file")
                descriptor = os.open(self._name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder)
            except FileNotFoundError:
                return None
            with open(descriptor, "rb") as file:
                return Standing(file.read(), os.fstat(descriptor), _acl(descriptor))

    def replace(self, old: Standing | None, data: bytes, mode: int | None = None) -> None:
        """Put `data` in the place of `old`, keeping owner and mode, or with another mode where one is given.

        A new file gets mode 0600. Raises FileChangedError when something else than `old` stands there by now.
        """
        if mode is None:
            mode = old.mode if old else _MODE_OF_NEW_FILES
        with file_access(f"write {self.path}"):
            self._write(self._name, data, mode, old)

    def check_replaceable(self) -> None:
        """Raise what `replace` is sure to raise where no file can be made, and change nothing."""
        folder = os.path.dirname(self.path)
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        with file_access(f"write {self.path}"):
            if not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def back_up(self, old: Standing, data: bytes) -> str:
        """Put `data` beside the file, with `old`'s owner and mode. Returns its path, which Ansible does not load."""
        now = time.time()
        moment = time.strftime("%Y-%m-%d@%H:%M:%S", time.localtime(now))
        name = f".{self._name}.{moment}.{int(now % 1 * 1_000_000):06d}~"
        with file_access(f"write a backup of {self.path}"):
            self._write(name, data, old.mode, old)
        return os.path.join(os.path.dirname(self.path), name)

    def change_mode(self, mode: int) -> None:
        """Give the standing file another mode."""
        with file_access(f"change the mode of {self.path}"):
            os.chmod(self._name, mode, dir_fd=self._folder)

    def remove_leftovers(self) -> None:
        """Remove the temporary files of runs that were killed: those of living runs do not outlast their lock."""
        with suppress(OSError):
            for name in filter(_TEMPORARY_PATTERN.fullmatch, os.listdir(self._folder)):
                os.unlink(name, dir_fd=self._folder)

    def _write(self, name: str, data: bytes, mode: int, old: Standing | None) -> None:
        temporary = _TEMPORARY.format(secrets.token_hex(8))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, _MODE_OF_NEW_FILES, dir_fd=self._folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                if old:
                    self._keep_owner(descriptor, old)
                    if old.acl is not None:
                        os.setxattr(descriptor, _ACL, old.acl)
                os.fchmod(descriptor, mode)
                os.fsync(descriptor)
            self._check_unchanged(old)
            os.replace(temporary, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        finally:
            # Gone already, unless something failed.
            with suppress(OSError):
                os.unlink(temporary, dir_fd=self._folder)
        # Not every file system can do this with a folder, and by now the new file stands.
        with suppress(OSError):
            os.fsync(self._folder)

    def _keep_owner(self, descriptor: int, old: Standing) -> None:
        new = os.fstat(descriptor)
        if (new.st_uid, new.st_gid) == (old.status.st_uid, old.status.st_gid):
            return
        try:
            os.fchown(descriptor, old.status.st_uid, old.status.st_gid)
        except PermissionError:
            raise FileAccessError(
                f"Cannot write {self.path}: it would no longer belong to user {old.status.st_uid} and group "
                f"{old.status.st_gid}; run the playbook as its owner"
            ) from None

    def _check_unchanged(self, old: Standing | None) -> None:
        now = self.read()
        if not (now.is_same(old) if now and old else now is old):
            raise FileChangedError(
                f"{self.path} was changed by another program while it was being edited; nothing was written, run again"
            )


@contextmanager
def locked(path: str, make_folders: bool, seconds: float = _SECONDS_TO_WAIT) -> Iterator[LockedFile]:
    """The file at an absolute path, locked against other runs; of a symbolic link, the file that it leads to.

    Where its folders do not exist they are made with mode 0700, and removed again should the caller fail; without
    `make_folders` nothing is made, and there is no file then. Raises FileAccessError where the operating system refuses
    and when another run does not give up the lock for so many seconds.
    """
    path = _real_path(path)
    folder = os.path.dirname(path)
    made: list[str] = []
    try:
        if make_folders:
            with file_access(f"make the folder {folder}"):
                made.extend(_make_folders(folder))
        if not make_folders and not _is_folder(folder):
            yield LockedFile(path, _NO_FOLDER)
            return
        with file_access(f"lock the folder {folder}"):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with file_access(f"lock the folder {folder}"):
                _lock(descriptor, folder, seconds)
            yield LockedFile(path, descriptor)
        finally:
            # Closing it gives up the lock.
            os.close(descriptor)
    except BaseException:
        for new in reversed(made):
            with suppress(OSError):
                os.rmdir(new)
        raise


def _real_path(path: str) -> str:
    if os.path.islink(path) and not os.path.exists(path):
        raise FileAccessError(f"{path} is a symbolic link that leads to no file; correct the link or remove it")
    if os.path.isdir(path):
        raise FileAccessError(f"{path} is a folder; give the path of a vars file")
    return os.path.realpath(path)


def _is_folder(path: str) -> bool:
    """Whether a folder stands there; unlike os.path.isdir, it does not say no where it may not look."""
    with file_access(f"look into {path}"):
        try:
            os.stat(os.path.join(path, "."))
        except FileNotFoundError:
            return False
        return True


def _make_folders(folder: str) -> Iterator[str]:
    """Make the folder and those above it, each with mode 0700. Yields each that was made, the outermost first."""
    if os.path.isdir(folder):
        return
    yield from _make_folders(os.path.dirname(folder))
    # Another run may be faster.
    with suppress(FileExistsError):
        os.mkdir(folder, _MODE_OF_NEW_FOLDERS)
        yield folder


def _acl(descriptor: int) -> bytes | None:
    # Without one there is an error, and without Linux no such function.
    with suppress(OSError, AttributeError):
        return os.getxattr(descriptor, _ACL)
    return None


def _lock(descriptor: int, folder: str, seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise FileAccessError(
                    f"The folder {folder} has been locked by another run for {seconds:.0f} seconds; wait for that one"
                ) from None
        time.sleep(_SECONDS_BETWEEN_TRIES)
