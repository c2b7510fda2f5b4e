# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Exceptions for vars files that cannot be edited."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

_ADVICE = {
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM),
        "give your user permission for it and the folder it is in, or choose another path,",
    ),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space"),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), "choose a path in which only the last part is a file"),
    errno.EROFS: "choose a path on a writable file system",
    errno.EBUSY: "choose a path that is not a mount point",
}


class VarsFileError(Exception):
    """Base of the errors below. The text is one sentence for the user and never contains a variable's value."""


class InvalidVariableError(VarsFileError):
    """A name or a value that was given cannot become a variable."""


class InvalidFileError(VarsFileError):
    """The file is not a vars file, or cannot be edited without changing its other variables."""


class VaultSecretError(VarsFileError):
    """A value cannot be decrypted, or it is unknown which of several secrets to encrypt with."""


class FileAccessError(VarsFileError):
    """The operating system does not let the file be read, locked or written."""


class FileChangedError(VarsFileError):
    """Another program changed the file between reading and writing."""


@contextmanager
def file_access(doing: str, advice: str = "") -> Iterator[None]:
    """Turn an OSError into a FileAccessError.

    doing: what is being done, for example "write a file". advice: what to do; by default, it depends on the error.
    """
    try:
        yield
    except OSError as error:
        advice = advice or _ADVICE.get(error.errno or 0, "fix the cause")
        raise FileAccessError(f"Cannot {doing}: {error.strerror}; {advice} and run the play again") from None
