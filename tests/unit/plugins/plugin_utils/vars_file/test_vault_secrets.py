# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the secrets of a run come from. test_vault_file.py tests which of them encrypts."""

from __future__ import annotations

import pytest
from ansible.parsing import vault as ansible_vault
from ansible.parsing.dataloader import DataLoader
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.run_vault import RunVault, id_in_header
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_errors import VaultSecretError
from unit.plugins.plugin_utils.vars_file.vaults import encrypt, secret


def test_a_run_uses_the_secrets_of_the_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(ansible_vault, "VaultSecretsContext"):
        monkeypatch.setattr(ansible_vault.VaultSecretsContext, "_current", None)
    loader = DataLoader()
    loader._vault.secrets = [("dev", secret("dev"))]

    assert RunVault.of_run(loader).decrypt(encrypt("x", "dev").encode(), "it")[0] == b"x"


@pytest.mark.skipif(
    not hasattr(ansible_vault, "VaultSecretsContext"), reason="ansible-core before 2.19 has no VaultSecretsContext"
)
def test_a_run_uses_the_secrets_of_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ansible_vault.VaultSecretsContext([("dev", secret("dev"))])
    monkeypatch.setattr(ansible_vault.VaultSecretsContext, "_current", context)

    plain, key = RunVault.of_run(DataLoader()).decrypt(encrypt("x", "dev").encode(), "it")

    assert (plain, key.vault_id) == (b"x", "dev")


def test_a_run_without_secrets_can_neither_encrypt_nor_decrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(ansible_vault, "VaultSecretsContext"):
        monkeypatch.setattr(ansible_vault.VaultSecretsContext, "_current", None)
    vault = RunVault.of_run(DataLoader())

    for vault_id in (None, "dev"):
        with pytest.raises(VaultSecretError, match=r"^This run has no vault secret to encrypt with; start it with "):
            vault.key(vault_id, None, ())
    with pytest.raises(VaultSecretError, match=r"^It cannot be decrypted with the vault secrets of this run; "):
        vault.decrypt(encrypt("x").encode(), "It")


@pytest.mark.parametrize(
    ("ciphertext", "vault_id"),
    [
        (encrypt("x"), "default"),
        (encrypt("x", "my id"), "my id"),
        ("$ANSIBLE_VAULT;1.1\n61", None),
        ("nothing", None),
        ("", None),
        ("é", None),
    ],
)
def test_the_id_in_a_header_is_read(ciphertext: str, vault_id: str | None) -> None:
    assert id_in_header(ciphertext) == vault_id
