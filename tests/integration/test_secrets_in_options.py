# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No output shows a secret that was given in any option of any module, even in a wrong one."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from ansible_collections.voucherify.oauth.plugins.modules import (
    vaulted_tokens,
    vaulted_vars,
    voucherify_oauth_token,
    voucherify_oauth_token_info,
)
from integration.plays import CHECKOUT, EACH_WAY, Play
from sandbox import Sandbox

MODULES = (voucherify_oauth_token, voucherify_oauth_token_info, vaulted_vars, vaulted_tokens)
# The path is part of the result, so it is shown.
SHOWN = {("vaulted_vars", "path"), ("vaulted_tokens", "path")}
ROLE = "voucherify.oauth.token_vault"

# How a secret can get into an option. {{ secret }} is a string; {{ item }} contains it.
SHAPES: dict[str, tuple[Any, Any]] = {
    "value": ("{{ secret }}", None),
    "with more": ("Bearer {{ secret }}", None),
    "before a comma": ("{{ secret }},x", None),
    "list": (["{{ secret }}"], None),
    "second in a list": (["x", "{{ secret }},x"], None),
    "mapping": ({"a": "{{ secret }}"}, None),
    "list of mappings": ([{"access_token": "{{ secret }}"}], None),
    "loop": ("{{ item }}", ["{{ secret }}"]),
    "mapping in a loop": ("{{ item }}", [{"a": "{{ secret }}"}]),
    "part of an item": ("{{ item.a }}", [{"a": "x", "b": "{{ secret }}"}]),
}


def tasks_of(module: Any) -> Iterator[dict[str, Any]]:
    name = module.__name__.rpartition(".")[2]
    base: dict[str, Any] = {"api_base_url": "http://127.0.0.1:9", "retries": 0, "access_token": "abc"}
    if module is vaulted_vars:
        base = {"path": "{{ playbook_dir }}/vars/made.yml", "variables": {"a": "b"}}
    if module is vaulted_tokens:
        base = {"path": "{{ playbook_dir }}/vars/tokens.yml", "tokens": [{"name": "a", "scope": ["vouchers"]}]}
    for option in (*module.ARGUMENT_SPEC, "tokens"):
        for value, loop in SHAPES.values():
            if (name, option) in SHOWN:
                continue
            task = {f"voucherify.oauth.{name}": {**base, option: value}, "ignore_errors": True}
            yield {**task, "loop": loop} if loop else task


@EACH_WAY
def test_no_output_shows_a_secret_from_any_option(play: Play, sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    modules = MODULES if way == "worker" else MODULES[:1]
    tasks = [task for module in modules for task in tasks_of(module)]
    (tmp_path / "password").write_text("a password")
    environment = {
        "SECRET_OF_TEST": sandbox.app_token,
        "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log"),
        "ANSIBLE_VAULT_PASSWORD_FILE": str(tmp_path / "password"),
    }
    verbosity = "-vvvvv" if way == "worker" else "-v"
    run = play(
        tasks,
        verbosity,
        "--diff",
        way=way,
        environment=environment,
        vars={"secret": "{{ lookup('env', 'SECRET_OF_TEST') }}"},
    )
    assert run.status == 0, run.output
    assert "must be an integer, but it is a string" in run.output
    everything = run.output + (tmp_path / "ansible.log").read_text()
    everything += "".join(path.read_text() for path in (tmp_path / "vars").rglob("*") if path.is_file())
    assert not [line for line in everything.splitlines() if contains(line, sandbox.app_token)]
    assert "Traceback" not in everything


def test_no_output_shows_a_secret_from_any_variable_of_the_role(play: Play, sandbox: Sandbox, tmp_path: Path) -> None:
    spec = yaml.safe_load((CHECKOUT / "roles/token_vault/meta/argument_specs.yml").read_text())
    variables = [name for name in spec["argument_specs"]["main"]["options"] if name != "token_vault_path"]
    entries = [
        {"name": "a", option: "{{ secret }}"} for option in ("name", "scope", "state", "min_expires_in", "other")
    ]
    given = [{name: value} for name in variables for value, loop in SHAPES.values() if not loop]
    given += [{"token_vault_tokens": [entry]} for entry in (*entries, "{{ {secret: 1} }}", "{{ secret }}=1")]
    base = {"token_vault_path": str(tmp_path / "tokens.yml"), "token_vault_tokens": [{"name": "a"}]}
    tasks = [
        {
            "block": [{"ansible.builtin.include_role": {"name": ROLE}, "vars": {**base, **variable}}],
            "rescue": [{"ansible.builtin.debug": {"msg": "It failed."}}],
        }
        for variable in given
    ]
    (tmp_path / "password").write_text("a password")
    environment = {
        "SECRET_OF_TEST": sandbox.app_token,
        "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log"),
        "ANSIBLE_VAULT_PASSWORD_FILE": str(tmp_path / "password"),
    }
    secret = {"secret": "{{ lookup('env', 'SECRET_OF_TEST') }}"}
    run = play(tasks, "-vvvvv", "--diff", environment=environment, vars=secret)
    assert run.status == 0, run.output
    assert "min_expires_in must be an integer, but it is a string" in run.output
    everything = run.output + (tmp_path / "ansible.log").read_text()
    assert not [line for line in everything.splitlines() if contains(line, sandbox.app_token)]


def contains(line: str, secret: str) -> bool:
    """Return whether a line contains the secret in plain text, JSON, URL encoding or base64, or its first half."""
    base64 = b64encode(secret.encode()).decode().rstrip("=")[:-1]
    encodings = (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), base64, secret[: len(secret) // 2])
    return any(encoded.casefold() in line.casefold() for encoded in encodings)
