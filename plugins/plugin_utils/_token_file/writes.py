# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Write tokens to an open vars file, and revoke those that could not be written."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import VarsFileError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vars_file import Outcome, VarsFile

from .calls import Made, TokenCalls
from .listed_tokens import (
    ListedToken,
    TransactionFailed,
    in_use,
    progress,
)


class TokenWrites:
    """Collects everything that a task has decided so far. Each write repeats all of it.

    So nothing is lost if an editor saves an older version between two writes. After a failed write, nothing more is
    written.
    """

    def __init__(self, file: VarsFile, listed: Sequence[ListedToken], calls: TokenCalls) -> None:
        self._file = file
        self._listed = listed
        self._calls = calls
        self._changes: dict[str, str | None] = {}
        # How the file differs, or in check mode would differ, from what it was. None before the first write.
        self.outcome: Outcome | None = None

    def keep(self, name: str, token: str) -> None:
        """Make sure in each write that a variable still has its token."""
        self._changes[name] = token

    def preview(self, expected: dict[str, str | None]) -> Outcome:
        """Return how the file would change by these changes and those set so far. Raises VarsFileError."""
        return self._file.preview({**self._changes, **expected})

    def place(self, made: Sequence[tuple[ListedToken, Made]]) -> TransactionFailed | None:
        """Write new tokens. If that fails, revoke those that are not in the file, and return the failure.

        The file is read to find out which tokens are in it, because an exception can come before or after the file was
        replaced.
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
        """Write what was decided so far, if the file differs. Raises TransactionFailed."""
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
        # Any exception, because there may be tokens that have to be saved or revoked.
        except BaseException as error:
            return f"Cannot write {self._file.path}: {type(error).__name__}."
        self.note(outcome)
        return None

    def note(self, outcome: Outcome) -> None:
        """Store how the file differs from what it was."""
        self.outcome = outcome
        for entry in self._listed:
            entry.written = entry.name in outcome.added or entry.name in outcome.updated
            removed = entry.name in outcome.removed
            entry.vault_id = None if removed else outcome.vault_ids.get(entry.name, entry.vault_id)

    def _found(self) -> set[str] | None:
        """After a failed write, store how the file differs from what it was.

        Return the names of the variables that are as decided; None if that is unknown.
        """
        try:
            found = self._file.stored(self._changes)
            self.note(self._file.found({name: self._changes[name] for name in found}))
        # Any exception, because there may be tokens that have to be saved or revoked.
        except Exception:
            return None
        return found

    def _undo(self, made: Sequence[tuple[ListedToken, Made]], placed: set[str] | None) -> str:
        """Revoke the tokens that are not in the file. Return what the message says about that."""
        if placed is None:
            names = ", ".join(entry.name for entry, _token in made)
            return f" It is unknown which of the new tokens are in the file, so none was revoked ({names})."
        used = in_use(self._listed)
        lost = {
            entry.name: token.access_token
            for entry, token in made
            # An API might return the same token twice.
            if entry.name not in placed and token.access_token not in used
        }
        if not lost:
            return ""
        outcomes = self._calls.revoke(list(lost.values()), whatever_happens=True)
        left = [name for name, outcome in zip(lost, outcomes) if isinstance(outcome, Exception)]
        if left:
            return f" These new tokens could not be revoked and expire within 15 minutes: {', '.join(left)}."
        return " The new tokens that are not in the file were revoked."

    def _failed(self, message: str) -> TransactionFailed:
        return TransactionFailed(f"{message}{progress(self._listed, self._file.path)}")
