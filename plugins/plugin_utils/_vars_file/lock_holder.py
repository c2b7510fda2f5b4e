# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Find out which process has locked a file or folder. Only Linux can tell."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def lock_holder(descriptor: int) -> str | None:
    """Return the process that has the flock, such as "process 4711, ansible-playboo"; None if it is unknown.

    Only the name of the command is returned, because its arguments may contain secrets. Processes of other containers
    are not visible, and some file systems (btrfs, overlayfs) list their locks under another device number.
    """
    status = os.fstat(descriptor)
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with suppress(OSError, UnicodeError):
        # Fields of a line: number, kind, ADVISORY, access, process, device:inode. If waiting, the second field is "->".
        for line in Path("/proc/locks").read_text().splitlines():
            fields = line.split()
            if len(fields) > 5 and fields[1] == "FLOCK" and fields[5] == device and int(fields[4]) > 0:
                return _process(fields[4])
    return None


def _process(number: str) -> str:
    with suppress(OSError, UnicodeError):
        name = Path("/proc", number, "comm").read_text().strip()
        if name.isprintable():
            return f"process {number}, {name}"
    return f"process {number}"
