# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The vault secrets that the run was started with. Only this file gets them from ansible-core."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible import constants
from ansible.errors import AnsibleError
from ansible.parsing import vault as ansible_vault
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret, parse_vaulttext_envelope

from .vault_errors import VaultSecretError


@dataclass(frozen=True)
class VaultKey:
    """A loaded vault secret and the id that it was loaded under."""

    vault_id: str
    secret: VaultSecret


class RunVault:
    """Encrypts and decrypts with the secrets that the run has loaded. Several threads may use it."""

    def __init__(self, secrets: Sequence[tuple[str, VaultSecret]]) -> None:
        self._keys = _distinct(VaultKey(vault_id, secret) for vault_id, secret in secrets)
        self._vault = VaultLib(list(secrets))

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

    def key(self, vault_id: str | None, replaced: VaultKey | None, other_ids: Iterable[str]) -> VaultKey:
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
        if vault_id:
            return self._named(vault_id, "vault_id")
        if replaced:
            return _checked(replaced)
        identity = constants.config.get_config_value("DEFAULT_VAULT_ENCRYPT_IDENTITY")
        if identity:
            return self._named(identity, "the configured vault_encrypt_identity")
        ids = set(other_ids)
        fitting = [key for key in self._keys if {key.vault_id} == ids] or self._keys
        if len(fitting) > 1:
            advice = "set vault_id to one of them"
            if len({key.vault_id for key in fitting}) == 1:
                advice = (
                    "load only one of them (ANSIBLE_VAULT_PASSWORD_FILE also loads one), or give them different ids"
                )
            raise VaultSecretError(
                f"This run has several vault secrets, {self._loaded()}, and nothing says which one to encrypt with;"
                f" {advice}"
            )
        return _checked(fitting[0])

    def encrypt(self, plain: bytes, key: VaultKey) -> bytes:
        """Return the ciphertext: a header line, with the key's id unless that is "default", and lines of digits."""
        ciphertext: bytes = self._vault.encrypt(plain, key.secret, vault_id=key.vault_id)
        return ciphertext

    def decrypt(self, ciphertext: bytes, what: str) -> tuple[bytes, VaultKey]:
        """Return the plain text, and the loaded secret that decrypted it.

        Raises VaultSecretError if no secret can; its sentence begins with `what`.
        """
        try:
            plain, vault_id, secret = self._vault.decrypt_and_get_vault_id(ciphertext)
        except AnsibleError:
            raise VaultSecretError(
                f"{what} cannot be decrypted with the vault secrets of this run; also load the secret that encrypted "
                "it, or, if that secret is lost and the file contains only tokens, delete the file"
            ) from None
        return plain, VaultKey(vault_id, secret)

    def _named(self, vault_id: str, named_by: str) -> VaultKey:
        # If several secrets have the same id, the first one is used, as by ansible-vault.
        for key in self._keys:
            if key.vault_id == vault_id:
                return _checked(key)
        raise VaultSecretError(
            f"No vault secret is loaded under the id in {named_by}; correct the id, or load its secret with"
            f" --vault-id (this run has {self._loaded()})"
        )

    def _loaded(self) -> str:
        """Return the loaded ids, with a count if several secrets have the same id."""
        ids = [key.vault_id for key in self._keys]
        counts = {vault_id: ids.count(vault_id) for vault_id in ids}
        return ", ".join(f"'{name}'" + (f" ({count} times)" if count > 1 else "") for name, count in counts.items())


def id_in_header(ciphertext: str) -> str | None:
    """Return the vault id that a ciphertext's header names or implies, or None without a valid header."""
    try:
        return str(parse_vaulttext_envelope(ciphertext.encode())[3])
    except (AnsibleError, ValueError):
        return None


def _distinct(keys: Iterable[VaultKey]) -> list[VaultKey]:
    """Return the keys without repetitions, for example of a secret that is configured and also given as an option."""
    distinct: dict[tuple[str, bytes], VaultKey] = {}
    for key in keys:
        distinct.setdefault((key.vault_id, key.secret.bytes), key)
    return list(distinct.values())


def _checked(key: VaultKey) -> VaultKey:
    if not key.vault_id.isascii() or key.vault_id != key.vault_id.strip():
        raise VaultSecretError(
            f"The vault id '{key.vault_id}' cannot be written in a way that Ansible can read; load the secret under an "
            "id of ASCII characters, without white space around it"
        )
    return key
