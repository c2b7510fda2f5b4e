# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The vault secrets that the run was started with, and which of them encrypts. Only this file gets them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ansible import constants
from ansible.errors import AnsibleError
from ansible.parsing import vault as ansible_vault
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret

from .errors import VaultSecretError
from .yaml_text import conflict_marker

_HEADER = re.compile(rb"\$ANSIBLE_VAULT;\d+\.\d+;AES256(?:;([^;]*))?")
# A salt, a checksum and the encrypted text, which is filled up to blocks of 16 bytes. All are in hexadecimal digits.
_CONTENT = re.compile(rb"[0-9a-f]{64}\n[0-9a-f]{64}\n(?:[0-9a-f]{32})+")


class VaultKey(NamedTuple):
    """A loaded vault secret and the id that it was loaded under."""

    vault_id: str
    secret: VaultSecret


@dataclass(frozen=True)
class Decrypted:
    """A plain text and the secret that decrypted it."""

    plain: bytes = field(repr=False)
    key: VaultKey


class RunVault:
    """Encrypts and decrypts with the secrets that the run has loaded.

    Every encryption and decryption derives a key from the password, which takes 5 ms or more by design. So the single
    values are cached, and use all cores. Python's global lock is released meanwhile, so threads are enough.
    """

    def __init__(self, secrets: Iterable[tuple[str, VaultSecret]]) -> None:
        # Without repetitions, for example of a secret that is configured and also given as an option.
        distinct = {(vault_id, secret.bytes): VaultKey(vault_id, secret) for vault_id, secret in secrets}
        self._keys = list(distinct.values())
        self._vault = VaultLib(self._keys)
        self._values: dict[tuple[str, str], Decrypted] = {}  # by name and ciphertext

    @classmethod
    def of_run(cls, loader: DataLoader) -> RunVault:
        """Return the vault with all secrets of this run.

        ansible-core has no public API for them. From 2.19 on they are in a context, up to 2.18 in an attribute of the
        loader; the tests check both.
        """
        if not hasattr(ansible_vault, "VaultSecretsContext"):
            return cls(loader._vault.secrets or [])
        current = ansible_vault.VaultSecretsContext.current(optional=True)
        return cls(current.secrets if current else loader._vault.secrets or [])

    def key(self, vault_id: str | None, replaced: VaultKey | None = None, other_ids: Iterable[str] = ()) -> VaultKey:
        """Return the secret to encrypt a value with.

        That is the secret of `vault_id` if given, else of the value that is replaced, else of the run's encryption
        identity, else of the id that all other values in the file have, else the only secret that is loaded. Raises
        VaultSecretError if none of this applies, if the secret is not loaded, or if its id cannot be in a header.
        """
        if not self._keys:
            raise VaultSecretError(
                "This run has no vault secret to encrypt with; start it with --vault-password-file, --vault-id or "
                "--ask-vault-pass"
            )
        identity = constants.config.get_config_value("DEFAULT_VAULT_ENCRYPT_IDENTITY")
        ids = {*other_ids}
        if replaced and not vault_id:
            fitting = [replaced]
        elif vault_id or identity:
            # If several secrets have the same id, the first one is used, as by ansible-vault.
            fitting = [key for key in self._keys if key.vault_id == (vault_id or identity)][:1]
        else:
            fitting = [key for key in self._keys if {key.vault_id} == ids] or self._keys
        if not fitting:
            named_by = "vault_id" if vault_id else "the configured vault_encrypt_identity"
            raise VaultSecretError(
                f"No vault secret is loaded under the id in {named_by}; correct the id, or load its secret with"
                f" --vault-id (this run has {self._loaded()})"
            )
        if len(fitting) > 1:
            raise VaultSecretError(
                f"This run has several vault secrets, {self._loaded()}, and nothing says which one to encrypt with; "
                "set vault_id to one of them; of several secrets with the same id (one may be that of "
                "vault_password_file in ansible.cfg), it takes the first"
            )
        name = fitting[0].vault_id
        if not name.isascii() or name != name.strip():
            raise VaultSecretError(
                f"The vault id '{name}' cannot be written in a way that Ansible can read; load the secret under an id "
                "of ASCII characters, without white space around it"
            )
        return fitting[0]

    def encrypt(self, plain: bytes, key: VaultKey) -> bytes:
        """Return the ciphertext: a header line, with the key's id unless that is "default", and lines of digits."""
        return bytes(self._vault.encrypt(plain, key.secret, vault_id=key.vault_id))

    def decrypt(self, ciphertext: bytes, what: str) -> Decrypted:
        """Decrypt with the loaded secret that fits. Raises VaultSecretError; its sentence begins with `what`."""
        try:
            plain, *key = self._vault.decrypt_and_get_vault_id(ciphertext)
            return Decrypted(plain, VaultKey(*key))
        except AnsibleError:
            damage = _damage(ciphertext)
        if damage:
            raise VaultSecretError(
                f"{what} is damaged: {damage}; restore it from a copy, or, if the file contains only tokens, delete "
                "the file"
            )
        raise VaultSecretError(
            f"{what} has the vault id '{id_in_header(ciphertext)}' and cannot be decrypted with the vault secrets of "
            f"this run ({self._loaded() or 'none'}); also load the secret that encrypted it, or, if that secret is "
            "lost or the value was changed, and the file contains only tokens, delete the file"
        )

    def decrypt_values(self, ciphertexts: Mapping[str, str]) -> dict[str, Decrypted]:
        """Return vaulted values by name, each in UTF-8. Raises VaultSecretError, which names the first other one."""
        new = [entry for entry in ciphertexts.items() if entry not in self._values]
        self._values.update(zip(new, _on_all_cores(self._decrypt_value, new)))
        return {entry[0]: self._values[entry] for entry in ciphertexts.items()}

    def encrypt_values(self, values: Mapping[str, tuple[str, VaultKey]]) -> dict[str, str]:
        """Return the ciphertexts of these texts by name, each with its own salt."""
        ciphertexts = dict(zip(values, _on_all_cores(self._encrypt_value, values.values())))
        for name, (text, key) in values.items():
            self._values[name, ciphertexts[name]] = Decrypted(text.encode(), key)
        return ciphertexts

    def _decrypt_value(self, entry: tuple[str, str]) -> Decrypted:
        name, ciphertext = entry
        value = self.decrypt(ciphertext.encode(), f"The current value of '{name}'")
        try:
            value.plain.decode()
        except UnicodeDecodeError:
            raise VaultSecretError(f"The current value of '{name}' is not UTF-8 text; remove it first") from None
        return value

    def _encrypt_value(self, value: tuple[str, VaultKey]) -> str:
        text, key = value
        return self.encrypt(text.encode(), key).decode().rstrip("\n")

    def _loaded(self) -> str:
        return ", ".join(f"'{key.vault_id}'" for key in self._keys)


