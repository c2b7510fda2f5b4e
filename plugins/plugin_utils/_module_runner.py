# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Execute a token module on a target or on the controller, without putting a secret into a file or any output."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import GENERATE
from ansible_collections.voucherify.oauth.plugins.module_utils._api.errors import POSSIBLE_LOSS
from ansible_collections.voucherify.oauth.plugins.module_utils._lifecycle import KEPT
from ansible_collections.voucherify.oauth.plugins.module_utils._options import connection_argument_spec

Result = dict[str, Any]

# The options that an environment variable can set, with the variable's name.
VARIABLES: dict[str, str] = {
    option: rule["fallback"][1][0] for option, rule in connection_argument_spec().items() if "fallback" in rule
}

_MINIMUM_PYTHON = (3, 9)
_PYTHON_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"
_MAX_LINE = 200
_MAKES_TOKENS = "voucherify_oauth_token"


class ModuleRunner(ActionBase):
    """A mixin for actions that execute a token module."""

    # About the module that ran last: whether its Python was started, whether its result can be read, a line of what it
    # printed instead, and whether it began its own work. Results of that work contain "changed"; those with which
    # AnsibleModule refuses options do not.
    _was_started = True
    _readable = True
    _cause = ""
    _work_began = True

    def run_module(self, name: str, options: Mapping[str, Any], task_vars: dict[str, Any] | None) -> Result:
        """Execute a token module with valid options over the task's connection, and return its result.

        The module returns a kept token masked, because it is equal to a secret option; the token is restored here. A
        failure contains only what the module itself returned, or only C(msg) if the module could not return.
        Raises AnsibleError if the target cannot be reached.
        """
        result: Result = self._execute_module(module_name=name, module_args=dict(options), task_vars=task_vars)
        # The worker process does not return these either, and a traceback may quote a value.
        for key in ("invocation", "exception"):
            result.pop(key, None)
        if "warnings" in result:
            # From ansible-core 2.19 on, they are objects.
            result["warnings"] = [
                warning if isinstance(warning, str) else warning.event.msg for warning in result["warnings"]
            ]
        if not self._readable or (result.get("failed") and "error" not in result):
            version = self._python_version()
            if version and version < _MINIMUM_PYTHON:
                return _failure(
                    f"The Python of the target is too old: it is {version[0]}.{version[1]}, but {name} needs 3.9 or"
                    " newer; set ansible_python_interpreter to a newer one."
                )
        if not self._readable:
            may_make_a_token = self._was_started and self.may_make_a_token(name, options)
            return _unreadable(name, self._cause, may_make_a_token=may_make_a_token)
        if result.get("failed") and not result.get("msg"):
            return _failure(f"{name} ended on the target without a message.")
        if result.get("operation") == KEPT and "access_token" in result:
            result["access_token"] = options["access_token"]
        return result

    def may_make_a_token(self, name: str, options: Mapping[str, Any]) -> bool:
        """Whether executing a token module with these options may make a token."""
        return name.endswith(_MAKES_TOKENS) and options.get("state") != "absent" and not self._task.check_mode

    def run_module_on_controller(
        self, name: str, options: Mapping[str, Any], task_vars: dict[str, Any] | None
    ) -> Result:
        """Do the same on the controller with the Python that runs Ansible, whatever the task's connection is."""
        # The host's ansible_shell_type and ansible_shell_executable are not about the controller.
        context = self._play_context.copy()
        context.shell, context.executable = "sh", "/bin/sh"
        local = connection_loader.get("ansible.builtin.local", context, "/dev/null")
        local.set_options()
        of_task = self._connection, self._play_context
        self._connection, self._play_context = local, context
        variables = {"ansible_python_interpreter": sys.executable, "ansible_connection": "local"}
        here = {**(task_vars or {}), **variables}
        if self._task.delegate_to:
            # Otherwise Ansible would use the Python interpreter of that host here.
            here["ansible_delegated_vars"] = {self._task.delegate_to: dict(here)}
        try:
            return self.run_module(name, options, here)
        finally:
            self._connection, self._play_context = of_task

    def _compute_environment_string(self, raw_environment_out: dict[str, Any] | None = None) -> Any:
        """Keep the keys out of the module's command line, which can be seen at -vvv and in the target's process list.

        The module gets them as options instead.
        """
        variables: dict[str, Any] = {}
        super()._compute_environment_string(variables)
        if raw_environment_out is not None:
            raw_environment_out.update(variables)
        return self._connection._shell.env_prefix(
            # An empty one hides the variable of the same name that the target may have.
            **{name: value for name, value in variables.items() if not value or name not in VARIABLES.values()}
        )

    def _is_pipelining_enabled(self, module_style: str, wrap_async: bool = False) -> bool:
        """Pipe the module and its options to the target if the connection can, whatever is configured.

        Otherwise they are in a file on the target while the module runs, and stay there if the run is interrupted or
        with ANSIBLE_KEEP_REMOTE_FILES.
        """
        if module_style != "new" or wrap_async or not self._connection.has_pipelining or not self._become_can_pipe():
            return bool(super()._is_pipelining_enabled(module_style, wrap_async))
        # With a become password, the connection plugin local does not pipe to a command unless this is set. Other
        # plugins may not have the option.
        with suppress(AnsibleError, KeyError):
            self._connection.set_option("pipelining", True)
        return True

    def _become_can_pipe(self) -> bool:
        become = self._connection.become
        if become is None:
            return True
        # Become plugins have this attribute from ansible-core 2.19 on. It is only false for su, which reads its
        # password from the pipe that the module comes through.
        if getattr(become, "pipelining", become.name != "su"):
            return True
        return become.name == "su" and not become.get_option("become_pass", playcontext=self._play_context)

    def _update_module_args(
        self, module_name: str, module_args: dict[str, Any], *arguments: Any, **options: Any
    ) -> None:
        super()._update_module_args(module_name, module_args, *arguments, **options)
        # Otherwise the module writes those of its options that are not secret to the target's system log.
        module_args["_ansible_no_log"] = True

    def _low_level_execute_command(self, cmd: str, *arguments: Any, **options: Any) -> Any:
        is_module = "AnsiballZ_" in cmd or options.get("in_data") is not None
        with self._output_hidden(is_module):
            executed = super()._low_level_execute_command(cmd, *arguments, **options)
        if is_module:
            # Everything else that the target printed may contain the result in another form, and ansible-core shows it.
            result = _json_object(executed["stdout"])
            # The return codes of a shell, or of a become method, that does not execute the command.
            refused = (1, 126, 127) if self._connection.become and not executed["stdout"] else (126, 127)
            self._was_started = executed.get("rc") not in refused
            self._readable = result is not None
            self._work_began = result is None or "changed" in json.loads(result)
            self._cause = "" if result else _last_plain_line(executed["stderr"])
            executed.update(stdout=result or "", stdout_lines=[result or ""], stderr="", stderr_lines=[])
        return executed

    @contextmanager
    def _output_hidden(self, hidden: bool) -> Iterator[None]:
        """Hide what a command prints, which can be a result. Up to ansible-core 2.21, ssh shows it at -vvv."""
        context = self._connection._play_context
        before, context.no_log = context.no_log, hidden
        try:
            yield
        finally:
            context.no_log = before

    def _python_version(self) -> tuple[int, int] | None:
        """Return the version of the Python that should run the module; None if it does not answer."""
        interpreter = str(self._used_interpreter or "").replace("#!", "").strip()
        if not interpreter:
            return None
        shell = self._connection._shell
        answer = self._low_level_execute_command(f"{interpreter} -c {shell.quote(_PYTHON_VERSION)}")
        version = re.search(r"^(\d+)\.(\d+)$", answer["stdout"], re.MULTILINE)
        return (int(version[1]), int(version[2])) if version else None


