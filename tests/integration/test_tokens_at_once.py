# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that use one file of tokens at the same time, and rate limits that calls share."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import yaml
from integration.plays import run_command
from integration.token_file import TokenFile, numbered_tokens
from sandbox import ALWAYS, Sandbox


@pytest.fixture
def vault(tmp_path: Path, sandbox: Sandbox) -> TokenFile:
    sandbox.configure(rate_limit=0)
    return TokenFile(tmp_path, sandbox)


def test_runs_at_the_same_time_share_the_tokens(vault: TokenFile) -> None:
    vault.sandbox.configure(latency=0.1)
    runs = [vault.start(tokens=numbered_tokens(2)) for _run in range(4)]
    done = [run.end() for run in runs]
    assert [run.status for run in done] == [0] * 4, [run.output for run in done]
    assert len(vault.sandbox.tokens()) == 2
    assert set(vault.variables().values()) == vault.live_tokens()
    operations = sorted(operation for run in done for operation in run.operations.values())
    assert operations == ["generated"] * 2 + ["kept"] * 6


def test_with_the_strategy_free_one_token_is_made_for_all_hosts(vault: TokenFile) -> None:
    vault.sandbox.configure(latency=0.1)
    run = vault.run("-i", "one,two,three", tokens=numbered_tokens(1), play={"hosts": "all", "strategy": "free"})
    assert run.status == 0, run.output
    assert len(vault.sandbox.tokens()) == 1


def test_runs_with_different_tokens_in_one_file_lose_nothing(vault: TokenFile) -> None:
    vault.sandbox.configure(latency=0.05)
    every = numbered_tokens(12)
    runs = [vault.start(tokens=every[first : first + 6]) for first in (0, 3, 6)]
    assert [run.end().status for run in runs] == [0] * 3
    assert len(vault.sandbox.tokens()) == 12
    assert len(vault.variables()) == 12
    assert not vault.lost_tokens()


def test_check_mode_does_not_wait_for_the_lock(vault: TokenFile) -> None:
    vault.sandbox.fail("generate", hold=True, times=2)
    running = vault.start(tokens=numbered_tokens(2))
    vault.sandbox.wait_for_calls_in_flight(2)
    assert vault.run("--check", tokens=numbered_tokens(2)).operations == {
        "token_0": "generated",
        "token_1": "generated",
    }
    vault.sandbox.release()
    assert running.end().status == 0
    assert len(vault.sandbox.tokens()) == 2


def test_eight_calls_are_made_at_once(vault: TokenFile) -> None:
    vault.sandbox.configure(latency=0.2)
    assert vault.run(tokens=numbered_tokens(20)).status == 0
    assert vault.sandbox.most_in_flight() == 8
    vault.sandbox.advance(1)
    assert vault.run(tokens=numbered_tokens(20)).status == 0
    assert vault.sandbox.most_in_flight() == 8


def test_a_kept_token_that_ages_during_a_long_wait_is_replaced(vault: TokenFile) -> None:
    assert vault.run(tokens=numbered_tokens(1)).status == 0
    # The kept token has three seconds more than it needs, and the other call waits longer than that.
    vault.sandbox.advance(900 - 300 - 3)
    vault.sandbox.fail("generate", status=429, headers={"Retry-After": "5"})
    run = vault.run(tokens=numbered_tokens(2))
    assert run.status == 0, run.output
    assert run.operations == {"token_0": "replaced", "token_1": "generated"}
    assert all(token["expires_in"] >= 300 for token in run.result["tokens"])
    assert len(vault.variables()) == 2


def test_a_rate_limit_that_calls_share_uses_up_no_retries(vault: TokenFile) -> None:
    # Slow enough that eight calls are in flight before the first one is refused.
    vault.sandbox.configure(latency=1.0)
    vault.sandbox.fail("generate", status=429, headers={"Retry-After": "1"}, times=6)
    run = vault.run(tokens=numbered_tokens(10), retries=2, max_wait=20)
    assert run.status == 0, run.output
    assert len(vault.variables()) == 10
    assert not vault.lost_tokens()


