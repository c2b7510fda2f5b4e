# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the secrets of a task's result from terminals, logs and callbacks, and leave a failure readable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.compat.version import LooseVersion
from ansible.playbook.task import Task
from ansible.release import __version__
from ansible.utils.display import Display

# From 2.19 on, ansible-core censors the sum of a loop as soon as one item is, and still displays the warnings and the
# failure's sentence of a censored result.
CORE_TELLS_OF_CENSORED = LooseVersion(__version__) >= LooseVersion("2.19.0")


def hide(
    result: dict[str, Any], secrets: Iterable[str], *, task: Task, task_vars: Mapping[str, Any], display: Display
) -> dict[str, Any]:
    """Return a task's result so marked that nothing displays a secret, whatever the user set.

    A success is censored as a whole and keeps its values for the registered variable. A failure loses the secrets and
    stays readable; where the item of a loop holds one, Ansible would print it beside the failure, so the failure is
    censored as well and its sentence displayed on its own.
    """
    secrets = [secret for secret in secrets if secret]
    if not result.get("failed"):
        if not CORE_TELLS_OF_CENSORED:
            task.no_log = True
            for warning in result.get("warnings", ()):
                display.warning(warning)
        return {**result, "_ansible_no_log": True}
    readable: dict[str, Any] = remove_values(result, secrets)
    if not _loop_item_holds(secrets, task_vars):
        return readable
    if not CORE_TELLS_OF_CENSORED:
        display.error(readable["msg"])
    return {**readable, "_ansible_no_log": True}


def _loop_item_holds(secrets: Iterable[str], task_vars: Mapping[str, Any]) -> bool:
    item = task_vars.get(task_vars.get("ansible_loop_var", ""))
    return item is not None and any(secret in text for secret in secrets for text in _texts(item))


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        value = [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple)):
        for element in value:
            yield from _texts(element)
    else:
        yield str(value)
