# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths that Ansible reads, compared with what ansible-core's own loader finds before and after the write."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import InvalidFileError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.loading_rules import check_loading
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vars_file import Settings, open_vars_file
from unit.plugins.plugin_utils.vars_file.vaults import run_vault

GROUPS = ["all", "eu.prod"]
HOSTS = [*GROUPS, "web1.example.com", "db.internal", "new.vault", "all.txt"]

# What may exist for a name. A folder ends with a slash.
EXISTING = [
    [name for name in names if name]
    for names in product(["", "all", "all/", "all/others.yml"], ["", "all.yml"], ["", "all.yaml"], ["", "all.json"])
]
NEW = ["all", "all.yml", "all.yaml", "all.json", "all/new.yml", "all/sub/new"]
# A name, and what exists already.
OTHERS = """
all/new           all/new.json      all/sub/deeper/new.yml  all/eu.new.yml     eu.prod.yml       eu.prod/new.yml
all/new.vault     all/new.YML       all/new.yml~            all/new~           all/.new.yml      all/.new
all/new.          all/a.b           all/sub.d/new.yml       all/.sub/new.yml   all/sub~/new.yml  all/x.yml/new.yml
all/sub/new.txt   .new.yml          new.vault               all.yml~           all~              .all/new.yml
all~/new.yml      all.yml/new.yml   all.txt                 web1.example.com   web1.example.com.yml
db.internal.json  web1.example.com/new.yml                  web1.example.com/a.b/new.yml
host_vars/db.internal               group_vars/all/new.yml
web1.example.com/new.yml<web1.example.com.yml  web1.example.com<web1.example.com.yml
web1.example.com.yml<web1.example.com/         web1.example.com/new.yml<web1.yml
eu.prod/new.yml<eu.prod.yaml       eu.prod.yml<eu.prod.yaml             all.yml/new.yml<all.yml/others.yml
all/new.yml<all.yml/others.yml     all.yml/new.yml<all/,all.yml/others  all/new.yml<all.txt,all.yml~,.all.yml
"""
CASES = [
    *product(EXISTING, NEW),
    *(
        ([name for name in there.split(",") if name], new)
        for new, _sign, there in (o.partition("<") for o in OTHERS.split())
    ),
]


def make(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        path = folder / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.touch()


def loaded(top: Path) -> set[str]:
    """Return the files that Ansible reads for the groups and hosts."""
    return {
        file
        for folder in top.rglob("*_vars")
        for name in (GROUPS if folder.name == "group_vars" else HOSTS)
        for file in DataLoader().find_vars_files(str(folder), name)
    }


def refusal(path: Path) -> str | None:
    try:
        check_loading(str(path))
    except InvalidFileError as error:
        return str(error)
    return None


@pytest.mark.parametrize("folder", ["group_vars", "host_vars", "host_vars/inventory/group_vars"])
def test_a_path_is_refused_exactly_if_ansible_would_read_another_file_less_or_never_this_one(
    tmp_path: Path, folder: str
) -> None:
    results = set()
    for number, (existing, new) in enumerate(CASES):
        top = tmp_path / str(number) / folder
        path = top / new
        make(top, existing)
        if path.is_dir() or ((top / "all").is_file() and "all/" in new):
            continue  # The operating system refuses this.
        if folder.endswith("group_vars") and new.startswith(("web1", "db")):
            continue  # There is no such group.
        before, was_there = loaded(tmp_path / str(number)), path.exists()
        sentence = refusal(path)
        results.add(sentence is None)

        make(top, [new])
        after = loaded(tmp_path / str(number))

        assert (sentence is None) == (before | {str(path)} <= after), (existing, new, sentence)
        # When the advice is followed, the same path or the one in the sentence works.
        if sentence and "; use " in sentence and not was_there:
            assert "that file" in sentence or refusal(Path(sentence.rsplit(" ", 1)[1])) is None
    assert results == {True, False}


@pytest.mark.parametrize(
    "name", ["vars/.hidden/tokens.vault", "group_vars", "vars/host_vars", "group_vars.d/all/x.txt", "my_group_vars/x~"]
)
def test_every_path_outside_of_these_folders_is_fine(tmp_path: Path, name: str) -> None:
    make(tmp_path, ["group_vars.yml", "host_vars.yml"])

    assert refusal(tmp_path / name) is None


SENTENCES = {
    "all/new.yml": "A new folder {}/all would make Ansible ignore {}/all.yml; first move that file into the folder: "
    '"mkdir {}/all" and "mv {}/all.yml {}/all/"',
    "a b/new.yml": "A new folder {}/a b would make Ansible ignore {}/a b.json; first move that file into the folder: "
    "\"mkdir '{}/a b'\" and \"mv '{}/a b.json' '{}/a b'/\"",
    "all": "A new file {}/all would make Ansible ignore {}/all.yml; use that file instead",
    "folder.yml": "Ansible would never read {}/folder.yml, because it reads {}/folder instead; use "
    "{}/folder/folder.yml",
    "all.json": "Ansible would never read {}/all.json, because it reads {}/all.yml instead; use {}/all.yml",
    "x/.y": "Ansible would never read {}/x/.y, because it ignores names that begin with a dot; choose another path",
    "x/y~": 'Ansible would never read {}/x/y~, because it ignores names that end in "~"; choose another path',
    "x/a.b/y": "Ansible would never read {}/x/a.b/y, because it ignores subfolders with a dot in the name; choose "
    "another path",
    "x/y.vault": "Ansible would never read {}/x/y.vault, because it ignores files whose ending is not one of .yml, "
    ".yaml, .json; choose another path",
}


def test_a_refusal_says_why_and_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "group_vars"
    make(folder, ["all.yml", "a b.json", "folder/"])

    assert {new: refusal(folder / new) for new in SENTENCES} == {
        new: sentence.replace("{}", str(folder)) for new, sentence in SENTENCES.items()
    }


def test_the_endings_are_those_of_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_YAML_FILENAME_EXT", ".vars,.yml")
    make(tmp_path / "group_vars", ["all.vars", "web.yaml"])

    assert refusal(tmp_path / "group_vars" / "new.vars") is None
    assert refusal(tmp_path / "group_vars" / "web" / "new.vars") is None
    assert "ignore" in (refusal(tmp_path / "group_vars" / "all" / "new.vars") or "")
    assert "is not one of .vars, .yml;" in (refusal(tmp_path / "group_vars" / "new.yaml") or "")


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_file_is_not_opened_to_set_what_ansible_would_not_read_and_nothing_is_made(
    tmp_path: Path, dry_run: bool
) -> None:
    make(tmp_path / "group_vars", ["all.yml"])
    settings = Settings(str(tmp_path / "group_vars" / "all" / "new.yml"), dry_run=dry_run)

    with (
        pytest.raises(InvalidFileError, match="would make Ansible ignore"),
        open_vars_file(settings, run_vault("default"), make_folders=True),
    ):
        pass
    # Variables can be removed wherever they are.
    with open_vars_file(settings, run_vault("default"), make_folders=False) as file:
        assert not file.apply({"a": None}).changed

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["all.yml", "group_vars"]
