# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No output shows a secret that was given in any option of any module, even in a wrong one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.voucherify.oauth.plugins.modules import (
    vaulted_tokens,
    vaulted_vars,
    voucherify_oauth_token,
    voucherify_oauth_token_info,
)
from integration.plays import CHECKOUT, Play, Run
from leaks import find_secrets
from sandbox import Sandbox

MODULES = (voucherify_oauth_token, voucherify_oauth_token_info, vaulted_vars, vaulted_tokens)
# The path is part of the result, so it is shown.
SHOWN = {("vaulted_vars", "path"), ("vaulted_tokens", "path")}
ROLE = "voucherify.oauth.token_vault"
LOOKS_RANDOM = "gT7kPq2LmX9sVb4RzW1cNd8HfJ3y"

# How a secret can get into an option. {{ secret }} is a string; {{ item }} contains it.
SHAPES: list[tuple[Any, Any]] = [
    ("{{ secret }}", None),
    ("Bearer {{ secret }}", None),
    (["x", "{{ secret }},x"], None),
    ("{{ item }}", ["{{ secret }}"]),
    ([{"access_token": "{{ secret }}"}], None),
    ("{{ item }}", [{"a": "{{ secret }}"}]),
    ("{{ item.a }}", [{"a": "x", "b": "{{ secret }}"}]),
]


def tasks_of(module: Any, each_shape: bool) -> Iterator[dict[str, Any]]:
    """Yield tasks with a secret in each option, in each shape or in one."""
    name = module.__name__.rpartition(".")[2]
    base: dict[str, Any] = {"api_base_url": "http://127.0.0.1:9", "retries": 0, "access_token": "an-unknown-token"}
    if module is vaulted_vars:
        base = {"path": "{{ playbook_dir }}/vars/made.yml", "variables": {"a": "b"}}
    if module is vaulted_tokens:
        base = {"path": "{{ playbook_dir }}/vars/tokens.yml", "tokens": [{"name": "a", "scope": ["vouchers"]}]}
    turns = cycle(SHAPES)
    for option in (*module.ARGUMENT_SPEC, "tokens"):
        for value, loop in SHAPES if each_shape else [next(turns)]:
            if (name, option) in SHOWN:
                continue
            task = {f"voucherify.oauth.{name}": {**base, option: value}, "ignore_errors": True}
            yield {**task, "loop": loop} if loop else task


def run_tasks(play: Play, sandbox: Sandbox, folder: Path, tasks: list[dict[str, Any]]) -> Run:
    """Run tasks, and check that no output and no vars file contains the secret or half of it."""
    environment = {
        "SECRET_OF_TEST": sandbox.app_token,
        "ANSIBLE_LOG_PATH": str(folder / "ansible.log"),
    }
    secret = {"secret": "{{ lookup('env', 'SECRET_OF_TEST') }}", "looks_random": LOOKS_RANDOM}
    run = play(tasks, "-vvvvv", "--diff", environment=environment, vault_ids=["default"], vars=secret)
    assert "must be an integer, but it is a string" in run.output
    written = [folder / "ansible.log", *(path for path in folder.rglob("vars/*") if path.is_file())]
    everything = run.output + "".join(path.read_text() for path in written)
    assert not find_secrets(everything, sandbox, sandbox.app_token[: len(sandbox.app_token) // 2])
    return run


@pytest.mark.parametrize("each_shape", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_no_output_shows_a_secret_from_any_option(
    play: Play, sandbox: Sandbox, tmp_path: Path, each_shape: bool
) -> None:
    tasks = [task for module in MODULES for task in tasks_of(module, each_shape)]
    names: list[dict[str, Any]] = [{"tokens": [{"name": "{{ looks_random }}"}]}, {"variables": {LOOKS_RANDOM: "x"}}]
    tasks += [
        {f"voucherify.oauth.{name}": {"path": "tokens.yml", **options}, "ignore_errors": True}
        for name, options in zip(("vaulted_tokens", "vaulted_vars"), names)
    ]
    run = run_tasks(play, sandbox, tmp_path, tasks)
    assert run.unwrapped.count("looks like a token or a key") >= 2


@pytest.mark.thorough
def test_no_output_shows_a_secret_from_any_variable_of_the_role(play: Play, sandbox: Sandbox, tmp_path: Path) -> None:
    spec = yaml.safe_load((CHECKOUT / "roles/token_vault/meta/argument_specs.yml").read_text())
    variables = [name for name in spec["argument_specs"]["main"]["options"] if name != "token_vault_path"]
    options = ("name", "scope", "state", "min_expires_in", "other")
    entries = [*({"name": "a", option: "{{ secret }}"} for option in options), "{{ {secret: 1} }}", "{{ secret }}=1"]
    given: list[dict[str, Any]] = [{name: value} for name in variables for value, loop in SHAPES if not loop]
    given += [{"token_vault_tokens": [entry]} for entry in entries]
    base = {"token_vault_path": str(tmp_path / "tokens.yml"), "token_vault_tokens": [{"name": "a"}]}
    tasks = [
        {
            "block": [{"ansible.builtin.include_role": {"name": ROLE}, "vars": {**base, **variable}}],
            "rescue": [{"ansible.builtin.debug": {"msg": "It failed."}}],
        }
        for variable in given
    ]
    run_tasks(play, sandbox, tmp_path, tasks)
