# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""A vars file with vaulted variables, locked from the first read to the last write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from .backup import Backup
from .ciphertexts import Decrypted
from .editor import Editor, Wanted, ciphertexts_of
from .folder_lock import locked_place
from .locked_file import LockedFile, Snapshot
from .run_vault import RunVault
from .vars_text import VAULT, StringValue
from .vault_content import WHOLE, Content, StoredValue, content_of, encoded
from .vault_errors import FileChangedError

_Result = TypeVar("_Result")

_TRIES = 5
# A placeholder for a value that need not be encrypted, because nothing is written.
_PREVIEW = StringValue("$ANSIBLE_VAULT;1.1;AES256\n00", VAULT)


@dataclass(frozen=True)
class Settings:
    """The user's settings for the file. With None, the file keeps its format, vault id or mode, or gets the default."""

    path: str  # absolute
    format: str | None = None
    vault_id: str | None = None
    mode: int | None = None
    backup: bool = False
    dry_run: bool = False  # for check mode: takes no lock, reads once, creates and changes nothing


@dataclass(frozen=True)
class Outcome:
    """How the file differs, or would differ, from what it was when it was opened. The names are sorted.

    Each name is in exactly one of the first five lists. `vault_ids` has the id that each value is encrypted under, and
    `vault_id` has that id if it is the same for all.
    """

    added: list[str]
    updated: list[str]
    removed: list[str]
    unchanged: list[str]
    conflicts: list[str]  # changed by somebody else meanwhile, so left alone
    format: str
    vault_id: str | None
    vault_ids: dict[str, str]
    mode_before: int | None  # None if there was no file
    mode_after: int | None  # None for the mode that a new file gets
    backup_file: str | None = None

    @property
    def changed(self) -> bool:
        return bool(self.added or self.updated or self.removed) or self.mode_before != self.mode_after


@contextmanager
def open_vars_file(settings: Settings, vault: RunVault, *, make_folders: bool) -> Iterator[VarsFile]:
    """Lock the file's folder until the end, and read the file. In a dry run there is no lock.

    With `make_folders`, missing folders are created; those still empty at the end are removed. Raises VarsFileError.
    """
    make_folders = make_folders and not settings.dry_run
    with locked_place(settings.path, make_folders, lock=not settings.dry_run) as place:
        file = LockedFile(place)
        if settings.dry_run:
            yield VarsFile(settings, file, vault)
            return
        file.remove_leftovers()
        try:
            yield VarsFile(settings, file, vault)
        finally:
            # A write may have been interrupted, even during its own cleanup.
            file.remove_leftovers()