def test_a_rate_limit_that_refuses_every_second_call_loses_no_token(vault: TokenFile) -> None:
    for _pair in range(200):
        vault.sandbox.fail("generate", skip=1, status=429, headers={"Retry-After": "0"})
    run = vault.run(tokens=numbered_tokens(40), retries=1)
    assert run.status == 0, run.output
    assert len(vault.variables()) == 40
    assert not vault.lost_tokens()


def test_a_rate_limit_that_does_not_end_fails_but_saves_the_tokens_made_so_far(vault: TokenFile) -> None:
    vault.sandbox.fail("generate", skip=9, status=429, headers={"Retry-After": "1"}, times=ALWAYS)
    start = time.monotonic()
    run = vault.run(tokens=numbered_tokens(20), retries=2, max_wait=10)
    assert run.status != 0
    assert "429" in run.message
    assert len(vault.variables()) == 9
    assert not vault.lost_tokens()
    assert "9 of the 20 tokens" in run.message
    assert time.monotonic() - start < 40


def test_a_rate_limit_is_not_waited_for_without_retries(vault: TokenFile) -> None:
    vault.sandbox.fail("generate", status=429, headers={"Retry-After": "1"})
    run = vault.run(tokens=numbered_tokens(1), retries=0)
    assert "429" in run.message
    assert len(vault.sandbox.calls("generate")) == 1


def test_one_replaced_token_that_cannot_be_revoked_does_not_stop_the_retries_of_others(vault: TokenFile) -> None:
    assert vault.run(tokens=numbered_tokens(8)).status == 0
    vault.sandbox.fail("revoke", status=403)
    vault.sandbox.fail("revoke", status=503, headers={"Retry-After": "1"}, times=7)
    run = vault.run(tokens=numbered_tokens(8), force=True, revoke_replaced=True)
    assert "answered 403" in run.message
    assert len(vault.lost_tokens()) == 1


def test_a_rate_limit_that_does_not_end_tries_to_revoke_every_replaced_token(vault: TokenFile) -> None:
    assert vault.run(tokens=numbered_tokens(8)).status == 0
    vault.sandbox.configure(latency=0.2)
    vault.sandbox.fail("revoke", status=429, headers={"Retry-After": "1"}, times=ALWAYS)
    start = time.monotonic()
    run = vault.run(tokens=numbered_tokens(8), force=True, revoke_replaced=True, retries=2, max_wait=10)
    assert "answered 429" in run.message
    assert all(f"token_{number}" in run.message for number in range(8))
    assert len({call.form["access_token"] for call in vault.sandbox.calls("revoke")}) == 8
    assert time.monotonic() - start < 40


def test_a_lost_answer_is_reported_and_nothing_else_is_lost(vault: TokenFile) -> None:
    # The last call of the batch, because a failure stops the calls that have not begun.
    vault.sandbox.fail("generate", skip=7, cut=True, carried_out=True)
    run = vault.run(tokens=numbered_tokens(8))
    assert run.status != 0
    assert "token_" in run.message
    assert "it may have made a token that was lost" in run.unwrapped
    assert len(vault.lost_tokens()) == 1
    assert len(vault.variables()) == 7
    assert "7 of the 8 tokens" in run.message


def test_hosts_that_run_the_role_at_the_same_time_share_the_tokens(
    vault: TokenFile, ansible_environment: dict[str, str]
) -> None:
    vault.sandbox.configure(latency=0.1)
    book = [
        {
            "hosts": "all",
            "gather_facts": False,
            "strategy": "free",
            "vars": {"token_vault_path": str(vault.path), "token_vault_tokens": numbered_tokens(2)},
            "roles": ["voucherify.oauth.token_vault"],
            "tasks": [{"ansible.builtin.assert": {"that": "token_0 | length > 20"}}],
        }
    ]
    (vault.home / "role.yml").write_text(yaml.safe_dump(book))
    status, output = run_command(
        *("ansible-playbook", "-i", "one,two,three", "role.yml", *vault.vault_id_options(["default"])),
        environment={**os.environ, **ansible_environment, **vault.sandbox.environment},
        cwd=vault.home,
    )
    assert status == 0, output
    assert len(vault.sandbox.tokens()) == 2
