# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Work out what has to be written so that variables have the wanted values, and which secrets encrypt them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from .ciphertexts import Ciphertexts
from .run_vault import RunVault, VaultKey
from .vars_splice import Changes, splice
from .vars_text import VAULT, StringValue, Variable, VarsText
from .vault_content import WHOLE, Content, plain_value
from .vault_errors import InvalidFileError, VaultSecretError

Wanted = Mapping[str, "str | None"]
"""Variables by name, each with its new text; None for a variable to remove."""


class Editor:
    """Compares a file's content with the wanted values. `beginning` is its content when it was opened."""

    def __init__(self, path: str, beginning: Content, vault: RunVault, vault_id: str | None) -> None:
        self._path = path
        self._beginning = beginning
        self._vault = vault
        self._vault_id = vault_id
        self.ciphertexts = Ciphertexts(vault)
        self._keys: dict[str, VaultKey] = {}
        self._written: dict[str, set[str]] = {}

    def variables(self, content: Content, names: Iterable[str]) -> dict[str, Variable]:
        """Return the variables of these names that the file has."""
        with self._naming_the_file():
            found = {name: content.text.one(name) for name in names}
        return {name: variable for name, variable in found.items() if variable}

    def splice(self, content: Content, changes: Changes) -> VarsText:
        with self._naming_the_file():
            return splice(content.text, changes)

    def plan(self, content: Content, changes: Wanted) -> tuple[list[str], dict[str, str | None]]:
        """Return the names of variables that somebody else has changed, and what has to be written for the others."""
        variables = self.variables(content, changes)
        first = self.variables(self._beginning, changes)
        kept = {name for name, text in changes.items() if text is None and _same(variables.get(name), first.get(name))}
        self.ciphertexts.preload(ciphertexts_of({name: variables[name] for name in variables if name not in kept}))
        conflicts: list[str] = []
        writes: dict[str, str | None] = {}
        for name, text in changes.items():
            variable = variables.get(name)
            if variable and self._is_foreign(content, variable, first.get(name), text):
                conflicts.append(name)
            elif variable and text is None:
                writes[name] = None
            elif text is not None and not (variable and self._is_up_to_date(content, variable, text)):
                writes[name] = text
        return conflicts, writes

    def _is_foreign(self, content: Content, variable: Variable, first: Variable | None, wanted: str | None) -> bool:
        """Whether somebody else gave the variable its value after the file was opened."""
        if _same(variable, first):
            return False
        now = self.text(content, variable)
        ours = {wanted, self.text(self._beginning, first), *self._written.get(variable.name, ())}
        return now is None or now not in ours

    def _is_up_to_date(self, content: Content, variable: Variable, text: str) -> bool:
        """Whether the variable has this text, vaulted, and under the vault id that the user set, if any."""
        vault_id, value = self._vault_id, variable.value
        if vault_id and content.encryption and not content.encryption.is_under(vault_id):
            return False
        if value and value.is_vaulted:
            found = self.ciphertexts.one(variable.name, value.text)
            return found.text == text and (not vault_id or found.is_under(vault_id))
        return content.format == WHOLE and content.plain_text(variable) == text

    def text(self, content: Content, variable: Variable | None) -> str | None:
        """Return the variable's text, or None if it has no string that can be decrypted."""
        if variable is None or variable.value is None:
            return None
        if variable.value.is_vaulted:
            with suppress(VaultSecretError):
                return self.ciphertexts.one(variable.name, variable.value.text).text
            return None
        return content.plain_text(variable)

    def remember(self, writes: Wanted) -> None:
        """Remember that these values were written by this task, in case they are found in the file later."""
        for name, text in writes.items():
            if text is not None:
                self._written.setdefault(name, set()).add(text)

    def values(self, content: Content, writes: Wanted) -> Changes:
        texts = {name: text for name, text in writes.items() if text is not None}
        if content.format == WHOLE:
            values = {name: plain_value(text) for name, text in texts.items()}
        else:
            ciphertexts = self.ciphertexts.encrypt({name: (text, self.key(name)) for name, text in texts.items()})
            values = {name: StringValue(ciphertext, VAULT) for name, ciphertext in ciphertexts.items()}
        return {name: values.get(name) for name in writes}

    def key(self, name: str) -> VaultKey:
        """Return the secret that encrypts a single value."""
        vault_id = self._vault_id
        if name not in self._keys:
            vaulted = {} if vault_id else ciphertexts_of(self.variables(self._beginning, [name]))
            replaced = self.ciphertexts.decrypt(vaulted).get(name)
            others = self._beginning.ids_in_headers
            self._keys[name] = self._vault.key(vault_id, replaced.key if replaced else None, others)
        return self._keys[name]

    def whole_key(self, content: Content) -> VaultKey:
        """Return the secret that encrypts the file as a whole."""
        # Whoever could read the file can still read it, unless the user asked for another secret.
        replaced = content.encryption.key if content.encryption else None
        return self._vault.key(self._vault_id, replaced, ())

    def vault_id_after(self, name: str, is_written: bool) -> str:
        """Return the vault id that a variable has after the changes."""
        if self._beginning.format == WHOLE:
            return self.whole_key(self._beginning).vault_id
        if is_written:
            return self.key(name).vault_id
        return self.ciphertexts.decrypt(ciphertexts_of(self.variables(self._beginning, [name])))[name].key.vault_id

    @contextmanager
    def _naming_the_file(self) -> Iterator[None]:
        try:
            yield
        except InvalidFileError as error:
            raise InvalidFileError(f"{self._path} {error}") from None


def ciphertexts_of(variables: Mapping[str, Variable]) -> dict[str, str]:
    """Return the ciphertexts of those variables that are vaulted by themselves."""
    values = {name: variable.value for name, variable in variables.items()}
    return {name: value.text for name, value in values.items() if value and value.is_vaulted}


def _same(one: Variable | None, other: Variable | None) -> bool:
    return one.meaning == other.meaning if one and other else one is other
