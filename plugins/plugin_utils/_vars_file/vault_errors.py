# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""What can keep a vars file from being edited."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

_ADVICE = {
    errno.EACCES: "run the playbook as a user who may do so",
    errno.EPERM: "run the playbook as a user who may do so",
    errno.EROFS: "choose a path on a file system that can be written",
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EFBIG: "raise the limit on the size of files",
    errno.ENOTDIR: "choose a path in which only the last part is a file",
    errno.ELOOP: "correct the symbolic links in the path",
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.EBADF: "choose a path on a file system that can lock a folder",
    errno.ENOLCK: "choose a path on a file system that can lock a folder",
    errno.EOPNOTSUPP: "choose a path on a file system that can lock a folder",
}


class VarsFileError(Exception):
    """Base of the errors below. The text is one sentence for a person and never holds a variable's value."""


class InvalidVariableError(VarsFileError):
    """A name or a value that was given cannot become a variable."""


class InvalidFileError(VarsFileError):
    """What stands in the file is no vars file, or not one that can be edited without touching its other variables."""


class VaultSecretError(VarsFileError):
    """The run's vault secrets lack the one that is needed."""


class FileAccessError(VarsFileError):
    """The operating system does not let the file be read, locked or written."""


class FileChangedError(VarsFileError):
    """Another program changed the file between reading and writing."""


@contextmanager
def file_access(doing: str) -> Iterator[None]:
    """Turn what the operating system says while doing that, "write a file" for one, into a FileAccessError."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "correct that")
        raise FileAccessError(f"Cannot {doing}: {error.strerror}; {advice} and run again") from None
