# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""May this task run in the worker process, and running it there, or else as a module on the target."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any, Protocol

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible_collections.voucherify.oauth.plugins.module_utils._http import HAS_REQUESTS
from ansible_collections.voucherify.oauth.plugins.module_utils._lifecycle import KEPT
from ansible_collections.voucherify.oauth.plugins.module_utils._oauth import OAuthClient
from ansible_collections.voucherify.oauth.plugins.module_utils._options import Options, Result, run
from ansible_collections.voucherify.oauth.plugins.plugin_utils._results import hide, prints_an_item
from ansible_collections.voucherify.oauth.plugins.plugin_utils._task_args import decrypted
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_errors import VaultSecretError


class TokenModule(Protocol):
    """What an action needs of the module that it fronts."""

    ARGUMENT_SPEC: dict[str, dict[str, Any]]
    REQUIRED_IF: list[Any]

    def work(self, client: OAuthClient, options: Options, check_mode: bool) -> Result:
        """Do what the validated options ask for."""


class TokenAction(ActionBase):
    """Fronts a token module: hides its result, gives a kept token back, and spares the process where it can.

    A subclass says which module, by its full name and as what was imported.
    """

    NAME: str
    MODULE: TokenModule

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Result:
        in_loop = prints_an_item(self)
        if in_loop:
            # At once, for Ansible itself ends this function when the task's time is over.
            self._task.no_log = True
        try:
            result = self._result(tmp, task_vars)
        except AnsibleError as error:
            if not in_loop:
                raise
            outcome = "unreachable" if isinstance(error, AnsibleConnectionFailure) else "failed"
            result = {outcome: True, "msg": str(error)}
        succeeded = not (result.get("failed") or result.get("unreachable"))
        if succeeded:
            self._display.v(f"{self.NAME}: {_summary(result)}")
        if succeeded or in_loop:
            hide(self, result)
        return result

    def _result(self, tmp: str | None, task_vars: dict[str, Any] | None) -> Result:
        try:
            self._task.args = decrypted(self._task.args)
            mistake = self._mistake()
        except VaultSecretError as error:
            mistake = str(error)
        if mistake:
            return {"failed": True, "msg": mistake}
        super().run(tmp, task_vars)
        return self._worked(task_vars)

    def _mistake(self) -> str | None:
        """Return what makes the task impossible in either way, as a sentence; None if nothing does."""
        if self._task.async_val:
            return (
                f"{self.NAME} does not run with async, because Ansible would keep the token in a file in plain text;"
                " remove async and poll from the task."
            )
        for name in self._secret_options():
            # Ansible would make a string of it, which is no secret that the API knows, and yet may hold one.
            if isinstance(self._task.args.get(name), (Mapping, list, tuple)):
                return f"{name} is a mapping or a list; give one string, such as access_token of a registered result."
        return None

    def _worked(self, task_vars: dict[str, Any] | None) -> Result:
        obstacle = self._obstacle()
        if obstacle:
            self._display.vvv(f"{self.NAME} is executed as a module on the target: {obstacle}")
            result = self._run_as_module(task_vars)
        else:
            self._display.vvv(f"{self.NAME} runs in the worker process")
            result = self._run_here()
        if result.get("failed"):
            # AnsibleModule does this too, but with ansible-core 2.22 only where the message is shown.
            result["msg"] = self._masked(str(result.get("msg")))
        if re.match("missing required arguments: .*app_", str(result.get("msg"))):
            result["msg"] += (
                "; give them as options, or as VOUCHERIFY_APP_ID and VOUCHERIFY_APP_TOKEN in the environment of the"
                f" process that does the work, {'on the target' if obstacle else 'on the controller'}."
            )
        return result

    def _run_here(self) -> Result:
        validation = ArgumentSpecValidator(self.MODULE.ARGUMENT_SPEC, required_if=self.MODULE.REQUIRED_IF).validate(
            self._task.args
        )
        if validation.errors.errors:
            message = validation.errors.msg
            # AnsibleModule says which module it speaks of, and the validator does not know.
            if isinstance(validation.errors[0], UnsupportedError):
                message = f"Unsupported parameters for ({self.NAME}) module: {message}"
            return {"failed": True, "msg": message}
        return run(self.MODULE.work, validation.validated_parameters, check_mode=self._task.check_mode)

    def _run_as_module(self, task_vars: dict[str, Any] | None) -> Result:
        result: Result = self._execute_module(module_name=self.NAME, task_vars=task_vars)
        # Ansible keeps and prints as text what it cannot parse, with the token that the module returned in it.
        if "access_token" in str(result.get("module_stdout")):
            return {
                "failed": True,
                "msg": f"The result of {self.NAME} cannot be read, because something else was printed with it; see"
                " to it that the shell and the Python of the target print nothing of their own. If a token was made,"
                " no one holds it, and it expires within 15 minutes.",
            }
        # The other way has none, and both give the same result.
        result.pop("invocation", None)
        # Ansible masks what equals a secret option in what a module returns, and a kept token does.
        if result.get("operation") == KEPT and "access_token" in result:
            result["access_token"] = self._task.args["access_token"]
        return result

    def _low_level_execute_command(self, cmd: str, *arguments: Any, **options: Any) -> Any:
        # Up to 2.21, the connection plugin ssh shows at -vvv what a command printed, and what a module prints is its
        # result. The module comes by way of its file or, with pipelining, of the standard input.
        self._connection._play_context.no_log = "AnsiballZ_" in cmd or options.get("in_data") is not None
        return super()._low_level_execute_command(cmd, *arguments, **options)

    def _masked(self, message: str) -> str:
        """The message with the secrets hidden that it may quote, when an option was given another's value."""
        for name in self._secret_options():
            if self._task.args.get(name):
                message = message.replace(str(self._task.args[name]), "********")
        return message

    def _secret_options(self) -> list[str]:
        return [name for name, option in self.MODULE.ARGUMENT_SPEC.items() if option.get("no_log")]

    def _obstacle(self) -> str | None:
        """Return why the work cannot be done in this process, in the terms of the playbook; None if it can."""
        if self._connection.transport != "local":
            return f"the connection is {self._connection.transport}"
        if self._connection.become is not None:
            return "become is set"
        if any(self._task.environment or ()):
            return "environment is set"
        if sys.platform == "darwin":
            return "network libraries cannot be relied on in a forked process on macOS"
        if not HAS_REQUESTS:
            return f"requests cannot be imported by {sys.executable}"
        return None


def _summary(result: Result) -> str:
    """Say in one line what a task did, without a secret."""
    parts = [result["operation"] if "operation" in result else "active" if result["active"] else "not active"]
    if "scope" in result:
        parts.append(f"scope {' '.join(result['scope'])!r}, {result['expires_in']} s left")
    return ", ".join(parts) + (f". {result['reason']}" if "reason" in result else ".")
