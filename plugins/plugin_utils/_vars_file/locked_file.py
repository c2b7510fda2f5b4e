# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Replace a file as a whole, so that at any moment either the old file or the new one exists."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import time
from contextlib import suppress
from dataclasses import dataclass

from .folder_lock import NO_FOLDER, Place
from .vault_errors import FileAccessError, FileChangedError, file_access

_MODE_OF_NEW_FILES = 0o600

# Ansible loads no files from group_vars whose names begin with a dot, and include_vars loads none with this ending.
_TEMPORARY = ".vaulted_vars.{}.tmp"
_TEMPORARY_PATTERN = re.compile(r"\.vaulted_vars\.[0-9a-f]{16}\.tmp")

_ACL = "system.posix_acl_access"  # where Linux keeps an access control list


@dataclass(frozen=True)
class Snapshot:
    """A file as it was when it was read."""

    data: bytes
    status: os.stat_result
    acl: bytes | None

    @property
    def mode(self) -> int:
        return stat.S_IMODE(self.status.st_mode)

    def is_same(self, other: Snapshot) -> bool:
        """Whether nobody has written or replaced the file, or changed its owner or mode, in between."""
        mine, its = self.status, other.status
        return (self.data, mine.st_dev, mine.st_ino, mine.st_mtime_ns, mine.st_mode, mine.st_uid, mine.st_gid) == (
            (other.data, its.st_dev, its.st_ino, its.st_mtime_ns, its.st_mode, its.st_uid, its.st_gid)
        )


class LockedFile:
    """A file in a folder that is locked, or in check mode only open.

    Every method raises FileAccessError if the operating system refuses.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._path = place.path
        self._name = os.path.basename(place.path)
        self._folder = place.descriptor

    def read(self) -> Snapshot | None:
        """Return the file as it is now, or None if it does not exist."""
        if self._folder == NO_FOLDER:
            return None
        with file_access(f"read {self._path}"):
            try:
                if not stat.S_ISREG(os.stat(self._name, dir_fd=self._folder, follow_symlinks=False).st_mode):
                    raise FileAccessError(f"{self._path} is not a regular file; give the path of a vars file")
                descriptor = os.open(self._name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder)
            except FileNotFoundError:
                return None
            with open(descriptor, "rb") as file:
                return Snapshot(file.read(), os.fstat(descriptor), _acl(descriptor))

    def replace(self, old: Snapshot | None, data: bytes, mode: int | None = None, spare_bytes: int = 0) -> None:
        """Replace `old` by a file with `data`. The owner and the mode are kept, unless `mode` is given.

        A new file gets mode 0600. Raises FileAccessError if `spare_bytes` more would not fit on the disk, and
        FileChangedError if the file is not the same as `old` any more.
        """
        if mode is None:
            mode = old.mode if old else _MODE_OF_NEW_FILES
        with file_access(f"write {self._path}"):
            self._write(self._name, data, mode, old, spare_bytes)

    def check_room(self, size: int) -> None:
        """Raise what writing a new file of this size in bytes would raise."""
        with file_access(f"write {self._path}"):
            self._write(None, b"", _MODE_OF_NEW_FILES, None, size)

    def check_permission(self) -> None:
        """Raise what a write would raise if the permissions allow no new file. Changes nothing."""
        folder = os.path.dirname(self._path)
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        with file_access(f"write {self._path}"):
            if not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def backup_name(self) -> str:
        """Return a name for a backup, with the current time. Ansible does not load files with such names."""
        now = time.time()
        moment = time.strftime("%Y-%m-%d@%H:%M:%S", time.localtime(now))
        return f".{self._name}.{moment}.{int(now % 1 * 1_000_000):06d}~"

    def back_up(self, name: str, old: Snapshot, data: bytes, mode: int | None = None) -> str:
        """Write `data` next to the file under that name, with the owner and mode of `old`. Returns its path.

        mode: that of the new file, if the user gives one. The backup allows nobody more than the new file does.
        """
        allowed = old.mode if mode is None else old.mode & mode
        with file_access(f"write a backup of {self._path}"):
            self._write(name, data, allowed, old)
        return os.path.join(os.path.dirname(self._path), name)

    def change_mode(self, mode: int) -> None:
        """Give the file another mode."""
        with file_access(f"change the mode of {self._path}"):
            os.chmod(self._name, mode, dir_fd=self._folder)

    def remove_leftovers(self) -> None:
        """Remove temporary files. Only runs with the lock make any, so they are left from runs that were killed."""
        with suppress(OSError):
            for name in filter(_TEMPORARY_PATTERN.fullmatch, os.listdir(self._folder)):
                os.unlink(name, dir_fd=self._folder)

    def _write(self, name: str | None, data: bytes, mode: int, old: Snapshot | None, spare_bytes: int = 0) -> None:
        """Write a temporary file with the owner of `old`. Rename it to `name`, or remove it if that is None."""
        temporary = _TEMPORARY.format(secrets.token_hex(8))
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(temporary, flags, _MODE_OF_NEW_FILES, dir_fd=self._folder)
            with open(descriptor, "wb") as file:
                file.write(data + b"\n" * spare_bytes)
                file.flush()
                if spare_bytes:
                    os.fsync(descriptor)
                    os.ftruncate(descriptor, len(data))
                if old:
                    self._keep_owner(descriptor, old)
                    _set_acl(descriptor, old.acl)
                os.fchmod(descriptor, mode)
                os.fsync(descriptor)
            if name == self._name:
                self._check_unchanged(old)
            if name is not None:
                os.replace(temporary, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        finally:
            # It is already gone, unless something failed.
            with suppress(OSError):
                os.unlink(temporary, dir_fd=self._folder)
        # Not every file system can do this with a folder, and the new file is already there.
        with suppress(OSError):
            os.fsync(self._folder)

    def _keep_owner(self, descriptor: int, old: Snapshot) -> None:
        new = os.fstat(descriptor)
        if (new.st_uid, new.st_gid) == (old.status.st_uid, old.status.st_gid):
            return
        try:
            os.fchown(descriptor, old.status.st_uid, old.status.st_gid)
        except PermissionError:
            raise FileAccessError(
                f"Cannot write {self._path}: it would no longer belong to user {old.status.st_uid} and group "
                f"{old.status.st_gid}; run the playbook as the file's owner"
            ) from None

    def _check_unchanged(self, old: Snapshot | None) -> None:
        now = self.read()
        if not (now.is_same(old) if now and old else now is old):
            raise FileChangedError(
                f"{self._path} was changed by another program while it was being edited, so nothing was written; run "
                "the play again"
            )


def _acl(descriptor: int) -> bytes | None:
    # Without a list this is an error, and only Linux has this function.
    with suppress(OSError, AttributeError):
        return os.getxattr(descriptor, _ACL)
    return None


def _set_acl(descriptor: int, acl: bytes | None) -> None:
    if acl is not None:
        os.setxattr(descriptor, _ACL, acl)
        return
    # A new file gets the default list of its folder. Without a list this is an error, and only Linux has this function.
    with suppress(OSError, AttributeError):
        os.removexattr(descriptor, _ACL)