def id_in_header(ciphertext: bytes) -> str | None:
    """Return the vault id that a ciphertext's header names or implies, or None without a valid header."""
    header = _HEADER.fullmatch(ciphertext.split(b"\n", 1)[0].rstrip())
    return (header.group(1) or b"default").decode("ascii", "replace") if header else None


def _damage(ciphertext: bytes) -> str | None:
    """Return why no secret can decrypt a ciphertext, or None if it has the right form."""
    line = conflict_marker(ciphertext.decode("ascii", "replace"))
    if line:
        return f"line {line} of it is a conflict marker"
    header, *lines = ciphertext.splitlines() or [b""]
    if header.startswith(b"$ANSIBLE_VAULT;") and not any(lines):
        return 'it has only one line; write "!vault |" and not "!vault >"'
    if not _HEADER.fullmatch(header.rstrip()):
        return 'its first line is not a header, such as "$ANSIBLE_VAULT;1.1;AES256"'
    for number, one in enumerate(lines, start=2):
        if re.search(rb"[^0-9A-Fa-f]", one):
            return f"line {number} of it contains a character that is not a hexadecimal digit"
    digits = b"".join(lines).decode()
    if len(digits) % 2 or not _CONTENT.fullmatch(bytes.fromhex(digits)):
        return "some of its digits were changed or are missing"
    return None


def _on_all_cores(work: Callable[[Any], Any], values: Collection[Any]) -> list[Any]:
    # This process may not be able to start a thread; then this one does it all.
    with suppress(RuntimeError), ThreadPoolExecutor() as pool:
        return list(pool.map(work, values))
    return [work(value) for value in values]
