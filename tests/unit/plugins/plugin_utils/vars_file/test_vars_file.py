# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a vars file changes, with ansible-core's real vault."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import (
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
from unit.plugins.plugin_utils.vars_file.vaults import encrypt, inline, run_vault, secret, values_in

SECRET = "a secret value"
AWKWARD_VALUES = [
    "",
    " ",
    "true",
    "12",
    "{{ x }}",
    "{% raw %}",
    "{# c #}",
    "#jinja2:variable_start_string:'[['\n[[ x ]]",
    "q\"'\\",
    "two\nlines\n",
    "日本 😀",
    "\t\x07",
    "x" * 999,
]


def change(path: Path, vault: RunVault | None = None, names: tuple[str, ...] = (), **options: Any) -> Outcome:
    variables = options.pop("variables", {})
    settings = Settings(path=str(path), **options)
    with open_vars_file(settings, vault or run_vault("default"), make_folders=bool(variables)) as file:
        return file.apply({**variables, **dict.fromkeys(names)})


def nonempty_lists(outcome: Outcome) -> dict[str, list[str]]:
    """Return the lists of an outcome that are not empty."""
    names = ("added", "updated", "removed", "unchanged")
    return {name: list(getattr(outcome, name)) for name in names if getattr(outcome, name)}


def header(text: str, name: str) -> str:
    return text.split(f"{name}: !vault |\n")[1].split("\n", maxsplit=1)[0].strip()


def file_state(path: Path) -> tuple[object, ...]:
    """Return everything that must not change in a file that is left alone."""
    status = path.stat()
    return path.read_bytes(), status.st_ino, status.st_mtime_ns, status.st_mode


def decrypted_values(path: Path, *vault_ids: str) -> dict[str, str]:
    """Return the values that a run with the secrets of these ids can read."""
    return values_in(path, run_vault(*(vault_ids or ("default",))))


@pytest.mark.parametrize("vault_format", ["inline", "file"])
@pytest.mark.parametrize("value", AWKWARD_VALUES)
def test_every_string_can_be_read_back_and_is_unchanged_the_second_time(
    path: Path, value: str, vault_format: str
) -> None:
    assert nonempty_lists(change(path, variables={"a": value}, format=vault_format)) == {"added": ["a"]}
    before = file_state(path)

    again = change(path, variables={"a": value}, format=vault_format)

    assert not again.changed
    assert nonempty_lists(again) == {"unchanged": ["a"]}
    assert file_state(path) == before
    assert decrypted_values(path) == {"a": value}
    assert len(value) < 3 or value.encode() not in path.read_bytes()


