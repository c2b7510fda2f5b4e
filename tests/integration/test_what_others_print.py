# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible itself prints: two of the cases in the README, whose advice keeps the secret hidden.

Each also runs without the advice. If that no longer shows a secret, the case can be removed from the README.
"""

from __future__ import annotations

from typing import Any

import pytest
from ansible.release import __version__ as core_version
from integration.plays import Play
from leaks import find_secrets
from sandbox import Sandbox

CORE = tuple(int(part) for part in core_version.split(".")[:2])
# This and later versions of ansible-core mask the tokens that this collection reads or makes.
MASKING_CORE = (2, 22)

MAKE = {"voucherify.oauth.voucherify_oauth_token": {"scope": ["vouchers"]}, "register": "made"}
USE = {
    "ansible.builtin.uri": {
        "url": "{{ lookup('env', 'VOUCHERIFY_API_BASE_URL') }}/v1/vouchers",
        "headers": {"Authorization": "Bearer {{ made.access_token }}"},
    }
}
MISSPELLED = {
    "voucherify.oauth.voucherify_oauth_token_info": {"access_token": "{{ item.acces_token }}"},
    "loop": ["{{ made }}"],
    "ignore_errors": True,
}
# A task, and the first ansible-core that shows its secret.
CASES: dict[str, tuple[dict[str, Any], tuple[int, int]]] = {
    "a task that uses a token": (USE, (2, 16)),
    "items of options that cannot be templated": (MISSPELLED, (2, 19)),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", CASES)
def test_the_advice_in_the_readme_hides_what_other_plugins_show(play: Play, sandbox: Sandbox, name: str) -> None:
    task, shown_since = CASES[name]

    def leaked_secrets(task: dict[str, Any]) -> list[str]:
        # From 2.21 on, ansible-core only prints a module's options with this.
        run = play([MAKE, task], "-vvv", environment={"ANSIBLE_INJECT_INVOCATION": "true"})
        assert len(sandbox.tokens()) > 0
        return find_secrets(run.output, sandbox)

    assert not leaked_secrets({**task, "no_log": True})
    assert bool(leaked_secrets(task)) == (shown_since <= CORE < MASKING_CORE)
