# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of vaulted_tokens on one vars file, and what the file contains afterwards."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret, is_encrypted
from integration.plays import command_path, run_environment, unwrapped
from sandbox import Sandbox

MODULE = "voucherify.oauth.vaulted_tokens"
PASSWORD = "a-vault-password-to-search-for"


@dataclass(frozen=True)
class FinishedRun:
    """A finished run: its exit status, all its output, and the result of the task, if it has one."""

    status: int
    output: str = field(repr=False)
    result: Mapping[str, Any] = field(repr=False)

    @property
    def unwrapped(self) -> str:
        return unwrapped(self.output)

    @property
    def message(self) -> str:
        return str(self.result.get("msg", ""))

    @property
    def operations(self) -> dict[str, str]:
        return {token["name"]: token["operation"] for token in self.result["tokens"]}


class TokenFile:
    """A vars file in its own folder, and runs of one task on it."""

    def __init__(self, folder: Path, sandbox: Sandbox, name: str = "tokens.yml") -> None:
        self.sandbox = sandbox
        self.home = folder
        self.folder = folder / "project"
        self.folder.mkdir(exist_ok=True)
        self.path = self.folder / name
        self.passwords = {"default": PASSWORD}
        self._runs = 0

    def start(
        self,
        *arguments: str,
        tokens: Sequence[Mapping[str, Any]] | None = None,
        environment: Mapping[str, str] | None = None,
        keywords: Mapping[str, Any] | None = None,
        play: Mapping[str, Any] | None = None,
        vault_ids: Sequence[str] = ("default",),
        **options: Any,
    ) -> StartedRun:
        """Start a run.

        keywords: keywords of the task. play: keywords of the play. options: further options of the module.
        """
        self._runs += 1
        name = f"run-{self._runs}"
        result = self.home / f"{name}.json"
        task = {
            MODULE: {"path": str(self.path), **({} if tokens is None else {"tokens": list(tokens)}), **options},
            "register": "outcome",
            "ignore_errors": True,
            **(keywords or {}),
        }
        save = {
            "ansible.builtin.copy": {"dest": str(result), "content": "{{ outcome | to_json }}", "mode": "0600"},
            "delegate_to": "localhost",
            "run_once": True,
            "no_log": True,
            "check_mode": False,
            "diff": False,
            "vars": {"ansible_connection": "local", "ansible_become": False},
        }
        fail = {"ansible.builtin.fail": {"msg": "The task failed."}, "when": "outcome is failed"}
        book = {"hosts": "localhost", "gather_facts": False, "tasks": [task, save, fail], **(play or {})}
        playbook = self.home / f"{name}.yml"
        playbook.write_text(json.dumps([book]))
        process = subprocess.Popen(
            [command_path("ansible-playbook"), *self.vault_id_options(vault_ids), *arguments, str(playbook)],
            cwd=self.home,
            env={**os.environ, **run_environment(self.home), **self.sandbox.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return StartedRun(process, result)

    def run(self, *arguments: str, **how: Any) -> FinishedRun:
        return self.start(*arguments, **how).end()

    def run_each(self, tasks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Run a task for each mapping of options, all in one play, and return their results."""
        outcomes = [f"outcome_{number}" for number in range(len(tasks))]
        book = [
            *(
                {MODULE: {"path": str(self.path), **options}, "register": outcome, "ignore_errors": True}
                for options, outcome in zip(tasks, outcomes)
            ),
            {
                "ansible.builtin.copy": {
                    "dest": str(self.home / "outcomes.json"),
                    "content": "{{ [" + ", ".join(outcomes) + "] | to_json }}",
                    "mode": "0600",
                },
            },
        ]
        run = self.run(play={"tasks": book})
        assert run.status == 0, run.output
        results: list[Mapping[str, Any]] = json.loads((self.home / "outcomes.json").read_text())
        return results

    def with_startup_code(self, code: str) -> dict[str, str]:
        """Return the environment of a run in which every Python process executes this code when it starts."""
        folder = self.home / "faults"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(code)
        return {"PYTHONPATH": str(folder)}

    def write(self, content: Mapping[str, Any]) -> None:
        """Write plain variables."""
        self.path.write_text(yaml.safe_dump(dict(content)))

    def variables(self) -> dict[str, Any]:
        """Return the variables of the file, decrypted by ansible-core's vault."""
        if not self.path.exists():
            return {}
        vault = VaultLib([(vault_id, VaultSecret(password.encode())) for vault_id, password in self.passwords.items()])
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

    def vault_id_options(self, vault_ids: Iterable[str]) -> list[str]:
        options = []
        for vault_id in vault_ids:
            file = self.home / f"password-{vault_id}"
            file.write_text(self.passwords[vault_id])
            options += ["--vault-id", f"{vault_id}@{file}"]
        return options


class StartedRun:
    """A run that is still going on."""

    def __init__(self, process: subprocess.Popen[str], result: Path) -> None:
        self.process = process
        self._result = result

    def end(self, seconds: float = 300) -> FinishedRun:
        output, _nothing = self.process.communicate(timeout=seconds)
        result = json.loads(self._result.read_text()) if self._result.exists() else {}
        return FinishedRun(self.process.returncode, output, result)

    def worker_pid(self) -> int:
        """Return the process ID of the worker that runs a task now."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[-1])


def numbered_tokens(count: int, **more: Any) -> list[dict[str, Any]]:
    """Return a list for the option `tokens`: token_0, token_1 and so on."""
    return [{"name": f"token_{number}", "scope": ["vouchers"], **more} for number in range(count)]