class VarsFile:
    """An open vars file. Every method raises VarsFileError; then the file is either the old one or the new one.

    Attributes: `path` is the file's real path, `hard_links` the number of names that it had when it was read. (A write
    gives only one of them the new content; the caller warns.)
    """

    def __init__(self, settings: Settings, file: LockedFile, vault: RunVault) -> None:
        self._settings = settings
        self._file = file
        self._vault = vault
        self._latest: tuple[bytes, Content] | None = None
        self._first = file.read()
        self._beginning = self._content(self._first)
        self._editor = Editor(file.place.path, self._beginning, vault, settings.vault_id)
        self._backup = Backup(file, self._first, self._beginning, self._editor, vault, mode=settings.mode)
        self.path = file.place.path
        self.hard_links = self._first.status.st_nlink if self._first else 0

    @property
    def folder(self) -> str:
        """The current path of the file's folder, which may have been renamed since it was locked."""
        return self._file.place.folder

    def moved_to(self) -> str | None:
        """Return where the given path leads now; None if that is still the locked file in the locked folder."""
        return self._file.place.moved_to()

    def read(self, names: Iterable[str]) -> dict[str, StoredValue]:
        """Return what the file now contains under these names; names that it does not have are left out.

        Nothing else is decrypted. Raises VaultSecretError, which names a variable that cannot be decrypted.
        """
        _snapshot, content = self._now()
        variables = self._editor.variables(content, names)
        decrypted = self._editor.ciphertexts.decrypt(ciphertexts_of(variables))
        return {name: content.stored(variable, decrypted.get(name)) for name, variable in variables.items()}

    def preview(self, changes: Wanted) -> Outcome:
        """Return what `apply` would do, or raise if the file cannot be changed in this way. Changes nothing."""
        _snapshot, content = self._now()
        conflicts, writes = self._editor.plan(content, changes)
        self._editor.splice(content, {name: _PREVIEW if text is not None else None for name, text in writes.items()})
        return self._outcome(changes, conflicts)

    def check_writable(self, extra_bytes: int = 0) -> None:
        """Check that the file can be replaced by one with `extra_bytes` more, by doing the same as a write.

        The file is replaced by its own content. If it does not exist, a temporary file is written and removed. In a dry
        run, only permissions are checked.
        """
        if self._settings.dry_run:
            self._file.check_permission()
            return

        def write() -> None:
            snapshot = self._file.read()
            if snapshot:
                self._file.replace(snapshot, snapshot.data, spare_bytes=extra_bytes)
            else:
                self._file.check_room(extra_bytes)

        _repeated(write)

    def apply(self, changes: Wanted) -> Outcome:
        """Set and remove variables. `changes` is everything decided so far, including what was applied before.

        Values that are already in the file are not written again, and if nothing changes, the file is not written at
        all. If another program changes the file between the read and the rename, both are done again. If somebody
        changed a variable since the file was opened, it is left alone and listed in `conflicts`.
        """
        if self._settings.dry_run:
            return self.preview(changes)
        return _repeated(lambda: self._apply(changes))

    def stored(self, changes: Wanted) -> set[str]:
        """Return the names that the file now has exactly as in `changes`. Only this tells whether a write succeeded."""
        _snapshot, content = self._now()
        variables = self._editor.variables(content, changes)
        self._editor.ciphertexts.preload(ciphertexts_of(variables))
        return {
            name
            for name, text in changes.items()
            if (name not in variables if text is None else self._editor.text(content, variables.get(name)) == text)
        }

    def found(self, changes: Wanted) -> Outcome:
        """Return how the file differs from what it was, given changes that are in it. For use after a failed write."""
        snapshot = self._file.read()
        outcome = self._outcome(changes, [])
        return replace(outcome, mode_after=snapshot.mode if snapshot and self._first else outcome.mode_before)

    def _apply(self, changes: Wanted) -> Outcome:
        snapshot, content = self._now()
        conflicts, writes = self._editor.plan(content, changes)
        outcome = self._outcome(changes, conflicts)
        mode = self._settings.mode
        if writes:
            text = self._editor.splice(content, self._editor.values(content, writes))
            key = self._editor.whole_key(content) if content.format == WHOLE else None
            data = encoded(content, text, self._vault, key)
            if self._settings.backup:
                self._backup.make(changes)
            self._editor.remember(writes)
            encryption = Decrypted("", key, key.vault_id) if key else None
            self._latest = data, replace(content, text=text, encryption=encryption)
            self._file.replace(snapshot, data, mode)
        elif snapshot and mode is not None and mode != snapshot.mode:
            self._file.change_mode(mode)
        return replace(outcome, backup_file=self._backup.path)

    def _now(self) -> tuple[Snapshot | None, Content]:
        if self._settings.dry_run:
            return self._first, self._beginning
        snapshot = self._file.read()
        return snapshot, self._content(snapshot)

    def _content(self, snapshot: Snapshot | None) -> Content:
        data = snapshot.data if snapshot else b""
        if self._latest is None or self._latest[0] != data:
            content = content_of(data, self._vault, self._file.place.path, self._settings.format)
            self._latest = data, content
        return self._latest[1]

    def _outcome(self, changes: Wanted, conflicts: list[str]) -> Outcome:
        content, mode = self._beginning, self._settings.mode
        _conflicts, writes = self._editor.plan(content, changes)
        names = sorted(changes.keys() - set(conflicts))
        before = self._editor.variables(content, names)
        vault_ids = {
            name: self._editor.vault_id_after(name, name in writes) for name in names if changes[name] is not None
        }
        ids = set(vault_ids.values())
        mode_before = self._first.mode if self._first else None
        return Outcome(
            added=[name for name in names if name in writes and name not in before],
            updated=[name for name in names if writes.get(name) is not None and name in before],
            removed=[name for name in names if name in writes and writes[name] is None],
            unchanged=[name for name in names if name not in writes],
            conflicts=sorted(conflicts),
            format=content.format,
            vault_id=ids.pop() if len(ids) == 1 else None,
            vault_ids=vault_ids,
            mode_before=mode_before,
            mode_after=mode if mode is not None and self._first else mode_before,
            backup_file=self._backup.path,
        )


def _repeated(work: Callable[[], _Result]) -> _Result:
    """Do the work, and repeat it if another program changes the file meanwhile, up to five times in total."""
    for _try in range(_TRIES - 1):
        with suppress(FileChangedError):
            return work()
    return work()
