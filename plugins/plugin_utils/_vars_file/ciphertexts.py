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
from typing import TypeVar

from .errors import VaultSecretError
from .vault_secrets import Decrypted, RunVault, VaultKey

_Given = TypeVar("_Given")
_Result = TypeVar("_Result")


class Ciphertexts:
    """Caches the vaulted values of one file."""

    def __init__(self, vault: RunVault) -> None:
        self._vault = vault
        self._decrypted: dict[tuple[str, str], Decrypted | VaultSecretError] = {}

    def decrypt(self, ciphertexts: Mapping[str, str]) -> dict[str, Decrypted | VaultSecretError]:
        """Return the values by name, each in UTF-8, or the error that names a value that cannot be decrypted."""
        new = [entry for entry in ciphertexts.items() if entry not in self._decrypted]
        for (name, ciphertext), value in zip(new, _on_all_cores(self._decrypt, new)):
            self._decrypted[name, ciphertext] = value
        return {entry[0]: self._decrypted[entry] for entry in ciphertexts.items()}

    def encrypt(self, values: Mapping[str, tuple[str, VaultKey]]) -> dict[str, str]:
        """Return the ciphertexts of these texts by name, each with its own salt."""
        ciphertexts = dict(zip(values, _on_all_cores(self._encrypt, values.values())))
        for name, (text, key) in values.items():
            self._decrypted[name, ciphertexts[name]] = Decrypted(text.encode(), key, key.vault_id)
        return ciphertexts

    def _decrypt(self, entry: tuple[str, str]) -> Decrypted | VaultSecretError:
        name, ciphertext = entry
        what = f"The current value of '{name}'"
        try:
            value = self._vault.decrypt(ciphertext.encode(), what)
            value.plain.decode()
            return value
        except VaultSecretError as error:
            return error
        except UnicodeDecodeError:
            return VaultSecretError(f"{what} is not UTF-8 text; remove it from the file first")

    def _encrypt(self, value: tuple[str, VaultKey]) -> str:
        text, key = value
        return self._vault.encrypt(text.encode(), key).decode().rstrip("\n")


def _on_all_cores(work: Callable[[_Given], _Result], values: Iterable[_Given]) -> list[_Result]:
    values = list(values)
    if len(values) < 2:
        return [work(value) for value in values]
    pool = ThreadPoolExecutor(_cores())
    try:
        return list(pool.map(work, values))
    finally:
        # Without waiting, so that the first failure or the task's timeout ends this at once.
        pool.shutdown(wait=False, cancel_futures=True)


def _cores() -> int:
    # This process may be limited to some of the machine's cores. macOS has no function for that.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
