# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Keep, generate, replace, revoke or nothing, and why. Pure: from what is wanted and what is known, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ._token_details import TOKEN_LIFE_SECONDS, TokenDetails

__all__ = [
    "TOKEN_LIFE_SECONDS",
    "Decision",
    "Wanted",
    "for_absent",
    "for_present",
    "same_scope",
    "scope_text",
    "scope_warning",
]

KEPT = "kept"
GENERATED = "generated"
REPLACED = "replaced"
REVOKED = "revoked"
NONE = "none"


@dataclass(frozen=True)
class Wanted:
    """What a token must be to be kept.

    scope: None where any will do. min_expires_in: seconds that it must still live. force: do not keep it in any case.
    """

    scope: tuple[str, ...] | None
    min_expires_in: int
    force: bool


@dataclass(frozen=True)
class Decision:
    """An operation, one of this module's constants, and the sentence that tells a person why."""

    operation: str
    reason: str

    @property
    def changes(self) -> bool:
        return self.operation not in (KEPT, NONE)


def for_present(wanted: Wanted, *, given: bool, details: TokenDetails | None) -> Decision:
    """Decide what becomes of the token given, if one was.

    details: what introspection said of it; None where it is not active, or was not asked about because of C(force).
    """
    if not given:
        return Decision(GENERATED, "There was no token.")
    fault = _fault(wanted, details)
    if fault:
        return Decision(REPLACED, fault)
    # Without details there is a fault.
    left = details.expires_in if details else None
    return Decision(KEPT, f"The token is active, has the wanted scope and expires in {left} s.")


def _fault(wanted: Wanted, details: TokenDetails | None) -> str | None:
    """Return why the token given cannot be kept, as a sentence; None where it can."""
    fault = None
    if wanted.force:
        fault = "The replacement was forced."
    elif details is None:
        fault = "The token is not active: it expired, was revoked or is unknown."
    elif wanted.scope is not None and details.scope is None:
        fault = "The API does not say which scope the token has."
    elif wanted.scope is not None and details.scope is not None and not same_scope(wanted.scope, details.scope):
        fault = f"The token has the scope {scope_text(details.scope)}, and {scope_text(wanted.scope)} is wanted."
    elif details.expires_in is None:
        fault = "The API does not say when the token expires."
    elif details.expires_in < wanted.min_expires_in:
        fault = f"The token expires in {details.expires_in} s, and at least {wanted.min_expires_in} s are wanted."
    return fault


def for_absent(*, active: bool | None) -> Decision:
    """Say what a revocation did, or what one would do.

    active: whether the token was; None where it is not any more and an earlier try may have revoked it.
    """
    if active is None:
        return Decision(
            NONE,
            "The token is not active any more. An earlier try to revoke it, which the API answered with an"
            " error, may have done it.",
        )
    if active:
        return Decision(REVOKED, "The token was active.")
    return Decision(NONE, "The token is not active any more, so there is nothing to revoke.")


def scope_warning(wanted: Sequence[str] | None, granted: Sequence[str] | None) -> str | None:
    """Return what to warn about when the API granted another scope than was asked for, as a sentence."""
    if wanted is None or granted is None or same_scope(wanted, granted):
        return None
    return (
        f"The scope {scope_text(wanted)} was asked for and the API granted {scope_text(granted)}; while they differ,"
        " every run will replace the token."
    )


def same_scope(one: Iterable[str], other: Iterable[str]) -> bool:
    """Compare two scopes as sets (RFC 6749, section 3.3), and without regard to case: the API has two ways for skus."""
    return {value.casefold() for value in one} == {value.casefold() for value in other}


def scope_text(scope: Sequence[str]) -> str:
    """Name a scope in a sentence."""
    return f"'{' '.join(scope)}'"
