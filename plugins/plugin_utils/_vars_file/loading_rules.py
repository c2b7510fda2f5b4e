# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Refuse a path that Ansible would not read, or at which a new file would make Ansible ignore another one.

The rules are those of ansible-core's DataLoader.find_vars_files. For each group or host, it reads only the first that
exists of NAME (a file or a folder), NAME.yml, NAME.yaml and NAME.json.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from ansible import constants

from .errors import InvalidFileError


def check_loading(path: str) -> None:
    """Check an absolute path at which variables will be set. Outside of group_vars and host_vars, every path is fine.

    Raises InvalidFileError.
    """
    *parents, name = parts = path.split("/")
    starts = [position for position, part in enumerate(parents, start=1) if part in ("group_vars", "host_vars")]
    if not starts:
        return
    folder, below = "/".join(parts[: starts[-1]]), parts[starts[-1] :]
    # The first ending is that of a bare name and of a folder.
    endings: list[str] = ["", *constants.config.get_config_value("YAML_FILENAME_EXTENSIONS")]
    ignored = _ignored(below, os.path.basename(folder), endings)
    if ignored:
        raise InvalidFileError(f"Ansible would never read {path}, because it ignores {ignored}; choose another path")

    ending = os.path.splitext(below[0])[1]
    stem = below[0].removesuffix(ending) if ending in endings else below[0]
    candidates = [f"{folder}/{stem}{one}" for one in endings]
    own = f"{folder}/{below[0]}"
    first = next(filter(os.path.exists, candidates), own)
    if candidates.index(first) < candidates.index(own):
        better = f"{first}/{name}" if os.path.isdir(first) else first
        raise InvalidFileError(f"Ansible would never read {path}, because it reads {first} instead; use {better}")
    if first != own and own == path:
        raise InvalidFileError(f"A new file {path} would make Ansible ignore {first}; use that file instead")
    if first != own:
        commands = f'"mkdir {shlex.quote(own)}" and "mv {shlex.quote(first)} {shlex.quote(own)}/"'
        raise InvalidFileError(
            f"A new folder {own} would make Ansible ignore {first}; first move that file into the folder: {commands}"
        )


def _ignored(below: Sequence[str], folder: str, endings: Sequence[str]) -> str | None:
    """Return what Ansible ignores, if that includes one of the names below `folder`."""
    for position, name in enumerate(below):
        if name.startswith("."):
            return "names that begin with a dot"
        if name.endswith("~"):
            return 'names that end in "~"'
        ending, is_file = os.path.splitext(name)[1], position == len(below) - 1
        # The first name can be that of a host, which may contain dots.
        if ending and position and not is_file:
            return "subfolders with a dot in the name"
        if is_file and ending not in endings and (position or folder == "group_vars"):
            return f"files whose ending is not one of {', '.join(endings[1:])}"
    return None
