# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Run a token module in the worker process if possible, otherwise as a module on the target."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from ..module_utils._api.retries import IMPORT_ERROR
from ..module_utils._api.words import shown
from ..module_utils._lifecycle import GENERATED, REPLACED
from ..module_utils._options import Options, Result, let_core_mask, run
from ._arguments import KEYS_HINT, decrypted, validated, without_nulls
from ._hiding import has_failed
from ._module_runner import VARIABLES, ModuleRunner

_INTERRUPTED = (
    "The task was stopped before the API answered. If a token was made, it is lost: it cannot be revoked, and it"
    " expires within 15 minutes. Set the task's keyword timeout to more seconds than the option max_wait."
)
_NOT_REGISTERED = (
    "A token was made and lost, because the task has no register. It cannot be revoked, and it expires within 15"
    " minutes. In a playbook, add register to the task, and use access_token of the registered result. The command"
    " ansible cannot return a token."
)


class TokenAction(ModuleRunner):
    """Runs a token module: hides its result, returns a kept token, and starts no process if possible.

    A subclass sets the imported module.
    """

    MODULE: ModuleType

    def is_secret(self, result: Result) -> bool:
        # What introspection says about a token does not contain it.
        return not has_failed(result) and "active" not in result

    def interrupted(self) -> None:
        if self.may_make_a_token(self.NAME, self._task.args):
            self._display.warning(_INTERRUPTED)
        super().interrupted()

    def outcome(self, task_vars: dict[str, Any]) -> Result:
        obstacle = self._obstacle()
        if obstacle:
            self._display.vvv(f"{self.NAME} is executed as a module on the target: {obstacle}")
            result = self._on_target(task_vars)
        else:
            self._display.vvv(f"{self.NAME} runs in the worker process")
            with self.environment_set():
                options = self._validated(self._task.args, on_target=False)
                result = run(self.MODULE.work, options, check_mode=self._task.check_mode)
        let_core_mask(result.get("access_token"))
        if "active" in result and "scope" in result:
            # This result is shown.
            result["scope"] = [shown(word) for word in result["scope"]]
        if not has_failed(result):
            result["msg"] = _summary(result)
            self._display.v(f"{self.NAME}: {result['msg']}")
            is_new = result.get("operation") in (GENERATED, REPLACED) and "access_token" in result
            if is_new and not self._task.register:
                result["warnings"] = [*result.get("warnings", []), _NOT_REGISTERED]
        return result

    def _on_target(self, task_vars: dict[str, Any]) -> Result:
        environment = self.environment
        on_controller = self._connection.transport == "local"
        if on_controller:
            # Become does not pass it on, and the keys must not go to another API because of that.
            base_url = VARIABLES["api_base_url"]
            environment = {base_url: os.environ.get(base_url), **environment}
        options = decrypted(self._task.args)
        for option, name in VARIABLES.items():
            if options.get(option) is None and environment.get(name):
                options[option] = environment[name]
        self._validated(options, on_target=True)
        result = self.run_module(self.NAME, without_nulls(options), task_vars)
        # All other options are valid, so only the keys can be missing.
        if str(result.get("msg")).startswith("missing required arguments"):
            become = on_controller and self._connection.become is not None
            hint = "set these options, because become does not pass environment variables on"
            result["msg"] += f"; {hint}." if become else f"; {KEYS_HINT}on the target."
        return result

    def _validated(self, options: Mapping[str, Any], *, on_target: bool) -> Options:
        spec, required_if = self.MODULE.ARGUMENT_SPEC, self.MODULE.REQUIRED_IF
        return validated(self.NAME, spec, options, on_target=on_target, required_if=required_if)

    def _obstacle(self) -> str | None:
        """Return why the work cannot be done in this process, in words that playbooks use; None if it can."""
        if self._connection.transport != "local":
            return f"the connection is {self._connection.transport}"
        if self._connection.become is not None:
            return "become is set"
        if IMPORT_ERROR:
            return f"requests cannot be imported by {sys.executable}"
        return self.why_not_here()


def _summary(result: Result) -> str:
    """Say in one line what a task did, without a secret. What the API did not say is left out."""
    parts = [result["operation"] if "operation" in result else "active" if result["active"] else "not active"]
    if "scope" in result:
        parts.append(f"scope '{shown(' '.join(result['scope']))}'")
    if "expires_in" in result:
        parts.append(f"{result['expires_in']} s left")
    line = ", ".join(parts) + (f". {result['reason']}" if "reason" in result else ".")
    if result.get("differences"):
        line += f" The answer differs from the API's documentation: {' '.join(result['differences'])}"
    return line
