# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built collection holds what its users need, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile

import pytest
from integration.plays import CHECKOUT, command

SHIPPED = (
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "changelogs/changelog.yaml",
    "docs/*.md",
    "docs/*.png",
    "docs/automation_platform/*.yml",
    "docs/docsite/*.yml",
    "docs/docsite/rst/*.rst",
    "meta/ee-requirements.txt",
    "meta/execution-environment.yml",
    "meta/runtime.yml",
    "playbooks/*.yml",
    "playbooks/templates/*.j2",
    "plugins/action/*.py",
    "plugins/doc_fragments/*.py",
    "plugins/module_utils/*.py",
    "plugins/modules/*.py",
    "plugins/plugin_utils/**/*.py",
    "roles/token_vault/README.md",
    "roles/token_vault/*/main.yml",
    "roles/token_vault/meta/argument_specs.yml",
    "roles/token_vault/tasks/*.yml",
)
# ansible-galaxy adds them to every collection.
ADDED = {"FILES.json", "MANIFEST.json"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files of the collection as it is built."""
    folder = tmp_path_factory.mktemp("built")
    build = [command("ansible-galaxy"), "collection", "build", "--output-path", str(folder)]
    environment = {**os.environ, "HOME": str(folder / "home")}
    subprocess.run([CHECKOUT / "tests" / "in_copy.sh", *build], env=environment, check=True, capture_output=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as tarball:
        return {member.name for member in tarball.getmembers() if member.isfile()}


def test_the_tarball_holds_what_users_need_and_nothing_else(built: set[str]) -> None:
    wanted = {str(path.relative_to(CHECKOUT)) for pattern in SHIPPED for path in CHECKOUT.glob(pattern)}
    assert built == wanted | ADDED


def test_the_readme_links_to_what_is_in_the_tarball(built: set[str]) -> None:
    links = set(re.findall(r"\]\((?!https?:|#)([^)#]+)", (CHECKOUT / "README.md").read_text()))
    assert links
    assert links <= built
