# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Putting tokens into an open vars file, and revoking those that could not be put there."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.voucherify.oauth.plugins.plugin_utils._listed_tokens import (
    ListedToken,
    TransactionFailed,
    count_of_good,
    in_use,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._token_calls import Made, TokenCalls
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_errors import VarsFileError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_file import Outcome, VarsFile


class TokenWrites:
    """Everything that a task has decided so far. Each write repeats all of it.

    So an editor that saves an older buffer between two writes undoes nothing. One failed write is the last.
    """

    def __init__(self, file: VarsFile, listed: Sequence[ListedToken], calls: TokenCalls) -> None:
        self._file = file
        self._listed = listed
        self._calls = calls
        self._changes: dict[str, str | None] = {}
        # How the file differs from what it was; in check mode, how it would differ. None before the first write.
        self.outcome: Outcome | None = None

    def keep(self, name: str, token: str) -> None:
        """Let each write make sure that a variable has the token that it had."""
        self._changes[name] = token

    def preview(self, expected: dict[str, str | None]) -> Outcome:
        """Return how the file would change by these changes and those set so far. Raises VarsFileError."""
        return self._file.preview({**self._changes, **expected})

    def place(self, made: Sequence[tuple[ListedToken, Made]]) -> TransactionFailed | None:
        """Write tokens that are in no file yet. Revoke those that did not get there, and return the failure.

        Whether they got there is decided by reading the file, because an exception can come before or after the file
        was replaced.
        """
        for entry, token in made:
            self._changes[entry.name] = token.access_token
        failure = self._write()
        placed = self._found() if failure else {entry.name for entry, _token in made}
        for entry, token in made:
            if placed is not None and entry.name in placed:
                entry.take(token)
        return self._failed(f"{failure}{self._undo(made, placed)}") if failure else None

    def remove(self, entries: Sequence[ListedToken]) -> None:
        """Remove variables. Raises TransactionFailed."""
        self._changes.update({entry.name: None for entry in entries})
        self.write()
        for entry in entries:
            entry.done = True

    def write(self) -> None:
        """Write what was decided so far, if the file differs from it. Raises TransactionFailed."""
        failure = self._write()
        if failure:
            self._found()
            raise self._failed(failure)

    def _write(self) -> str | None:
        """Return why the file is not as it should be, as a sentence; None if it is."""
        try:
            outcome = self._file.apply(self._changes)
        except VarsFileError as error:
            return f"{error}."
        # Whatever it was and wherever it came from, tokens may be in hand.
        except BaseException as error:
            return f"Cannot write {self._file.path}: {type(error).__name__}."
        self.note(outcome)
        if outcome.conflicts:
            names = ", ".join(outcome.conflicts)
            return f"Another program changed {names} in {self._file.path} during this task; its value was left alone."
        return None

    def note(self, outcome: Outcome) -> None:
        """Remember how the file differs from what it was."""
        self.outcome = outcome
        for entry in self._listed:
            entry.written = entry.name in outcome.added or entry.name in outcome.updated
            entry.vault_id = outcome.vault_ids.get(entry.name, entry.vault_id)

    def _found(self) -> set[str] | None:
        """After a failed write, note how the file differs from what it was.

        Return which of the variables are as was decided; None if that cannot be found out.
        """
        try:
            found = self._file.stored(self._changes)
            self.note(self._file.found({name: self._changes[name] for name in found}))
        # Whatever it is, tokens may be in hand.
        except Exception:
            return None
        return found

    def _undo(self, made: Sequence[tuple[ListedToken, Made]], placed: set[str] | None) -> str:
        """Revoke the tokens that are not in the file. Return what is to be said about that."""
        if placed is None:
            names = ", ".join(entry.name for entry, _token in made)
            return f" It cannot be found out which of the new tokens are in it, so none was revoked ({names})."
        used = in_use(self._listed)
        lost = {
            entry.name: token.access_token
            for entry, token in made
            # An API might give the same token twice.
            if entry.name not in placed and token.access_token not in used
        }
        if not lost:
            return ""
        outcomes = self._calls.revoke(list(lost.values()), whatever_happens=True)
        left = [name for name, outcome in zip(lost, outcomes) if isinstance(outcome, Exception)]
        if left:
            return f" These new tokens could not be revoked and expire within 15 minutes: {', '.join(left)}."
        return " The new tokens that are not in it were revoked."

    def _failed(self, message: str) -> TransactionFailed:
        return TransactionFailed(f"{message}{count_of_good(self._listed, self._file.path)}")
