# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The content of a vars file in one of its two formats, and the values of its variables.

In an inline file, each value is vaulted by itself, with the tag "!vault". In the other format, the file is encrypted as
a whole, and the values in it are plain strings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from ansible.parsing.vault import is_encrypted

from .ciphertexts import Decrypted
from .run_vault import RunVault, VaultKey, id_in_header
from .vars_text import UNSAFE, StringValue, Variable, VarsText, parse
from .vault_errors import InvalidFileError
from .yaml_events import Kind

INLINE = "inline"
WHOLE = "file"

_BYTE_ORDER_MARK = "\ufeff"
# A string with one of these is a template. The last one can redefine the others.
_TEMPLATE_MARKS = ("{{", "{%", "{#", "#jinja2:")
_KINDS_BY_TAG = {
    "null": "null",
    "bool": "a boolean",
    "int": "a number",
    "float": "a number",
    "timestamp": "a date",
    "binary": "binary data",
}


@dataclass(frozen=True)
class StoredValue:
    """The value of a variable in the file."""

    text: str | None = field(repr=False)  # None unless `kind` is "a string"
    kind: str  # for example "a string", "null", "a number", "a boolean", "a mapping", "a list" or "a template"
    vaulted: bool  # by itself or because the whole file is encrypted
    vault_id: str | None  # of the secret that decrypted it; None if it is not vaulted


@dataclass(frozen=True)
class Content:
    """A vars file's content. `encryption` is None unless the file is encrypted as a whole."""

    format: str
    text: VarsText
    mark: str
    encryption: Decrypted | None

    @cached_property
    def ids_in_headers(self) -> set[str]:
        """The vault ids in the headers of the vaulted values; nothing is decrypted for this."""
        values = [variable.value for variable in self.text.variables if variable.value]
        ids = {id_in_header(value.text) for value in values if value.is_vaulted}
        return {vault_id for vault_id in ids if vault_id}

    def plain_text(self, variable: Variable) -> str | None:
        """Return the variable's text if it is a string that is neither vaulted by itself nor a template, else None."""
        value = variable.value
        return None if not value or value.is_vaulted or is_template(value) else value.text

    def stored(self, variable: Variable, decrypted: Decrypted | None) -> StoredValue:
        """Return what the variable contains; `decrypted` is its value if that is vaulted by itself."""
        if decrypted:
            return StoredValue(decrypted.text, "a string", True, decrypted.key.vault_id)
        text = self.plain_text(variable)
        vault_id = self.encryption.key.vault_id if self.encryption else None
        return StoredValue(text, _kind(variable), bool(self.encryption), vault_id)


def content_of(data: bytes, vault: RunVault, path: str, wanted_format: str | None) -> Content:
    """Return the content of a file's bytes. An empty file gets the wanted format, by default inline.

    Raises InvalidFileError, and VaultSecretError if the file is encrypted as a whole and cannot be decrypted.
    """
    is_whole = is_encrypted(data)
    if data.strip() and wanted_format == (INLINE if is_whole else WHOLE):
        what = "is encrypted as a whole" if is_whole else "is not encrypted as a whole"
        raise InvalidFileError(
            f"{path} {what}, and is not converted to format '{wanted_format}'; leave out format, or convert the "
            "file with ansible-vault first"
        )
    if not is_whole:
        return _content(WHOLE if wanted_format == WHOLE else INLINE, path, data, None)
    plain, key = vault.decrypt(data, path)
    return _content(WHOLE, path, plain, Decrypted("", key, id_in_header(data.decode("ascii", "replace"))))


def encoded(content: Content, text: VarsText, vault: RunVault, key: VaultKey | None) -> bytes:
    """Return the bytes to write for a new text; `key` encrypts the whole file, if given."""
    plain = (content.mark + text.text).encode()
    return vault.encrypt(plain, key) if key else plain


def is_template(value: StringValue) -> bool:
    """Whether Ansible would treat the value as a template."""
    return value.tag is None and has_template_marks(value.text)


def has_template_marks(text: str) -> bool:
    return any(mark in text for mark in _TEMPLATE_MARKS)


def plain_value(text: str) -> StringValue:
    """Return a string for a file that is encrypted as a whole."""
    # Unlike a vaulted value, a string with template marks would be treated as a template.
    return StringValue(text, UNSAFE if has_template_marks(text) else None)


def _content(file_format: str, path: str, plain: bytes, encryption: Decrypted | None) -> Content:
    try:
        text = plain.decode()
    except UnicodeDecodeError:
        raise InvalidFileError(f"{path} is not UTF-8 text; convert it first") from None
    mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
    try:
        return Content(file_format, parse(text[len(mark) :]), mark, encryption)
    except InvalidFileError as error:
        raise InvalidFileError(f"{path} {error}") from None


def _kind(variable: Variable) -> str:
    if variable.value:
        return "a template" if is_template(variable.value) else "a string"
    event = variable.events[0]
    if event.kind is Kind.SCALAR:
        short = (event.tag or "").removeprefix("tag:yaml.org,2002:")
        # The tag is not named, because it may be a part of what is encrypted.
        return _KINDS_BY_TAG.get(short, "a value with an unknown tag")
    return {Kind.MAPPING: "a mapping", Kind.SEQUENCE: "a list"}.get(event.kind, "an alias of another value")
