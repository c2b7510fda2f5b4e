# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures vaulted variables by number of variables: writing, keeping, changing and reading them back."""

from __future__ import annotations

import secrets
import shutil
from typing import Any

from .cases import Task
from .figures import Figures
from .runs import Runner, say

VAULTED_VARS = "voucherify.oauth.vaulted_vars"
FORMATS = ("inline", "file")

# The folder of the vars files, next to the playbook.
FOLDER = "stored"

# The name of the task and of its figure, and its name on the page. `nothing` is for comparison.
STEPS = {
    "write": "write a new file",
    "keep": "write equal values",
    "change": "change one value",
    "read": "read all back",
    "nothing": "a task that does nothing (`debug`)",
}


def measure_vaults(figures: Figures, runner: Runner) -> None:
    """Measure everything once more. Raises RuntimeError if a run fails or did not do what it should."""
    password = runner.folder / "vault-password"
    password.write_text(secrets.token_urlsafe(32))
    for count in figures.sizes.variables:
        for vault_format in FORMATS:
            # As long as a token.
            wanted = {f"token_{number}": secrets.token_hex(25) for number in range(count)}
            changed = {**wanted, "token_0": secrets.token_hex(25)}
            tasks = _tasks(vault_format, count)
            arguments = ("--vault-password-file", str(password))
            laps = runner.laps(tasks, {"wanted": wanted, "changed": changed}, *arguments)
            for step in STEPS:
                figures.vaults.setdefault(_key(vault_format, count, step), []).append(laps[step])
            shutil.rmtree(runner.folder / FOLDER)
            say(f"  {count} variables, {vault_format}: {laps['write']:.3f} s to write, {laps['read']:.3f} s to read")


def vault_figures(figures: Figures, vault_format: str, step: str) -> list[list[float]]:
    """Return the seconds of a step, a list for each number of variables."""
    return [figures.vaults[_key(vault_format, count, step)] for count in figures.sizes.variables]


def _key(vault_format: str, count: int, step: str) -> str:
    return f"{vault_format} {count} {step}"


def _tasks(vault_format: str, count: int) -> list[Task]:
    """Return the tasks of one run. An assertion after each step proves that it did its work."""
    return [
        # Absorbs the one-time costs of a run, such as imports.
        _write("first", {"any": "thing"}, vault_format, file="first.yml"),
        _write("write", "{{ wanted }}", vault_format),
        _prove(f"step.added | length == {count}"),
        _write("keep", "{{ wanted }}", vault_format),
        _prove("not step.changed"),
        _write("change", "{{ changed }}", vault_format),
        _prove("step.updated == ['token_0']"),
        # A value is only decrypted when it is used, so use it.
        {"name": "read", "ansible.builtin.include_vars": {"file": f"{FOLDER}/vars.yml", "name": "stored"}},
        {"name": "read", **_prove("stored == changed")},
        {"name": "nothing", "ansible.builtin.debug": {"msg": "nothing"}},
    ]


def _write(name: str, variables: Any, vault_format: str, file: str = "vars.yml") -> Task:
    options = {"path": f"{FOLDER}/{file}", "variables": variables, "format": vault_format}
    return {"name": name, VAULTED_VARS: options, "register": "step"}


def _prove(condition: str) -> Task:
    return {"ansible.builtin.assert": {"that": condition, "quiet": True}}
