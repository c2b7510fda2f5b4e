# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built collection holds what its users need, and nothing else."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

from integration.plays import CHECKOUT, command

SHIPPED = (
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "changelogs/changelog.yaml",
    "docs/automation_platform/*.yml",
    "docs/docsite/*.yml",
    "docs/docsite/rst/*.rst",
    "meta/ee-requirements.txt",
    "meta/execution-environment.yml",
    "meta/runtime.yml",
    "playbooks/*.yml",
    "plugins/action/*.py",
    "plugins/doc_fragments/*.py",
    "plugins/module_utils/*.py",
    "plugins/modules/*.py",
    "plugins/plugin_utils/*.py",
    "roles/token_vault/README.md",
    "roles/token_vault/*/main.yml",
    "roles/token_vault/meta/argument_specs.yml",
    "roles/token_vault/tasks/*.yml",
)
# ansible-galaxy adds them to every collection.
ADDED = {"FILES.json", "MANIFEST.json"}


def test_the_tarball_holds_what_users_need_and_nothing_else(tmp_path: Path) -> None:
    build = [command("ansible-galaxy"), "collection", "build", "--output-path", str(tmp_path)]
    environment = {**os.environ, "HOME": str(tmp_path / "home")}
    subprocess.run([CHECKOUT / "tests" / "in_copy.sh", *build], env=environment, check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as tarball:
        built = {member.name for member in tarball.getmembers() if member.isfile()}
    wanted = {str(path.relative_to(CHECKOUT)) for pattern in SHIPPED for path in CHECKOUT.glob(pattern)}
    assert built == wanted | ADDED
