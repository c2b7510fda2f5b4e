# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the automation platform reads: the dependencies of an execution environment, and a credential type."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import matrix
import pytest
import yaml
from ansible_collections.voucherify.oauth.plugins.module_utils._options import connection_argument_spec
from integration.plays import CHECKOUT, COLLECTIONS, run_command

EXAMPLES = CHECKOUT / "docs" / "automation_platform"


@pytest.mark.thorough
def test_ansible_builder_finds_what_the_collection_needs(tmp_path: Path) -> None:
    status, output = run_command("ansible-builder", "introspect", str(COLLECTIONS), environment={}, cwd=tmp_path)
    assert status == 0, output
    found = yaml.safe_load(output)
    needs = [need.split()[0] for need in found["python"]]
    assert needs == [oldest.replace("==", ">=") for oldest in matrix.OLDEST]
    assert found["system"] == []


@pytest.mark.thorough
def test_ansible_builder_accepts_the_example(tmp_path: Path) -> None:
    definition = str(EXAMPLES / "execution-environment.yml")
    arguments = ("create", "--file", definition, "--context", str(tmp_path / "context"))
    status, output = run_command("ansible-builder", *arguments, environment={}, cwd=tmp_path)
    assert status == 0, output
    collections = yaml.safe_load((tmp_path / "context" / "_build" / "requirements.yml").read_text())
    assert collections == {"collections": [{"name": "voucherify.oauth"}]}


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir()))
def test_the_page_shows_the_file_as_it_is(name: str) -> None:
    page = (CHECKOUT / "docs" / "docsite" / "rst" / "automation_platform.rst").read_text()
    shown = re.search(rf"^   # {name}\n((?:   .*\n|\n)+)", page, re.MULTILINE)
    assert shown
    _license, _sign, content = (EXAMPLES / name).read_text().partition("---\n")
    assert textwrap.dedent(shown[1]).strip() == content.strip()


def test_the_credential_type_has_the_options_that_the_environment_can_set() -> None:
    kind = yaml.safe_load((EXAMPLES / "credential_type.yml").read_text())
    spec = {name: option for name, option in connection_argument_spec().items() if "fallback" in option}
    assert {field["id"]: field.get("secret", False) for field in kind["inputs"]["fields"]} == {
        name: option.get("no_log", False) for name, option in spec.items()
    }
    assert kind["inputs"]["required"] == [name for name, option in spec.items() if option.get("required")]
    assert kind["injectors"]["env"] == {option["fallback"][1][0]: f"{{{{ {name} }}}}" for name, option in spec.items()}
