# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder with playbooks and vault passwords, and the commands of the ansible-core that runs the tests."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from integration.plays import command, run_environment

MODULE = "voucherify.oauth.vaulted_vars"

Task = Mapping[str, Any]


class Project:
    """A project of which the vault id x has the password "password of x"."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Outside the project, so that what a run leaves in its folder can be looked through.
        self._passwords = folder.parent / "passwords"
        self._home = folder.parent / "home"
        for new in (folder, self._passwords, self._home):
            new.mkdir()

    def play(
        self,
        tasks: Sequence[Task],
        *arguments: str,
        vault_ids: Sequence[str] = ("default",),
        succeeds: bool = True,
        environment: Mapping[str, str] | None = None,
        **keywords: Any,
    ) -> str:
        """Run a play of these tasks on localhost. Returns all its output."""
        started = self.start(tasks, *arguments, vault_ids=vault_ids, environment=environment, **keywords)
        output, _nothing = started.communicate()
        assert (started.returncode == 0) == succeeds, output
        return output

    def start(
        self,
        tasks: Sequence[Task],
        *arguments: str,
        vault_ids: Sequence[str] = ("default",),
        environment: Mapping[str, str] | None = None,
        name: str = "play",
        **keywords: Any,
    ) -> subprocess.Popen[str]:
        """Start a run of a play, its output and errors in one stream."""
        play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks, **keywords}
        playbook = self.folder / f"{name}.yml"
        playbook.write_text(json.dumps([play], indent=1))
        return self._popen(
            ["ansible-playbook", *self.secrets(*vault_ids), *arguments, str(playbook)],
            environment or {},
        )

    def command(self, *arguments: str, stdin: str = "") -> str:
        """Run one of ansible-core's commands in the project's folder. Returns its output."""
        started = self._popen(arguments, {})
        output, _nothing = started.communicate(stdin)
        assert started.returncode == 0, output
        return output

    def secrets(self, *vault_ids: str) -> list[str]:
        """The options that load these vault ids."""
        options = []
        for vault_id in vault_ids:
            file = self._passwords / vault_id
            file.write_text(f"password of {vault_id}")
            options += ["--vault-id", f"{vault_id}@{file}"]
        return options

    def _popen(self, arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [command(arguments[0]), *arguments[1:]],
            cwd=self._home,
            env={**os.environ, **run_environment(self._home), **environment},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


def vaulted_vars(**options: Any) -> dict[str, Any]:
    """A task."""
    return {"name": "Edit", MODULE: options}


def check(*conditions: str) -> dict[str, Any]:
    """A task that fails unless the conditions hold."""
    return {"name": "Check", "ansible.builtin.assert": {"that": list(conditions)}}
