# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Keep a copy of a vars file next to it, as it was when it was opened."""

from __future__ import annotations

from .editor import Editor, Wanted, ciphertexts_of
from .locked_file import LockedFile, Snapshot
from .run_vault import RunVault
from .vault_content import INLINE, Content


class Backup:
    """One copy, however often the file is written. `path` is its absolute path, None until it is made."""

    def __init__(
        self,
        file: LockedFile,
        first: Snapshot | None,
        beginning: Content,
        editor: Editor,
        vault: RunVault,
        *,
        mode: int | None,
    ) -> None:
        """mode: that of the new file, None if it keeps the old one."""
        self._file = file
        self._mode = mode
        self._first = first
        self._beginning = beginning
        self._editor = editor
        self._vault = vault
        self._name: str | None = None
        self._is_encrypted = False
        self.path: str | None = None

    def make(self, changes: Wanted) -> None:
        """Write the copy before the changes are written. It is encrypted if plain values become vaulted.

        It is only written again when a later change is the first to vault a plain value. Raises VarsFileError.
        """
        if not self._first:
            return
        first = self._editor.variables(self._beginning, changes)
        vaulted = ciphertexts_of(first)
        plain = [name for name in first if changes[name] is not None and name not in vaulted]
        encrypt = bool(plain) and self._beginning.format == INLINE
        if self.path and (self._is_encrypted or not encrypt):
            return
        self._name = self._name or self._file.backup_name()
        data = self._vault.encrypt(self._first.data, self._editor.key(plain[0])) if encrypt else self._first.data
        self.path = self._file.back_up(self._name, self._first, data, self._mode)
        self._is_encrypted = encrypt
