# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of the documentation runs."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import textwrap
from pathlib import Path

import pytest
from integration.plays import CHECKOUT, Play, command
from sandbox import Sandbox

MODULES = ["vaulted_vars", "voucherify_oauth_token", "voucherify_oauth_token_info"]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module_run(play: Play, sandbox: Sandbox, tmp_path: Path, module: str) -> None:
    examples = importlib.import_module(f"ansible_collections.voucherify.oauth.plugins.modules.{module}").EXAMPLES
    made = play(
        [{"voucherify.oauth.voucherify_oauth_token": {"scope": ["vouchers"]}, "register": "made"}], keep=["made"]
    )
    token = made.kept["made"]
    (tmp_path / "password").write_text("a password")
    variables = {
        "voucherify_app_id": sandbox.app_id,
        "voucherify_app_token": sandbox.app_token,
        "voucherify_api_base_url": sandbox.url,
        "vault_voucherify_token": token["access_token"],
        **dict.fromkeys(("token", "vouchers", "campaigns"), token),
    }
    run = play(examples, "--vault-id", f"production@{tmp_path / 'password'}", vars=variables)
    assert run.status == 0, run.output
    assert "ignored=0" in run.output


# How the pages mark their code: what is run or written, and what is only to be read.
RUN, WRITTEN, READ = {"shell"}, {"yaml", "yaml+jinja"}, {"console", "text"}
MARKDOWN_BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RST_BLOCK = re.compile(r"^\.\. code-block:: (\S+)\n\n((?:(?: {3}.*)?\n)+)", re.MULTILINE)
GUIDE = ["guide", "automation_platform"]
PAGES = ["README.md", "roles/token_vault/README.md", *(f"docs/docsite/rst/{name}.rst" for name in GUIDE)]


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return the language and the text of each block of code of a page, in their order."""
    pattern = RST_BLOCK if page.suffix == ".rst" else MARKDOWN_BLOCK
    return [(language, textwrap.dedent(code)) for language, code in pattern.findall(page.read_text())]


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs_in_its_order(
    sandbox: Sandbox, tmp_path: Path, ansible_environment: dict[str, str], page: str
) -> None:
    environment = {**os.environ, **ansible_environment, **sandbox.environment}
    environment["PATH"] = f"{Path(command('ansible-playbook')).parent}:{environment['PATH']}"
    # What a reader has from the page that led to this one.
    (tmp_path / "password").write_text("a password")
    found = blocks(CHECKOUT / page)
    assert {language for language, _code in found} <= RUN | WRITTEN | READ
    for language, code in found:
        if language in WRITTEN:
            name = re.match(r"# (\S+\.yml)\n", code)
            assert name, f"a block does not say in its first line which file it is:\n{code}"
            (tmp_path / name[1]).write_text(code)
    finished = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", "".join(code for language, code in found if language in RUN)],
        cwd=tmp_path,
        env={**environment, "PWD": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout
    assert sandbox.requests()
    assert not sandbox.live_tokens(), "a reader who follows this page leaves tokens behind"