def test_a_new_file_is_inline_and_for_its_owner_only(path: Path) -> None:
    outcome = change(path, variables={"b": "1", "a": "2"})

    assert outcome == Outcome(
        added=["a", "b"],
        updated=[],
        removed=[],
        unchanged=[],
        format="inline",
        vault_id="default",
        vault_ids={"a": "default", "b": "default"},
        mode_before=None,
        mode_after=None,
        backup_file=None,
    )
    assert list(decrypted_values(path)) == ["b", "a"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_each_value_is_encrypted_with_a_salt_of_its_own(path: Path) -> None:
    change(path, variables={"a": SECRET, "b": SECRET})

    first, second = path.read_text().split(": !vault |\n")[1:]
    assert first.split("\n")[1] != second.split("\n")[1]


def test_changing_one_of_a_hundred_values_leaves_the_others_ciphertexts(path: Path) -> None:
    hundred = {f"name{number}": f"value {number}" for number in range(100)}
    change(path, variables=hundred)
    before = path.read_text().split("name50: ")

    outcome = change(path, variables=hundred | {"name50": "another"})

    after = path.read_text().split("name50: ")
    assert nonempty_lists(outcome)["updated"] == ["name50"]
    assert after[0] == before[0]
    assert after[1].split("name51: ")[1] == before[1].split("name51: ")[1]
    assert decrypted_values(path) == hundred | {"name50": "another"}


@pytest.mark.parametrize(
    "existing", ["a: a secret value\n", "a:\n  - nested\n", "a: 12\n", "a:\n", "a: !unsafe a secret value\n"]
)
def test_a_plain_value_is_replaced_with_a_vaulted_one(path: Path, existing: str) -> None:
    path.write_text(existing)

    assert nonempty_lists(change(path, variables={"a": SECRET})) == {"updated": ["a"]}
    assert decrypted_values(path) == {"a": SECRET}
    assert SECRET not in path.read_text()


def test_the_values_of_other_variables_are_not_decrypted(path: Path) -> None:
    path.write_text(inline("theirs", "x", "another") + inline("mine", "y"))
    theirs = path.read_text().split("mine")[0]

    change(path, variables={"mine": "z"})

    assert path.read_text().startswith(theirs)


def test_a_value_to_compare_that_cannot_be_decrypted_is_an_error(path: Path) -> None:
    path.write_text(inline("theirs", "x", "another"))
    before = path.read_bytes()

    with pytest.raises(VaultSecretError) as raised:
        change(path, variables={"theirs": "x"})

    assert str(raised.value) == (
        "The current value of 'theirs' has the vault id 'another' and cannot be decrypted with the vault secrets of "
        "this run ('default'); also load the secret that encrypted it, or, if that secret is lost and the file "
        "contains only tokens, delete the file"
    )
    assert path.read_bytes() == before
    assert nonempty_lists(change(path, names=("theirs",))) == {"removed": ["theirs"]}


# --- whole files


def test_an_encrypted_file_keeps_its_comments_and_is_not_touched_without_a_change(path: Path) -> None:
    path.write_text(encrypt("# top\na: old  # behind\nn: [1]\n"))

    assert nonempty_lists(change(path, variables={"a": SECRET, "b": "{{ x }}"})) == {"added": ["b"], "updated": ["a"]}

    text = run_vault("default").decrypt(path.read_bytes(), "file").plain.decode()
    assert text == f'# top\na: "{SECRET}"  # behind\nn: [1]\nb: !unsafe "{{{{ x }}}}"\n'
    before = path.read_bytes()
    assert not change(path, variables={"a": SECRET, "b": "{{ x }}"}).changed
    assert path.read_bytes() == before


def test_a_vaulted_value_within_an_encrypted_file_is_compared_too(path: Path) -> None:
    path.write_text(encrypt(inline("a", "x")))

    assert not change(path, variables={"a": "x"}).changed


def test_an_encrypted_file_can_have_keys_that_are_no_strings(path: Path) -> None:
    path.write_text(encrypt("1: x\n2: y\n"))

    assert nonempty_lists(change(path, variables={"a": "z"})) == {"added": ["a"]}


def test_a_template_in_an_encrypted_file_differs_from_the_same_text(path: Path) -> None:
    path.write_text(encrypt("a: '{{ x }}'\n"))

    assert nonempty_lists(change(path, variables={"a": "{{ x }}"})) == {"updated": ["a"]}


def test_an_encrypted_file_keeps_the_secret_that_it_is_encrypted_with(path: Path) -> None:
    path.write_text(encrypt("a: x\n", "prod"))
    vault = run_vault("default", "prod")

    outcome = change(path, vault, variables={"a": "y"})

    assert outcome.vault_id == "prod"
    assert path.read_text().startswith("$ANSIBLE_VAULT;1.2;AES256;prod\n")
    assert decrypted_values(path, "prod") == {"a": "y"}


def test_an_encrypted_file_is_encrypted_again_when_another_vault_id_is_named(path: Path) -> None:
    path.write_text(encrypt("a: x\n", "prod"))
    vault = run_vault("default", "prod")

    assert nonempty_lists(change(path, vault, variables={"a": "x"}, vault_id="prod")) == {"unchanged": ["a"]}
    moved = change(path, vault, variables={"a": "x"}, vault_id="default")
    assert (nonempty_lists(moved), moved.vault_id) == ({"updated": ["a"]}, "default")
    assert path.read_text().startswith("$ANSIBLE_VAULT;1.1;AES256\n")
    assert decrypted_values(path, "default") == {"a": "x"}


def test_removing_the_last_variable_leaves_an_empty_encrypted_file(path: Path) -> None:
    path.write_text(encrypt("a: x\n"))

    change(path, names=("a",))

    assert decrypted_values(path) == {}
    assert nonempty_lists(change(path, variables={"b": "1"})) == {"added": ["b"]}
    assert path.read_text().startswith("$ANSIBLE_VAULT;")


def test_a_file_encrypted_with_another_password_is_an_error(path: Path) -> None:
    path.write_text(encrypt("a: x\n", "another"))
    before = path.read_bytes()

    with pytest.raises(
        VaultSecretError, match=f"^{path} has the vault id 'another' and cannot be decrypted with the vault"
    ):
        change(path, variables={"b": "1"})

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("existing", "wanted", "what"),
    [("a: x\n", "file", "is not encrypted as a whole"), (encrypt("a: x\n"), "inline", "is encrypted as a whole")],
)
def test_a_format_that_contradicts_the_existing_file_is_refused(
    path: Path, existing: str, wanted: str, what: str
) -> None:
    path.write_text(existing)

    with pytest.raises(InvalidFileError) as raised:
        change(path, variables={"a": "y"}, format=wanted)

    assert str(raised.value) == (
        f"{path} {what}, and is not converted to format '{wanted}'; leave out format, or convert the file with "
        "ansible-vault first"
    )
    assert path.read_text() == existing


