# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Why a vars file cannot be edited."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

LOCK_ADVICE = "choose a path on a file system that can lock a folder, which NFS cannot,"
"""What to do when a folder cannot be locked, whatever the operating system says."""

_ADVICE = {
    errno.EACCES: "give your user the permission, or choose another path,",
    errno.EPERM: "give your user the permission, or choose another path,",
    errno.EROFS: "choose a path on a file system that can be written",
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EFBIG: "raise the limit on the size of files",
    errno.ENOTDIR: "choose a path in which only the last part is a file",
    errno.ELOOP: "correct the symbolic links in the path",
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.EBUSY: "choose a path that is not mounted by itself",
}


class VarsFileError(Exception):
    """Base of the errors below. The text is one sentence for a person and never contains a variable's value."""


class InvalidVariableError(VarsFileError):
    """A name or a value that was given cannot become a variable."""


class InvalidFileError(VarsFileError):
    """The file is not a vars file, or not one that can be edited without changing its other variables."""


class VaultSecretError(VarsFileError):
    """The vault secrets of the run lack the one that is needed, or do not tell which one encrypts."""


class FileAccessError(VarsFileError):
    """The operating system does not let the file be read, locked or written."""


class FileChangedError(VarsFileError):
    """Another program changed the file between reading and writing."""


@contextmanager
def file_access(doing: str, advice: str = "", passing: type[OSError] | None = None) -> Iterator[None]:
    """Turn an OSError while doing that ("write a file", for example) into a FileAccessError.

    Without `advice` it depends on the error. Errors of the class `passing` are left as they are.
    """
    try:
        yield
    except OSError as error:
        if passing and isinstance(error, passing):
            raise
        advice = advice or _ADVICE.get(error.errno or 0, "correct that")
        raise FileAccessError(f"Cannot {doing}: {error.strerror}; {advice} and run again") from None
