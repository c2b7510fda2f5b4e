# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What certification and the community package require of a collection. docs/requirements.md has the full list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import matrix
import pytest
import yaml
from ansible.playbook.block import Block
from ansible.playbook.task import Task
from ansible.plugins.loader import filter_loader, test_loader
from integration.plays import CHECKOUT
from jinja2.filters import FILTERS
from jinja2.tests import TESTS
from publish.test_documented import COLLECTION, MODULES, ROLE, ansible_doc

README = (CHECKOUT / "README.md").read_text()

# The sections of the template for certified collections, in order.
README_SECTIONS = [
    *("Description", "Requirements", "Installation", "Use cases", "Testing", "Support", "Release notes"),
    *("Related information", "License"),
]
# Where users see expressions of templates.
WITH_EXPRESSIONS = sorted(
    path
    for pattern in ("README.md", "plugins/modules/*.py", "roles/**/*.*", "playbooks/**/*.*", "docs/docsite/rst/*.rst")
    for path in CHECKOUT.glob(pattern)
)


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


def test_nothing_is_ignored_in_the_sanity_tests() -> None:
    assert not list((CHECKOUT / "tests").glob("sanity/ignore*"))
    assert not (CHECKOUT / ".ansible-lint-ignore").exists()


def test_private_code_has_a_leading_underscore_and_says_so() -> None:
    for path in CHECKOUT.glob("plugins/*_utils/**/*.py"):
        assert path.relative_to(CHECKOUT).parts[2].startswith("_"), path
        text = path.read_text()
        assert not text or "Private to this collection" in text, path


def test_a_module_that_only_gathers_information_is_named_so_and_supports_check_mode() -> None:
    for name, module in ansible_doc("module", *MODULES).items():
        options = module["doc"]["options"]
        assert not {"get", "list", "query", "info"} & {*options.get("state", {}).get("choices", [])}, name
        if name.endswith("_info"):
            assert module["doc"]["attributes"]["check_mode"]["support"] == "full", name


def builtin_names(plugins: Any, of_jinja: Mapping[str, Any]) -> set[str]:
    """Return the names of Ansible's own filters or tests, without those of Jinja, which have no full name."""
    return {plugin.ansible_name.removeprefix("ansible.builtin.") for plugin in plugins.all()} - of_jinja.keys()


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
    bare = set(re.findall(r"\|\s*(\w+)\b(?!\.)", text)) & builtin_names(filter_loader, FILTERS)
    bare |= set(re.findall(r"\bis (?:not )?(\w+)\b(?!\.)", text)) & builtin_names(test_loader, TESTS)
    bare |= set(re.findall(r"\b(?:lookup|query|q)\(['\"](\w+)['\"]", text))
    assert bare == set()


def test_each_module_names_the_pythons_it_needs() -> None:
    for name, module in ansible_doc("module", *MODULES).items():
        assert re.search(r"Python 3\.\d+ or newer", " ".join(module["doc"]["requirements"])), name


def test_each_module_and_entry_point_says_since_when_it_exists() -> None:
    documented = {name: module["doc"] for name, module in ansible_doc("module", *MODULES).items()}
    (role,) = ansible_doc("role", "token_vault").values()
    source = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    assert set(source) == set(role["entry_points"])
    for name, docs in {**documented, **source}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", docs["version_added"]), name


def test_the_readme_welcomes_readers_to_the_forum() -> None:
    section = README.split("## Support and communication")[1].split("\n## ")[0]
    assert re.search(r"\bwelcome\b", section)
    assert "https://forum.ansible.com/c/help/6" in section
    assert re.search(r"https://forum\.ansible\.com/tag/\w+", section)


def test_the_hosted_ci_runs_each_row_of_the_matrix() -> None:
    jobs = yaml.safe_load((CHECKOUT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    cores = dict.fromkeys(row.core for row in matrix.ROWS)
    assert jobs["sanity-and-integration"]["strategy"]["matrix"]["core"] == list(cores)


def test_the_collection_asks_for_the_oldest_core_of_the_matrix() -> None:
    runtime = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())
    assert runtime["requires_ansible"] == f">={matrix.ROWS[0].core}.0"
