# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Replace a file as a whole, so that at any moment either the old file or the new one exists.

Every function raises FileAccessError if the operating system refuses.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from .errors import FileAccessError, FileChangedError, file_access
from .lock import NO_FOLDER, Place

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

    @property
    def mode(self) -> int:
        return stat.S_IMODE(self.status.st_mode)

    @property
    def identity(self) -> tuple[object, ...]:
        """Differs if somebody has written or replaced the file, or changed its owner or mode."""
        status = self.status
        return self.data, status.st_dev, status.st_ino, status.st_mtime_ns, status.st_mode, status.st_uid, status.st_gid


def read(place: Place) -> Snapshot | None:
    """Return the file as it is now, or None if it does not exist."""
    if place.descriptor == NO_FOLDER:
        return None
    name = os.path.basename(place.path)
    with file_access(f"read {place.path}"):
        try:
            if not stat.S_ISREG(os.stat(name, dir_fd=place.descriptor, follow_symlinks=False).st_mode):
                raise FileAccessError(f"{place.path} is not a regular file; give the path of a vars file")
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=place.descriptor)
        except FileNotFoundError:
            return None
        with open(descriptor, "rb") as file:
            return Snapshot(file.read(), os.fstat(descriptor))


def replace(place: Place, old: Snapshot | None, data: bytes, mode: int | None = None) -> None:
    """Replace `old` by a file with `data`. The owner and the mode are kept, unless `mode` is given.

    A new file gets mode 0600. Raises FileChangedError if the file is no longer the same as `old`.
    """
    if mode is None:
        mode = old.mode if old else _MODE_OF_NEW_FILES
    with file_access(f"write {place.path}"):
        _write(place, os.path.basename(place.path), data, mode, old)


def back_up(place: Place, old: Snapshot, data: bytes, mode: int | None) -> str:
    """Write `data` next to the file, with the owner and mode of `old`. Returns its path, which Ansible does not load.

    mode: that of the new file, if the user gives one. The backup allows nobody more than the new file does.
    """
    name = f".{os.path.basename(place.path)}.{datetime.now():%Y-%m-%d@%H:%M:%S.%f}~"
    with file_access(f"write a backup of {place.path}"):
        _write(place, name, data, old.mode if mode is None else old.mode & mode, old)
    return os.path.join(os.path.dirname(place.path), name)


def change_mode(place: Place, mode: int) -> None:
    """Give the file another mode."""
    with file_access(f"change the mode of {place.path}"):
        os.chmod(os.path.basename(place.path), mode, dir_fd=place.descriptor)


def check_permission(place: Place) -> None:
    """Raise what a write would raise if the file system or the permissions allow no new file. Changes nothing."""
    folder = os.path.dirname(place.path)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    with file_access(f"write {place.path}"):
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        if not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def remove_leftovers(place: Place) -> None:
    """Remove temporary files. Only runs with the lock make any, so they are left from runs that were killed."""
    with suppress(OSError):
        for name in filter(_TEMPORARY_PATTERN.fullmatch, os.listdir(place.descriptor)):
            os.unlink(name, dir_fd=place.descriptor)


def _write(place: Place, name: str, data: bytes, mode: int, old: Snapshot | None) -> None:
    """Write a temporary file with the owner of `old`, and rename it to `name`."""
    temporary, folder = _TEMPORARY.format(secrets.token_hex(8)), place.descriptor
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE_OF_NEW_FILES, dir_fd=folder)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if old:
                _keep_owner(place, descriptor, old, mode)
                _keep_acl(place, descriptor)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        now = read(place)
        if name == os.path.basename(place.path) and (now and now.identity) != (old and old.identity):
            raise FileChangedError(
                f"{place.path} was changed by another program while it was being edited, so nothing was written; run "
                "the play again"
            )
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        # It is already gone, unless something failed.
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)


def _keep_owner(place: Place, descriptor: int, old: Snapshot, mode: int) -> None:
    """Give the new file the owner and group of the old one; the group is enough if all of it may write the file."""
    new, user, group = os.fstat(descriptor), old.status.st_uid, old.status.st_gid
    if (new.st_uid, new.st_gid) == (user, group):
        return
    for owner in (user, -1) if old.mode & mode & stat.S_IWGRP else (user,):
        with suppress(PermissionError):
            os.fchown(descriptor, owner, group)
            return
    raise FileAccessError(
        f"Cannot write {place.path}: it would no longer belong to user {user} and group {group}; run the playbook as "
        "the file's owner"
    )


def _keep_acl(place: Place, descriptor: int) -> None:
    # Only Linux has these functions, and without a list they fail. A new file has the default list of its folder.
    acl = None
    with suppress(OSError, AttributeError):
        os.removexattr(descriptor, _ACL)
    with suppress(OSError, AttributeError):
        acl = os.getxattr(place.path, _ACL)
    if acl is not None:
        os.setxattr(descriptor, _ACL, acl)
