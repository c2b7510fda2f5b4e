# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Vaulted variables in a vars file: read, compare, splice, encrypt, replace.

A vars file comes in two formats. In an inline one each value is vaulted by itself, behind the tag "!vault"; the other
is encrypted as a whole, and its values are plain strings inside.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ansible.parsing.vault import is_encrypted

from .locked_file import Standing, locked
from .run_vault import RunVault, VaultKey
from .vars_splice import Changes, splice
from .vars_text import (
    UNSAFE,
    VAULT,
    StringValue,
    Variable,
    parse,
)
from .vault_errors import InvalidFileError

INLINE = "inline"
WHOLE = "file"

_BYTE_ORDER_MARK = "\ufeff"
# What makes a template of a string; the last can give the others another look.
_TEMPLATE_MARKS = ("{{", "{%", "{#", "#jinja2:")


@dataclass(frozen=True)
class Edit:
    """What is to become of a vars file: variables to set, names of variables to remove.

    `path` is absolute. None for `format`, `vault_id` and `mode` leaves them to what stands, or to the defaults.
    """

    path: str
    variables: Mapping[str, str]
    names: Sequence[str]
    format: str | None = None
    vault_id: str | None = None
    mode: int | None = None
    backup: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a vars file, or would have in a dry run. The names are sorted."""

    added: Sequence[str]
    updated: Sequence[str]
    removed: Sequence[str]
    unchanged: Sequence[str]
    format: str
    vault_id: str
    mode_before: int | None  # None when there was no file
    mode_after: int | None  # None for the mode that a new file gets
    backup_file: str | None

    @property
    def changed(self) -> bool:
        return bool(self.added or self.updated or self.removed) or self.mode_before != self.mode_after


class _Content(ABC):
    """What stands in a vars file, decrypted as far as the format asks for it."""

    format: str

    def __init__(self, plain: bytes, vault: RunVault, key: VaultKey) -> None:
        try:
            text = plain.decode()
        except UnicodeDecodeError:
            raise InvalidFileError("is no UTF-8 text; convert it first") from None
        self._mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
        self._vault = vault
        self.key = key
        self.text = parse(text[len(self._mark) :])

    def holds(self, variable: Variable, plaintext: str) -> bool:
        """Whether the variable stands there, vaulted, with that value."""
        if not variable.value or not variable.value.is_vaulted:
            return False
        standing, _key = self._vault.decrypt(variable.value.text.encode(), f"The standing value of '{variable.name}'")
        return standing == plaintext.encode()

    @abstractmethod
    def value(self, plaintext: str) -> StringValue:
        """The value as it is to be written."""

    def data(self, text: str) -> bytes:
        """The text as it is to be written."""
        return (self._mark + text).encode()


class _Inline(_Content):
    format = INLINE

    def value(self, plaintext: str) -> StringValue:
        return StringValue(self._vault.encrypt(plaintext.encode(), self.key).decode().rstrip("\n"), VAULT)


class _Whole(_Content):
    format = WHOLE

    def holds(self, variable: Variable, plaintext: str) -> bool:
        return variable.value == self.value(plaintext) or super().holds(variable, plaintext)

    def value(self, plaintext: str) -> StringValue:
        # Unlike a vaulted value, a string with one of these marks would be taken for a template.
        return StringValue(plaintext, UNSAFE if any(mark in plaintext for mark in _TEMPLATE_MARKS) else None)

    def data(self, text: str) -> bytes:
        return self._vault.encrypt(super().data(text), self.key)


def apply(edit: Edit, vault: RunVault) -> Outcome:
    """Edit the file, or in a dry run find out what that would do.

    A value that stands there already is not written again, and a file of which nothing changes is not written at all.
    Raises VarsFileError; the file is then what it was.
    """
    key = vault.key(edit.vault_id)
    with locked(edit.path, make_folders=bool(edit.variables) and not edit.dry_run) as file:
        if not edit.dry_run:
            file.remove_leftovers()
        standing = file.read()
        try:
            content = _content(edit, standing, vault, key)
            changes = _changes(edit, content)
            text = splice(content.text, changes)
        except InvalidFileError as error:
            raise InvalidFileError(f"{edit.path} {error}") from None
        outcome = _outcome(edit, content, changes, standing)
        if edit.dry_run and changes:
            file.check_replaceable()
        if edit.dry_run or not outcome.changed:
            return outcome
        if edit.mode is not None and not changes:
            file.change_mode(edit.mode)
            return outcome
        data = content.data(text)
        if edit.backup and standing:
            outcome = replace(outcome, backup_file=file.back_up(standing, _backup(content, standing, changes, vault)))
        file.replace(standing, data, edit.mode)
        return outcome


def _content(edit: Edit, standing: Standing | None, vault: RunVault, key: VaultKey) -> _Content:
    data = standing.data if standing else b""
    if not data.strip():
        return (_Whole if edit.format == WHOLE else _Inline)(data, vault, key)
    is_whole = is_encrypted(data)
    if edit.format == (INLINE if is_whole else WHOLE):
        what = "is encrypted as a whole" if is_whole else "is not encrypted as a whole"
        raise InvalidFileError(
            f"{what}, and is not converted to format '{edit.format}'; leave that option out, or convert the file with "
            "ansible-vault first"
        )
    if not is_whole:
        return _Inline(data, vault, key)
    plain, fitting = vault.decrypt(data, edit.path)
    # Who could read the file can still read it, unless another secret is asked for: so does `ansible-vault edit` too.
    return _Whole(plain, vault, key if edit.vault_id else fitting)


def _changes(edit: Edit, content: _Content) -> Changes:
    """What has to be spliced: of what was asked for, that which is not so already."""
    standing = content.text.by_name
    changes: dict[str, StringValue | None] = {name: None for name in edit.names if name in standing}
    for name, plaintext in edit.variables.items():
        if name not in standing or not content.holds(standing[name], plaintext):
            changes[name] = content.value(plaintext)
    return changes


def _backup(content: _Content, standing: Standing, changes: Changes, vault: RunVault) -> bytes:
    """What a backup is to hold: a value that is vaulted only now must not live on beside the file in plain text."""
    replaced = [content.text.by_name[name] for name, value in changes.items() if value and name in content.text.by_name]
    if content.format == WHOLE or all(variable.value and variable.value.is_vaulted for variable in replaced):
        return standing.data
    return vault.encrypt(standing.data, content.key)


def _outcome(edit: Edit, content: _Content, changes: Changes, standing: Standing | None) -> Outcome:
    before = content.text.by_name
    mode = standing.mode if standing else None
    return Outcome(
        added=sorted(name for name in changes if name not in before),
        updated=sorted(name for name, value in changes.items() if value and name in before),
        removed=sorted(name for name, value in changes.items() if not value),
        unchanged=sorted({*edit.variables, *edit.names} - changes.keys()),
        format=content.format,
        vault_id=content.key.vault_id,
        mode_before=mode,
        mode_after=edit.mode if edit.mode is not None and standing else mode,
        backup_file=None,
    )
