# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Keeping an action's result, and the loop item printed with it, out of the output."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.compat.version import LooseVersion
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as core_version

_CORE_TELLS_OF_HIDDEN = LooseVersion(core_version) >= LooseVersion("2.19")


def hide(action: ActionBase, result: dict[str, Any]) -> None:
    """Keep the result out of every output and log, but for its warnings and the sentence of a failure.

    A registered variable has all of it.
    """
    result["_ansible_no_log"] = True
    # Up to 2.18, the result of a whole loop is printed by every callback but the default one unless this is set too.
    action._task.no_log = True
    untold = [] if _CORE_TELLS_OF_HIDDEN else result.get("warnings", [])
    for warning in untold:
        action._display.warning(warning)
    # Of a host that cannot be reached, no version tells.
    if result.get("unreachable") or (result.get("failed") and not _CORE_TELLS_OF_HIDDEN):
        action._display.error(result["msg"], wrap_text=False)


def prints_an_item(action: ActionBase) -> bool:
    """Whether Ansible prints a loop item beside the result, failed or not. Any part of it may be a secret's source."""
    return action._task.loop is not None
