# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built collection contains what its users need, and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import tarball
from integration.plays import CHECKOUT, TIME_LIMIT

SHIPPED = (
    "CHANGELOG.*",
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
    "plugins/module_utils/**/*.py",
    "plugins/modules/*.py",
    "plugins/plugin_utils/**/*.py",
    "roles/token_vault/README.md",
    "roles/token_vault/*/main.yml",
    "roles/token_vault/meta/argument_specs.yml",
    "roles/token_vault/tasks/*.yml",
)
# ansible-galaxy adds them to every collection.
ADDED = {"FILES.json", "MANIFEST.json"}


REPOSITORY = "https://repository.example/team/voucherify.oauth"
TEXT_LINK = re.compile(r"\]\(([^)\s]+)|(?:src|href)=[\"']([^\"']+)|^\[[^\]]+\]: +(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Map the name of each file in the built collection to its text."""
    folder = tmp_path_factory.mktemp("built")
    build = [sys.executable, "tests/tarball.py", REPOSITORY, str(folder)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "HOME": str(folder / "home"), "PATH": path}
    command = [str(CHECKOUT / "tests" / "in_copy.sh"), *build]
    subprocess.run(command, env=environment, timeout=TIME_LIMIT, check=True, capture_output=True)
    files = {}
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        for member in archive.getmembers():
            if content := archive.extractfile(member):
                files[member.name] = content.read().decode(errors="replace")
    return files


def links(text: str) -> list[str]:
    """Return the targets of the links on a page. Code is ignored."""
    return [next(filter(None, groups)) for groups in TEXT_LINK.findall(tarball.CODE.sub("", text))]


def test_the_tarball_holds_what_users_need_and_nothing_else(built: dict[str, str]) -> None:
    wanted = {str(path.relative_to(CHECKOUT)) for pattern in SHIPPED for path in CHECKOUT.glob(pattern)}
    assert set(built) == wanted | ADDED


def test_each_link_of_a_shipped_page_is_a_full_url_to_what_exists(built: dict[str, str]) -> None:
    version = json.loads(built["MANIFEST.json"])["collection_info"]["version"]
    ours = re.compile(rf"{re.escape(REPOSITORY)}/(blob|raw|tree)/v{re.escape(version)}/([^#]+)")
    seen = set()
    for page, text in built.items():
        if not page.endswith(".md"):
            continue
        for link in links(text):
            if link.startswith("#") and page != "README.md":
                continue
            assert link.startswith("https://"), f"{page} links to {link}"
            if match := ours.match(link):
                target = CHECKOUT / match[2]
                kind = "tree" if target.is_dir() else "raw" if target.suffix in tarball.IMAGES else "blob"
                assert (target.exists(), match[1]) == (True, kind), f"{page} links to {link}"
                seen.add(page)
    assert "README.md" in seen


def test_the_tarball_names_the_addresses_of_the_project(built: dict[str, str]) -> None:
    info = json.loads(built["MANIFEST.json"])["collection_info"]
    assert info["repository"] == info["homepage"] == REPOSITORY
    assert info["issues"] == f"{REPOSITORY}/issues"
    assert info["documentation"].startswith(f"{REPOSITORY}/blob/v{info['version']}/")
    assert (CHECKOUT / info["documentation"].partition(f"/v{info['version']}/")[2]).is_file()
