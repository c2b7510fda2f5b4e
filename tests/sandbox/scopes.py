# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scopes that a token can have."""

from __future__ import annotations

from .refusal import Refusal

# From the OpenAPI document, OAuthTokenGenerateRequestBody.
_DOCUMENTED = """
    api assets async-actions campaigns categories client_api client_consents client_customers client_events
    client_promotions client_publish client_qualifications client_redeem client_redemptions client_validate
    client_validations client_vouchers consents customers events exports locations loyalties metadata-schemas
    orders product-collections products promotions publications qualifications redemptions referrals rewards
    segments skus task-results templates trash-bin validation-rules-assignments validation-rules validations
    vouchers
"""
SCOPES = frozenset(_DOCUMENTED.split())

# The OpenAPI document requires a scope, the SDK's page does not. A token without one can only mean all that the
# API key itself may do on the server side, and `api` is also what the document's example answers.
SCOPE_WHEN_NONE_IS_ASKED = "api"


def read_scope(asked: str | None) -> str:
    """The scope as the API spells it, each value once, from the form field's text.

    Raises Refusal `invalid_scope`, which names the first value that is none. The empty value before, after or between
    two spaces is none either: RFC 6749, section 3.3, allows exactly one space between values.
    """
    if asked is None:
        return SCOPE_WHEN_NONE_IS_ASKED
    values = asked.split(" ")
    for value in values:
        # Without regard to case, because the documents contradict each other: `SKUs` and `skus`.
        if value.lower() not in SCOPES:
            raise Refusal(400, "invalid_scope", f"Invalid scope: {value}")
    return " ".join(dict.fromkeys(value.lower() for value in values))
