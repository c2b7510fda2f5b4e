# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests control in the sandbox and rely on when they assert that something was lost or was never sent."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from sandbox import Sandbox
from unit.sandbox.client import Client

# What goes wrong, and the number of tokens that are made.
FAULTS: list[tuple[dict[str, Any], int]] = [
    *(({fault: True, "carried_out": made == 1}, made) for fault in ("cut", "hang") for made in (0, 1)),
    ({"truncate": True}, 1),
    ({"delay": 3}, 1),
]


@pytest.mark.parametrize(("fault", "made"), FAULTS)
def test_an_answer_can_be_lost_with_or_without_the_work_done(
    sandbox: Sandbox, client: Client, fault: dict[str, Any], made: int
) -> None:
    sandbox.fail("generate", **fault)
    with pytest.raises(requests.RequestException):
        client.generate(timeout=1)
    assert len(sandbox.live_tokens()) == made
    assert len(sandbox.calls("generate")) == 1


def test_faults_apply_in_their_order_and_only_to_the_chosen_calls(sandbox: Sandbox, client: Client) -> None:
    sandbox.fail("introspect", skip=1, times=2, status=500)
    sandbox.fail("introspect", skip=1, status=502)
    sandbox.fail("any", status=503)
    assert client.send("GET", "/elsewhere").status_code == 404
    assert [client.introspect("a").status_code for _turn in range(7)] == [200, 500, 500, 200, 502, 503, 200]
    for operation in ("generate", "introspect", "revoke", "vouchers", "campaigns"):
        sandbox.fail(operation, status=500)
    answers = [client.generate(), client.introspect("a"), client.revoke("a")]
    answers += [client.send("GET", "/v1/vouchers"), client.send("GET", "/v1/campaigns")]
    assert [answer.status_code for answer in answers] == [500] * 5


@pytest.mark.parametrize(
    "fault",
    [
        {"operation": "delete", "cut": True},
        {"operation": "any", "cut": True, "hang": True},
        {"operation": "any", "a": 1},
        {"operation": "any", "times": "ALWAYS"},
    ],
)
def test_an_invalid_fault_is_refused(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    response = requests.post(f"{sandbox.environment['VOUCHERIFY_SANDBOX_URL']}/faults", json=fault, timeout=10)
    assert response.status_code == 400
    assert response.json()["error"]
