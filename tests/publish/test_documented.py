# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything is documented, and the documentation only mentions what exists.

Other tools check parts of this: ansible-test compares the options of a module with their documentation, antsibull-docs
checks references in the documentation of modules and roles, and `make docs` those in the guide. Return values are
compared in tests/integration/test_return_values.py.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.voucherify.oauth.plugins.module_utils._options import connection_argument_spec
from integration.plays import CHECKOUT, COLLECTIONS, TIME_LIMIT, command_path

COLLECTION = "voucherify.oauth"
MODULES = sorted(path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py"))
ROLE = CHECKOUT / "roles" / "token_vault"
ROLE_RESULT = "token_vault_results"

# What people read besides the documentation of modules and roles.
PAGES = sorted(
    path
    for pattern in ("*.md", ".github/*.md", "docs/*.md", "docs/docsite/rst/*.rst", "roles/*/README.md")
    for path in CHECKOUT.glob(pattern)
)

# How a page mentions something of this collection: as inline code, or by a name that only this collection uses.
MENTIONS = (
    r"`([a-z]+(?:_[a-z]+)+)(?:=[^`]*)?`",
    r"`([a-z]+)=[^`]*`",
    r":(?:ansopt|ansretval):`[^:`]+:([a-z_]+)",
    r"\b(token_vault_\w+)",
    r"\b(VOUCHERIFY_\w+)",
    r"(?<!ansible_collections\.)\bvoucherify\.oauth\.(\w+)",
)
# Inline code that looks like a name of this collection but is one of Ansible's, or an example of a variable.
ANSIBLE_NAMES = {
    *("ansible_failed_result", "ansible_failed_task", "ansible_play_batch", "ansible_play_hosts_all"),
    *(
        "ansible_password",
        "ansible_python_interpreter",
        "break_when",
        "changed_when",
        "delegate_to",
        "failed_when",
        "group_vars",
        "import_role",
        "remove_values",
        "host_pinned",
    ),
    *("host_vars", "ignore_errors", "import_playbook", "include_role", "include_tasks", "include_vars"),
    *("module_defaults", "no_log", "requires_ansible", "run_once", "set_fact", "shop_app_id", "shop_app_token"),
    *("key_vault_id", "tokens_force", "tokens_vault_id", "vault_identity_list", "version_added"),
}

TESTS = re.compile(r"^def (test_\w+)", re.MULTILINE)

# A file or folder of this checkout in inline code, and the target of a relative link.
PATHS = re.compile(r"`((?:benchmarks|changelogs|docs|meta|playbooks|plugins|roles|tests)/[\w./-]*)`")
LINKS = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@lru_cache
def ansible_doc(kind: str, *names: str) -> dict[str, Any]:
    """Return the documentation of modules or roles as users see it, including all fragments."""
    finished = subprocess.run(
        [command_path("ansible-doc"), "--type", kind, "--json", *(f"{COLLECTION}.{name}" for name in names)],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
        # Without stderr, because ansible-core 2.20 and newer warn about one of their own collections.
        stdout=subprocess.PIPE,
        timeout=TIME_LIMIT,
        check=True,
    )
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


@lru_cache
def role_options() -> dict[str, dict[str, Any]]:
    entry_points = ansible_doc("role", ROLE.name)[f"{COLLECTION}.{ROLE.name}"]["entry_points"]
    return {name: entry_point["options"] for name, entry_point in entry_points.items()}


@lru_cache
def known_names() -> frozenset[str]:
    """Return every name that a page may use for something in this collection."""
    names = {ROLE_RESULT, *role_options()["main"], *role_options()["main"]["token_vault_tokens"]["options"]}
    for module in ansible_doc("module", *MODULES).values():
        names |= {*module["doc"]["options"], *_with_contained(module["return"])}
    names |= {option["fallback"][1][0] for option in connection_argument_spec().values() if "fallback" in option}
    names |= {"VOUCHERIFY_SANDBOX_URL"}
    names |= set(yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())["action_groups"])
    names |= {name for path in CHECKOUT.glob("tests/**/test_*.py") for name in TESTS.findall(path.read_text())}
    files = [*CHECKOUT.glob("plugins/*/*.py"), *CHECKOUT.glob("playbooks/*.yml"), *CHECKOUT.glob("roles/*")]
    return frozenset(names | {path.stem for path in files})


