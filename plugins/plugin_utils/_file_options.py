# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The options for a vars file that vaulted_vars and vaulted_tokens share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.voucherify.oauth.plugins.plugin_utils._arguments import TaskArgsError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vars_file import Settings


def file_settings(action: ActionBase, options: Mapping[str, Any]) -> Settings:
    """Return the settings for the file from a task's validated options. Raises TaskArgsError."""
    path = options["path"]
    if not path or path.endswith("/") or "\0" in path:
        raise TaskArgsError("path does not name a file; give the path of a vars file")
    return Settings(
        path=action._loader.path_dwim(path),
        format=options["format"],
        vault_id=options["vault_id"],
        mode=_mode(options["mode"]),
        backup=options.get("backup", False),
        dry_run=action._task.check_mode,
    )


def _mode(mode: object) -> int | None:
    """Return the mode as a number. A number without quotes is refused, because it may not have been octal."""
    if mode is None:
        return None
    if isinstance(mode, str) and re.fullmatch("0[0-7]{3}", mode):
        return int(mode, base=8)
    raise TaskArgsError("mode must be an octal number in quotes, such as '0600'")
