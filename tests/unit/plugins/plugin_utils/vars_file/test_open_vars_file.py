# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vars file that stays open: it is read, checked and written several times while others write too."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.vault import VaultLib
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import (
    FileAccessError,
    FileChangedError,
    InvalidFileError,
    VaultSecretError,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vars_file import (
    Settings,
    VarsFile,
    open_vars_file,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_secrets import RunVault
from unit.plugins.plugin_utils.vars_file.children import Child, make_reachable_for_others
from unit.plugins.plugin_utils.vars_file.vaults import encrypt, inline, run_vault

VAULT = run_vault("default")

both_formats = pytest.mark.parametrize("file_format", ["inline", "file"])


def run_before_vault_calls(monkeypatch: pytest.MonkeyPatch, work: Callable[[str], object]) -> None:
    """Call `work` before each encryption and decryption by ansible-core's vault."""

    def wrapped(name: str) -> Callable[..., Any]:
        genuine = getattr(VaultLib, name)

        def call(*arguments: Any, **options: Any) -> Any:
            work(name)
            return genuine(*arguments, **options)

        return call

    for name in ("encrypt", "decrypt_and_get_vault_id"):
        monkeypatch.setattr(VaultLib, name, wrapped(name))


@pytest.fixture
def vault_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls of ansible-core's vault that encrypt or decrypt."""
    calls: list[str] = []
    run_before_vault_calls(monkeypatch, calls.append)
    return calls


def opened(path: Path, vault: RunVault = VAULT, **options: Any) -> Any:
    return open_vars_file(Settings(path=str(path), **options), vault, make_folders=True)


def write(path: Path, file_format: str = "inline", **values: str) -> None:
    with opened(path, format=file_format) as file:
        file.apply(values)


def read_values(path: Path, *names: str, vault: RunVault = VAULT) -> dict[str, str | None]:
    with opened(path, vault, dry_run=True) as file:
        return {name: value.text for name, value in file.read(names).items()}


# --- reading


@both_formats
def test_the_kind_of_a_value_is_described_in_words(path: Path, file_format: str) -> None:
    text = (
        "empty: ''\nplain: text\nnone:\ntilde: ~\nnumber: 12\nfloat: 1.5\nyes_: yes\nmap: {a: 1}\nblock:\n  a: 1\n"
        "items:\n- 1\ntemplate: '{{ x }}'\nstatement: '{% x %}'\nunsafe: !unsafe '{{ x }}'\nday: 2026-01-01\n"
        "bytes: !!binary YQ==\ntagged: !custom x\nlink: &l t\nalias: *l\nquoted_number: '12'\n"
    )
    is_whole = file_format == "file"
    path.write_text(encrypt(text) if is_whole else text)
    kinds = {
        "none": "null",
        "tilde": "null",
        "number": "a number",
        "float": "a number",
        "yes_": "a boolean",
        "map": "a mapping",
        "block": "a mapping",
        "items": "a list",
        "template": "a template",
        "statement": "a template",
        "day": "a date",
        "bytes": "a value that is not a string",
        "tagged": "a value that is not a string",
        "alias": "an alias of another value",
    }
    texts = {"empty": "", "plain": "text", "unsafe": "{{ x }}", "link": "t", "quoted_number": "12"}

    with opened(path) as file:
        found = file.read([*kinds, *texts, "missing"])

    assert {name: (value.text, value.kind) for name, value in found.items()} == {
        **{name: (None, kind) for name, kind in kinds.items()},
        **{name: (text, "a string") for name, text in texts.items()},
    }
    assert {value.vault_id for value in found.values()} == {"default" if is_whole else None}
    assert "text" not in repr(found)


def test_a_vaulted_value_is_read_with_the_id_of_the_secret_that_decrypts_it(path: Path) -> None:
    path.write_text(inline("a", "{{ x }}", "prod") + inline("b", "y", "dev").replace("dev", "other"))

    with opened(path, run_vault("dev", "prod")) as file:
        found = file.read(["a", "b"])

    assert [(value.text, value.vault_id) for value in found.values()] == [("{{ x }}", "prod"), ("y", "dev")]


def test_only_the_listed_values_are_decrypted_and_each_once(path: Path, vault_calls: list[str]) -> None:
    path.write_text("".join(inline(f"name{number}", "x") for number in range(20)) + inline("theirs", "x", "another"))
    vault_calls.clear()

    with opened(path) as file:
        file.read(["name1", "name2"])
        assert vault_calls == ["decrypt_and_get_vault_id"] * 2
        file.read(["name1", "name2"])
        file.stored({"name1": "x"})
        file.preview({"name1": "x", "name2": "z", "new": "y"})
        assert len(vault_calls) == 2


def test_removing_a_variable_decrypts_nothing(path: Path, vault_calls: list[str]) -> None:
    path.write_text(inline("a", "x", "another") + inline("b", "y"))
    vault_calls.clear()

    with opened(path) as file:
        assert file.apply({"a": None, "b": None}).removed == ["a", "b"]
        assert file.stored({"a": None, "b": None}) == {"a", "b"}

    assert vault_calls == []


def test_many_values_are_encrypted_and_decrypted_in_parallel(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forty = {f"name{number}": f"value {number}" for number in range(40)}
    # Each call waits until another one runs at the same time.
    together = threading.Barrier(2, timeout=30)
    run_before_vault_calls(monkeypatch, lambda _name: together.wait())

    write(path, **forty)

    assert read_values(path, *forty) == forty


def test_one_value_that_cannot_be_decrypted_is_named(path: Path) -> None:
    path.write_text("".join(inline(f"name{number}", "x", "other" if number == 7 else "default") for number in range(9)))

    with opened(path) as file, pytest.raises(VaultSecretError, match=r"^The current value of 'name7' has the vault id"):
        file.read([f"name{number}" for number in range(9)])


def test_a_listed_variable_that_is_set_twice_is_refused_and_others_are_not(path: Path) -> None:
    path.write_text("a: 1\na: 2\nb: 3\n")

    with opened(path) as file:
        assert file.read(["b"])["b"].kind == "a number"
        for refused in (lambda: file.read(["a"]), lambda: file.preview({"a": "x"}), lambda: file.apply({"a": None})):
            with pytest.raises(InvalidFileError, match=f"^{path} sets the variable 'a' twice, on lines 1 and 2; "):
                refused()
        file.apply({"c": "x"})

    assert path.read_text().startswith("a: 1\na: 2\nb: 3\nc: !vault |\n")


# --- several writes


@both_formats
def test_each_write_adds_to_what_was_written_before_and_encrypts_nothing_twice(
    path: Path, file_format: str, vault_calls: list[str]
) -> None:
    with opened(path, format=file_format) as file:
        changes: dict[str, str | None] = {}
        for batch in range(5):
            changes |= {f"name{batch}_{number}": f"value {batch} {number}" for number in range(4)}
            outcome = file.apply(changes)
            assert outcome.added == sorted(changes)
            assert file.stored(changes) == changes.keys()

    assert vault_calls == ["encrypt"] * (20 if file_format == "inline" else 5)
    assert read_values(path, *changes) == changes


@both_formats
def test_an_editor_that_saves_an_older_version_between_two_writes_loses_nothing(path: Path, file_format: str) -> None:
    path.write_text(encrypt("# top\na: one\nz: z\n") if file_format == "file" else f"# top\n{inline('a', 'one')}z: z\n")
    with opened(path, format=file_format) as file:
        beginning = path.read_bytes()
        file.apply({"a": "two", "b": "x"})
        between = path.read_bytes()
        path.write_bytes(beginning)
        assert file.stored({"a": "two", "b": "x", "c": None}) == {"c"}

        outcome = file.apply({"a": "three", "b": "x", "c": "y"})

        assert (outcome.updated, outcome.added) == (["a"], ["b", "c"])
        assert read_values(path, "a", "b", "c", "z") == {"a": "three", "b": "x", "c": "y", "z": "z"}

        path.write_bytes(between)
        file.apply({"a": None, "b": "x"})
    assert read_values(path, "a", "b", "c") == {"b": "x"}


@both_formats
@pytest.mark.parametrize("theirs", [inline("a", "theirs"), "a: theirs\n", "a: {b: 1}\n", "", inline("a", "old")])
@pytest.mark.parametrize("wanted", ["new", None])
def test_the_value_of_a_listed_variable_wins_over_what_somebody_else_gave_it(
    path: Path, file_format: str, theirs: str, wanted: str | None
) -> None:
    def save(text: str) -> None:
        path.write_text(encrypt(text) if file_format == "file" else text)

    save(inline("a", "old") + "z: z\n")
    with opened(path) as file:
        save(theirs + "z: z\nmore: m\n")
        file.apply({"a": wanted, "b": "x"})
        assert file.stored({"a": wanted, "b": "x"}) == {"a", "b"}

    ours = {} if wanted is None else {"a": wanted}
    assert read_values(path, "a", "b", "z", "more") == {**ours, "b": "x", "z": "z", "more": "m"}


def another_program(monkeypatch: pytest.MonkeyPatch, work: Callable[[int], object]) -> list[int]:
    """Call `work`, as another program, between each read and the rename that follows. Returns a list of the calls."""
    genuine, turns = os.fchmod, []

    def fchmod(descriptor: int, mode: int) -> None:
        genuine(descriptor, mode)
        turns.append(1)
        work(len(turns))

    monkeypatch.setattr(os, "fchmod", fchmod)
    return turns


@both_formats
def test_a_change_by_another_program_during_a_write_is_kept(
    path: Path, file_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, file_format, a="one")

    def change_file(turn: int) -> None:
        if turn < 5:
            text = inline("a", "one") + f"theirs: number {turn}\n"
            path.write_text(encrypt(text) if file_format == "file" else text)

    with opened(path) as file:
        turns = another_program(monkeypatch, change_file)
        outcome = file.apply({"a": "two", "b": "x"})

    assert len(turns) == 5
    assert outcome.updated == ["a"]
    assert read_values(path, "a", "b", "theirs") == {"a": "two", "b": "x", "theirs": "number 4"}


def test_a_write_is_given_up_when_another_program_never_stops(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(path) as file:
        turns = another_program(monkeypatch, lambda turn: path.write_text(f"theirs: {turn}\n"))
        with pytest.raises(FileChangedError, match="so nothing was written; run the play again"):
            file.apply({"a": "x"})
        with pytest.raises(FileChangedError):
            file.check_writable()

    assert len(turns) == 10
    assert path.read_text() == "theirs: 10\n"
    assert os.listdir(path.parent) == ["vars.yml"]


@both_formats
def test_several_writes_leave_one_backup_of_the_file_as_it_was_in_the_beginning(path: Path, file_format: str) -> None:
    write(path, file_format, a="one", b="two")
    before = path.read_bytes()

    with opened(path, backup=True) as file:
        assert file.apply({"a": "one"}).backup_file is None
        file.check_writable()
        outcomes = [file.apply({"a": "three"}), file.apply({"a": "three", "b": None}), file.apply({"a": "three"})]

    backups = [str(found) for found in path.parent.glob(".*~")]
    assert [outcome.backup_file for outcome in outcomes] == backups * 3
    assert Path(backups[0]).read_bytes() == before


@pytest.mark.parametrize(("old", "new", "wanted"), [(0o644, 0o600, 0o600), (0o600, 0o644, 0o600), (0o640, None, 0o640)])
def test_a_backup_allows_nobody_more_than_the_file_does(path: Path, old: int, new: int | None, wanted: int) -> None:
    path.write_text("a: old\n")
    path.chmod(old)
    with opened(path, backup=True, mode=new) as file:
        backup = file.apply({"b": "new"}).backup_file
    assert backup
    assert stat.S_IMODE(Path(backup).stat().st_mode) == wanted


def test_the_outcome_is_what_changed_since_the_beginning(path: Path) -> None:
    write(path, a="one", b="two", c="three")

    with opened(path, mode=0o640) as file:
        file.apply({"a": "new", "d": "four"})
        outcome = file.apply({"a": "new", "b": None, "c": "three", "d": "four", "e": None})

    assert outcome.changed
    assert (outcome.added, outcome.updated, outcome.removed) == (["d"], ["a"], ["b"])
    assert outcome.unchanged == ["c", "e"]
    assert (outcome.mode_before, outcome.mode_after) == (0o600, 0o640)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


# --- before the first write


@both_formats
def test_checking_replaces_the_file_with_its_own_bytes(path: Path, file_format: str) -> None:
    write(path, file_format, a="one")
    path.chmod(0o640)
    before, inode = path.read_bytes(), path.stat().st_ino

    with opened(path) as file:
        file.check_writable()
        assert path.read_bytes() == before
        assert path.stat().st_ino != inode
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert file.apply({"a": "one"}).changed is False

    assert os.listdir(path.parent) == ["vars.yml"]


def test_checking_for_a_new_file_leaves_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "new" / "vars.yml") as file:
        file.check_writable()
        assert os.listdir(tmp_path / "new") == []

    assert os.listdir(tmp_path) == []


def test_checking_in_a_dry_run_writes_nothing(path: Path) -> None:
    write(path, a="one")
    before = path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns

    with opened(path, dry_run=True) as file:
        file.check_writable()

    assert (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns) == before


def assert_check_refuses(path: Path, sentence: str) -> None:
    """Assert that the check fails with this message and changes nothing."""
    before = path.read_bytes() if path.exists() else None
    with opened(path) as file:
        with pytest.raises(FileAccessError, match=sentence):
            file.check_writable()
        assert file.stored({"a": "one"}) == ({"a"} if before is not None else set())
    assert (path.read_bytes() if path.exists() else None) == before
    assert not list(path.parent.glob(".vaulted_vars.*"))


def test_a_file_that_is_mounted_by_itself_is_refused_before_the_first_write(
    path: Path, mounted: Callable[..., None]
) -> None:
    write(path, a="one")
    other = path.parent / "other.yml"
    other.write_bytes(path.read_bytes())
    mounted("--bind", str(other), str(path))

    assert_check_refuses(path, "choose a path that is not a mount point and run the play again$")


def test_an_immutable_file_is_refused_before_the_first_write(path: Path) -> None:
    write(path, a="one")
    if subprocess.run(["chattr", "+i", str(path)], check=False, capture_output=True).returncode:
        pytest.skip("only root can make a file immutable, and not on every file system")
    try:
        assert_check_refuses(path, "Operation not permitted; give your user the permission, or choose another path,")
    finally:
        subprocess.run(["chattr", "-i", str(path)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_a_file_of_somebody_else_in_a_sticky_folder_is_refused_before_the_first_write(tmp_path: Path) -> None:
    folder = tmp_path / "sticky"
    folder.mkdir()
    make_reachable_for_others(folder)
    tmp_path.chmod(0o755)
    write(folder / "vars.yml", a="one")
    os.chown(folder / "vars.yml", 1234, 65534)
    (folder / "vars.yml").chmod(0o666)
    folder.chmod(0o1777)

    def work() -> None:
        os.setegid(65534)
        os.seteuid(65534)
        assert_check_refuses(folder / "vars.yml", "^Cannot write ")

    assert Child(work).result() == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("{a: 1}\n", "in braces"), ("a: &x 1\nb: *x\n", "anchor"), ("? a\n: 1\n", "does not begin a line")],
)
def test_a_preview_finds_what_a_write_would_refuse(path: Path, text: str, sentence: str) -> None:
    path.write_text(text)

    with opened(path) as file, pytest.raises(InvalidFileError, match=sentence):
        file.preview({"a": "x"})


def test_a_preview_predicts_a_write_and_encrypts_nothing(path: Path, vault_calls: list[str]) -> None:
    write(path, a="one", b="two")
    before, changes = path.read_bytes(), {"a": "new", "b": None, "c": "x", "d": None}
    vault_calls.clear()

    with opened(path) as file:
        predicted = file.preview(changes)
        assert path.read_bytes() == before
        assert "encrypt" not in vault_calls
        assert file.apply(changes) == predicted


# --- the file around


def test_hard_links_are_counted(path: Path) -> None:
    with opened(path) as file:
        assert file.hard_links == 0
        file.apply({"a": "x"})
    os.link(path, path.parent / "link")

    with opened(path) as file:
        assert file.hard_links == 2


def test_values_go_into_the_locked_file_although_the_path_leads_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    current = tmp_path / "current"
    current.symlink_to("one")

    with opened(current / "vars.yml") as file:
        file.apply({"a": "x"})
        assert (file.path, file.moved_to()) == (f"{tmp_path}/one/vars.yml", None)
        current.unlink()
        current.symlink_to("two")
        assert file.moved_to() == f"{tmp_path}/two/vars.yml"
        file.apply({"a": "x", "b": "y"})
        assert file.stored({"a": "x", "b": "y"}) == {"a", "b"}

    assert read_values(tmp_path / "one" / "vars.yml", "a", "b") == {"a": "x", "b": "y"}
    assert os.listdir(tmp_path / "two") == []


def test_a_file_that_cannot_be_opened_leaves_no_folder(tmp_path: Path) -> None:
    with (
        pytest.raises(FileAccessError),
        opened(tmp_path / "new" / ("x" * 300)) as file,
    ):
        assert isinstance(file, VarsFile)

    assert os.listdir(tmp_path) == []
