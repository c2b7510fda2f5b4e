# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the secrets of a run come from. test_vars_file.py tests which of them encrypts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible.parsing import vault as ansible_vault
from ansible.parsing.dataloader import DataLoader
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import VaultSecretError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_secrets import RunVault
from unit.plugins.plugin_utils.vars_file.vaults import encrypt, secret


def test_a_run_uses_the_secrets_of_the_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(ansible_vault, "VaultSecretsContext"):
        monkeypatch.setattr(ansible_vault.VaultSecretsContext, "_current", None)
    loader = DataLoader()
    loader._vault.secrets = [("dev", secret("dev"))]

    assert RunVault.of_run(loader).decrypt(encrypt("x", "dev").encode(), "it").plain == b"x"


@pytest.mark.skipif(
    not hasattr(ansible_vault, "VaultSecretsContext"), reason="ansible-core before 2.19 has no VaultSecretsContext"
)
def test_a_run_uses_the_secrets_of_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ansible_vault.VaultSecretsContext([("dev", secret("dev"))])
    monkeypatch.setattr(ansible_vault.VaultSecretsContext, "_current", context)

    found = RunVault.of_run(DataLoader()).decrypt(encrypt("x", "dev").encode(), "it")

    assert (found.plain, found.key.vault_id) == (b"x", "dev")


def test_a_run_without_secrets_can_neither_encrypt_nor_decrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(ansible_vault, "VaultSecretsContext"):
        monkeypatch.setattr(ansible_vault.VaultSecretsContext, "_current", None)
    vault = RunVault.of_run(DataLoader())

    for vault_id in (None, "dev"):
        with pytest.raises(VaultSecretError, match=r"^This run has no vault secret to encrypt with; start it with "):
            vault.key(vault_id, None, ())
    with pytest.raises(VaultSecretError, match=r"^It has the vault id 'default' and cannot be decrypted .* \(none\); "):
        vault.decrypt(encrypt("x").encode(), "It")


GOOD = encrypt("a secret value", "dev")
HEADER, FIRST, *REST = GOOD.splitlines()
LOST = "some of its digits were changed or are missing"
NOT_HEADER = 'its first line is not a header, such as "$ANSIBLE_VAULT;1.1;AES256"'
DAMAGED = {
    "no hexadecimal digit": (GOOD.replace(FIRST, FIRST[:-1] + "g"), "line 2 of it contains a character that is not"),
    "blanks at the end": (GOOD.replace(FIRST, FIRST + " "), "line 2 of it contains a character that is not"),
    "a comment": (GOOD + "# comment", f"line {len(REST) + 3} of it contains a character that is not"),
    "odd length": (GOOD.replace(FIRST, FIRST[:-1]), LOST),
    "a lost line": ("\n".join([HEADER, *REST]), LOST),
    "a lost last line": (GOOD.replace(REST[-1], ""), LOST),
    "a doubled line": ("\n".join([HEADER, FIRST, FIRST, *REST]), LOST),
    "a lost header": ("\n".join([FIRST, *REST]), NOT_HEADER),
    "an empty line above": ("\n" + GOOD, NOT_HEADER),
    "a header of another kind": (GOOD.replace("AES256", "AES128"), NOT_HEADER),
    "half a header": (GOOD.replace(HEADER, "$ANSIBLE_VAULT;1.2"), NOT_HEADER),
    "folded": (GOOD.replace("\n", " "), 'it has only one line; write "!vault |" and not "!vault >"'),
    "only a header": (HEADER, "it has only one line"),
    "nothing": ("", NOT_HEADER),
    "plain text": ("a-token", NOT_HEADER),
    "conflict markers": (
        "\n".join([HEADER, "<<<<<<< HEAD", FIRST, "=======", *REST]),
        "line 2 of it is a conflict marker",
    ),
}


@pytest.mark.parametrize(("ciphertext", "problem"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_not_called_a_wrong_password(ciphertext: str, problem: str) -> None:
    vault = RunVault([("dev", secret("dev"))])
    with pytest.raises(VaultSecretError) as raised:
        vault.decrypt(ciphertext.encode(), "It")

    sentence = str(raised.value)
    assert sentence.startswith(f"It is damaged: {problem}")
    assert sentence.endswith("; restore it from a copy, or, if the file contains only tokens, delete the file")


@pytest.mark.parametrize(
    "change",
    [str.upper, lambda text: text.replace("\n", "\r\n"), lambda text: text + "\n\n"],
    ids=["capitals", "Windows", "empty lines"],
)
def test_what_ansible_can_decrypt_is_not_called_damaged(change: Callable[[str], str]) -> None:
    ciphertext = (HEADER + "\n" + change("\n".join([FIRST, *REST]))).encode()

    assert RunVault([("dev", secret("dev"))]).decrypt(ciphertext, "It").plain == b"a secret value"
    with pytest.raises(VaultSecretError, match=r"^It has the vault id 'dev' and cannot be decrypted .*\('x', 'y'\); "):
        RunVault([("x", secret("x")), ("y", secret("y"))]).decrypt(ciphertext, "It")