def _failure(message: str) -> Result:
    return {"failed": True, "changed": False, "msg": message}


def _unreadable(name: str, cause: str, *, may_make_a_token: bool) -> Result:
    said = f" The target said: {cause.rstrip('.')}." if cause else ""
    failure = _failure(
        f"The result of {name} cannot be read.{said} Check that the Python of the target can be started, and that"
        " neither it nor the shell prints anything else. The output is not shown, because it may contain a token."
    )
    if may_make_a_token:
        failure["msg"] += " If a token was made, it is lost and expires within 15 minutes."
        failure["error"] = {
            "operation": GENERATE.operation,
            "message": "the result cannot be read",
            "retries": 0,
            "outcome_unknown": True,
        }
        failure["warnings"] = [POSSIBLE_LOSS]
    return failure


def _json_object(printed: str) -> str | None:
    """Return a module's result from its output: the last JSON object at the beginning of a line."""
    for line in reversed(printed.splitlines()):
        if line.startswith("{"):
            try:
                _value, end = json.JSONDecoder().raw_decode(line)
            except ValueError:
                continue
            return line[:end]
    return None


def _last_plain_line(printed: str) -> str:
    """Return the last line of an output if it consists of plain words, as in a message of a shell or of Python.

    Results and tokens, in any encoding, are long or have characters that such a message does not have.
    """
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    line = lines[-1] if lines else ""
    plain = len(line) <= _MAX_LINE and line.isprintable() and not re.search(r"[{}=]", line)
    words = [part for word in line.split() for part in re.split(r"[/:.,;'\"()]+", word)]
    return line if plain and all(len(word) <= 20 for word in words) and len(words) >= 2 else ""
