# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Run a token module in the worker process if possible, otherwise as a module on the target."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Protocol

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient
from ansible_collections.voucherify.oauth.plugins.module_utils._api.retries import HAS_REQUESTS
from ansible_collections.voucherify.oauth.plugins.module_utils._lifecycle import GENERATED, REPLACED
from ansible_collections.voucherify.oauth.plugins.module_utils._options import Options, Result, remember_token, run
from ansible_collections.voucherify.oauth.plugins.plugin_utils._arguments import (
    KEYS_HINT,
    TaskArgsError,
    decrypted,
    validated,
    without_nulls,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._environment import (
    environment_of,
    environment_set,
    why_not_here,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._hiding import (
    hide,
    hide_task,
    is_loop,
    show_interruption,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._masks import masked, secrets_of
from ansible_collections.voucherify.oauth.plugins.plugin_utils._module_runner import VARIABLES, ModuleRunner

_INTERRUPTED = (
    "The task was stopped before the API answered. If a token was made, it is lost: it cannot be revoked, and it"
    " expires within 15 minutes. Set the task's keyword timeout to more seconds than the option max_wait."
)
_NOT_REGISTERED = (
    "A token was made and lost, because the task has no register. It cannot be revoked, and it expires within 15"
    " minutes. Add register to the task, and use access_token of the registered result."
)


class TokenModule(Protocol):
    """What an action needs from its module."""

    ARGUMENT_SPEC: dict[str, dict[str, Any]]
    REQUIRED_IF: list[Any]

    def work(self, client: OAuthClient, options: Options, check_mode: bool) -> Result:
        """Do the module's work with validated options."""


class TokenAction(ModuleRunner):
    """Runs a token module: hides its result, returns a kept token, and starts no process if possible.

    A subclass sets the module's full name and the imported module.
    """

    NAME: str
    MODULE: TokenModule

    # The task's options before validation, decrypted. Messages mask the secrets in them.
    _given: Mapping[str, Any] = {}

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Result:
        in_loop = is_loop(self)
        if in_loop:
            hide_task(self)
        try:
            result = self._result(tmp, task_vars)
        except AnsibleError as error:
            if not in_loop:
                raise
            outcome = "unreachable" if isinstance(error, AnsibleConnectionFailure) else "failed"
            result = {outcome: True, "msg": str(error)}
        except BaseException as error:
            # A BaseException that is not an Exception is the task's timeout or an interrupt.
            if not isinstance(error, Exception) and self.may_make_a_token(self.NAME, self._given):
                self._display.warning(_INTERRUPTED)
            show_interruption(self, error)
            raise
        for values in (self._given, result):
            if isinstance(values.get("access_token"), str):
                remember_token(values["access_token"])
        succeeded = not (result.get("failed") or result.get("unreachable"))
        secrets = secrets_of(self.MODULE.ARGUMENT_SPEC, self._given)
        if succeeded:
            result["msg"] = masked(_summary(result), secrets)
            self._display.v(f"{self.NAME}: {result['msg']}")
            if (
                result.get("operation") in (GENERATED, REPLACED)
                and "access_token" in result
                and not self._task.register
            ):
                result["warnings"] = [*result.get("warnings", []), _NOT_REGISTERED]
        else:
            result = masked(result, secrets)
        self._show_warnings(result, secrets)
        if succeeded or in_loop:
            hide(self, result)
        return result

    def _show_warnings(self, result: Result, secrets: tuple[str, ...]) -> None:
        """Show warnings at once: with the keyword until, ansible-core drops those of all tries but the last."""
        if "warnings" in result:
            result["warnings"] = masked(result["warnings"], secrets)
            for warning in result["warnings"]:
                self._display.warning(warning)

    def _result(self, tmp: str | None, task_vars: dict[str, Any] | None) -> Result:
        if self._task.async_val:
            return {
                "failed": True,
                "msg": f"{self.NAME} does not run with async, because Ansible would store its secrets in a file in"
                " plain text; remove async and poll from the task.",
            }
        super().run(tmp, task_vars)
        where = "on the controller"
        try:
            environment = environment_of(self)
            obstacle = self._obstacle(environment)
            if obstacle:
                where = "on the target"
                self._display.vvv(f"{self.NAME} is executed as a module on the target: {obstacle}")
                return self._on_target(environment, task_vars)
            self._display.vvv(f"{self.NAME} runs in the worker process")
            with environment_set(environment):
                return self._here()
        except TaskArgsError as error:
            return {"failed": True, "changed": False, "msg": f"{error.with_hint(where)}."}

    def _here(self) -> Result:
        self._given = decrypted(self._task.args)
        return run(self.MODULE.work, self._validated(on_target=False), check_mode=self._task.check_mode)

    def _on_target(self, environment: Mapping[str, Any], task_vars: dict[str, Any] | None) -> Result:
        set_by_task = {option: environment[name] for option, name in VARIABLES.items() if environment.get(name)}
        given = decrypted(self._task.args)
        self._given = {**given, **{name: value for name, value in set_by_task.items() if given.get(name) is None}}
        self._validated(on_target=True)
        result = self.run_module(self.NAME, without_nulls(self._given), task_vars)
        # All other options are valid, so AnsibleModule can only have refused the keys on the target.
        if result.get("failed") and not self._work_began:
            result["msg"] += f"; {KEYS_HINT}on the target."
        return result

    def _validated(self, *, on_target: bool) -> Options:
        spec, required_if = self.MODULE.ARGUMENT_SPEC, self.MODULE.REQUIRED_IF
        return validated(self.NAME, spec, self._given, on_target=on_target, required_if=required_if)

    def _obstacle(self, environment: Mapping[str, Any]) -> str | None:
        """Return why the work cannot be done in this process, in words that playbooks use; None if it can."""
        if self._connection.transport != "local":
            return f"the connection is {self._connection.transport}"
        if self._connection.become is not None:
            return "become is set"
        if not HAS_REQUESTS:
            return f"requests cannot be imported by {sys.executable}"
        return why_not_here(environment)


def _summary(result: Result) -> str:
    """Say in one line what a task did, without a secret. What the API did not say is left out."""
    parts = [result["operation"] if "operation" in result else "active" if result["active"] else "not active"]
    if "scope" in result:
        parts.append(f"scope {' '.join(result['scope'])!r}")
    if "expires_in" in result:
        parts.append(f"{result['expires_in']} s left")
    line = ", ".join(parts) + (f". {result['reason']}" if "reason" in result else ".")
    if result.get("differences"):
        line += f" The answer differs from the API's documentation: {' '.join(result['differences'])}"
    return line
