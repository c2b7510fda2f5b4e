# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Keep, generate, replace, revoke or nothing, and why. Pure: from what is wanted and what is known, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ._oauth import TokenDetails

TOKEN_LIFE_SECONDS = 900

KEPT = "kept"
GENERATED = "generated"
REPLACED = "replaced"
REVOKED = "revoked"
NONE = "none"


@dataclass(frozen=True)
class Wanted:
    """What a token must be to be kept.

    scope: None where any will do. min_expires_in: seconds that it must still live. force: keep none, however good.
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
        return Decision(GENERATED, "No token was given.")
    if wanted.force:
        return Decision(REPLACED, "The replacement was forced.")
    if details is None:
        return Decision(REPLACED, "The token given is not active: it expired, was revoked or is unknown.")
    if wanted.scope is not None and not same_scope(wanted.scope, details.scope):
        return Decision(
            REPLACED,
            f"The token given has the scope {scope_text(details.scope)}, and {scope_text(wanted.scope)} is wanted.",
        )
    if details.expires_in < wanted.min_expires_in:
        return Decision(
            REPLACED,
            f"The token given expires in {details.expires_in} s, and at least {wanted.min_expires_in} s are wanted.",
        )
    return Decision(KEPT, f"The token given is active, has the wanted scope and expires in {details.expires_in} s.")


def for_absent(*, active: bool) -> Decision:
    """Say what a revocation did, or what one would do."""
    if active:
        return Decision(REVOKED, "The token given was active.")
    return Decision(NONE, "The token given is not active any more, so there is nothing to revoke.")


def same_scope(one: Iterable[str], other: Iterable[str]) -> bool:
    """Compare two scopes as sets (RFC 6749, section 3.3), and without regard to case: the API has two ways for skus."""
    return {value.casefold() for value in one} == {value.casefold() for value in other}


def scope_text(scope: Sequence[str]) -> str:
    """Name a scope in a sentence."""
    return f"'{' '.join(scope)}'"
