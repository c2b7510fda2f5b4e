# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Manage the tokens of one vars file as one transaction.

A run that is killed loses at most one batch of tokens, which were made but are not yet in the file, or were replaced in
the file but not yet revoked. Everything else is in the file, and the next run continues from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ansible_collections.voucherify.oauth.plugins.module_utils import _lifecycle as lifecycle
from ansible_collections.voucherify.oauth.plugins.module_utils._api.errors import (
    POSSIBLE_LOSS,
    OAuthError,
    RequestError,
    Stopped,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vars_file import Outcome, VarsFile

from .calls import Made, Reading, TokenCalls
from .interruptions import Interruptions
from .listed_tokens import (
    ListedToken,
    TransactionFailed,
    in_use,
    progress,
)
from .writes import TokenWrites

# A placeholder for a token that is not made yet, if only the name matters.
_ANY_TOKEN = "any"  # noqa: S105 - not a password


class TokenVault:
    """Brings the listed tokens of an open vars file into the state that the task asks for.

    revoke_replaced: whether to revoke a replaced token once no listed variable has it any more.
    remember: called with each token that is read or made, before anything else is done with it.
    """

    def __init__(
        self,
        file: VarsFile,
        listed: Sequence[ListedToken],
        calls: TokenCalls,
        interruptions: Interruptions,
        *,
        revoke_replaced: bool,
        remember: Callable[[str], object],
    ) -> None:
        self._file = file
        self._listed = listed
        self._calls = calls
        self._interruptions = interruptions
        self._revoke_replaced = revoke_replaced
        self._remember = remember
        self._writes = TokenWrites(file, listed, calls)
        # For each token to revoke: whether it was active until then, None if unknown.
        self._was_active: dict[str, bool | None] = {}
        self.has_revoked = False
        self.warnings: list[str] = []

    @property
    def outcome(self) -> Outcome | None:
        """How the file differs, or in check mode would differ, from what it was. None if nothing was tried."""
        return self._writes.outcome

    def predict(self) -> None:
        """Decide for each listed token what `run` would do, and change nothing. Raises the same as `run`."""
        self._read()
        absent = [entry for entry in self._listed if not entry.wanted]
        self._introspect([entry for entry in self._listed if entry in absent or entry.must_be_introspected])
        self._decide_present()
        self._was_active = {entry.token: entry.reading is not None for entry in absent if entry.token}
        # A variable that gets a new token does not keep the one that it has.
        kept = in_use(entry for entry in self._listed if entry.done)
        for entry in absent:
            entry.decide_absent(self._was_active, kept)
        outcome = self._writes.preview(self._expected_changes())
        if outcome.changed:
            self._file.check_writable()
        self._writes.note(outcome)
        self._warn_if_all_were_unknown()

    def run(self) -> None:
        """Keep, make, replace, revoke and remove. Raises TransactionFailed or VarsFileError."""
        self._read()
        self._introspect([entry for entry in self._listed if entry.must_be_introspected])
        self._decide_present()
        if self._writes.preview(self._expected_changes()).changed:
            # Before the first token is made, because a token that cannot be written would be lost.
            self._file.check_writable()
        self._make_missing()
        self._remove_absent()
        # Waiting for the API may have taken so long that kept tokens have too little time left.
        while self._has_aged():
            self._make_missing()
        self._writes.write()
        self._check_place()
        self._warn_if_all_were_unknown()

    def _read(self) -> None:
        stored = self._file.read([entry.name for entry in self._listed])
        for entry in self._listed:
            token = entry.read(stored.get(entry.name), self._file.path)
            if token:
                self._remember(token)

    def _introspect(self, entries: Sequence[ListedToken]) -> None:
        """Ask once for each token, however many variables have it."""
        tokens = list(dict.fromkeys(entry.token for entry in entries if entry.token))
        answers = dict(zip(tokens, self._calls.introspect(tokens)))
        having = [(entry, answers[entry.token]) for entry in entries if entry.token]
        self._raise_failures(having)
        for entry, answer in having:
            entry.reading = answer if isinstance(answer, Reading) else None

    def _decide_present(self) -> None:
        for entry in self._listed:
            entry.decide_present()
            if entry.done and entry.token:
                self._writes.keep(entry.name, entry.token)

    def _expected_changes(self) -> dict[str, str | None]:
        made: dict[str, str | None] = {entry.name: _ANY_TOKEN for entry in self._listed if entry.is_to_be_made}
        return {**made, **{entry.name: None for entry in self._listed if not entry.wanted and entry.exists}}

    def _make_missing(self) -> None:
        for batch in self._batches([entry for entry in self._listed if entry.is_to_be_made]):
            self._make(batch)

    def _make(self, batch: Sequence[ListedToken]) -> None:
        outcomes = list(zip(batch, self._calls.generate([entry.scope for entry in batch])))
        self.warnings += [
            f"{entry.name}: {POSSIBLE_LOSS}"
            for entry, outcome in outcomes
            if isinstance(outcome, OAuthError) and outcome.may_have_made_a_token
        ]
        made = [(entry, outcome) for entry, outcome in outcomes if isinstance(outcome, Made)]
        for entry, token in made:
            self._remember(token.access_token)
            self._warn_of_scope(entry, token)
        replaced = {entry.token: entry.name for entry, _token in made if entry.token and entry.may_be_active}
        not_written = self._writes.place(made) if made else None
        not_revoked = self._revoke(replaced) if self._revoke_replaced else None
        for failure in (not_written, not_revoked):
            if failure:
                raise failure
        self._raise_failures(outcomes)

    def _warn_of_scope(self, entry: ListedToken, made: Made) -> None:
        warning = lifecycle.scope_warning(entry.scope, made.reading.details.scope)
        if warning:
            self.warnings.append(f"{entry.name}: {warning}")

    def _revoke(self, replaced: dict[str, str]) -> TransactionFailed | None:
        """Revoke replaced tokens, except those that a listed variable still has. Return a failure, if any."""
        tokens = [token for token in replaced if token not in in_use(self._listed)]
        # All of them, because they are not in the file any more and could not be revoked later.
        outcomes = dict(zip(tokens, self._calls.revoke(tokens, whatever_happens=True)))
        self._note_revoked(outcomes)
        failures = [(replaced[token], outcome) for token, outcome in outcomes.items() if isinstance(outcome, Exception)]
        if not failures:
            return None
        names = ", ".join(name for name, _error in failures)
        # A permanent failure says more than one that may be over by the next try.
        cause = min((error for _name, error in failures), key=lambda error: getattr(error, "transient", False))
        # Without the advice to run the play again: the next run does not know these tokens.
        account = cause.account if isinstance(cause, RequestError) else cause
        return self._failure(
            f"The new tokens are in {self._file.path}, but some tokens that they replaced could not be revoked"
            f" and expire within 15 minutes ({names}). {account}.",
            cause,
        )

    def _remove_absent(self) -> None:
        leaving = [entry for entry in self._listed if not entry.wanted]
        for batch in self._batches([entry for entry in leaving if entry.token]):
            # A token is revoked once, however many variables have it.
            known = {*in_use(self._listed), *self._was_active}
            tokens = list(dict.fromkeys(entry.token for entry in batch if entry.token and entry.token not in known))
            outcomes = dict(zip(tokens, self._calls.revoke(tokens)))
            self._note_revoked(outcomes)
            self._remove([entry for entry in batch if entry.token not in tokens or entry.token in self._was_active])
            self._raise_failures([(entry, outcomes[entry.token]) for entry in batch if entry.token in outcomes])
        self._remove([entry for entry in leaving if not entry.token])

    def _note_revoked(self, outcomes: Mapping[str, bool | Exception | None]) -> None:
        for token, was_active in outcomes.items():
            if not isinstance(was_active, Exception):
                self._was_active[token] = was_active
                self.has_revoked = self.has_revoked or bool(was_active)

    def _remove(self, entries: Sequence[ListedToken]) -> None:
        for entry in entries:
            entry.decide_absent(self._was_active, in_use(self._listed))
        self._writes.remove(entries)

    def _has_aged(self) -> bool:
        """Decide again about the kept tokens. Return whether one has to be replaced now."""
        for entry in self._listed:
            if entry.decision.operation == lifecycle.KEPT:
                entry.decide_present()
        return any(entry.is_to_be_made for entry in self._listed)

    def _batches(self, entries: Sequence[ListedToken]) -> Iterator[Sequence[ListedToken]]:
        for first in range(0, len(entries), self._calls.at_once):
            self._check_place()
            yield entries[first : first + self._calls.at_once]

    def _check_place(self) -> None:
        """Raise TransactionFailed if nothing new should be started."""
        reason = self._interruptions.reason()
        if reason:
            raise self._failure(f"The task ended early, because {reason}.")
        elsewhere = self._file.moved_to()
        if elsewhere:
            raise self._failure(
                f"The path now leads to {elsewhere}, but led to {self._file.path} when the task began. Run the play"
                " again."
            )

    def _raise_failures(self, outcomes: Sequence[tuple[ListedToken, object]]) -> None:
        """Raise the first failure of a batch; a call that was only stopped comes last."""
        failures = [(entry, outcome) for entry, outcome in outcomes if isinstance(outcome, Exception)]
        failures.sort(key=lambda failure: isinstance(failure[1], Stopped))
        for entry, error in failures:
            if isinstance(error, Stopped):
                raise self._failure(f"The task ended early, because {self._interruptions.reason()}.")
            raise self._failure(f"{entry.name}: {error}", error)

    def _failure(self, message: str, cause: Exception | None = None) -> TransactionFailed:
        return TransactionFailed(f"{message}{progress(self._listed, self._file.path)}", cause)

    def _warn_if_all_were_unknown(self) -> None:
        absent = {entry.token for entry in self._listed if not entry.wanted}
        answers = [was for token, was in self._was_active.items() if token in absent]
        if len(answers) > 1 and set(answers) == {False}:
            self.warnings.append(
                "None of the tokens to revoke is active for this API key at this base URL. If they have not expired,"
                " check that app_id and api_base_url belong to the project that the tokens are from."
            )
