# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Many values encrypted and decrypted on all cores, and each of them only once.

Every encryption and decryption derives a key from the password, which takes 5 ms or more by design. The result is
remembered here. Python's lock is free meanwhile, so threads are enough.
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
        """Whether it both names this vault id and was encrypted with a secret of it."""
        return vault_id == self.key.vault_id == self.named_id


class Ciphertexts:
    """The vaulted values of one file, remembered for as long as this object lives."""

    def __init__(self, vault: RunVault) -> None:
        self._vault = vault
        self._decrypted: dict[tuple[str, str], Decrypted | VaultSecretError] = {}
        self._encrypted: dict[tuple[str, str, VaultKey], str] = {}

    def decrypt(self, ciphertexts: Mapping[str, str]) -> dict[str, Decrypted]:
        """The values by name. Raises VaultSecretError, which names the first that cannot be decrypted."""
        self.preload(ciphertexts)
        return {name: self.one(name, ciphertext) for name, ciphertext in ciphertexts.items()}

    def one(self, name: str, ciphertext: str) -> Decrypted:
        """One value. Raises VaultSecretError."""
        if (name, ciphertext) not in self._decrypted:
            self.preload({name: ciphertext})
        value = self._decrypted[name, ciphertext]
        if isinstance(value, VaultSecretError):
            raise value
        return value

    def preload(self, ciphertexts: Mapping[str, str]) -> None:
        """Decrypt many at once, for later; says nothing of those that cannot be decrypted."""
        new = [entry for entry in ciphertexts.items() if entry not in self._decrypted]
        for (name, ciphertext), value in zip(new, _on_all_cores(self._decrypt, new)):
            self._decrypted[name, ciphertext] = value
            if isinstance(value, Decrypted) and value.named_id == value.key.vault_id:
                self._encrypted.setdefault((name, value.text, value.key), ciphertext)

    def encrypt(self, values: Mapping[str, tuple[str, VaultKey]]) -> dict[str, str]:
        """The ciphertexts by name, each with a salt of its own. One that the file had already is used again."""
        wanted = {name: (name, text, key) for name, (text, key) in values.items()}
        new = [entry for entry in wanted.values() if entry not in self._encrypted]
        for entry, ciphertext in zip(new, _on_all_cores(self._encrypt, new)):
            name, text, key = entry
            self._encrypted[entry] = ciphertext
            self._decrypted[name, ciphertext] = Decrypted(text, key, key.vault_id)
        return {name: self._encrypted[entry] for name, entry in wanted.items()}

    def _decrypt(self, entry: tuple[str, str]) -> Decrypted | VaultSecretError:
        name, ciphertext = entry
        what = f"The present value of '{name}'"
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
        # Not waiting: the first failure, or the end of the task's time, ends this at once.
        pool.shutdown(wait=False, cancel_futures=True)


def _cores() -> int:
    # Fewer than the machine has, perhaps. macOS cannot tell.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