@pytest.mark.parametrize("existing", ["", "\n\n"])
def test_an_empty_file_takes_the_format_that_is_asked_for(path: Path, existing: str) -> None:
    path.write_text(existing)

    assert change(path, variables={"a": "y"}, format="file").format == "file"
    assert path.read_text().startswith("$ANSIBLE_VAULT;")


# --- secrets


class Choice(NamedTuple):
    """loaded: vault ids. text: of the file. vault_id, identity: from user and configuration. chosen: the id of "a"."""

    loaded: tuple[str, ...]
    text: str
    vault_id: str | None
    identity: str | None
    chosen: str


CHOICES = [
    Choice(("dev",), "", None, None, "dev"),
    Choice(("dev", "prod"), "", "prod", None, "prod"),
    Choice(("dev", "prod"), inline("a", "old", "dev"), "prod", None, "prod"),
    Choice(("dev", "prod"), inline("a", "old", "dev"), None, "prod", "dev"),
    Choice(("dev", "prod"), inline("a", "old", "dev") + inline("b", "x", "prod"), None, None, "dev"),
    Choice(("dev", "prod"), "a: old\n", None, "prod", "prod"),
    Choice(("dev", "prod"), inline("b", "x", "dev"), None, "prod", "prod"),
    Choice(("dev", "prod"), inline("b", "x", "prod") + inline("c", "x", "prod"), None, None, "prod"),
    Choice(("dev", "default"), inline("b", "x"), None, None, "default"),
    Choice(("dev",), inline("b", "x", "prod"), None, None, "dev"),
    # The header can name an id that is not the id of the secret that decrypts the value.
    Choice(("dev", "prod"), inline("a", "old", "prod").replace("prod", "other"), None, None, "prod"),
    Choice(("dev", "prod"), encrypt("a: old\n", "prod"), None, "dev", "prod"),
    Choice(("dev", "prod"), encrypt("a: old\n", "prod"), "dev", None, "dev"),
    Choice(("prod", "prod"), "", None, None, "prod"),
]
AMBIGUOUS = [
    (("dev", "prod"), ""),
    (("dev", "prod"), "a: old\n"),
    (("dev", "prod"), inline("b", "x", "dev") + inline("c", "x", "prod")),
    (("dev", "prod"), inline("b", "x", "other")),
    (("dev", "prod"), inline("b", "x", "dev") + inline("c", "x", "other")),
    (("dev", "prod"), inline("b", "x")),
]


