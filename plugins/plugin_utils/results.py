# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping an action's result, and the loop item printed with it, out of the output."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.compat.version import LooseVersion
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as core_version
from ansible_collections.voucherify.oauth.plugins.plugin_utils.variables import strings

_CORE_TELLS_OF_HIDDEN = LooseVersion(core_version) >= LooseVersion("2.19")


def hide(action: ActionBase, result: dict[str, Any]) -> None:
    """Keep the result out of every output and log, but for its warnings and the sentence of a failure.

    A registered variable has all of it.
    """
    result["_ansible_no_log"] = True
    # Up to 2.18, the result of a whole loop is printed by every callback but the default one unless this is set too.
    action._task.no_log = True
    if _CORE_TELLS_OF_HIDDEN:
        return
    for warning in result.get("warnings", ()):
        action._display.warning(warning)
    if result.get("failed"):
        action._display.error(result["msg"], wrap_text=False)


def loop_item_holds(secrets: Iterable[str], task_vars: Mapping[str, Any]) -> bool:
    """Whether one of the secrets is in the current loop item, which Ansible prints with the result, failed or not."""
    if "ansible_loop_var" not in task_vars:
        return False
    printed = (task_vars.get(task_vars["ansible_loop_var"]), task_vars.get("ansible_loop"))
    texts = [text for value in printed for text in strings(value)]
    # An item may hold a secret within JSON, for one that a filter took apart.
    forms = {form for secret in secrets if secret for form in (secret, json.dumps(secret)[1:-1])}
    return any(form in text for form in forms for text in texts)
