# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What certification and the community package require of a collection. docs/requirements.md has the full list."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.playbook.block import Block
from ansible.playbook.task import Task
from integration.plays import CHECKOUT, COLLECTIONS, TIME_LIMIT, command_path
from jinja2.filters import FILTERS
from jinja2.tests import TESTS
from publish.test_documented import COLLECTION, MODULES, ansible_doc

README = (CHECKOUT / "README.md").read_text()
GALAXY = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())
LINT = yaml.safe_load((CHECKOUT / ".ansible-lint").read_text())

# The sections of the template for certified collections, in order.
README_SECTIONS = [
    *("Description", "Requirements", "Installation", "Use cases", "Testing", "Support", "Release notes"),
    *("Related information", "License"),
]
# Galaxy and Automation Hub want one of these among the tags.
REQUIRED_TAGS = {
    *("application", "cloud", "database", "eda", "infrastructure", "linux", "monitoring", "networking", "security"),
    *("storage", "tools", "windows"),
}
# Rules of ansible-lint that certification does not allow a collection to skip.
UNSKIPPABLE = {
    *("risky-shell-pipe", "command-instead-of-shell", "meta-no-info", "package-latest", "no-handler"),
    *("no-log-password", "meta-runtime[unsupported-version]", "no-changed-when", "risky-file-permissions"),
    *("command-instead-of-module", "unnamed-task"),
}
# Where users see expressions of templates.
WITH_EXPRESSIONS = sorted(
    path
    for pattern in ("README.md", "plugins/modules/*.py", "roles/**/*.*", "playbooks/**/*.*", "docs/docsite/rst/*.rst")
    for path in CHECKOUT.glob(pattern)
)
PLUGIN_FOLDERS = {"action", "doc_fragments", "module_utils", "modules", "plugin_utils"}


def read_yaml(path: str) -> Any:
    return yaml.safe_load((CHECKOUT / path).read_text())


def test_the_readme_has_the_sections_of_a_certified_collection_in_their_order() -> None:
    headings = re.findall(r"^## (.+)$", README, re.MULTILINE)
    found = [section for heading in headings for section in README_SECTIONS if heading.startswith(section)]
    assert found == README_SECTIONS


def test_the_readme_shows_each_way_to_install() -> None:
    name = re.escape(COLLECTION)
    for way in (rf"install {name}$", r"install -r requirements\.yml", rf"install {name}:==\d", f"{name} --upgrade"):
        assert re.search(way, README, re.MULTILINE), way
    assert "Automation Hub" in README


def test_the_readme_does_not_install_ansible_by_pip() -> None:
    assert not re.search(r"pip install .*\bansible", README)


def test_python_needs_are_neither_pinned_nor_capped_and_name_no_ansible() -> None:
    lines = (CHECKOUT / "meta" / "ee-requirements.txt").read_text().splitlines()
    needs = [line for line in lines if line and not line.startswith("#")]
    assert needs
    for need in needs:
        assert re.fullmatch(r"(?!ansible)[\w-]+( *>= *[\d.]+)?", need), need


def test_the_metadata_has_what_galaxy_wants() -> None:
    assert set(GALAXY["tags"]) & REQUIRED_TAGS
    assert GALAXY["license"] == ["GPL-3.0-or-later"]
    assert int(GALAXY["version"].split(".")[0]) >= 1
    assert GALAXY["dependencies"] == {}


def test_no_version_of_ansible_core_is_excluded_from_above() -> None:
    assert re.fullmatch(r">=\d+\.\d+\.\d+", read_yaml("meta/runtime.yml")["requires_ansible"])


def test_ansible_lint_skips_no_rule_and_no_folder_that_certification_checks() -> None:
    assert LINT["profile"] == "production"
    assert not {skipped.split("[")[0] for skipped in LINT["skip_list"]} & UNSKIPPABLE
    assert not set(LINT["skip_list"]) & UNSKIPPABLE
    checked = ("plugins", "roles", "playbooks", "extensions", "meta")
    assert not [path for path in LINT["exclude_paths"] if path.strip("./").startswith(checked)]


def test_nothing_is_ignored_in_the_sanity_tests() -> None:
    assert not list((CHECKOUT / "tests").glob("sanity/ignore*"))
    assert not (CHECKOUT / ".ansible-lint-ignore").exists()


def test_plugins_are_only_where_ansible_allows_them() -> None:
    files = [path for path in (CHECKOUT / "plugins").rglob("*.py") if path.name != "__init__.py"]
    assert {path.relative_to(CHECKOUT / "plugins").parts[0] for path in files} <= PLUGIN_FOLDERS


