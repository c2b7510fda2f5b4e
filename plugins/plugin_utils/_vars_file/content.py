# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The content of a vars file in one of its two formats, and the values of its variables.

In an inline file, each value is vaulted by itself, with the tag "!vault". In the other format, the file is encrypted as
a whole, and the values in it are plain strings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import yaml
from ansible.parsing.vault import is_encrypted

from .errors import InvalidFileError, VaultSecretError
from .vault_secrets import Decrypted, RunVault, VaultKey, id_in_header
from .yaml_text import UNSAFE, StringValue, Variable, VarsText, parse

INLINE = "inline"
WHOLE = "file"

# A string with one of these is a template. The last one can redefine the others.
_TEMPLATE_MARKS = ("{{", "{%", "{#", "#jinja2:")
_KINDS_BY_TAG = {"null": "null", "bool": "a boolean", "int": "a number", "float": "a number", "timestamp": "a date"}


@dataclass(frozen=True)
class StoredValue:
    """The value of a variable in the file."""

    text: str | None = field(repr=False)  # None unless `kind` is "a string"
    kind: str  # for example "a string", "null", "a number", "a boolean", "a mapping", "a list" or "a template"
    encryption: Decrypted | None = field(repr=False)  # of the value itself, or else of the whole file

    @property
    def vault_id(self) -> str | None:
        """The id of the secret that decrypted it; None if it is not vaulted."""
        return self.encryption.key.vault_id if self.encryption else None


@dataclass(frozen=True)
class Content:
    """A vars file's content. `encryption` is None unless the file is encrypted as a whole."""

    format: str
    text: VarsText
    mark: str  # the byte order mark, or nothing
    encryption: Decrypted | None

    @cached_property
    def ids_in_headers(self) -> set[str]:
        """The vault ids in the headers of the vaulted values; nothing is decrypted for this."""
        return {vault_id for _name, _ciphertext, vault_id in self._vaulted() if vault_id}

    def sample(self, vault_id: str) -> tuple[str, bytes] | None:
        """Return a vaulted value that the secret of this vault id should decrypt, after its variable's name.

        The id "default" may only mean that the user gave none, so that secret should decrypt any value.
        """
        vaulted = list(self._vaulted())
        fitting = [one for one in vaulted if one[2] == vault_id] or (vaulted if vault_id == "default" else [])
        return fitting[0][:2] if fitting else None

    def _vaulted(self) -> Iterator[tuple[str, bytes, str | None]]:
        """Yield each vaulted value after its variable's name, and before the vault id in its header."""
        for variable in self.text.variables:
            for ciphertext in variable.ciphertexts:
                yield variable.name, ciphertext.encode(), id_in_header(ciphertext.encode())

    def stored(self, variable: Variable, decrypted: Decrypted | None) -> StoredValue:
        """Return what the variable contains; `decrypted` is its value if that is vaulted by itself.

        Raises VaultSecretError if it is a ciphertext without the tag.
        """
        value = variable.value
        if decrypted:
            return StoredValue(decrypted.plain.decode(), "a string", decrypted)
        if not value:
            return StoredValue(None, _kind(variable), self.encryption)
        if is_encrypted(value.text.lstrip()):
            raise VaultSecretError(
                f"The current value of '{variable.name}' is damaged: it has no tag \"!vault\"; add the tag, or, if the "
                "file contains only tokens, delete the file"
            )
        if value.tag is None and _has_template_marks(value.text):
            return StoredValue(None, "a template", self.encryption)
        return StoredValue(value.text, "a string", self.encryption)

    def encoded(self, text: VarsText, vault: RunVault, key: VaultKey | None) -> tuple[bytes, Content]:
        """Return the bytes to write for a new text, and their content; `key` encrypts the whole file, if given."""
        plain = (self.mark + text.text).encode()
        data = vault.encrypt(plain, key) if key else plain
        return data, replace(self, text=text, encryption=Decrypted(b"", key) if key else None)


def content_of(data: bytes, vault: RunVault, path: str, wanted_format: str | None) -> Content:
    """Return the content of a file's bytes. An empty file gets the wanted format, by default inline.

    Raises InvalidFileError, and VaultSecretError if the file is encrypted as a whole and cannot be decrypted.
    """
    is_whole = is_encrypted(data.lstrip())
    if data.strip() and wanted_format == (INLINE if is_whole else WHOLE):
        raise InvalidFileError(
            f"{path} is {'' if is_whole else 'not '}encrypted as a whole, and is not converted to format "
            f"'{wanted_format}'; leave out format, or, if the file contains only tokens, delete it"
        )
    encryption = vault.decrypt(data, path) if is_whole else None
    try:
        text = (encryption.plain if encryption else data).decode()
    except UnicodeDecodeError:
        raise InvalidFileError(f"{path} is not UTF-8 text; convert it first") from None
    mark = text[:1] if text.startswith("\ufeff") else ""
    file_format = WHOLE if is_whole else wanted_format or INLINE
    return Content(file_format, parse(text[len(mark) :], path), mark, encryption)


def plain_value(text: str) -> StringValue:
    """Return a string for a file that is encrypted as a whole."""
    # Unlike a vaulted value, a string with template marks would be treated as a template.
    return StringValue(text, UNSAFE if _has_template_marks(text) else None)


def _has_template_marks(text: str) -> bool:
    return any(mark in text for mark in _TEMPLATE_MARKS)


def _kind(variable: Variable) -> str:
    event = variable.events[0]
    if variable.tag:
        # The tag is not named, because it may be a part of what is encrypted.
        return _KINDS_BY_TAG.get(variable.tag.removeprefix("tag:yaml.org,2002:"), "a value that is not a string")
    if isinstance(event, yaml.AliasEvent):
        return "an alias of another value"
    return "a mapping" if isinstance(event, yaml.MappingStartEvent) else "a list"
