# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the pages of the site that antsibull-docs does not write.

    python docs/site/pages.py FOLDER

The first page gets a list of the modules, roles and playbooks. The playbooks get their own page.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

COLLECTION = "voucherify.oauth"
CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Playbook:
    """A playbook that users run by its full name, with the comment at its beginning."""

    name: str
    summary: str
    comment: list[str]
    source: str


def main(folder: Path) -> None:
    playbooks = [read_playbook(path) for path in sorted((CHECKOUT / "playbooks").glob("*.yml"))]
    (folder / "included.rst").write_text("\n".join(included(playbooks)) + "\n")
    (folder / "playbooks.rst").write_text("\n".join(page(playbooks)) + "\n")


def read_playbook(path: Path) -> Playbook:
    text = path.read_text()
    head, sign, source = text.partition("\n- name: ")
    comment = [line.removeprefix("# ").rstrip() for line in head.splitlines() if line.startswith("# ")]
    plays = yaml.safe_load(text)
    return Playbook(
        name=f"{COLLECTION}.{path.stem}",
        summary=plays[0]["name"] if len(plays) == 1 else f"A tour in {len(plays)} plays",
        comment=[line for line in comment if not line.startswith("SPDX-")],
        source=sign.lstrip() + source,
    )


def included(playbooks: list[Playbook]) -> Iterator[str]:
    """Yield a list instead of a table, because it is readable on a narrow screen."""
    for name, summary in sorted(list_plugins("module").items()):
        yield from (f"Module :ansplugin:`{name}#module`", f"   {summary}", "")
    for name, role in sorted(list_plugins("role").items()):
        yield from (f"Role :ansplugin:`{name}#role`", f"   {role['entry_points']['main']}", "")
    for playbook in playbooks:
        yield from (f"Playbook :ref:`{playbook.name} <{playbook.name}>`", f"   {playbook.summary}", "")


def list_plugins(kind: str) -> dict[str, Any]:
    """Return what ansible-doc lists for the collection: names, and summaries or roles."""
    command = ["ansible-doc", "--type", kind, "--list", "--json", COLLECTION]
    found: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return found


def page(playbooks: list[Playbook]) -> Iterator[str]:
    """Yield the page about the playbooks."""
    yield from ("Playbooks", "=========", "")
    yield from ("You run these playbooks by their full names. The text above each playbook says what it needs.", "")
    yield from (".. contents::", "   :local:", "   :depth: 1", "")
    for playbook in playbooks:
        yield from (f".. _{playbook.name}:", "", playbook.name, "-" * len(playbook.name), "")
        yield from (f"{playbook.summary}.", "")
        for is_command, lines in groupby(playbook.comment, lambda line: line.startswith("  ")):
            yield from ((".. code-block:: shell", "") if is_command else ())
            yield from (f" {line}" if is_command else line for line in lines)
            yield ""
        yield from ("This is the playbook:", "", ".. code-block:: yaml+jinja", "")
        yield from (f"   {line}".rstrip() for line in playbook.source.splitlines())
        yield ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
