# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Keeping an action's result, and the loop item that Ansible prints with it, out of the output."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.compat.version import LooseVersion
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as core_version

_SHOWS_MESSAGES_OF_HIDDEN = LooseVersion(core_version) >= LooseVersion("2.19")


def is_loop(action: ActionBase) -> bool:
    """Whether Ansible prints a loop item beside the result, failed or not. Any part of an item may be a secret."""
    return action._task.loop is not None


def hide_task(action: ActionBase) -> None:
    """Keep whatever becomes of the task out of every output and log.

    An action whose task is_loop calls this before anything else, because Ansible itself may end the action, when the
    task's timeout is reached for example.
    """
    action._task.no_log = True


def hide(action: ActionBase, result: dict[str, Any]) -> None:
    """Keep the result out of every output and log, except its warnings and the message of a failure.

    A registered variable has all of it.
    """
    result["_ansible_no_log"] = True
    if _SHOWS_MESSAGES_OF_HIDDEN:
        # Except for a host that cannot be reached, of which nothing is shown in any version.
        if result.get("unreachable"):
            action._display.error(result["msg"])
        return
    # The result of a whole loop is printed by every callback but the default one unless this is set too.
    hide_task(action)
    for warning in result.get("warnings", []):
        action._display.warning(warning)
    if result.get("failed") or result.get("unreachable"):
        action._display.error(result["msg"], wrap_text=False)
