# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action plugin of vaulted_tokens. It turns a task's options into a transaction, and the outcome into a result."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from ..module_utils._options import Options, Result, connection_argument_spec, new_client, without_secrets
from ..modules.vaulted_tokens import ARGUMENT_SPEC
from ..plugin_utils._arguments import validated
from ..plugin_utils._file_action import FileAction
from ..plugin_utils._module_runner import ModuleRunner
from ..plugin_utils._token_file.batch import TokenCalls
from ..plugin_utils._token_file.listed_tokens import listed_tokens
from ..plugin_utils._token_file.module_client import ModuleClient
from ..plugin_utils._token_file.report import progress, report
from ..plugin_utils._token_file.transaction import Transaction


class ActionModule(FileAction, ModuleRunner):
    NAME = "voucherify.oauth.vaulted_tokens"

    def work(self, task_vars: dict[str, Any]) -> Result:
        options = validated(self.NAME, ARGUMENT_SPEC, self._task.args)
        listed = listed_tokens(options)
        settings = self.settings(options)
        # Before the lock, so that a missing library or a wrong option is found at once.
        prepared = self._calls(options, task_vars)
        makes = any(entry.wanted for entry in listed)
        with self.opened(settings, make_folders=makes) as file, prepared.opened() as calls:
            in_play = partial(self._in_play, task_vars)
            transaction = Transaction(file, listed, calls, options, in_play)
            calls.while_waiting = lambda answered: self.tell(progress(transaction, answered))
            transaction.run(check_mode=self._task.check_mode)
        result = report(transaction, settings.path, task_vars, check_mode=self._task.check_mode, diff=self._task.diff)
        if not result.get("failed"):
            self._display.v(f"{self.NAME}: {result['msg']}")
        return without_secrets(result, options, transaction.seen)

    def _in_play(self, task_vars: dict[str, Any], name: str) -> object:
        """Return the value of the play's variable of this name as a text, or None if it has no value."""
        # Templates and vaulted values can fail in many ways, and only the token is wanted.
        with suppress(Exception):
            return str(self._templar.template(task_vars[name]))
        return None

    def _calls(self, options: Options, task_vars: dict[str, Any]) -> TokenCalls:
        obstacle = self.why_not_here()
        if not obstacle:
            return TokenCalls(partial(new_client, options))
        self._display.vvv(f"{self.NAME} executes a module for each token: {obstacle}")
        execute = partial(self.run_module_on_controller, task_vars=task_vars)
        connection = {name: options[name] for name in connection_argument_spec() if options[name] is not None}
        return TokenCalls(partial(ModuleClient, execute, connection), at_once=1)
