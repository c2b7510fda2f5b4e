# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What certification and the community package require of a collection. docs/requirements.md has the full list."""

from __future__ import annotations

import os
import re
import subprocess
from typing import Any

import pytest
import yaml
from integration.plays import CHECKOUT, COLLECTIONS, command_path
from publish.test_documented import COLLECTION, MODULES, ansible_doc

README = (CHECKOUT / "README.md").read_text()
GALAXY = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())
LINT = yaml.safe_load((CHECKOUT / ".ansible-lint").read_text())

# The sections of the template for certified collections, in order.
README_SECTIONS = [
    *("Requirements", "Installation", "Use cases", "Testing", "Support", "Release notes", "Related information"),
    "License",
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


def test_examples_use_full_names_only() -> None:
    keywords = re.compile(r"^ {2}([a-z_.]+):", re.MULTILINE)
    known = {
        *("name", "register", "when", "loop", "vars", "no_log", "until", "retries", "delay", "delegate_to", "run_once"),
        *("block", "always", "rescue", "module_defaults", "environment", "become", "failed_when", "changed_when"),
        *("ignore_errors", "loop_control", "tags", "check_mode", "notify"),
    }
    for name, module in ansible_doc("module", *MODULES).items():
        assert module["examples"].strip(), name
        bare = {key for key in keywords.findall(module["examples"]) if "." not in key} - known
        assert not bare, name


@pytest.mark.parametrize("kind", ["module", "role"])
def test_ansible_doc_lists_each_summary_in_full(kind: str) -> None:
    listed = subprocess.run(
        [command_path("ansible-doc"), "--type", kind, "--list", COLLECTION],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
        stdin=subprocess.DEVNULL,  # no terminal, so it assumes 80 columns
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    assert COLLECTION in listed
    assert "..." not in listed, "a summary is too long for a terminal with 80 columns"


def test_the_hosted_ci_checks_each_pull_request_and_runs_at_least_weekly() -> None:
    workflow = read_yaml(".github/workflows/ci.yml")
    assert "pull_request" in workflow["on"]
    minute, hour, day, month, _weekday = workflow["on"]["schedule"][0]["cron"].split()
    assert (day, month) == ("*", "*"), "a weekly schedule names no day of the month"
    assert minute.isdigit()
    assert hour.isdigit()


def test_a_release_runs_all_checks_before_it_publishes_what_is_tagged() -> None:
    workflow = read_yaml(".github/workflows/release.yml")
    steps = [step.get("run", "") for step in workflow["jobs"]["release"]["steps"]]
    wanted = ("GITHUB_REF_NAME#v", "make test", "make release-check", "collection publish")
    order = [next(place for place, step in enumerate(steps) if part in step) for part in wanted]
    assert order == sorted(order)
    assert set(workflow["on"]) == {"push"}
    assert "tags" in workflow["on"]["push"]


def test_the_code_of_conduct_is_that_of_ansible() -> None:
    assert "code_of_conduct" in (CHECKOUT / "CODE_OF_CONDUCT.md").read_text()


def test_pre_commit_runs_checks_of_make_test() -> None:
    checks = re.search(r"^test: ([\w -]+)##", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    assert checks
    hooks = [hook for repo in read_yaml(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert {hook["entry"] for hook in hooks} <= {f"make {check}" for check in checks[1].split()}
