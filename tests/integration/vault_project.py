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

from integration.plays import command_path, run_environment

MODULE = "voucherify.oauth.vaulted_vars"

Task = Mapping[str, Any]


class Project:
    """A project in which each vault id x has the password "password of x"."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Outside the project, so that a test can search everything that a run leaves in the project.
        self._passwords = folder.parent / "passwords"
        self._home = folder.parent / "home"
        for new in (folder, self._passwords, self._home):
            new.mkdir()

    def play(
        self,
        tasks: Sequence[Task],
        *arguments: str,
        vault_ids: Sequence[str] = ("default",),
        environment: Mapping[str, str] | None = None,
        **keywords: Any,
    ) -> str:
        """Run these tasks as a play on localhost. Return all its output."""
        started = self.start(tasks, *arguments, vault_ids=vault_ids, environment=environment, **keywords)
        output, _nothing = started.communicate()
        assert started.returncode == 0, output
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
        """Start a run of these tasks, with output and errors in one stream."""
        play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks, **keywords}
        playbook = self.folder / f"{name}.yml"
        playbook.write_text(json.dumps([play], indent=1))
        return self._popen(
            ["ansible-playbook", *self.vault_id_options(*vault_ids), *arguments, str(playbook)],
            environment or {},
        )

    def command(self, *arguments: str, stdin: str = "") -> str:
        """Run one of ansible-core's commands. Return its output."""
        started = self._popen(arguments, {})
        output, _nothing = started.communicate(stdin)
        assert started.returncode == 0, output
        return output

    def vault_id_options(self, *vault_ids: str) -> list[str]:
        """Return the options that load these vault ids."""
        options = []
        for vault_id in vault_ids:
            file = self._passwords / vault_id
            file.write_text(f"password of {vault_id}")
            options += ["--vault-id", f"{vault_id}@{file}"]
        return options

    def _popen(self, arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [command_path(arguments[0]), *arguments[1:]],
            cwd=self._home,
            env={**os.environ, **run_environment(self._home), **environment},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


def vaulted_vars(**options: Any) -> dict[str, Any]:
    """Return a task that runs vaulted_vars with these options."""
    return {"name": "Edit", MODULE: options}


def assert_that(*conditions: str) -> dict[str, Any]:
    """Return a task that fails unless these conditions are true."""
    return {"name": "Check", "ansible.builtin.assert": {"that": list(conditions)}}
