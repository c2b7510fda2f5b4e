# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of the documentation runs, also with --check, and every message that the guide explains exists."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from integration.plays import CHECKOUT, Play, command_path
from sandbox import Sandbox

PACKAGE = "ansible_collections.voucherify.oauth.plugins.modules"
MODULES = sorted(path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py"))


EACH_MODE = pytest.mark.parametrize(
    "check", [[], pytest.param(["--check"], marks=pytest.mark.thorough)], ids=["run", "check"]
)


@EACH_MODE
def test_the_examples_of_the_modules_run(play: Play, sandbox: Sandbox, tmp_path: Path, check: list[str]) -> None:
    # Backwards, because the examples of voucherify_oauth_token revoke the token that others use.
    modules = [importlib.import_module(f"{PACKAGE}.{module}") for module in reversed(MODULES)]
    examples = [task for module in modules for task in yaml.safe_load(module.EXAMPLES)]
    assert len(examples) > 10
    make = {"voucherify.oauth.voucherify_oauth_token": {"scope": ["vouchers"]}, "register": "made", "check_mode": False}
    (tmp_path / "password").write_text("a password")
    variables = {
        "voucherify_app_id": sandbox.app_id,
        "voucherify_app_token": sandbox.app_token,
        "voucherify_api_base_url": sandbox.url,
        "vault_voucherify_token": "{{ made.access_token }}",
        **dict.fromkeys(("token", "vouchers", "campaigns"), "{{ made }}"),
    }
    run = play([make, *examples], *check, "--vault-id", f"production@{tmp_path / 'password'}", vars=variables)
    assert run.status == 0, run.output
    assert "ignored=0" in run.output
    assert (len(sandbox.tokens()) == 1) == bool(check), "check mode made a token, or the examples made none"


# The languages of code blocks that the test runs, writes to files, or ignores.
RUN, WRITTEN, IGNORED = {"shell"}, {"yaml", "yaml+jinja"}, {"console", "ini", "text"}
MARKDOWN_BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RST_BLOCK = re.compile(r"^\.\. code-block:: (\S+)\n\n((?:(?: {3}.*)?\n)+)", re.MULTILINE)
GUIDE = CHECKOUT / "docs" / "docsite" / "rst"
# Every page with commands. Each of them can be used alone.
PAGES = [
    *("README.md", "roles/token_vault/README.md"),
    *(
        f"docs/docsite/rst/{name}.rst"
        for name in ("getting_started", "recipes", "running", "security", "automation_platform")
    ),
]
# A page, whether the project has a file group_vars/all.yml, and whether each command first runs in check mode. Each
# page runs twice: in an empty folder with check mode, and in such a project without.
Case = tuple[str, bool, bool]
PAGE_CASES: list[Case] = [(page, has_all_yml, not has_all_yml) for page in PAGES for has_all_yml in (False, True)]
FAST_CASE: Case = ("README.md", True, False)
# How many tokens a page tells its readers to leave until they expire: replaced ones, and those of a deleted file.
LEFT_TO_EXPIRE = {"docs/docsite/rst/running.rst": 2}


def code_blocks(page: Path) -> list[tuple[str, str]]:
    """Return the language and the text of each code block of a page, in order."""
    pattern = RST_BLOCK if page.suffix == ".rst" else MARKDOWN_BLOCK
    return [(language, textwrap.dedent(code)) for language, code in pattern.findall(page.read_text())]


ALSO_IN_CHECK_MODE = """set -e
[ -z "$CHECK_FIRST" ] || grep -Fqsx -e "$*" "$0.checked" || {{ echo "$*" >> "$0.checked" && {0} --check "$@"; }}
{0} "$@"
"""


@pytest.fixture
def page_environment(
    sandbox: Sandbox, ansible_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """An environment in which ansible-playbook first runs each command in check mode, once, if CHECK_FIRST is set."""
    folder = tmp_path_factory.mktemp("commands")
    scripts = {"ansible-playbook": ALSO_IN_CHECK_MODE.format(shlex.quote(command_path("ansible-playbook")))}
    if not Path(command_path("ansible-runner")).exists():
        # Not every row of the test matrix has it. The tests in tests/publish need it.
        scripts["ansible-runner"] = "echo 'skipped: ansible-runner is not installed'"
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
        (folder / name).chmod(0o700)
    path = f"{folder}:{Path(command_path('ansible-playbook')).parent}:{os.environ['PATH']}"
    return {**os.environ, **ansible_environment, **sandbox.environment, "PATH": path}


@pytest.mark.parametrize(
    "case",
    [case if case == FAST_CASE else pytest.param(case, marks=pytest.mark.thorough) for case in PAGE_CASES],
    ids=lambda case: f"{case[0]}{' in a project' if case[1] else ''}{' with --check' if case[2] else ''}",
)
def test_the_code_of_a_page_runs_in_its_order(
    sandbox: Sandbox, tmp_path: Path, page_environment: dict[str, str], case: Case
) -> None:
    page, has_all_yml, check_first = case
    if "> password" not in (CHECKOUT / page).read_text():
        # The page asks for it.
        (tmp_path / "password").write_text("a password")
    if has_all_yml:
        (tmp_path / "group_vars").mkdir()
        (tmp_path / "group_vars" / "all.yml").write_text("of_the_project: still loaded\n")
    found = code_blocks(CHECKOUT / page)
    assert {language for language, _code in found} <= RUN | WRITTEN | IGNORED
    for language, code in found:
        if language in WRITTEN:
            name = re.match(r"# (\S+\.yml)\n", code)
            assert name, f"the first line of a code block does not name its file:\n{code}"
            (tmp_path / name[1]).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name[1]).write_text(code)
    commands = [code for language, code in found if language in RUN]
    if has_all_yml:
        commands.append("ansible localhost -m ansible.builtin.debug -a var=of_the_project\n")
    finished = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", "".join(commands)],
        cwd=tmp_path,
        env={**page_environment, "PWD": str(tmp_path), "CHECK_FIRST": "true" if check_first else ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout
    assert ('"of_the_project": "still loaded"' in finished.stdout) == has_all_yml, "group_vars/all.yml is not loaded"
    assert sandbox.requests()
    assert len(sandbox.live_tokens()) == LEFT_TO_EXPIRE.get(page, 0), "a reader of this page leaves tokens behind"


@pytest.mark.parametrize("page", PAGES)
def test_no_page_teaches_a_condition_that_hides_a_mistake(page: str) -> None:
    # With a missing file or a misspelled name, the task would be skipped, and the run would look like a success.
    assert [code for _language, code in code_blocks(CHECKOUT / page) if re.search(r"when: .* is defined", code)] == []


# Messages of ansible-core that the guide explains too.
ANSIBLE_MESSAGES = {
    "missing required arguments: app_id, app_token",
    "Failed to import the required Python library (requests)",
    "no vault secrets found",
    "no vault secrets were found that could decrypt",
}


def test_each_message_in_the_guide_exists_in_the_collection() -> None:
    titles = re.findall(r"^``.*``(?= and ``|\n {3})", (GUIDE / "error_messages.rst").read_text(), re.MULTILINE)
    explained = {message for title in titles for message in re.findall(r"``(.+?)``", title)} - ANSIBLE_MESSAGES
    assert len(explained) > 20
    ours = "\n".join(_texts_of_the_plugins())
    assert {message for message in explained if not re.search(_pattern(message), ours)} == set()


def _pattern(message: str) -> str:
    """Return a pattern for a message of the guide, in which … and HTTP statuses match anything."""
    return ".+".join(re.escape(part) for part in re.split(r"…+|\b\d{3}\b", message))


def _texts_of_the_plugins() -> Iterator[str]:
    """Yield each string in the code of the plugins, with … for each placeholder, and the tasks of the role."""
    yield (CHECKOUT / "roles" / "token_vault" / "tasks" / "main.yml").read_text()
    for path in (CHECKOUT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