@pytest.mark.parametrize("choice", CHOICES)
def test_the_secret_that_encrypts_is_chosen_in_the_documented_order(
    path: Path, choice: Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, text, vault_id, identity, chosen = choice
    if identity:
        monkeypatch.setenv("ANSIBLE_VAULT_ENCRYPT_IDENTITY", identity)
    if text:
        path.write_text(text)

    outcome = change(path, run_vault(*loaded), variables={"a": "new"}, vault_id=vault_id)

    assert (outcome.vault_id, outcome.vault_ids) == (chosen, {"a": chosen})
    written = path.read_text() if outcome.format == "file" else header(path.read_text(), "a")
    assert id_in_header(written.encode()) == chosen
    assert decrypted_values(path, *loaded, "prod", "other", "default")["a"] == "new"
    # The same secret is chosen the next time.
    assert not change(path, run_vault(*loaded), variables={"a": "new"}, vault_id=vault_id).changed


@pytest.mark.parametrize(("loaded", "text"), AMBIGUOUS)
def test_no_secret_is_guessed_when_none_of_several_is_named(path: Path, loaded: tuple[str, ...], text: str) -> None:
    path.write_text(text)

    for dry_run in (False, True):
        with pytest.raises(VaultSecretError) as raised:
            change(path, run_vault(*loaded), variables={"a": "x"}, dry_run=dry_run)
        assert str(raised.value) == (
            "This run has several vault secrets, 'dev', 'prod', and nothing says which one to encrypt with; set "
            "vault_id to one of them"
        )

    assert path.read_text() == text


def test_no_secret_is_guessed_from_two_under_one_id_but_the_first_can_be_named(path: Path) -> None:
    vault = RunVault([("default", secret("one")), ("default", secret("two")), ("default", secret("one"))])
    with pytest.raises(VaultSecretError, match=r"'default', 'default', and nothing .* set vault_id to one"):
        change(path, vault, variables={"a": "x"})

    change(path, vault, variables={"a": "x"}, vault_id="default")

    assert change(path, RunVault([("default", secret("one"))]), variables={"a": "x"}).unchanged == ["a"]


def test_the_secret_of_a_replaced_value_encrypts_the_new_one_even_if_another_has_its_id(path: Path) -> None:
    path.write_text(inline("a", "old", "two").replace("1.2;AES256;two", "1.1;AES256"))
    vault = RunVault([("default", secret("one")), ("default", secret("two"))])

    change(path, vault, variables={"a": "new"})

    assert change(path, RunVault([("default", secret("two"))]), variables={"a": "new"}).unchanged == ["a"]


def test_a_configured_identity_that_is_not_loaded_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_VAULT_ENCRYPT_IDENTITY", "prod")

    with pytest.raises(
        VaultSecretError,
        match=r"in the configured vault_encrypt_identity; .* \(this run has 'dev'\)$",
    ):
        change(path, run_vault("dev"), variables={"a": "y"})


@pytest.mark.parametrize("file_format", ["inline", "file"])
def test_existing_values_are_moved_to_the_named_vault_id(path: Path, file_format: str) -> None:
    values = {"a": "x", "b": "y"}
    change(path, run_vault("my id"), variables={**values, "c": "z"}, format=file_format)
    vault = run_vault("my id", "prod")

    moved = change(path, vault, variables=values, vault_id="prod")

    assert nonempty_lists(moved) == {"updated": ["a", "b"]}
    assert moved.vault_ids == {"a": "prod", "b": "prod"}
    assert decrypted_values(path, "my id", "prod") == {**values, "c": "z"}
    if file_format == "inline":
        assert [header(path.read_text(), name)[-4:] for name in "abc"] == ["prod", "prod", "y id"]
    before = file_state(path)
    assert not change(path, vault, variables=values, vault_id="prod").changed
    assert file_state(path) == before


@pytest.mark.parametrize("file_format", ["inline", "file"])
@pytest.mark.parametrize("vault_id", ["staging", "default"])
def test_a_rotated_password_encrypts_again_although_its_id_stays(path: Path, file_format: str, vault_id: str) -> None:
    new, old = (vault_id, secret("new")), (vault_id, secret("old"))
    values = {"a": "x", "b": "y"}
    change(path, RunVault([old]), variables=values, format=file_format)

    # Without the option, whoever can read the file can still read it.
    assert not change(path, RunVault([new, old]), variables=values).changed
    assert change(path, RunVault([new, old]), variables=values, vault_id=vault_id).updated == ["a", "b"]

    assert values_in(path, RunVault([new])) == values
    before = file_state(path)
    assert not change(path, RunVault([new, old]), variables=values, vault_id=vault_id).changed
    assert file_state(path) == before


def test_a_value_that_names_the_vault_id_but_has_another_secret_is_encrypted_again(path: Path) -> None:
    path.write_text(inline("a", "x", "dev").replace("dev", "prod"))

    assert change(path, run_vault("dev", "prod"), variables={"a": "x"}, vault_id="prod").updated == ["a"]

    assert change(path, run_vault("prod"), variables={"a": "x"}).unchanged == ["a"]


def test_the_secret_of_a_replaced_value_is_not_written_under_an_id_that_cannot_be_read_again(path: Path) -> None:
    text = inline("a", "x", "default")
    path.write_text(text)

    with pytest.raises(VaultSecretError, match=r"^The vault id 'é' cannot be written"):
        change(path, RunVault([("é", secret("default"))]), variables={"a": "y"})

    assert path.read_text() == text


def test_removing_plain_variables_needs_no_vault_secret(path: Path) -> None:
    path.write_text("a: 1\nb: 2\n")

    assert change(path, run_vault(), names=("a",), backup=True).removed == ["a"]
    assert path.read_text() == "b: 2\n"


def test_an_unknown_vault_id_is_refused_and_the_loaded_ones_are_named(path: Path) -> None:
    with pytest.raises(VaultSecretError) as raised:
        change(path, run_vault("dev", "prod", "dev"), variables={"a": "x"}, vault_id="pord")

    assert str(raised.value) == (
        "No vault secret is loaded under the id in vault_id; correct the id, or load its secret with"
        " --vault-id (this run has 'dev', 'prod')"
    )
    assert not path.exists()


@pytest.mark.parametrize("vault_id", ["é", "trailing blank "])
def test_a_vault_id_that_cannot_be_read_again_is_refused(path: Path, vault_id: str) -> None:
    with pytest.raises(VaultSecretError, match=f"^The vault id '{vault_id}' cannot be written"):
        change(path, run_vault(vault_id), variables={"a": "x"})

    assert not path.exists()


def test_a_run_without_a_secret_says_how_to_load_one(path: Path) -> None:
    with pytest.raises(VaultSecretError) as raised:
        change(path, run_vault(), variables={"a": "x"})

    assert str(raised.value) == (
        "This run has no vault secret to encrypt with; start it with --vault-password-file, --vault-id or "
        "--ask-vault-pass"
    )
    assert not path.exists()


# --- the file around the variables


def test_a_file_that_is_not_utf8_is_refused(path: Path) -> None:
    path.write_bytes(b"a: \xff\n")

    with pytest.raises(InvalidFileError, match="is not UTF-8 text; convert it first"):
        change(path, variables={"b": "x"})

    assert path.read_bytes() == b"a: \xff\n"


def test_an_error_in_a_file_is_reported_with_its_path(path: Path) -> None:
    path.write_text("- a\n")

    with pytest.raises(InvalidFileError, match=f"^{path} contains a list, not variables"):
        change(path, variables={"b": "x"})


@pytest.mark.parametrize("vault_format", ["inline", "file"])
def test_removing_names_that_are_not_there_changes_nothing(path: Path, vault_format: str) -> None:
    assert nonempty_lists(change(path, names=("a", "a"))) == {"unchanged": ["a"]}
    assert not path.exists()

    change(path, variables={"b": "1"}, format=vault_format)
    before = path.read_bytes()
    assert not change(path, names=("a",)).changed
    assert path.read_bytes() == before


def test_removing_from_a_folder_that_does_not_exist_does_not_create_it(tmp_path: Path) -> None:
    assert not change(tmp_path / "new" / "vars.yml", names=("a",), mode=0o644).changed
    assert list(tmp_path.iterdir()) == []


def test_setting_nothing_makes_no_file(path: Path) -> None:
    assert not change(path, variables={}, mode=0o644).changed
    assert not path.exists()


def test_the_mode_is_set_without_writing_when_nothing_else_changes(path: Path) -> None:
    change(path, variables={"a": "x"})
    before = path.stat().st_ino, path.read_bytes()

    outcome = change(path, variables={"a": "x"}, mode=0o640, backup=True)

    assert (outcome.changed, outcome.mode_before, outcome.mode_after) == (True, 0o600, 0o640)
    assert outcome.backup_file is None
    assert (path.stat().st_ino, path.read_bytes()) == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert not change(path, variables={"a": "x"}, mode=0o640).changed


def test_a_mode_is_set_together_with_values(path: Path) -> None:
    for variables in ({"a": "x"}, {"a": "y"}):
        change(path, variables=variables, mode=0o640)
        assert decrypted_values(path) == variables
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


# --- dry runs and backups


@pytest.mark.parametrize("options", [{"variables": {"a": "x", "new": "y"}}, {"names": ("a",)}])
def test_a_dry_run_predicts_the_outcome_and_changes_nothing(path: Path, options: dict[str, Any]) -> None:
    path.write_text("a: 1\nb: 2\n")
    leftover = path.parent / ".vaulted_vars.0123456789abcdef.tmp"
    leftover.touch()
    before = file_state(path)

    predicted = change(path, **options, dry_run=True, mode=0o640, backup=True)

    assert file_state(path) == before
    assert sorted(os.listdir(path.parent)) == [leftover.name, "vars.yml"]
    done = change(path, **options, mode=0o640)
    assert predicted == done
    assert done.changed


def test_a_dry_run_makes_no_folder(tmp_path: Path) -> None:
    outcome = change(tmp_path / "new" / "vars.yml", variables={"a": "x"}, dry_run=True)

    assert nonempty_lists(outcome) == {"added": ["a"]}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("existing", "options"),
    [
        ("plain: 1\n" + inline("a", "x"), {"variables": {"a": "y"}}),
        ("plain: 1\n" + inline("a", "x"), {"names": ("plain",)}),
        (encrypt("a: x\n"), {"variables": {"a": "y"}}),
    ],
)
def test_a_backup_is_the_file_as_it_was(path: Path, existing: str, options: dict[str, Any]) -> None:
    path.write_text(existing)

    outcome = change(path, **options, backup=True)

    assert outcome.backup_file
    assert Path(outcome.backup_file).read_text() == existing
    assert change(path, **options, backup=True).backup_file is None


