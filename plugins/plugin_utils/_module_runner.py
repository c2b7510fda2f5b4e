# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Execute a token module on a target or on the controller, without putting a secret into a file or any output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins.loader import connection_loader

from ..module_utils._api.client import GENERATE
from ..module_utils._api.errors import BadAnswer
from ..module_utils._api.words import shown
from ..module_utils._options import Result, connection_argument_spec, failed
from ._hiding import HidingAction

# The options that an environment variable can set, with the variable's name.
VARIABLES: dict[str, str] = {
    option: rule["fallback"][1][0] for option, rule in connection_argument_spec().items() if "fallback" in rule
}

# What ansible-core puts in the place of a result that is equal to a secret option.
_MASKED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


class ModuleRunner(HidingAction):
    """The base of actions that execute a token module."""

    # About the module that ran last: whether its Python was started, its result as JSON, which is None if it cannot be
    # read, and the last line that was printed as an error.
    _was_started = True
    _printed: str | None = None
    _last_line = ""

    def run_module(self, name: str, options: Mapping[str, Any], task_vars: dict[str, Any]) -> Result:
        """Execute a token module with valid options over the task's connection, and return its result.

        ansible-core masks a returned token that is equal to the option access_token; the token is restored here. A
        failure contains only what the module itself returned, or only C(msg) if the module could not return.
        Raises AnsibleError if the target cannot be reached.
        """
        with self._nothing_stored():
            result: Result = self._execute_module(module_name=name, module_args=dict(options), task_vars=task_vars)
        # The worker process does not return these either, and a traceback may quote a value.
        for key in ("invocation", "exception"):
            result.pop(key, None)
        if "warnings" in result:
            # From ansible-core 2.19 on, they are objects.
            result["warnings"] = [one if isinstance(one, str) else one.event.msg for one in result["warnings"]]
        if self._printed is None or (result.get("failed") and not result.get("msg")):
            may_make_a_token = self._was_started and self.may_make_a_token(name, options)
            secrets = filter(None, (options.get("app_token"), options.get("access_token")))
            return _unreadable(name, shown(self._last_line, secrets), may_make_a_token=may_make_a_token)
        if result.get("access_token") == _MASKED:
            result["access_token"] = options["access_token"]
        return result

    def may_make_a_token(self, name: str, options: Mapping[str, Any]) -> bool:
        """Whether executing a token module with these options may make a token."""
        return name.endswith("_token") and options.get("state") != "absent" and not self._task.check_mode

    def run_module_on_controller(self, name: str, options: Mapping[str, Any], task_vars: dict[str, Any]) -> Result:
        """Do the same on the controller with the Python that runs Ansible, whatever the task's connection is."""
        # The host's ansible_shell_type and ansible_shell_executable are not about the controller.
        context = self._play_context.copy()
        context.shell, context.executable = "sh", "/bin/sh"
        local = connection_loader.get("ansible.builtin.local", context, "/dev/null")
        local.set_options()
        of_task = self._connection, self._play_context
        self._connection, self._play_context = local, context
        variables = {"ansible_python_interpreter": sys.executable, "ansible_connection": "local"}
        here = {**task_vars, **variables}
        if self._task.delegate_to:
            # Otherwise Ansible would use the Python interpreter of that host here.
            here["ansible_delegated_vars"] = {self._task.delegate_to: dict(here)}
        try:
            return self.run_module(name, options, here)
        finally:
            self._connection, self._play_context = of_task

    @contextmanager
    def _nothing_stored(self) -> Iterator[None]:
        """Keep the module's options out of the target's files, process list and log.

        The module comes through a pipe if the connection can do that, whatever is configured. Otherwise it is in a file
        on the target while it runs.
        """
        become = self._connection.become
        # su would read the module as the password. Become plugins have the attribute from ansible-core 2.19 on.
        if become is None or getattr(become, "pipelining", become.name != "su"):
            with suppress(AnsibleError, KeyError):
                self._connection.set_option("pipelining", True)
            # For connection plugins that do not have the option.
            self._play_context.pipelining = True
        task, settings = self._task, vars(constants)
        before = task.environment, task.no_log, settings["DEFAULT_KEEP_REMOTE_FILES"]
        # The keys would be in the command line, and the module gets them as options. An empty variable hides the one of
        # the same name that the target may have.
        names = VARIABLES.values()
        task.environment = [{name: value for name, value in self.environment.items() if not value or name not in names}]
        # Otherwise the module writes those of its options that are not secret to the target's system log.
        task.no_log = True
        settings["DEFAULT_KEEP_REMOTE_FILES"] = False
        try:
            yield
            # Ansible removes the module's file after the task, but not if it is told to keep files.
            self._remove_tmp_path(self._connection._shell.tmpdir)
        finally:
            task.environment, task.no_log, settings["DEFAULT_KEEP_REMOTE_FILES"] = before

    def _low_level_execute_command(self, cmd: str, *arguments: Any, **options: Any) -> Any:
        """Drop what the target prints next to a module's result: it may repeat a secret, and ansible-core shows it."""
        if "AnsiballZ_" not in cmd and options.get("in_data") is None:
            return super()._low_level_execute_command(cmd, *arguments, **options)
        context = self._connection._play_context
        before, context.no_log = context.no_log, True  # Up to ansible-core 2.21, ssh shows everything at -vvv.
        try:
            executed = super()._low_level_execute_command(cmd, *arguments, **options)
        finally:
            context.no_log = before
        # The return codes of a shell, or of a become method, that does not execute the command.
        refused = (1, 126, 127) if self._connection.become and not executed["stdout"] else (126, 127)
        self._was_started = executed.get("rc") not in refused
        self._printed = _json_object(executed["stdout"])
        self._last_line = "".join(executed["stderr"].strip().splitlines()[-1:])
        result = self._printed or ""
        executed.update(stdout=result, stdout_lines=[result], stderr="", stderr_lines=[])
        return executed


def _unreadable(name: str, cause: str, *, may_make_a_token: bool) -> Result:
    said = f" The target said: {cause.rstrip('.')}." if cause else ""
    msg = (
        f"The result of {name} cannot be read.{said} Check that the Python of the target can be started and is 3.9 or"
        " newer (ansible_python_interpreter sets another), and that neither it nor the shell prints anything else. The"
        " output is not shown, because it may contain a token."
    )
    if not may_make_a_token:
        return {"failed": True, "changed": False, "msg": msg}
    msg += " If a token was made, it is lost and expires within 15 minutes."
    return {**failed(BadAnswer(GENERATE, "the result cannot be read", "")), "msg": msg}


def _json_object(printed: str) -> str | None:
    """Return a module's result from its output: the last JSON object at the beginning of a line."""
    for line in reversed(printed.splitlines()):
        with suppress(ValueError):
            if line.startswith("{"):
                return line[: json.JSONDecoder().raw_decode(line)[1]]
    return None
