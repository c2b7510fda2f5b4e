# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a vars file is read and changed, with ansible-core's real vault, while others write it too."""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.vault import VaultLib
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import (
    FileAccessError,
    FileChangedError,
    InvalidFileError,
    VarsFileError,
    VaultSecretError,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vars_file import (
    Outcome,
    Settings,
    open_vars_file,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_secrets import RunVault, id_in_header
from unit.plugins.plugin_utils.vars_file.children import Child, make_reachable_for_others
from unit.plugins.plugin_utils.vars_file.vaults import encrypt, inline, run_vault, secret, values_in

SECRET = "a secret value"
VAULT = run_vault("default")
AWKWARD = ["", " ", "true", "12", "{{ x }}", "{% raw %}", "{# c #}", "#jinja2:variable_start_string:'[['\n[[ x ]]"]
AWKWARD += ["q\"'\\", "two\nlines\n", "日本 😀", "\t\x07", SECRET, SECRET]
AWKWARD_VALUES = {f"name{number}": value for number, value in enumerate(AWKWARD)}

both_formats = pytest.mark.parametrize("file_format", ["inline", "file"])


def opened(path: Path, vault: RunVault = VAULT, **options: Any) -> Any:
    return open_vars_file(Settings(path=str(path), **options), vault, make_folders=True)


def change(path: Path, values: dict[str, str] | None = None, *removed: str, **options: Any) -> Outcome:
    vault = options.pop("vault", VAULT)
    with open_vars_file(Settings(path=str(path), **options), vault, make_folders=bool(values)) as file:
        return file.apply({**(values or {}), **dict.fromkeys(removed)})


def save(path: Path, text: str, file_format: str = "inline") -> None:
    path.write_text(encrypt(text) if file_format == "file" else text)


def lists(outcome: Outcome) -> dict[str, Sequence[str]]:
    """Return the lists of an outcome that are not empty."""
    names = ("added", "updated", "removed", "unchanged")
    return {name: getattr(outcome, name) for name in names if getattr(outcome, name)}


def state(path: Path) -> tuple[object, ...]:
    """Return everything that must not change if nothing is done."""
    status = path.stat()
    return path.read_bytes(), status.st_ino, status.st_mtime_ns, status.st_mode, sorted(os.listdir(path.parent))


def mode(path: Path | str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


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


# --- values


@both_formats
def test_every_string_can_be_read_back_and_is_unchanged_the_second_time(path: Path, file_format: str) -> None:
    assert lists(change(path, AWKWARD_VALUES, format=file_format)) == {"added": sorted(AWKWARD_VALUES)}
    before = state(path)

    again = change(path, AWKWARD_VALUES, format=file_format)

    assert not again.changed
    assert lists(again) == {"unchanged": sorted(AWKWARD_VALUES)}
    assert state(path) == before
    assert values_in(path, VAULT) == AWKWARD_VALUES
    assert SECRET.encode() not in path.read_bytes()
    # Each value has a salt of its own.
    salts = re.findall(r"AES256\n *(\w+)", path.read_text())
    assert len({*salts}) == len(salts) == (1 if file_format == "file" else len(AWKWARD_VALUES))


def test_a_new_file_is_inline_and_for_its_owner_only(path: Path) -> None:
    outcome = change(path, {"b": "1", "a": "2"})

    ids = {"a": "default", "b": "default"}
    assert outcome == Outcome(["a", "b"], [], [], [], "inline", "default", ids, mode_before=None, mode_after=None)
    assert list(values_in(path, VAULT)) == ["b", "a"]
    assert mode(path) == 0o600


@pytest.mark.parametrize("value", [SECRET, "\n  - nested", "12", "", f"!unsafe {SECRET}"])
def test_a_plain_value_is_replaced_with_a_vaulted_one_and_others_are_not_touched(path: Path, value: str) -> None:
    theirs = inline("theirs", "x", "another")
    path.write_text(f"{theirs}a: {value}\n{inline('kept', 'y')}")
    _before, kept = path.read_text().split("kept")

    assert lists(change(path, {"a": SECRET, "kept": "y"})) == {"updated": ["a"], "unchanged": ["kept"]}

    assert path.read_text().startswith(theirs)
    assert path.read_text().endswith(f"kept{kept}")
    assert values_in(path, run_vault("default", "another"))["a"] == SECRET
    assert SECRET not in path.read_text()


def test_a_value_that_cannot_be_decrypted_is_named_and_can_be_removed(path: Path) -> None:
    path.write_text("".join(inline(f"name{number}", "x", "other" if number == 7 else "default") for number in range(9)))
    before = state(path)

    with pytest.raises(VaultSecretError) as raised:
        change(path, {f"name{number}": "x" for number in range(9)})

    assert str(raised.value) == (
        "The current value of 'name7' has the vault id 'other' and cannot be decrypted with the vault secrets of "
        "this run ('default'); also load the secret that encrypted it, or, if that secret is lost or the value was "
        "changed, and the file contains only tokens, delete the file"
    )
    assert state(path) == before
    assert lists(change(path, {}, "name7")) == {"removed": ["name7"]}


@both_formats
def test_the_kind_of_a_value_is_described_in_words(path: Path, file_format: str) -> None:
    kinds = {
        "null": "none:\ntilde: ~\n",
        "a number": "number: 12\nfloat: 1.5\n",
        "a boolean": "yes_: yes\n",
        "a mapping": "map: {a: 1}\nblock:\n  a: 1\n",
        "a list": "items:\n- 1\n",
        "a template": "template: '{{ x }}'\nstatement: '{% x %}'\n",
        "a date": "day: 2026-01-01\n",
        "a value that is not a string": "bytes: !!binary YQ==\ntagged: !custom x\n",
        "an alias of another value": "alias: *l\n",
        "a string": "empty: ''\nplain: text\nunsafe: !unsafe '{{ x }}'\nquoted_number: '12'\n",
    }
    save(path, "link: &l t\n" + "".join(kinds.values()), file_format)
    wanted = {line.split(":")[0]: kind for kind, text in kinds.items() for line in text.split("\n") if line[:1] > " "}
    del wanted["- 1"]

    with opened(path) as file:
        found = file.read([*wanted, "missing"])

    assert {name: value.kind for name, value in found.items()} == wanted
    texts = {name: value.text for name, value in found.items() if value.text is not None}
    assert texts == {"empty": "", "plain": "text", "unsafe": "{{ x }}", "quoted_number": "12"}
    assert {value.vault_id for value in found.values()} == {"default" if file_format == "file" else None}
    assert "text" not in repr(found["plain"])


def test_only_the_listed_values_are_decrypted_and_each_once(path: Path, vault_calls: list[str]) -> None:
    path.write_text("".join(inline(f"name{number}", "x") for number in range(9)) + inline("theirs", "x", "another"))
    vault_calls.clear()

    with opened(path) as file:
        for _turn in range(2):
            file.read(["name1", "name2"])
            file.stored({"name1": "x"})
            file.preview({"name1": "x", "name2": "z", "new": "y", "name3": None})
            assert vault_calls == ["decrypt_and_get_vault_id"] * 2
        assert file.apply({"theirs": None, "name1": None}).removed == ["name1", "theirs"]
        assert file.stored({"theirs": None}) == {"theirs"}
    assert len(vault_calls) == 2


def test_a_value_with_the_old_tag_is_read_and_gets_the_new_one_when_it_is_replaced(path: Path) -> None:
    path.write_text((inline("kept", "x") + inline("replaced", "y")).replace("!vault", "!vault-encrypted"))
    assert lists(change(path, {"kept": "x", "replaced": "z"})) == {"updated": ["replaced"], "unchanged": ["kept"]}
    assert re.findall(r"!vault\S*", path.read_text()) == ["!vault-encrypted", "!vault"]
    assert values_in(path, VAULT) == {"kept": "x", "replaced": "z"}


@pytest.mark.parametrize("vault_id", [None, "default"])
@pytest.mark.parametrize(
    "text",
    [
        inline("theirs", "x", "another") + inline("ours", "x"),
        "ours:\n  inner:\n    - " + inline("password", "x").replace("\n", "\n      "),
        # The secret may have no id only because the user gave none.
        inline("ours", "x", "another"),
    ],
)
def test_a_new_value_does_not_get_a_mistyped_password(path: Path, text: str, vault_id: str | None) -> None:
    path.write_text(text)
    before = state(path)
    mistyped = RunVault([("default", secret("mistyped"))])
    for dry_run in (True, False):
        with pytest.raises(VaultSecretError, match="The current value of 'ours' has the vault id"):
            change(path, {"new": "y"}, vault=mistyped, vault_id=vault_id, dry_run=dry_run)
    assert state(path) == before


def test_a_value_of_another_vault_id_need_not_be_decrypted(path: Path) -> None:
    path.write_text(inline("theirs", "x", "another") + inline("ours", "x"))
    assert change(path, {"new": "y"}).added == ["new"]
    assert change(path, {"dev": "z"}, vault=run_vault("dev")).added == ["dev"]


def test_many_values_are_encrypted_and_decrypted_in_parallel(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each call waits until another one runs at the same time.
    together = threading.Barrier(2, timeout=30)
    run_before_vault_calls(monkeypatch, lambda _name: together.wait())
    values = {f"name{number}": f"value {number}" for number in range(10)}

    change(path, values)

    with opened(path) as file:
        assert {name: value.text for name, value in file.read(values).items()} == values


@pytest.mark.parametrize("threads", [0, 1])
def test_values_are_encrypted_and_decrypted_although_no_more_threads_can_be_started(
    path: Path, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = threading.Thread.start
    started: list[threading.Thread] = []

    def start(thread: threading.Thread) -> None:
        if len(started) >= threads:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        genuine(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    change(path, {"a": "x", "b": "y", "c": "z"})

    assert change(path, {"a": "x", "b": "y", "c": "z"}).unchanged == ["a", "b", "c"]


def test_a_listed_variable_that_is_set_twice_is_refused_and_others_are_not(path: Path) -> None:
    path.write_text("a: 1\na: 2\nb: 3\n")

    with opened(path) as file:
        assert file.read(["b"])["b"].kind == "a number"
        for refused in (lambda: file.read(["a"]), lambda: file.preview({"a": "x"}), lambda: file.apply({"a": None})):
            with pytest.raises(InvalidFileError, match=f"^{path} sets the variable 'a' twice, on lines 1 and 2; "):
                refused()
        file.apply({"c": "x"})

    assert path.read_text().startswith("a: 1\na: 2\nb: 3\nc: !vault |\n")


# --- whole files


def test_an_encrypted_file_keeps_its_comments_and_keys_and_can_become_empty(path: Path) -> None:
    save(path, f"# top\na: old  # behind\n1: [1]\n2: x\nt: '{{{{ x }}}}'\n{inline('v', 'x')}", "file")

    outcome = change(path, {"a": SECRET, "b": "{{ x }}", "t": "{{ x }}", "v": "x"})

    # A template is not the same text, and a vaulted value in the file is compared too.
    assert lists(outcome) == {"added": ["b"], "updated": ["a", "t"], "unchanged": ["v"]}
    text = VAULT.decrypt(path.read_bytes(), "file").plain.decode()
    assert text.startswith(f'# top\na: "{SECRET}"  # behind\n1: [1]\n2: x\nt: !unsafe "{{{{ x }}}}"\nv: !vault |\n')
    assert text.endswith('b: !unsafe "{{ x }}"\n')

    save(path, "a: x\n", "file")
    change(path, {}, "a")
    assert values_in(path, VAULT) == {}
    assert lists(change(path, {"b": "1"})) == {"added": ["b"]}
    assert path.read_text().startswith("$ANSIBLE_VAULT;")


@pytest.mark.parametrize(("existing", "wanted", "what"), [("inline", "file", "is not"), ("file", "inline", "is")])
def test_a_format_that_contradicts_the_existing_file_is_refused(
    path: Path, existing: str, wanted: str, what: str
) -> None:
    save(path, "a: x\n", existing)
    before = state(path)

    with pytest.raises(InvalidFileError) as raised:
        change(path, {"a": "y"}, format=wanted)

    assert str(raised.value) == (
        f"{path} {what} encrypted as a whole, and is not converted to format '{wanted}'; leave out format, or, if "
        "the file contains only tokens, delete it"
    )
    assert state(path) == before


@pytest.mark.parametrize("existing", ["", "\n\n"])
def test_an_empty_file_takes_the_format_that_is_asked_for(path: Path, existing: str) -> None:
    path.write_text(existing)

    assert change(path, {"a": "y"}, format="file").format == "file"
    assert path.read_text().startswith("$ANSIBLE_VAULT;")


# --- secrets

DEV, PROD = inline("b", "x", "dev"), inline("c", "x", "prod")
# The loaded ids, the file, the option vault_id, the configured identity, and the id under which "a" is encrypted.
CHOICES = [
    (("dev",), "", None, None, "dev"),
    (("dev", "prod"), "", "prod", None, "prod"),
    (("dev", "prod"), inline("a", "old", "dev"), "prod", None, "prod"),
    (("dev", "prod"), inline("a", "old", "dev"), None, "prod", "dev"),
    (("dev", "prod"), inline("a", "old", "dev") + PROD, None, None, "dev"),
    (("dev", "prod"), "a: old\n", None, "prod", "prod"),
    (("dev", "prod"), DEV, None, "prod", "prod"),
    (("dev", "prod"), PROD + inline("d", "x", "prod"), None, None, "prod"),
    (("dev", "default"), inline("b", "x"), None, None, "default"),
    (("dev",), PROD, None, None, "dev"),
    # The header can name an id that is not the id of the secret that decrypts the value.
    (("dev", "prod"), inline("a", "old", "prod").replace("prod", "other"), None, None, "prod"),
    (("dev", "prod"), encrypt("a: old\n", "prod"), None, "dev", "prod"),
    (("dev", "prod"), encrypt("a: old\n", "prod"), "dev", None, "dev"),
    (("prod", "prod"), "", None, None, "prod"),
]
AMBIGUOUS = ["", "a: old\n", DEV + PROD, inline("b", "x", "other"), DEV + inline("c", "x", "other"), inline("b", "x")]


@pytest.mark.parametrize("choice", CHOICES)
def test_the_secret_that_encrypts_is_chosen_in_the_documented_order(
    path: Path, choice: tuple[tuple[str, ...], str, str | None, str | None, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, text, vault_id, identity, chosen = choice
    if identity:
        monkeypatch.setenv("ANSIBLE_VAULT_ENCRYPT_IDENTITY", identity)
    if text:
        path.write_text(text)

    outcome = change(path, {"a": "new"}, vault=run_vault(*loaded), vault_id=vault_id)

    assert (outcome.vault_id, outcome.vault_ids) == (chosen, {"a": chosen})
    written = path.read_text() if outcome.format == "file" else path.read_text().split("a: !vault |\n")[1].strip()
    assert id_in_header(written.encode()) == chosen
    assert values_in(path, run_vault("dev", "prod", "other", "default"))["a"] == "new"
    # The same secret is chosen the next time.
    assert not change(path, {"a": "new"}, vault=run_vault(*loaded), vault_id=vault_id).changed


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_no_secret_is_guessed_when_none_of_several_is_named(path: Path, text: str) -> None:
    path.write_text(text)

    for dry_run in (False, True):
        with pytest.raises(VaultSecretError) as raised:
            change(path, {"a": "x"}, vault=run_vault("dev", "prod"), dry_run=dry_run)
        assert str(raised.value) == (
            "This run has several vault secrets, 'dev', 'prod', and nothing says which one to encrypt with; set "
            "vault_id to one of them; of several secrets with the same id (one may be that of vault_password_file in "
            "ansible.cfg), it takes the first"
        )

    assert path.read_text() == text


def test_no_secret_is_guessed_from_two_under_one_id_but_the_first_can_be_named(path: Path) -> None:
    vault = RunVault([("default", secret("one")), ("default", secret("two")), ("default", secret("one"))])
    with pytest.raises(VaultSecretError, match=r"'default', 'default', and nothing .* set vault_id to one"):
        change(path, {"a": "x"}, vault=vault)

    change(path, {"a": "x"}, vault=vault, vault_id="default")

    assert values_in(path, RunVault([("default", secret("one"))])) == {"a": "x"}


@both_formats
@pytest.mark.parametrize(("old_id", "new_id"), [("my id", "prod"), ("staging", "staging"), ("default", "default")])
def test_existing_values_are_encrypted_with_the_secret_of_the_vault_id_whatever_theirs_is_called(
    path: Path, file_format: str, old_id: str, new_id: str
) -> None:
    new, old = (new_id, secret("new")), (old_id, secret("old"))
    values, both = {"a": "x", "b": "y"}, RunVault([new, old])
    change(path, values, vault=RunVault([old]), format=file_format)

    # Without the option, whoever can read the file can still read it.
    change(path, {**values, "a": "z"}, vault=both)
    assert values_in(path, RunVault([old])) == {**values, "a": "z"}
    change(path, values, vault=both)

    moved = change(path, values, vault=both, vault_id=new_id)

    assert (lists(moved), moved.vault_ids) == ({"updated": ["a", "b"]}, {"a": new_id, "b": new_id})
    assert values_in(path, RunVault([new])) == values
    before = state(path)
    assert not change(path, values, vault=both, vault_id=new_id).changed
    assert state(path) == before


def test_a_value_that_names_the_vault_id_but_has_another_secret_is_encrypted_again(path: Path) -> None:
    path.write_text(inline("a", "x", "dev").replace("dev", "prod"))

    assert change(path, {"a": "x"}, vault=run_vault("dev", "prod"), vault_id="prod").updated == ["a"]

    assert values_in(path, run_vault("prod")) == {"a": "x"}


@pytest.mark.parametrize("option", ["vault_id", "vault_encrypt_identity"])
def test_an_unknown_vault_id_is_refused_and_the_loaded_ones_are_named(
    path: Path, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_option = option == "vault_id"
    if not by_option:
        monkeypatch.setenv("ANSIBLE_VAULT_ENCRYPT_IDENTITY", "pord")

    with pytest.raises(VaultSecretError) as raised:
        change(path, {"a": "x"}, vault=run_vault("dev", "prod", "dev"), vault_id="pord" if by_option else None)

    assert str(raised.value) == (
        f"No vault secret is loaded under the id in {'' if by_option else 'the configured '}{option}; correct the id, "
        "or load its secret with --vault-id (this run has 'dev', 'prod')"
    )
    assert not path.exists()


@pytest.mark.parametrize("vault_id", ["é", "trailing blank "])
def test_a_vault_id_that_cannot_be_read_again_is_refused(path: Path, vault_id: str) -> None:
    path.write_text(inline("a", "x"))
    before = state(path)

    with pytest.raises(VaultSecretError, match=f"^The vault id '{vault_id}' cannot be written"):
        change(path, {"a": "y"}, vault=RunVault([(vault_id, secret("default"))]))

    assert state(path) == before


# --- without a change


def test_removing_needs_no_secret_and_makes_nothing(path: Path) -> None:
    for where in (path, path.parent / "new" / "vars.yml"):
        assert lists(change(where, {}, "a", "a", vault=run_vault(), mode=0o644)) == {"unchanged": ["a"]}
        assert not change(where, {}, mode=0o644).changed
    assert os.listdir(path.parent) == []

    path.write_text("a: 1\nb: 2\n")
    assert change(path, {}, "a", vault=run_vault(), backup=True).removed == ["a"]
    assert path.read_text() == "b: 2\n"
    before = path.read_bytes()
    assert not change(path, {}, "a", vault=run_vault()).changed
    assert path.read_bytes() == before


def test_a_mode_is_set_with_values_and_without_a_write(path: Path) -> None:
    change(path, {"a": "x"}, mode=0o644)
    assert mode(path) == 0o644
    before = path.stat().st_ino

    outcome = change(path, {"a": "x"}, mode=0o640, backup=True)

    assert (outcome.changed, outcome.mode_before, outcome.mode_after) == (True, 0o644, 0o640)
    assert (outcome.backup_file, path.stat().st_ino, mode(path)) == (None, before, 0o640)
    assert not change(path, {"a": "x"}, mode=0o640).changed


@pytest.mark.parametrize("changes", [{"a": "x", "new": "y"}, {"a": None}, {"b": "new", "a": None, "c": None}])
def test_a_dry_run_and_a_preview_predict_the_outcome_and_change_nothing(
    path: Path, changes: dict[str, str | None], vault_calls: list[str]
) -> None:
    path.write_text("a: 1\n" + inline("b", "x"))
    leftover = path.parent / ".vaulted_vars.0123456789abcdef.tmp"
    leftover.touch()
    before = state(path)
    vault_calls.clear()

    with opened(path, dry_run=True, mode=0o640, backup=True) as file:
        predicted = file.apply(changes)
        file.check_writable()
    with opened(path.parent / "new" / "vars.yml", dry_run=True) as file:
        assert not {"updated", "removed"} & lists(file.apply(changes)).keys()

    assert state(path) == before
    assert "encrypt" not in vault_calls
    with opened(path, mode=0o640) as file:
        assert file.preview(changes) == predicted
        assert file.apply(changes) == predicted
    assert predicted.changed
    assert not leftover.exists()


@both_formats
@pytest.mark.parametrize(
    "existing",
    ["a: 'x", "- a\n", "a: 1\n---\nb: 1\n", "a: 1\na: 2\n", "{a: 1}\n", "? a\n: 1\n", "a: &x 1\nb: *x\n", b"a: \xff\n"],
)
def test_a_file_that_cannot_be_edited_is_left_as_it_was_and_a_preview_says_so(
    path: Path, existing: str | bytes, file_format: str
) -> None:
    data = existing if isinstance(existing, bytes) else existing.encode()
    path.write_bytes(VaultLib([]).encrypt(data, secret("default")) if file_format == "file" else data)
    before = state(path)

    for changes in ({"a": SECRET}, {"a": None}):
        for dry_run in (False, True):
            with pytest.raises(VarsFileError, match=rf"\A{path} [^\n]*\Z"), opened(path, dry_run=dry_run) as file:
                file.apply(changes)

    assert state(path) == before


# --- backups


@pytest.mark.parametrize(
    ("existing", "changes", "is_plain"),
    [
        ("plain: 1\n" + inline("a", "x"), {"a": "y"}, False),
        ("plain: 1\n" + inline("a", "x"), {"plain": None}, False),
        (encrypt("a: x\n"), {"a": "y"}, False),
        (f"a: {SECRET}\nb: 2\n", {"a": "y"}, True),
    ],
)
def test_several_writes_leave_one_backup_without_the_plain_text_of_what_is_vaulted_now(
    path: Path, existing: str, changes: dict[str, str | None], is_plain: bool
) -> None:
    path.write_text(existing)

    with opened(path, backup=True) as file:
        file.check_writable()
        outcomes = [file.apply(one) for one in ({}, changes, {**changes, "b": "more"}, changes)]

    (backup,) = path.parent.glob(".*~")
    assert [outcome.backup_file for outcome in outcomes] == [None, *[str(backup)] * 3]
    data = backup.read_bytes()
    assert SECRET.encode() not in data
    assert (VAULT.decrypt(data, "copy").plain if is_plain else data) == existing.encode()
    assert change(path, {"b": "more"}, backup=True).backup_file is None
    assert change(path, {"b": "other"}, backup=True).backup_file not in (None, str(backup))


@pytest.mark.parametrize(
    ("old", "new", "wanted"), [(0o644, 0o600, 0o600), (0o600, 0o644, 0o600), (0o640, None, 0o640), (None, 0o600, None)]
)
def test_a_backup_allows_nobody_more_than_the_file_does(
    path: Path, old: int | None, new: int | None, wanted: int | None
) -> None:
    if old is not None:
        path.write_text("a: old\n")
        path.chmod(old)

    backup = change(path, {"b": "new"}, backup=True, mode=new).backup_file

    # A file that does not exist gets no backup.
    assert (mode(backup) if backup else None) == wanted


# --- several writes, and other programs


@both_formats
def test_each_write_adds_to_what_was_written_before_and_encrypts_nothing_twice(
    path: Path, file_format: str, vault_calls: list[str]
) -> None:
    with opened(path, format=file_format) as file:
        changes: dict[str, str | None] = {}
        for batch in range(3):
            changes |= {f"name{batch}_{number}": f"value {batch} {number}" for number in range(4)}
            assert file.apply(changes).added == sorted(changes)
            assert file.stored(changes) == changes.keys()

    assert vault_calls == ["encrypt"] * (12 if file_format == "inline" else 3)
    assert values_in(path, VAULT) == changes


def test_the_outcome_is_what_changed_since_the_beginning(path: Path) -> None:
    change(path, {"a": "one", "b": "two", "c": "three"})

    with opened(path, mode=0o640) as file:
        file.apply({"a": "new", "d": "four"})
        outcome = file.apply({"a": "new", "b": None, "c": "three", "d": "four", "e": None})
        assert file.found({"a": "new", "d": "four"}).mode_after == 0o640

    assert lists(outcome) == {"added": ["d"], "updated": ["a"], "removed": ["b"], "unchanged": ["c", "e"]}
    assert (outcome.changed, outcome.mode_before, outcome.mode_after, mode(path)) == (True, 0o600, 0o640, 0o640)


@both_formats
def test_an_editor_that_saves_an_older_version_between_two_writes_loses_nothing(path: Path, file_format: str) -> None:
    save(path, "# top\na: one\nz: z\n" if file_format == "file" else f"# top\n{inline('a', 'one')}z: z\n", file_format)
    with opened(path) as file:
        beginning = path.read_bytes()
        file.apply({"a": "two", "b": "x"})
        between = path.read_bytes()
        path.write_bytes(beginning)
        assert file.stored({"a": "two", "b": "x", "c": None}) == {"c"}

        outcome = file.apply({"a": "three", "b": "x", "c": "y"})

        assert (outcome.updated, outcome.added) == (["a"], ["b", "c"])
        assert values_in(path, VAULT) == {"a": "three", "b": "x", "c": "y", "z": "z"}
        path.write_bytes(between)
        file.apply({"a": None, "b": "x"})
    assert values_in(path, VAULT) == {"b": "x", "z": "z"}


@pytest.mark.parametrize("theirs", [inline("a", "theirs"), "a: theirs\n", "a: {b: 1}\n", "", inline("a", "old")])
@pytest.mark.parametrize("wanted", ["new", None])
def test_the_value_of_a_listed_variable_wins_over_what_somebody_else_gave_it(
    path: Path, theirs: str, wanted: str | None
) -> None:
    path.write_text(inline("a", "old") + "z: z\n")

    with opened(path) as file:
        path.write_text(theirs + "z: z\nmore: m\n")
        file.apply({"a": wanted, "b": "x"})
        assert file.stored({"a": wanted, "b": "x"}) == {"a", "b"}

    assert values_in(path, VAULT) == {**({"a": wanted} if wanted else {}), "b": "x", "z": "z", "more": "m"}


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
    change(path, {"a": "one"}, format=file_format)

    def change_file(turn: int) -> None:
        if turn < 5:
            save(path, inline("a", "one") + f"theirs: number {turn}\n", file_format)

    with opened(path) as file:
        turns = another_program(monkeypatch, change_file)
        outcome = file.apply({"a": "two", "b": "x"})

    assert len(turns) == 5
    assert outcome.updated == ["a"]
    assert values_in(path, VAULT) == {"a": "two", "b": "x", "theirs": "number 4"}


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


# --- before the first write


@both_formats
def test_checking_replaces_the_file_with_its_own_bytes_and_makes_no_new_one(path: Path, file_format: str) -> None:
    change(path, {"a": "one"}, format=file_format, mode=0o640)
    data, inode, *_others = state(path)

    with opened(path) as file:
        file.check_writable()
        assert (path.read_bytes(), mode(path)) == (data, 0o640)
        assert path.stat().st_ino != inode
        assert not file.apply({"a": "one"}).changed
    with opened(path.parent / "new" / "vars.yml") as file:
        file.check_writable()
        assert os.listdir(path.parent / "new") == []

    assert os.listdir(path.parent) == ["vars.yml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_a_file_of_somebody_else_in_a_sticky_folder_is_refused_before_the_first_write(tmp_path: Path) -> None:
    path = tmp_path / "sticky" / "vars.yml"
    change(path, {"a": "one"}, mode=0o666)
    make_reachable_for_others(path.parent)
    tmp_path.chmod(0o755)
    os.chown(path, 1234, 65534)
    path.parent.chmod(0o1777)

    def work() -> None:
        os.setegid(65534)
        os.seteuid(65534)
        with opened(path) as file:
            with pytest.raises(FileAccessError, match=r"^Cannot write "):
                file.check_writable()
            assert file.stored({"a": "one"}) == {"a"}

    before = path.read_bytes()
    assert Child(work).result() == 0
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["vars.yml"]


def test_a_file_that_cannot_be_opened_leaves_no_folder(path: Path) -> None:
    with pytest.raises(FileAccessError), opened(path.parent / "new" / ("x" * 300)):
        pass

    assert not os.listdir(path.parent)
