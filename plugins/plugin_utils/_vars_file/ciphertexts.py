# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Encrypt and decrypt many values on all cores, each of them only once.

Every encryption and decryption derives a key from the password, which takes 5 ms or more by design. So the results are
cached here. Python's global lock is released meanwhile, so threads are enough.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from .run_vault import RunVault, VaultKey, id_in_header
from .vault_errors import VaultSecretError

_Given = TypeVar("_Given")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Decrypted:
    """The text of a vaulted value, the secret that decrypted it, and the vault id in its header."""

    text: str = field(repr=False)
    key: VaultKey
    named_id: str | None

    def is_under(self, vault_id: str) -> bool:
        """Whether it names this vault id and was also encrypted with a secret of this id."""
        return vault_id == self.key.vault_id == self.named_id


class Ciphertexts:
    """Caches the vaulted values of one file."""

    def __init__(self, vault: RunVault) -> None:
        self._vault = vault
        self._decrypted: dict[tuple[str, str], Decrypted | VaultSecretError] = {}
        self._encrypted: dict[tuple[str, str, VaultKey], str] = {}

    def decrypt(self, ciphertexts: Mapping[str, str]) -> dict[str, Decrypted]:
        """Return the values by name. Raises VaultSecretError, which names the first one that cannot be decrypted."""
        self.preload(ciphertexts)
        return {name: self.one(name, ciphertext) for name, ciphertext in ciphertexts.items()}

    def one(self, name: str, ciphertext: str) -> Decrypted:
        """Return one value. Raises VaultSecretError."""
        if (name, ciphertext) not in self._decrypted:
            self.preload({name: ciphertext})
        value = self._decrypted[name, ciphertext]
        if isinstance(value, VaultSecretError):
            raise value
        return value

    def preload(self, ciphertexts: Mapping[str, str]) -> None:
        """Decrypt many values at once and cache them. Ignores those that cannot be decrypted."""
        new = [entry for entry in ciphertexts.items() if entry not in self._decrypted]
        for (name, ciphertext), value in zip(new, _on_all_cores(self._decrypt, new)):
            self._decrypted[name, ciphertext] = value
            if isinstance(value, Decrypted) and value.named_id == value.key.vault_id:
                self._encrypted.setdefault((name, value.text, value.key), ciphertext)

    def encrypt(self, values: Mapping[str, tuple[str, VaultKey]]) -> dict[str, str]:
        """Return the ciphertexts by name, each with its own salt. Ciphertexts that the file already has are reused."""
        wanted = {name: (name, text, key) for name, (text, key) in values.items()}
        new = [entry for entry in wanted.values() if entry not in self._encrypted]
        for entry, ciphertext in zip(new, _on_all_cores(self._encrypt, new)):
            name, text, key = entry
            self._encrypted[entry] = ciphertext
            self._decrypted[name, ciphertext] = Decrypted(text, key, key.vault_id)
        return {name: self._encrypted[entry] for name, entry in wanted.items()}

    def _decrypt(self, entry: tuple[str, str]) -> Decrypted | VaultSecretError:
        name, ciphertext = entry
        what = f"The current value of '{name}'"
        try:
            plain, key = self._vault.decrypt(ciphertext.encode(), what)
            return Decrypted(plain.decode(), key, id_in_header(ciphertext))
        except VaultSecretError as error:
            return error
        except UnicodeDecodeError:
            return VaultSecretError(f"{what} is not UTF-8 text; remove it from the file first")

    def _encrypt(self, entry: tuple[str, str, VaultKey]) -> str:
        _name, text, key = entry
        return self._vault.encrypt(text.encode(), key).decode().rstrip("\n")


def _on_all_cores(work: Callable[[_Given], _Result], values: Iterable[_Given]) -> list[_Result]:
    values = list(values)
    if len(values) < 2:
        return [work(value) for value in values]
    pool = ThreadPoolExecutor(_cores())
    try:
        return list(pool.map(work, values))
    except RuntimeError:
        # This process may have no more threads.
        return [work(value) for value in values]
    finally:
        # Without waiting, so that the first failure or the task's timeout ends this at once.
        pool.shutdown(wait=False, cancel_futures=True)


def _cores() -> int:
    # This process may be limited to some of the machine's cores. macOS has no function for that.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
