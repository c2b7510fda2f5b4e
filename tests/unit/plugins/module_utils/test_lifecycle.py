# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decisions about a token keep the promises of the module for any input."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.voucherify.oauth.plugins.module_utils import _lifecycle as lifecycle
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import TokenDetails
from ansible_collections.voucherify.oauth.plugins.module_utils._lifecycle import Wanted, for_absent, for_present
from hypothesis import given
from hypothesis import strategies as st

SCOPES = st.lists(st.sampled_from(["vouchers", "Vouchers", "SKUs", "skus", "campaigns", "api"]), min_size=1, max_size=4)
DETAILS = st.builds(
    TokenDetails,
    token_type=st.just("Bearer"),
    scope=st.none() | SCOPES.map(tuple),
    client_id=st.none() | st.text(),
    expires_at=st.none() | st.integers(),
    expires_in=st.none() | st.integers(-10, 1000),
)
WANTED = st.builds(
    Wanted,
    scope=st.none() | SCOPES.map(tuple),
    min_expires_in=st.integers(0, 899),
    force=st.booleans(),
)


def lowered(scope: tuple[str, ...] | None) -> set[str] | None:
    return None if scope is None else {value.lower() for value in scope}


@given(WANTED, st.booleans(), st.none() | DETAILS)
def test_a_kept_token_has_the_wanted_scope_and_enough_time_left_and_each_reason_is_a_sentence(
    wanted: Wanted, is_given: bool, details: TokenDetails | None
) -> None:
    decision = for_present(wanted, given=is_given, details=details)
    if decision.operation == lifecycle.KEPT:
        assert not wanted.force
        assert details is not None
        assert wanted.scope is None or lowered(wanted.scope) == lowered(details.scope)
        assert details.expires_in is not None
        assert details.expires_in >= wanted.min_expires_in
    assert decision.operation in ((lifecycle.KEPT, lifecycle.REPLACED) if is_given else (lifecycle.GENERATED,))
    assert decision.changes is (decision.operation != lifecycle.KEPT)
    assert decision.reason[0].isupper()
    assert decision.reason.endswith(".")


@given(WANTED, DETAILS)
def test_a_good_token_is_kept(wanted: Wanted, details: TokenDetails) -> None:
    good = replace(details, scope=wanted.scope or details.scope, expires_in=wanted.min_expires_in)
    assert for_present(replace(wanted, force=False), given=True, details=good).operation == lifecycle.KEPT


@pytest.mark.parametrize(
    ("active", "operation"), [(True, lifecycle.REVOKED), (False, lifecycle.NONE), (None, lifecycle.NONE)]
)
def test_absent_revokes_only_an_active_token(active: bool | None, operation: str) -> None:
    decision = for_absent(active=active)
    assert (decision.operation, decision.changes) == (operation, operation == lifecycle.REVOKED)
    assert ("may have revoked it" in decision.reason) is (active is None)