@pytest.mark.parametrize("folder", ["module_utils", "plugin_utils"])
def test_private_code_has_a_leading_underscore_and_says_so(folder: str) -> None:
    for path in (CHECKOUT / "plugins" / folder).rglob("*.py"):
        parts = path.relative_to(CHECKOUT / "plugins" / folder).parts
        if parts == ("__init__.py",):
            continue
        assert parts[0].startswith("_"), path
        assert "Private to this collection" in path.read_text() or path.name == "__init__.py", path


def test_all_files_have_the_one_licence() -> None:
    licences = {path.name for path in (CHECKOUT / "LICENSES").iterdir()}
    assert licences == {"GPL-3.0-or-later.txt"}, "reuse lint needs each licence that a file names to be here"


def test_the_modules_keep_to_the_conventions() -> None:
    for name, module in ansible_doc("module", *MODULES).items():
        options = module["doc"]["options"]
        states = set(options.get("state", {}).get("choices", []))
        assert not states & {"get", "list", "query", "info"}, name
        assert ("ansible_facts" in (module["return"] or {})) == name.endswith("_facts")
        if name.endswith(("_info", "_facts")):
            assert module["doc"]["attributes"]["check_mode"]["support"] == "full", name
            assert "state" not in options


@lru_cache
def listed(kind: str) -> frozenset[str]:
    output = subprocess.run(
        [command_path("ansible-doc"), "--type", kind, "--list", "--json", "ansible.builtin"],
        stdout=subprocess.PIPE,
        timeout=TIME_LIMIT,
        check=True,
    ).stdout
    return frozenset(name.removeprefix("ansible.builtin.") for name in json.loads(output))


def builtin_names(kind: str, of_jinja: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of Ansible's own filters or tests, without those of Jinja, which have no full name."""
    return listed(kind) - of_jinja.keys()


def tasks_in(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Return tasks and those in their blocks."""
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks_in(task.get(part, []))


def test_examples_use_full_names_only() -> None:
    keywords = {keyword for kind in (Task, Block) for keyword in kind.fattributes} | {"loop_control"}
    for name, module in ansible_doc("module", *MODULES).items():
        tasks = list(tasks_in(yaml.safe_load(module["examples"])))
        assert tasks, name
        bare = {key for task in tasks for key in task if "." not in key} - keywords
        assert not bare, name


@pytest.mark.parametrize("path", WITH_EXPRESSIONS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_filters_tests_and_lookups_have_their_full_names(path: Path) -> None:
    text = path.read_text()
    bare = set(re.findall(r"\|\s*(\w+)\b(?!\.)", text)) & builtin_names("filter", FILTERS)
    bare |= set(re.findall(r"\bis (?:not )?(\w+)\b(?!\.)", text)) & builtin_names("test", TESTS)
    bare |= set(re.findall(r"\b(?:lookup|query|q)\(['\"](\w+)['\"]", text))
    assert bare == set()


def test_each_module_names_the_pythons_it_needs() -> None:
    for name, module in ansible_doc("module", *MODULES).items():
        assert re.search(r"Python 3\.\d+ or newer", " ".join(module["doc"]["requirements"])), name


def test_each_module_and_entry_point_says_since_when_it_exists() -> None:
    documented = {name: module["doc"] for name, module in ansible_doc("module", *MODULES).items()}
    (role,) = ansible_doc("role", "token_vault").values()
    source = read_yaml("roles/token_vault/meta/argument_specs.yml")["argument_specs"]
    assert set(source) == set(role["entry_points"])
    for name, docs in {**documented, **source}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", docs["version_added"]), name


def test_the_readme_welcomes_readers_to_the_forum() -> None:
    section = README.split("## Support and communication")[1].split("\n## ")[0]
    assert re.search(r"\bwelcome\b", section)
    assert "https://forum.ansible.com/c/help/6" in section
    assert re.search(r"https://forum\.ansible\.com/tag/\w+", section)


@pytest.mark.parametrize("kind", ["module", "role"])
def test_ansible_doc_lists_each_summary_in_full(kind: str) -> None:
    listed = subprocess.run(
        [command_path("ansible-doc"), "--type", kind, "--list", COLLECTION],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
        stdin=subprocess.DEVNULL,  # no terminal, so it assumes 80 columns
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIME_LIMIT,
        check=True,
    ).stdout
    assert COLLECTION in listed
    assert "..." not in listed, "a summary is too long for a terminal with 80 columns"
