# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What projects have in their inventories, ansible.cfg and environments that says where and how tasks run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SetUp:
    """One project's settings.

    host: variables of localhost; None if the inventory has no such host. all_hosts: variables of all hosts.
    config: entries of ansible.cfg, each "section.name". refusal: what the playbooks say if they cannot run here.
    """

    host: Mapping[str, Any] | None = None
    all_hosts: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ()
    refusal: str = ""


SUDO_EVERYWHERE = {"privilege_escalation.become": "True", "privilege_escalation.become_user": "nobody"}
MISSING = "/missing/program"
POWERSHELL = {"ansible_shell_type": "powershell", "ansible_shell_executable": MISSING}

SET_UPS: dict[str, SetUp] = {
    "localhost without variables": SetUp(host={}),
    "localhost by ssh": SetUp(host={"ansible_connection": "ssh", "ansible_host": "192.0.2.1", "ansible_user": "admin"}),
    "winrm": SetUp(all_hosts={"ansible_connection": "winrm", **POWERSHELL}),
    "a connection that is not installed": SetUp(host={"ansible_connection": "missing.collection.docker"}),
    "become in ansible.cfg": SetUp(config=SUDO_EVERYWHERE),
    "become in the inventory": SetUp(all_hosts={"ansible_become": True, "ansible_become_user": "nobody"}),
    "options for a connection and become": SetUp(host={}, arguments=["--connection=ssh", "--become", "--user=nobody"]),
    "an interpreter that is missing": SetUp(
        host={"ansible_connection": "local", "ansible_python_interpreter": MISSING}
    ),
    "a shell that is missing": SetUp(
        host={"ansible_connection": "local", "ansible_shell_executable": MISSING, "ansible_remote_tmp": "/missing"}
    ),
    "another strategy, facts and callbacks": SetUp(
        config={
            "defaults.strategy": "free",
            "defaults.inject_facts_as_vars": "False",
            "defaults.any_errors_fatal": "True",
            "defaults.callbacks_enabled": "ansible.builtin.junit",
        }
    ),
    "other templates": SetUp(
        config={
            "defaults.hash_behaviour": "merge",
            "defaults.jinja2_native": "True",
            "defaults.error_on_undefined_vars": "False",
        },
        all_hosts={"check_keys": {"X-App-Token": "other"}, "check_token": "other", "check_report": ["other"]},
    ),
    "tags in ansible.cfg": SetUp(config={"tags.run": "deploy"}),
    "a transport and temporary folders": SetUp(
        config={"defaults.transport": "ssh", "defaults.remote_tmp": "/missing", "connection.pipelining": "False"},
    ),
    "a proxy that is missing": SetUp(
        environment={"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    ),
    "a short time limit for tasks": SetUp(config={"defaults.task_timeout": "1"}),
}

IMPOSSIBLE_SET_UPS: dict[str, SetUp] = {
    "an invalid address": SetUp(
        environment={"VOUCHERIFY_API_BASE_URL": "https://[::1"}, refusal="api_base_url is not a URL"
    ),
    "a password in the address": SetUp(
        environment={"VOUCHERIFY_API_BASE_URL": "http://me:hunter2@127.0.0.1"}, refusal="api_base_url must not contain"
    ),
    "plain http": SetUp(
        environment={"VOUCHERIFY_API_BASE_URL": "http://api.example"}, refusal="api_base_url must begin with https://"
    ),
    "no key": SetUp(
        environment={"VOUCHERIFY_APP_ID": "", "VOUCHERIFY_APP_TOKEN": ""},
        refusal="VOUCHERIFY_APP_ID and VOUCHERIFY_APP",
    ),
}


def merged(set_ups: Sequence[SetUp]) -> SetUp:
    """Return the settings of all these together; the last of several values for a name."""
    result = SetUp()
    for one in set_ups:
        result = SetUp(
            host={**(result.host or {}), **(one.host or {})},
            all_hosts={**result.all_hosts, **one.all_hosts},
            config={**result.config, **one.config},
            environment={**result.environment, **one.environment},
            arguments=[*result.arguments, *one.arguments],
        )
    return result


def write_project(folder: Path, set_up: SetUp) -> None:
    """Write the project's inventory and ansible.cfg.

    Whatever would run elsewhere or as another user fails, and leaves a file called "elsewhere" in the folder.
    """
    trap = folder / "trap"
    trap.write_text(f"#!/bin/sh\ntouch '{folder}/elsewhere'\necho \"$*\" | grep -o 'BECOME-SUCCESS-[a-z]*'\nexit 126\n")
    trap.chmod(0o700)
    sections: dict[str, dict[str, str]] = {
        "defaults": {"inventory": "hosts.json"},
        "privilege_escalation": {},
        "ssh_connection": {"ssh_executable": str(trap), "retries": "0", "ssh_transfer_method": "piped"},
    }
    for name, value in set_up.config.items():
        section, _dot, entry = name.partition(".")
        sections.setdefault(section, {})[entry] = value
    lines = [
        line
        for name, entries in sections.items()
        for line in (f"[{name}]", *(f"{k} = {v}" for k, v in entries.items()))
    ]
    (folder / "ansible.cfg").write_text("\n".join(lines) + "\n")
    inventory: dict[str, Any] = {
        "hosts": {"web.example": {}},
        "vars": {"ansible_become_exe": str(trap), **set_up.all_hosts},
    }
    if set_up.host is not None:
        inventory["hosts"]["localhost"] = dict(set_up.host)
    (folder / "hosts.json").write_text(json.dumps({"all": inventory}))
