# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vault secrets for tests, as if a run had loaded them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing import vault as ansible_vault
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_secrets import RunVault
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.yaml_text import parse


def run_vault(*vault_ids: str) -> RunVault:
    """Return the vault of a run that has loaded a secret under each of these ids."""
    return RunVault([(vault_id, secret(vault_id)) for vault_id in vault_ids])


def secret(vault_id: str) -> VaultSecret:
    return VaultSecret(f"password of {vault_id}".encode())


def encrypt(plaintext: str, vault_id: str = "default") -> str:
    """Encrypt a text with the secret that `run_vault` has under this id."""
    ciphertext: bytes = VaultLib([]).encrypt(plaintext, secret(vault_id), vault_id=vault_id)
    return ciphertext.decode()


def inline(name: str, plaintext: str, vault_id: str = "default") -> str:
    """Return a line `name: !vault |` and the lines below it."""
    return f"{name}: !vault |\n" + "".join(f"  {line}\n" for line in encrypt(plaintext, vault_id).splitlines())


def loaded_by_ansible(path: Path, monkeypatch: pytest.MonkeyPatch, *vault_ids: str) -> dict[str, Any]:
    """Return the variables that a run with the secrets of these ids reads from a file."""
    secrets: Any = [(vault_id, secret(vault_id)) for vault_id in vault_ids or ("default",)]
    loader = DataLoader()
    loader.set_vault_secrets(secrets)
    if hasattr(ansible_vault, "VaultSecretsContext"):
        context = ansible_vault.VaultSecretsContext(secrets)
        monkeypatch.setattr(ansible_vault.VaultSecretsContext, "_current", context)
    variables: dict[str, Any] = loader.load_from_file(str(path))
    return variables


def values_in(path: Path, vault: RunVault) -> dict[str, str]:
    """Return the strings in a complete file, without the code that reads them for a task."""
    data = path.read_bytes()
    if data.startswith(b"$ANSIBLE_VAULT;"):
        data = vault.decrypt(data, "file").plain
    values = {variable.name: variable.value for variable in parse(data.decode(), str(path)).variables}
    return {
        name: vault.decrypt(value.text.encode(), name).plain.decode() if value.is_vaulted else value.text
        for name, value in values.items()
        if value
    }
