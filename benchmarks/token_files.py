# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures tokens in a vars file, by number of tokens: with the module, with the role, and written by hand."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox import Sandbox

from .cases import Task, by_hand
from .figures import Figures
from .runs import Runner, say

MODULE = "voucherify.oauth.vaulted_tokens"
ROLE = "voucherify.oauth.token_vault"

# What writes the file, and its name on the page.
WRITERS = {"module": "`vaulted_tokens`", "role": "role `token_vault`", "hand": "by hand"}
STATES = ("new", "kept")

_FOLDER = "stored"
_FILE = f"{_FOLDER}/tokens.yml"
_RUNS_AT_ONCE = 4


class TokenFiles:
    """Runs ansible-playbook on one vars file and adds the results to figures."""

    def __init__(self, figures: Figures, runner: Runner, sandbox: Sandbox) -> None:
        self._figures = figures
        self._sizes = figures.sizes
        self._runner = runner
        self._sandbox = sandbox
        password = runner.folder / "vault-password"
        password.write_text(secrets.token_urlsafe(32))
        self._arguments = ("--vault-password-file", str(password))

    def measure(self) -> None:
        """Measure everything once more. Raises RuntimeError if a run fails or did not do what it should."""
        empty_play = self._runner.seconds([], {}, *self._arguments)
        self._figures.empty_play.append(empty_play)
        for writer, count, latency in self._series():
            for state in STATES:
                seconds = self._run(writer, state, count, latency)
                key = key_of(writer, state, count, latency)
                self._figures.token_files.setdefault(key, []).append(seconds - empty_play)
                say(f"  {key}: {seconds - empty_play:.2f} s more than an empty play")
        self._memory()
        self._at_once()

    def _series(self) -> Iterator[tuple[str, int, float]]:
        for count in self._sizes.tokens:
            for latency in (0.0, self._sizes.latency):
                yield "module", count, latency
                yield "role", count, latency
                # More tokens would take minutes.
                if count <= self._sizes.most_by_hand:
                    yield "hand", count, latency
        yield "module", self._sizes.many_tokens, self._sizes.latency

    def _run(self, writer: str, state: str, count: int, latency: float) -> float:
        variables = self._reset(count, latency)
        if state == "kept":
            self._runner.seconds(self._tasks("module", count), variables, *self._arguments)
        made = len(self._sandbox.tokens())
        start = time.perf_counter()
        self._runner.seconds(self._tasks(writer, count, state), variables, *self._arguments)
        seconds = time.perf_counter() - start
        expected = 0 if state == "kept" else count
        if len(self._sandbox.tokens()) - made != expected:
            raise RuntimeError(f"{writer} did not make {expected} tokens")
        return seconds

    def _memory(self) -> None:
        for count, kept in (
            (self._sizes.few_tokens, self._figures.memory_few_in_file),
            (self._sizes.many_tokens, self._figures.memory_many_in_file),
        ):
            variables = self._reset(count, 0.0)
            kept.append(self._runner.peak_memory(self._tasks("module", count), variables, *self._arguments))

    def _at_once(self) -> None:
        """Start several runs on one file, and count the tokens that they make."""
        variables = self._reset(2, 2 * self._sizes.latency)
        start = time.perf_counter()
        runs = [
            self._runner.start(self._tasks("module", 2), variables, *self._arguments) for _run in range(_RUNS_AT_ONCE)
        ]
        for run in runs:
            self._runner.end(run)
        self._figures.runs_at_once.append(time.perf_counter() - start)
        self._figures.tokens_of_runs_at_once.append(len(self._sandbox.tokens()))

    def _reset(self, count: int, latency: float) -> Mapping[str, Any]:
        self._sandbox.reset()
        self._sandbox.configure(rate_limit=0, latency=latency)
        shutil.rmtree(self._runner.folder / _FOLDER, ignore_errors=True)
        return {
            "app_id": self._sandbox.app_id,
            "app_token": self._sandbox.app_token,
            "api_base_url": self._sandbox.url,
            "names": [f"token_{number}" for number in range(count)],
        }

    def _tasks(self, writer: str, count: int, state: str = "new") -> list[Task]:
        tokens = [{"name": f"token_{number}", "scope": ["vouchers"]} for number in range(count)]
        connection = {name: f"{{{{ {name} }}}}" for name in ("app_id", "app_token", "api_base_url")}
        if writer == "module":
            return [{MODULE: {"path": _FILE, "tokens": tokens, **connection}}]
        if writer == "role":
            variables = {"token_vault_path": _FILE, "token_vault_tokens": tokens}
            variables.update({f"token_vault_{name}": value for name, value in connection.items()})
            return [{"ansible.builtin.include_role": {"name": ROLE}, "vars": variables}]
        return by_hand(_FILE, kept=state == "kept")


def key_of(writer: str, state: str, count: int, latency: float) -> str:
    """Return the key of a measurement in Figures.token_files."""
    return f"{writer} {state} {count} {latency:g}"
