# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Check what is wanted of a token, decide whether to keep, generate, replace or revoke it, and say why. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ._api.errors import OptionError
from ._api.tokens import TOKEN_LIFE_SECONDS, TokenDetails
from ._api.words import shown

KEPT = "kept"
GENERATED = "generated"
REPLACED = "replaced"
REVOKED = "revoked"
NONE = "none"


@dataclass(frozen=True)
class Wanted:
    """The conditions for keeping a token.

    scope: None accepts any. min_expires_in: minimum remaining lifetime in seconds. force: never keep the token.
    """

    scope: tuple[str, ...] | None
    min_expires_in: int
    force: bool


def checked(scope: Sequence[str] | None, min_expires_in: int, force: bool, *, where: str = "") -> Wanted:
    """Return the conditions that options set. where: a prefix of their names in messages. Raises OptionError."""
    check_min_expires_in(f"{where}min_expires_in", min_expires_in)
    if scope is not None:
        _check_scope(f"{where}scope", scope)
    return Wanted(None if scope is None else tuple(scope), min_expires_in, force)


def check_min_expires_in(where: str, seconds: int) -> None:
    """Check a minimum remaining lifetime. where: the option's name in messages. Raises OptionError."""
    if not 0 <= seconds < TOKEN_LIFE_SECONDS:
        fault = "is negative" if seconds < 0 else "is too high"
        raise OptionError(f"{where} {fault}; it must be from 0 to 899, because a token lives for 900 seconds.")


def _check_scope(where: str, scope: Sequence[str]) -> None:
    """Check a list of scopes (RFC 6749, section 3.3). where: the option's name in messages. Raises OptionError."""
    if not scope:
        raise OptionError(f"{where} is an empty list; list at least one scope, or leave out {where}.")
    for position, value in enumerate(scope):
        if not value:
            raise OptionError(f"{where}[{position}] is empty; give a scope, or remove the entry.")
        # All characters except those that a scope-token may contain.
        wrong = re.search(r"[^!#-+\--\[\]-~]", value)
        if wrong:
            found = "white space" if wrong[0].isspace() else repr(wrong[0])
            raise OptionError(
                f"{where}[{position}] is not one scope, because it contains {found}; give several scopes as a YAML"
                " list, without commas or white space inside a value."
            )


@dataclass(frozen=True)
class Decision:
    """An operation, which is one of this module's constants, and a sentence that says why."""

    operation: str
    reason: str

    @property
    def changes(self) -> bool:
        return self.operation not in (KEPT, NONE)


def for_present(wanted: Wanted, *, given: bool, details: TokenDetails | None) -> Decision:
    """Decide what to do with the given token, if there is one.

    details: what introspection said about it; None if it is not active, or was not introspected because of C(force).
    """
    if not given:
        return Decision(GENERATED, "There was no token.")
    fault = _fault(wanted, details)
    if fault:
        return Decision(REPLACED, fault)
    # The else branch is only for the type checker: without details there is a fault.
    left = details.expires_in if details else None
    return Decision(KEPT, f"The token is active, has the required scope and expires in {left} s.")


def _fault(wanted: Wanted, details: TokenDetails | None) -> str | None:
    """Return why the given token cannot be kept, as a sentence; None if it can."""
    fault = None
    if wanted.force:
        fault = "The replacement was forced."
    elif details is None:
        fault = "The token is not active: it expired, was revoked or is unknown."
    elif wanted.scope is not None and details.scope is None:
        fault = "The API does not say which scope the token has."
    elif wanted.scope is not None and details.scope is not None and not same_scope(wanted.scope, details.scope):
        fault = f"The token has the scope {scope_text(details.scope)}, but {scope_text(wanted.scope)} is required."
    elif details.expires_in is None:
        fault = "The API does not say when the token expires."
    elif details.expires_in < wanted.min_expires_in:
        fault = f"The token expires in {details.expires_in} s, but at least {wanted.min_expires_in} s are required."
    return fault


def for_absent(*, active: bool | None) -> Decision:
    """Say what a revocation did, or what one would do.

    active: whether the token was active; None if it is no longer active and an earlier try may have revoked it.
    """
    if active is None:
        return Decision(
            NONE,
            "The token is no longer active. An earlier try, which the API answered with an error, may have revoked it.",
        )
    if active:
        return Decision(REVOKED, "The token was active.")
    return Decision(NONE, "The token is not active, so there is nothing to revoke.")


def scope_warning(wanted: Sequence[str] | None, granted: Sequence[str] | None) -> str | None:
    """Return a warning if the API granted another scope than was requested, as a sentence."""
    if wanted is None or granted is None or same_scope(wanted, granted):
        return None
    return (
        f"The scope {scope_text(wanted)} was requested, but the API granted {scope_text(granted)}; while they differ,"
        " every run will replace the token."
    )


def same_scope(one: Iterable[str], other: Iterable[str]) -> bool:
    """Compare two scopes as sets (RFC 6749, section 3.3), ignoring case, because the API spells skus in two ways."""
    return {value.casefold() for value in one} == {value.casefold() for value in other}


def scope_text(scope: Sequence[str]) -> str:
    """Return a scope as it is shown in a sentence."""
    return f"'{shown(' '.join(scope))}'"