def test_a_backup_has_no_plain_text_of_what_is_vaulted_now(path: Path) -> None:
    path.write_text(f"a: {SECRET}\nb: 2\n")
    before = path.read_bytes()

    outcome = change(path, variables={"a": "y"}, backup=True)

    assert outcome.backup_file
    copy = Path(outcome.backup_file).read_bytes()
    assert SECRET.encode() not in copy
    assert run_vault("default").decrypt(copy, "copy").plain == before


def test_a_file_that_does_not_exist_gets_no_backup(path: Path) -> None:
    assert change(path, variables={"a": "y"}, backup=True).backup_file is None
    assert os.listdir(path.parent) == ["vars.yml"]


@pytest.mark.parametrize(
    "existing", ["a: 'x", "- a\n", "a: 1\n---\nb: 1\n", "a: 1\na: 2\n", "{a: 1}\n", "? a\n: 1\n", "a: &x 1\nb: *x\n"]
)
@pytest.mark.parametrize("vault_format", ["inline", "file"])
def test_a_file_that_cannot_be_edited_is_left_as_it_was(path: Path, existing: str, vault_format: str) -> None:
    path.write_text(existing if vault_format == "inline" else encrypt(existing))
    before = file_state(path)

    for options in ({"variables": {"a": SECRET}}, {"names": ("a",)}):
        with pytest.raises(VarsFileError) as raised:
            change(path, **options)
        assert str(raised.value).startswith(f"{path} ")
        assert "\n" not in str(raised.value)

    assert file_state(path) == before
    assert os.listdir(path.parent) == ["vars.yml"]
