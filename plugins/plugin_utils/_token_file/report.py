# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Turn what a transaction did, or would do, into the result of the task. It contains no token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from typing import Any

from ...module_utils import _lifecycle as lifecycle
from ...module_utils._api.words import shown
from ...module_utils._options import Result
from .._file_action import file_diff
from .listed_tokens import NOT_REACHED, UNKNOWN, ListedToken
from .transaction import Transaction

_UNKNOWN = (
    "Not active for this API key at this base URL: {} of the tokens to revoke. Unless they expired or were revoked"
    " before, they belong to another project or region; check that app_id and api_base_url belong to the project that"
    " the tokens are from."
)


_ELSEWHERE = (
    "The play already has a variable of this name from somewhere else, such as the inventory, a role or a fact, and one"
    " of the two hides the other. Remove the other one, or choose another name for the token."
)


def report(transaction: Transaction, path: str, known: Container[str], *, check_mode: bool, diff: bool) -> Result:
    """Return the result of a task.

    path: the file's path as the task gave it, absolute. known: the names of the variables that the play has. diff:
    whether the result has a diff.
    """
    outcome, failure, listed = transaction.outcome, transaction.failure, transaction.listed
    changed = any(transaction.was_active.values()) or (outcome is not None and outcome.changed)
    result: Result = {
        "changed": changed or (check_mode and any(entry.decision.changes for entry in listed)),
        "path": path,
        "tokens": _tokens(transaction),
    }
    warnings = list(transaction.warnings)
    if outcome:
        result["format"] = outcome.format
        if outcome.vault_id:
            result["vault_id"] = outcome.vault_id
        warnings += [f"{name}: {_ELSEWHERE}" for name in outcome.added if name in known]
    if failure:
        result.update(failed=True, msg=f"{failure}{_good(transaction)}")
        if failure.error:
            result["error"] = failure.error
    else:
        counts = Counter(map(_done_to, listed))
        # Without a message, failed_when on a success would say "Unknown error".
        result["msg"] = ", ".join(f"{count} {words}" for words, count in counts.items()) + f" in {path}."
        unknown = {entry.token for entry in listed if entry.decision is UNKNOWN}
        if unknown:
            doubt = _UNKNOWN.format(len(unknown))
            result["msg"] += f" {doubt}"
            warnings.append(doubt)
    if warnings:
        result["warnings"] = warnings
    if diff:
        result["diff"] = file_diff(path, outcome, {token["name"]: token["operation"] for token in result["tokens"]})
    return result


def _tokens(transaction: Transaction) -> list[dict[str, Any]]:
    outcome = transaction.outcome
    written = {*outcome.added, *outcome.updated} if outcome else set()
    removed = set(outcome.removed) if outcome else set()
    vault_ids = outcome.vault_ids if outcome else {}
    tokens = []
    for entry in transaction.listed:
        decision = NOT_REACHED if transaction.failure and not entry.done else entry.decision
        details = entry.active.details_now() if entry.active else None
        was_plain = decision.operation == lifecycle.KEPT and entry.name in written and not entry.vault_id
        more = " It was not encrypted; this task encrypts it." if was_plain else ""
        tokens.append(
            {
                "name": entry.name,
                "operation": decision.operation,
                "reason": decision.reason + more,
                "scope": [shown(word) for word in details.scope] if details and details.scope is not None else None,
                "expires_at": details.expires_at if details else None,
                "expires_in": details.expires_in if details else None,
                "vault_id": None if entry.name in removed else vault_ids.get(entry.name, entry.vault_id),
                "written": entry.name in written,
            }
        )
    return tokens


def progress(transaction: Transaction, answered: int) -> str:
    """Say in a line where a task is. answered: how many calls of the current batch are answered."""
    listed, limited_for = transaction.listed, transaction.calls.limited_for
    where = "in the file" if all(entry.wanted for entry in listed) else "in the file or removed"
    line = f"{sum(entry.done for entry in listed)} of {len(listed)} tokens are {where}"
    if transaction.introspecting:
        line = f"{answered} of {transaction.introspecting} tokens are checked"
    return f"{line}; the API asks to wait {limited_for} s" if limited_for else line


def _good(transaction: Transaction) -> str:
    """Return a sentence for a failure that says how many tokens are good; empty for none of them."""
    present = [entry for entry in transaction.listed if entry.wanted]
    good = sum(entry.done for entry in present)
    if not good:
        return ""
    if good == len(present):
        return f" {transaction.file.path} contains every token that this task lists as present."
    return f" {transaction.file.path} contains {good} of the {len(present)} tokens; the next run continues from there."


def _done_to(entry: ListedToken) -> str:
    """Return what was done to a token and its variable, as the end of a clause."""
    if entry.decision.operation == lifecycle.NONE:
        return "removed without revoking a token" if entry.exists else "already absent"
    return "revoked and removed" if entry.decision.operation == lifecycle.REVOKED else entry.decision.operation
