# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of vaulted_tokens on one vars file, and what the file contains afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import is_encrypted
from integration.long_play import LongPlay
from integration.plays import Run, StartedRun, Task, start_play, vault_of
from sandbox import Sandbox

MODULE = "voucherify.oauth.vaulted_tokens"
TOKENS: tuple[dict[str, Any], ...] = (
    {"name": "vouchers_token", "scope": ["vouchers"]},
    {"name": "campaigns_token", "scope": ["campaigns"], "min_expires_in": 60},
    {"name": "orders_token", "scope": ["orders"]},
)
NAMES = [token["name"] for token in TOKENS]


class TokenFile:
    """A vars file in its own folder, and runs of one task on it."""

    def __init__(self, folder: Path, sandbox: Sandbox, long_play: LongPlay) -> None:
        self.sandbox = sandbox
        self.long_play = long_play
        self.home = folder
        self.folder = folder / "project"
        self.folder.mkdir()
        self.path = self.folder / "tokens.yml"

    def task(self, keywords: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """Return a task with these keywords and options. The time is enough for an answer that is held back."""
        return {
            MODULE: {"path": str(self.path), "timeout": 100, **options},
            "register": "outcome",
            "ignore_errors": True,
            **(keywords or {}),
        }

    def run(self, **how: Any) -> Run:
        """Run a task in the long play."""
        return self.long_play.run([self.task(**how)], ["outcome"])

    def check(self, **how: Any) -> Run:
        """Run a task in check mode."""
        return self.run(keywords={"check_mode": True}, **how)

    def begin(self, **how: Any) -> None:
        """Begin a task in the long play. Its C(end) waits for it."""
        self.long_play.begin([self.task(**how)], ["outcome"])

    def run_each(self, tasks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Run a task for each mapping of options, and return their results."""
        names = [f"outcome_{number}" for number in range(len(tasks))]
        run = self.long_play.run(
            [self.task({"register": name}, **options) for name, options in zip(names, tasks)],
            names,
        )
        return [run.variables[name] for name in names]

    def start(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        play: Mapping[str, Any] | None = None,
        tasks: Sequence[Task] | None = None,
        **how: Any,
    ) -> StartedRun:
        """Start ansible-playbook with a task, or with these tasks. play: keywords of the play."""
        return start_play(
            self.home,
            tasks or [self.task(**how)],
            *arguments,
            environment={**self.sandbox.environment, **(environment or {})},
            fetch=["outcome"],
            vault_ids=("default",),
            **(play or {}),
        )

    def variables(self) -> dict[str, Any]:
        """Return the variables of the file, decrypted by ansible-core's vault."""
        if not self.path.exists():
            return {}
        vault = vault_of()
        data = self.path.read_bytes()

        class Loader(yaml.SafeLoader):
            pass

        Loader.add_constructor("!vault", lambda _loader, node: vault.decrypt(node.value.encode()).decode())
        Loader.add_constructor("!unsafe", lambda _loader, node: node.value)
        # A safe loader with two more tags.
        return yaml.load(vault.decrypt(data) if is_encrypted(data) else data, Loader) or {}

    def live_tokens(self) -> set[str]:
        return {token.access_token for token in self.sandbox.live_tokens()}

    def lost_tokens(self) -> set[str]:
        """Return the live tokens that the file does not have."""
        return self.live_tokens() - set(self.variables().values())

    def other_files(self) -> list[str]:
        """Return the names of the other files in the folder."""
        return sorted(path.name for path in self.folder.iterdir() if path != self.path)


def numbered_tokens(count: int, **more: Any) -> list[dict[str, Any]]:
    """Return a list for the option `tokens`: token_0, token_1 and so on."""
    return [{"name": f"token_{number}", "scope": ["vouchers"], **more} for number in range(count)]
