# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action plugin of vaulted_tokens. It turns a task's options into a transaction, and the outcome into a result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from ansible_collections.voucherify.oauth.plugins.module_utils._options import (
    Options,
    Result,
    connection_argument_spec,
    let_core_mask,
    new_client,
    without_secrets,
)
from ansible_collections.voucherify.oauth.plugins.modules.vaulted_tokens import ARGUMENT_SPEC
from ansible_collections.voucherify.oauth.plugins.plugin_utils._arguments import validated
from ansible_collections.voucherify.oauth.plugins.plugin_utils._environment import environment_of, why_not_here
from ansible_collections.voucherify.oauth.plugins.plugin_utils._file_action import FileAction, file_diff, file_settings
from ansible_collections.voucherify.oauth.plugins.plugin_utils._module_runner import ModuleRunner
from ansible_collections.voucherify.oauth.plugins.plugin_utils._token_file.calls import TokenCalls, WorkerCalls
from ansible_collections.voucherify.oauth.plugins.plugin_utils._token_file.interruptions import Interruptions
from ansible_collections.voucherify.oauth.plugins.plugin_utils._token_file.listed_tokens import (
    ListedToken,
    TransactionFailed,
    listed_tokens,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._token_file.module_calls import ModuleCalls
from ansible_collections.voucherify.oauth.plugins.plugin_utils._token_file.transaction import TokenVault
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.run_vault import RunVault
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_file import (
    Outcome,
    Settings,
    open_vars_file,
)

_NAME = "voucherify.oauth.vaulted_tokens"


class ActionModule(FileAction, ModuleRunner):
    NAME = _NAME

    def work(self, task_vars: dict[str, Any]) -> Result:
        options = validated(_NAME, ARGUMENT_SPEC, self._task.args)
        listed = listed_tokens(options)
        settings = file_settings(self, options)
        interruptions = Interruptions()
        with self._calls(options, environment_of(self), interruptions, task_vars) as calls:
            return self._transaction(options, settings, listed, calls, interruptions)

    @contextmanager
    def _calls(
        self,
        options: Options,
        environment: Mapping[str, Any],
        interruptions: Interruptions,
        task_vars: dict[str, Any],
    ) -> Iterator[TokenCalls]:
        obstacle = why_not_here(environment)
        if obstacle:
            self._display.vvv(f"{_NAME} executes a module for each token: {obstacle}")
            connection = {name: options[name] for name in connection_argument_spec() if options[name] is not None}
            execute = partial(self._execute_on_controller, connection, task_vars)
            yield ModuleCalls(execute, interruptions)
            return
        with WorkerCalls(partial(new_client, options), interruptions) as calls:
            yield calls

    def _execute_on_controller(
        self, connection: Mapping[str, Any], task_vars: dict[str, Any], module: str, options: Mapping[str, Any]
    ) -> Result:
        return self.run_module_on_controller(module, {**connection, **options}, task_vars)

    def _transaction(
        self,
        options: Options,
        settings: Settings,
        listed: list[ListedToken],
        calls: TokenCalls,
        interruptions: Interruptions,
    ) -> Result:
        failure: TransactionFailed | None = None
        seen: list[str] = []

        def remember(token: str) -> None:
            seen.append(token)
            let_core_mask(token)

        makes = any(entry.wanted for entry in listed)
        with open_vars_file(settings, RunVault.of_run(self._loader), make_folders=makes) as file:
            vault = TokenVault(
                file,
                listed,
                calls,
                interruptions,
                revoke_replaced=options["revoke_replaced"],
                remember=remember,
            )
            try:
                with interruptions:
                    vault.predict() if self._task.check_mode else vault.run()
            except TransactionFailed as error:
                failure = error
            links = file.hard_links
        return without_secrets(self._report(settings, listed, vault, failure, links), options, seen)

    def _report(
        self,
        settings: Settings,
        listed: list[ListedToken],
        vault: TokenVault,
        failure: TransactionFailed | None,
        links: int,
    ) -> Result:
        outcome = vault.outcome
        predicted = self._task.check_mode and any(entry.decision.changes for entry in listed)
        result: Result = {
            "changed": predicted or vault.has_revoked or (outcome is not None and outcome.changed),
            "path": settings.path,
            "tokens": [entry.result(failed=failure is not None) for entry in listed],
        }
        if outcome:
            result["format"] = outcome.format
            if outcome.vault_id:
                result["vault_id"] = outcome.vault_id
            if outcome.backup_file:
                result["backup_file"] = outcome.backup_file
            if outcome.changed and links > 1:
                vault.warnings.append(
                    f"{settings.path} had {links} hard links. The other links still have the old content, because"
                    " the file was replaced."
                )
        if vault.warnings:
            result["warnings"] = vault.warnings
        if self._task.diff:
            result["diff"] = _diff(settings.path, outcome, result["tokens"])
        if failure:
            result.update(failed=True, msg=str(failure))
            if failure.error:
                result["error"] = failure.error
        else:
            # Without a message, failed_when on a success would say "Unknown error".
            result["msg"] = _summary(result)
            self._display.v(f"{_NAME}: {result['msg']}")
        return result


def _summary(result: Result) -> str:
    """Say in one line what a task did."""
    counts = Counter(token["operation"] for token in result["tokens"])
    words = {"none": "with nothing to revoke"}
    parts = (f"{count} {words.get(operation, operation)}" for operation, count in counts.items())
    return ", ".join(parts) + f" in {result['path']}."


def _diff(path: str, outcome: Outcome | None, tokens: list[Mapping[str, Any]]) -> dict[str, str]:
    """Show the variables that changed, with the operation in place of the value."""
    changed = {*outcome.added, *outcome.updated, *outcome.removed} if outcome else set()
    new = set(outcome.added) if outcome else set()
    removed = set(outcome.removed) if outcome else set()
    listed = [token for token in tokens if token["name"] in changed]
    before = [f"{token['name']}: (old value)" for token in listed if token["name"] not in new]
    after = [f"{token['name']}: {token['operation']}" for token in listed if token["name"] not in removed]
    return file_diff(path, outcome, before, after)
