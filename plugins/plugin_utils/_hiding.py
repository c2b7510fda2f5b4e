# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Keep an action's result, and the loop item that Ansible prints with it, out of the output."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.compat.version import LooseVersion
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as core_version

_CORE_SHOWS_HIDDEN_FAILURES = LooseVersion(core_version) >= LooseVersion("2.19")


def is_loop(action: ActionBase) -> bool:
    """Whether Ansible prints a loop item next to the result, failed or not. Any part of an item may be a secret."""
    return action._task.loop is not None


def hide_task(action: ActionBase) -> None:
    """Keep every outcome of the task out of all output and logs.

    In a loop, an action calls this before anything else, because Ansible itself may end the action, for example when
    the task's timeout is reached.
    """
    action._task.no_log = True


def hide(action: ActionBase, result: dict[str, Any]) -> None:
    """Keep the result out of all output and logs, except its warnings and the message of a failure.

    A registered variable has the whole result.
    """
    result["_ansible_no_log"] = True
    if _CORE_SHOWS_HIDDEN_FAILURES:
        # But no version shows anything about a host that cannot be reached.
        if result.get("unreachable"):
            action._display.error(result["msg"])
        return
    # Otherwise all callbacks except the default one print the result of the whole loop.
    hide_task(action)
    for warning in result.get("warnings", []):
        action._display.warning(warning)
    if result.get("failed") or result.get("unreachable"):
        action._display.error(result["msg"], wrap_text=False)


def show_interruption(action: ActionBase, error: BaseException) -> None:
    """Say that an item of a loop was stopped. Up to ansible-core 2.18, its own message is hidden with the item.

    error: what ends the action. The task's timeout and an interrupt are not subclasses of Exception.
    """
    if is_loop(action) and not _CORE_SHOWS_HIDDEN_FAILURES and not isinstance(error, Exception):
        action._display.error(
            "The task was stopped, because its timeout was reached or the run was interrupted.", wrap_text=False
        )
