# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Manage the tokens of one vars file as one transaction.

A run that is killed loses at most one batch of tokens, which were made but are not yet in the file, or were replaced in
the file but not yet revoked. Everything else is in the file, and the next run continues from there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ...module_utils import _lifecycle as lifecycle
from ...module_utils._api import errors
from ...module_utils._api.client import Token
from ...module_utils._options import Options, let_core_mask
from .._vars_file.errors import VarsFileError
from .._vars_file.vars_file import Outcome, VarsFile
from .batch import TokenCalls, introspect
from .listed_tokens import ListedToken, in_use

# A placeholder for a token that is not made yet, if only the name matters.
_ANY_TOKEN = "any"  # noqa: S105 - not a password


class TransactionFailed(Exception):
    """A task with listed tokens failed. The text is the message; error has details for programs, if there are any."""

    def __init__(self, message: str, cause: Exception | None = None) -> None:
        super().__init__(message)
        as_dict = getattr(cause, "as_dict", None)
        self.error: Mapping[str, Any] | None = as_dict() if as_dict else None


@dataclass(repr=False)
class Transaction:
    """Brings the listed tokens of an open vars file into the state that the task asks for.

    options: the task's, validated. With revoke_replaced, a replaced token is revoked once no listed variable has it.
    in_play: returns the value of the play's variable of a name, None if it has none.

    outcome: how the file differs, or in check mode would differ, from what it was; None if nothing was tried. failure:
    why the task failed. was_active: for each token to revoke, whether it was active until then, None if unknown.
    seen: every token that was read or made. introspecting: how many tokens the API is asked about now.
    """

    file: VarsFile
    listed: Sequence[ListedToken]
    calls: TokenCalls
    options: Options
    in_play: Callable[[str], object]
    outcome: Outcome | None = None
    failure: TransactionFailed | None = None
    was_active: dict[str, bool | None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    introspecting: int = 0
    # Everything that was decided so far. Each write repeats all of it, so nothing is lost if an editor saves an older
    # version between two writes.
    _changes: dict[str, str | None] = field(default_factory=dict)

    def run(self, *, check_mode: bool) -> None:
        """Do the task's work, or in check mode find out what it would do. Raises VarsFileError if nothing was done."""
        try:
            expected = self._prepare(check_mode)
            self._predict(expected) if check_mode else self._carry_out()
        except TransactionFailed as failure:
            self.failure = failure

    def _prepare(self, check_mode: bool) -> Outcome:
        """Decide about the tokens that must be present. Return how the file will change, after checking that it can."""
        self._read()
        # In check mode, introspection predicts whether a revocation would find the token active.
        self._introspect(
            [entry for entry in self.listed if entry.must_be_introspected or (check_mode and not entry.wanted)]
        )
        self._decide_present()
        made = {entry.name: _ANY_TOKEN for entry in self.listed if entry.is_to_be_made}
        removed = {entry.name: None for entry in self.listed if not entry.wanted and entry.exists}
        expected = self.file.preview({**self._changes, **made, **removed})
        if expected.changed:
            # Before the first token is made, because a token that cannot be written would be lost.
            self.file.check_writable()
        return expected

    def _predict(self, expected: Outcome) -> None:
        """Decide what C(_carry_out) would do, and change nothing."""
        absent = [entry for entry in self.listed if not entry.wanted]
        self.was_active = {entry.token: entry.active is not None for entry in absent if entry.token}
        # A variable that gets a new token does not keep the one that it has.
        kept = in_use(entry for entry in self.listed if entry.done)
        for entry in absent:
            entry.decide_absent(self.was_active, kept)
        self.outcome = expected

    def _carry_out(self) -> None:
        """Keep, make, replace, revoke and remove."""
        self._make_missing()
        self._remove_absent()
        # Again, because waiting for the API may have taken so long that kept tokens have too little time left.
        while self._make_missing():
            pass
        self._write_or_fail()

    def _read(self) -> None:
        stored = self.file.read([entry.name for entry in self.listed])
        keys = self.options["app_id"], self.options["app_token"]
        for entry in self.listed:
            in_play = None if entry.name in stored else self.in_play(entry.name)
            entry.read(stored.get(entry.name), self.file.path, keys, in_play)
            if entry.token:
                self._keep_secret(entry.token)

    def _keep_secret(self, token: str) -> None:
        self.seen.append(token)
        let_core_mask(token)

    def _introspect(self, entries: Sequence[ListedToken]) -> None:
        """Ask once for each token, however many variables have it."""
        tokens = list(dict.fromkeys(entry.token for entry in entries if entry.token))
        self.introspecting = len(tokens)
        answers = dict(zip(tokens, self.calls.each(introspect, tokens)))
        self.introspecting = 0
        having = [(entry, answers[entry.token]) for entry in entries if entry.token]
        self._raise_failures(having)
        for entry, answer in having:
            entry.active = answer if isinstance(answer, Token) else None

    def _decide_present(self) -> None:
        for entry in self.listed:
            entry.decide_present()
            if entry.wanted and entry.done:
                self._changes[entry.name] = entry.token

    def _make_missing(self) -> bool:
        """Make the tokens that are missing now. Return whether there were any."""
        self._decide_present()
        missing = [entry for entry in self.listed if entry.is_to_be_made]
        for batch in self._batches(missing):
            self._make(batch)
        return bool(missing)

    def _make(self, batch: Sequence[ListedToken]) -> None:
        scopes = [entry.scope for entry in batch]
        outcomes = list(zip(batch, self.calls.each(lambda client, scope: client.generate(scope), scopes)))
        made: list[tuple[ListedToken, Token]] = []
        replaced: dict[str, str] = {}
        for entry, outcome in outcomes:
            warning = None
            if isinstance(outcome, Token):
                made.append((entry, outcome))
                # Tokens that are known to be inactive need no revocation.
                if entry.token and (entry.active or not entry.must_be_introspected):
                    replaced[entry.token] = entry.name
                self._keep_secret(outcome.access_token)
                warning = lifecycle.scope_warning(entry.scope, outcome.details.scope)
            elif isinstance(outcome, errors.OAuthError) and outcome.may_have_made_a_token:
                warning = errors.POSSIBLE_LOSS_IN_FILE
            if warning:
                self.warnings.append(f"{entry.name}: {warning}")
        not_written = self._place(made) if made else None
        not_revoked = self._revoke_replaced(replaced) if self.options["revoke_replaced"] else None
        if failure := not_written or not_revoked:
            raise failure
        self._raise_failures(outcomes)

    def _place(self, made: Sequence[tuple[ListedToken, Token]]) -> TransactionFailed | None:
        """Write new tokens. If that fails, revoke those that are not in the file, and return the failure."""
        self._changes.update({entry.name: token.access_token for entry, token in made})
        fault, placed = self._write()
        for entry, token in made:
            if entry.name in placed:
                entry.take(token)
        if not fault:
            return None
        lost = {token.access_token: entry.name for entry, token in made if not entry.done}
        left = [lost[token] for token in self._revoke(lost, whatever_happens=True)]
        if left:
            fault += f" These new tokens could not be revoked and expire within 15 minutes: {', '.join(left)}."
        elif lost:
            fault += " The new tokens that were not found in the file were revoked."
        return TransactionFailed(fault)

    def _write(self) -> tuple[str, Collection[str]]:
        """Write everything that was decided so far, if the file differs.

        Return why the file is not as it should be, as a sentence, empty if it is; and the names of the variables that
        were found there as decided. After a failure, only the file tells, because an exception can come before or after
        it was replaced.
        """
        try:
            self.outcome = self.file.apply(self._changes)
            return "", self._changes
        except VarsFileError as error:
            fault = f"{error}."
        # Any exception, because there may be tokens that have to be saved or revoked.
        except BaseException as error:
            fault = f"Cannot write {self.file.path}: {type(error).__name__}."
        placed: Collection[str] = ()
        with suppress(Exception):
            placed = self.file.stored(self._changes)
            self.outcome = self.file.found({name: self._changes[name] for name in placed})
        return fault, placed

    def _write_or_fail(self) -> None:
        fault, _placed = self._write()
        if fault:
            raise TransactionFailed(fault)

    def _revoke_replaced(self, replaced: Mapping[str, str]) -> TransactionFailed | None:
        """Revoke replaced tokens. Return a failure, if any. replaced: each token with the name of its variable."""
        # All of them, because they are no longer in the file and could not be revoked later.
        failures = self._revoke(replaced, whatever_happens=True)
        if not failures:
            return None
        names = ", ".join(replaced[token] for token in failures)
        # A permanent failure says more than one that may be over by the next try.
        cause = min(failures.values(), key=lambda error: getattr(error, "transient", False))
        # If possible, without the advice to run the play again: the next run does not know these tokens.
        account = f"{cause.account}." if isinstance(cause, errors.RequestError) else cause
        return TransactionFailed(
            f"The new tokens are in {self.file.path}, but some tokens that they replaced could not be revoked"
            f" and expire within 15 minutes ({names}). {account}",
            cause,
        )

    def _revoke(self, tokens: Iterable[str], *, whatever_happens: bool = False) -> dict[str, Exception]:
        """Revoke tokens, except those that a listed variable keeps or that were revoked before. Return the failures."""
        used = in_use(self.listed)
        due = [token for token in dict.fromkeys(tokens) if token not in used and token not in self.was_active]
        failures = {}
        outcomes = self.calls.each(lambda client, token: client.revoke(token), due, whatever_happens=whatever_happens)
        for token, outcome in zip(due, outcomes):
            if isinstance(outcome, Exception):
                failures[token] = outcome
            else:
                self.was_active[token] = outcome
        return failures

    def _remove_absent(self) -> None:
        leaving = [entry for entry in self.listed if not entry.wanted]
        for batch in self._batches([entry for entry in leaving if entry.token]):
            failures = self._revoke(entry.token for entry in batch if entry.token)
            self._remove([entry for entry in batch if entry.token not in failures])
            self._raise_failures([(entry, failures.get(entry.token or "")) for entry in batch])
        self._remove([entry for entry in leaving if not entry.token])

    def _remove(self, entries: Sequence[ListedToken]) -> None:
        used = in_use(self.listed)
        for entry in entries:
            entry.decide_absent(self.was_active, used)
            self._changes[entry.name] = None
        self._write_or_fail()
        for entry in entries:
            entry.done = True

    def _batches(self, entries: Sequence[ListedToken]) -> Iterator[Sequence[ListedToken]]:
        """Yield as many entries as calls can be made at once."""
        for first in range(0, len(entries), self.calls.at_once):
            yield entries[first : first + self.calls.at_once]

    def _raise_failures(self, outcomes: Sequence[tuple[ListedToken, object]]) -> None:
        """Raise the first failure of a batch as TransactionFailed. A call that was only stopped counts last."""
        failures = [(entry, outcome) for entry, outcome in outcomes if isinstance(outcome, Exception)]
        for entry, error in failures:
            if not isinstance(error, errors.Stopped):
                raise TransactionFailed(f"{entry.name}: {error}", error)
        if failures:
            raise TransactionFailed(f"The task ended early, because {self.calls.interruptions.reason()}.")