def _with_contained(values: dict[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        yield name
        yield from _with_contained(value.get("contains", {}))


def role_variables_in(*patterns: str) -> set[str]:
    """Return the variables of the role that its files use, without private ones, which have two underscores."""
    text = "".join(path.read_text() for pattern in patterns for path in ROLE.glob(pattern))
    return set(re.findall(r"\btoken_vault_(?!_)\w+", text))


def test_each_role_variable_that_is_used_is_documented_and_vice_versa() -> None:
    used = role_variables_in("defaults/*.yml", "tasks/*.yml", "vars/*.yml")
    # A message explains what somebody who sets token_vault_state should do.
    assert used - {"token_vault_state"} == {ROLE_RESULT, *role_options()["main"]}


def test_the_role_has_the_defaults_that_are_documented() -> None:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    public = {name: value for name, value in defaults.items() if not name.startswith("token_vault__")}
    for options in role_options().values():
        documented = {name: option["default"] for name, option in options.items() if "default" in option}
        assert documented == {name: value for name, value in public.items() if name in options}
    assert set(public) <= set(role_options()["main"])


def test_the_readme_of_the_role_names_each_variable() -> None:
    assert role_variables_in("README.md") == {ROLE_RESULT, *role_options()["main"]}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_a_page_names_only_what_exists(page: Path) -> None:
    text = page.read_text()
    mentioned = {name for mention in MENTIONS for name in re.findall(mention, text)}
    assert mentioned - known_names() - ANSIBLE_NAMES == set()
    places = [CHECKOUT / path for path in PATHS.findall(text)] + [page.parent / link for link in LINKS.findall(text)]
    assert [place for place in places if not place.exists()] == []


def test_the_architecture_page_names_each_file() -> None:
    tree = (CHECKOUT / "docs" / "architecture.md").read_text().split("```text\n")[2].split("```")[0]
    folders: list[str] = []
    named = set()
    for line in tree.splitlines():
        indent, names = re.match(r"( *)((?:\S+, )*\S+)", line).groups()  # type: ignore[union-attr]
        del folders[len(indent) // 2 :]
        named |= {Path(*folders, name) for name in names.split(", ")}
        folders.append(names)
    assert [path for path in named if not (CHECKOUT / path).exists()] == []
    described = ("plugins/**/*.py", "roles/*/*/*.yml", "playbooks/**/*.*", "tests/sandbox/*.py")
    files = {path.relative_to(CHECKOUT) for pattern in described for path in CHECKOUT.glob(pattern)}
    assert {path for path in files if path.name != "__init__.py"} - named == set()


# What each layer may import, apart from its own files.
BELOW = {
    "_api": set(),
    "module_utils": {"_api"},
    "modules": {"_api", "module_utils"},
    "_vars_file": set(),
    "_token_file": {"_api", "module_utils", "_vars_file", "plugin_utils"},
    "plugin_utils": {"_api", "module_utils", "_vars_file"},
    "action": {"_api", "module_utils", "modules", "_vars_file", "_token_file", "plugin_utils"},
    "doc_fragments": set(),
}


def test_imports_go_downwards() -> None:
    root = ("ansible_collections", "voucherify", "oauth", "plugins")
    for path in CHECKOUT.glob("plugins/**/*.py"):
        folder = path.relative_to(CHECKOUT / "plugins").parts[:-1]
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom):
                continue
            name = tuple((node.module or "").split("."))
            if node.level:
                name = (*folder[: len(folder) - node.level + 1], *filter(None, name))
            elif name[:4] == root:
                name = name[4:]
            else:
                continue
            imported = name[1] if len(name) > 1 and name[1] in BELOW else name[0]
            assert imported in {folder[-1], *BELOW[folder[-1]]}, (path, name)
