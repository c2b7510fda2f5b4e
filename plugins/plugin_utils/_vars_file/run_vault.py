# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The vault secrets that the run was started with; the only place that reaches into ansible-core for them."""

from __future__ import annotations

from dataclasses import dataclass

from ansible import constants
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultSecret, match_encrypt_secret

from .vault_errors import VaultSecretError


@dataclass(frozen=True)
class VaultKey:
    """A loaded vault secret and the id that it was loaded under."""

    vault_id: str
    secret: VaultSecret


class RunVault:
    """Encrypts and decrypts with the secrets that the run has loaded."""

    def __init__(self, loader: DataLoader) -> None:
        # ansible-core has no public way to them; this attribute is there from 2.16 to 2.22, and the tests watch it.
        self._vault = loader._vault

    def key(self, vault_id: str | None = None) -> VaultKey:
        """The secret of that id; without one that of the run's encryption identity, else the first that was loaded.

        Raises VaultSecretError when no secret is loaded, or none under that id, or the id is not fit for a header.
        """
        secrets = self._vault.secrets or []
        if not secrets:
            raise VaultSecretError(
                "This run has no vault secret to encrypt with; start it with --vault-password-file, --vault-id or "
                "--ask-vault-pass"
            )
        wanted = vault_id or constants.config.get_config_value("DEFAULT_VAULT_ENCRYPT_IDENTITY")
        try:
            found, secret = match_encrypt_secret(secrets, encrypt_vault_id=wanted)
        except AnsibleError:
            origin = "given as vault_id" if vault_id else "configured as vault_encrypt_identity"
            loaded = ", ".join(dict.fromkeys(f"'{name}'" for name, _secret in secrets))
            raise VaultSecretError(
                f"No vault secret is loaded under the id '{wanted}', {origin}; this run has {loaded}"
            ) from None
        if not found.isascii() or found != found.strip():
            raise VaultSecretError(
                f"The vault id '{found}' cannot be written so that Ansible reads it again; load the secret under one "
                "of ASCII characters, without white space around it"
            )
        return VaultKey(found, secret)

    def encrypt(self, plain: bytes, key: VaultKey) -> bytes:
        """The ciphertext: a header line, bearing the key's id unless that is "default", and lines of digits."""
        ciphertext: bytes = self._vault.encrypt(plain, key.secret, vault_id=key.vault_id)
        return ciphertext

    def decrypt(self, ciphertext: bytes, what: str) -> tuple[bytes, VaultKey]:
        """The plain text, and the loaded secret that fitted.

        Raises VaultSecretError when none does, its sentence beginning with `what`.
        """
        try:
            plain, vault_id, secret = self._vault.decrypt_and_get_vault_id(ciphertext)
        except AnsibleError:
            raise VaultSecretError(
                f"{what} cannot be decrypted with the vault secrets of this run; start it with the one that was used "
                "to encrypt it"
            ) from None
        return plain, VaultKey(vault_id, secret)
