# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever comes in, the decision keeps the promises of the module."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.voucherify.oauth.plugins.module_utils import _lifecycle as lifecycle
from ansible_collections.voucherify.oauth.plugins.module_utils._lifecycle import Wanted, for_absent, for_present
from ansible_collections.voucherify.oauth.plugins.module_utils._oauth import TokenDetails
from hypothesis import given
from hypothesis import strategies as st

SCOPES = st.lists(st.sampled_from(["vouchers", "Vouchers", "SKUs", "skus", "campaigns", "api"]), min_size=1, max_size=4)
DETAILS = st.builds(
    TokenDetails,
    token_type=st.just("Bearer"),
    scope=SCOPES.map(tuple),
    client_id=st.text(),
    expires_at=st.integers(),
    expires_in=st.integers(-10, 1000),
)
WANTED = st.builds(
    Wanted,
    scope=st.none() | SCOPES.map(tuple),
    min_expires_in=st.integers(0, 899),
    force=st.booleans(),
)


@given(WANTED, st.booleans(), st.none() | DETAILS)
def test_a_kept_token_is_active_of_the_wanted_scope_and_lives_long_enough(
    wanted: Wanted, is_given: bool, details: TokenDetails | None
) -> None:
    decision = for_present(wanted, given=is_given, details=details)
    if decision.operation == lifecycle.KEPT:
        assert is_given
        assert details is not None
        assert wanted.scope is None or {v.lower() for v in wanted.scope} == {v.lower() for v in details.scope}
        assert details.expires_in >= wanted.min_expires_in


@given(WANTED, DETAILS)
def test_a_good_token_is_kept(wanted: Wanted, details: TokenDetails) -> None:
    good = replace(details, scope=wanted.scope or details.scope, expires_in=wanted.min_expires_in)
    assert for_present(replace(wanted, force=False), given=True, details=good).operation == lifecycle.KEPT


@given(WANTED, DETAILS)
def test_order_and_case_of_the_scope_do_not_matter(wanted: Wanted, details: TokenDetails) -> None:
    shuffled = tuple(value.swapcase() for value in reversed(details.scope))
    wanted = replace(wanted, scope=shuffled, min_expires_in=0, force=False)
    details = replace(details, expires_in=1)
    assert for_present(wanted, given=True, details=details).operation == lifecycle.KEPT


@given(WANTED, st.booleans(), st.none() | DETAILS)
def test_force_never_keeps(wanted: Wanted, is_given: bool, details: TokenDetails | None) -> None:
    assert for_present(replace(wanted, force=True), given=is_given, details=details).operation != lifecycle.KEPT


@given(WANTED, st.booleans(), st.none() | DETAILS)
def test_a_token_that_was_not_given_is_generated_and_one_that_was_is_kept_or_replaced(
    wanted: Wanted, is_given: bool, details: TokenDetails | None
) -> None:
    operation = for_present(wanted, given=is_given, details=details).operation
    assert operation in ((lifecycle.KEPT, lifecycle.REPLACED) if is_given else (lifecycle.GENERATED,))


@given(st.booleans())
def test_absent_revokes_what_is_active_and_nothing_else(active: bool) -> None:
    decision = for_absent(active=active)
    assert decision.operation == (lifecycle.REVOKED if active else lifecycle.NONE)
    assert decision.changes is active


@given(WANTED, st.booleans(), st.none() | DETAILS)
def test_only_a_kept_token_changes_nothing_and_each_reason_is_a_sentence(
    wanted: Wanted, is_given: bool, details: TokenDetails | None
) -> None:
    decision = for_present(wanted, given=is_given, details=details)
    assert decision.changes is (decision.operation != lifecycle.KEPT)
    assert decision.reason[0].isupper()
    assert decision.reason.endswith(".")
