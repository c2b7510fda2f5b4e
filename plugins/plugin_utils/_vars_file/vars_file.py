# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""A vars file with vaulted variables, locked from the first read to the last write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from . import atomic_write
from .atomic_write import Snapshot
from .content import INLINE, WHOLE, Content, StoredValue, content_of, plain_value
from .edit import edit
from .errors import FileChangedError
from .loading_rules import check_loading
from .lock import OnWait, Place, locked_place
from .vault_secrets import RunVault, VaultKey
from .yaml_text import VAULT, StringValue

_Result = TypeVar("_Result")

_TRIES = 5
# A placeholder for a value that need not be encrypted, because nothing is written.
_PREVIEW = StringValue("$ANSIBLE_VAULT;1.1;AES256\n00", VAULT)

# Variables by name, each with its new text; None for a variable to remove.
Wanted = Mapping[str, "str | None"]


@dataclass(frozen=True)
class Settings:
    """The user's settings for the file. With None, the file keeps its format, vault id or mode, or gets the default."""

    path: str  # absolute
    format: str | None = None
    vault_id: str | None = None
    mode: int | None = None
    backup: bool = False
    dry_run: bool = False  # for check mode: takes no lock, creates and changes nothing


@dataclass(frozen=True)
class Outcome:
    """How the file differs, or would differ, from what it was when it was opened. The names are sorted.

    Each name is in exactly one of the lists. `vault_ids` has the id that each value is encrypted under, and `vault_id`
    has that id if it is the same for all.
    """

    added: list[str]
    updated: list[str]
    removed: list[str]
    unchanged: list[str]
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
def open_vars_file(
    settings: Settings, vault: RunVault, *, make_folders: bool, on_wait: OnWait | None = None
) -> Iterator[VarsFile]:
    """Lock the file's folder until the end, and read the file. In a dry run there is no lock.

    make_folders: whether variables will be set. If so, Ansible must load the path, and missing folders are created; the
    file's own is removed again if it is still empty at the end.
    on_wait: called again and again while another run has the lock.
    Raises VarsFileError.
    """
    lock = not settings.dry_run
    if make_folders:
        check_loading(settings.path)
    with locked_place(settings.path, make_folders=make_folders and lock, lock=lock, on_wait=on_wait) as place:
        try:
            yield VarsFile(settings, place, vault)
        finally:
            # Runs may have been killed before, and a write may have been interrupted even during its own cleanup.
            if lock:
                atomic_write.remove_leftovers(place)


class VarsFile:
    """An open vars file. Every method raises VarsFileError; then the file is either the old one or the new one.

    path: the file's real path. place: the file's folder, which is locked unless this is a dry run.
    """

    def __init__(self, settings: Settings, place: Place, vault: RunVault) -> None:
        self._settings, self.place, self._vault = settings, place, vault
        self._keys: dict[str, VaultKey] = {}
        self._backup_file: str | None = None
        self._contents: dict[bytes, Content] = {}  # of the latest data
        self._first, self._beginning = self._now()
        self.path = place.path

    def read(self, names: Iterable[str]) -> dict[str, StoredValue]:
        """Return what the file now contains under these names; names that it does not have are left out.

        Nothing else is decrypted. Raises VaultSecretError, which names a variable that cannot be decrypted.
        """
        return self._values(self._now()[1], names)

    def preview(self, changes: Wanted) -> Outcome:
        """Return what `apply` would do, or raise if the file cannot be changed in this way. Changes nothing."""
        content = self._now()[1]
        writes = self._writes(content, changes)
        edit(content.text, {name: text if text is None else _PREVIEW for name, text in writes.items()})
        return self._outcome(changes, self._settings.mode)

    def check_writable(self) -> None:
        """Check that the file can be replaced. An existing file is replaced by its own content.

        If it does not exist, and in a dry run, only permissions and the file system are checked.
        """

        def rehearse() -> None:
            snapshot = atomic_write.read(self.place)
            if snapshot and not self._settings.dry_run:
                atomic_write.replace(self.place, snapshot, snapshot.data)
            else:
                atomic_write.check_permission(self.place)

        _repeated(rehearse)

    def apply(self, changes: Wanted) -> Outcome:
        """Set and remove variables. `changes` is everything decided so far, including what was applied before.

        Values that are already in the file are not written again, and if nothing changes, the file is not written at
        all. If another program changes the file between the read and the rename, both are done again.
        """
        if self._settings.dry_run:
            return self.preview(changes)
        return _repeated(lambda: self._apply(changes))

    def stored(self, changes: Wanted) -> set[str]:
        """Return the names that the file now has exactly as in `changes`. Only this tells whether a write succeeded."""
        return changes.keys() - self._writes(self._now()[1], changes).keys()

    def found(self, changes: Wanted) -> Outcome:
        """Return how the file differs from what it was, given changes that are in it. For use after a failed write."""
        snapshot = atomic_write.read(self.place)
        return self._outcome(changes, snapshot.mode if snapshot else None)

    def _apply(self, changes: Wanted) -> Outcome:
        snapshot, content = self._now()
        writes = self._writes(content, changes)
        mode = self._settings.mode
        if writes:
            text = edit(content.text, self._new_values(content, writes))
            key = self._key() if content.format == WHOLE else None
            data, new_content = content.encoded(text, self._vault, key)
            if self._settings.backup and self._first and not self._backup_file:
                self._backup_file = self._back_up(self._first, writes)
            self._contents = {data: new_content}
            atomic_write.replace(self.place, snapshot, data, mode)
        elif snapshot and mode is not None and mode != snapshot.mode:
            atomic_write.change_mode(self.place, mode)
        return self._outcome(changes, mode)

    def _back_up(self, first: Snapshot, writes: Wanted) -> str:
        """Write a copy of the file as it was when it was opened, encrypted if a plain value becomes vaulted."""
        data = first.data
        if self._beginning.format == INLINE:
            found = self._beginning.text.named(name for name, text in writes.items() if text is not None)
            plain = [name for name, variable in found.items() if not (variable.value and variable.value.is_vaulted)]
            data = self._vault.encrypt(data, self._key(plain[0])) if plain else data
        return atomic_write.back_up(self.place, first, data, self._settings.mode)

    def _now(self) -> tuple[Snapshot | None, Content]:
        snapshot = atomic_write.read(self.place)
        data = snapshot.data if snapshot else b""
        if data not in self._contents:
            self._contents = {data: content_of(data, self._vault, self.place.path, self._settings.format)}
        return snapshot, self._contents[data]

    def _values(self, content: Content, names: Iterable[str]) -> dict[str, StoredValue]:
        """Return what the file has under these names. Raises InvalidFileError and VaultSecretError."""
        variables = content.text.named(names)
        vaulted = {name: one.value.text for name, one in variables.items() if one.value and one.value.is_vaulted}
        decrypted = self._vault.decrypt_values(vaulted)
        return {name: content.stored(variable, decrypted.get(name)) for name, variable in variables.items()}

    def _writes(self, content: Content, changes: Wanted) -> dict[str, str | None]:
        """Return those of the changes that the file does not have yet."""
        values = self._values(content, [name for name, text in changes.items() if text is not None])
        removed = content.text.named(name for name, text in changes.items() if text is None)
        return {
            name: text
            for name, text in changes.items()
            if (name in removed if text is None else not self._is_up_to_date(content, values.get(name), text))
        }

    def _is_up_to_date(self, content: Content, value: StoredValue | None, text: str) -> bool:
        """Whether a value has this text, vaulted, and with the secret that the user asked for, if any."""
        if not value or value.text != text or not value.encryption:
            return False
        keys = {one.key for one in (value.encryption, content.encryption) if one}
        return not self._settings.vault_id or keys == {self._vault.key(self._settings.vault_id)}

    def _new_values(self, content: Content, writes: Wanted) -> dict[str, StringValue | None]:
        texts = {name: text for name, text in writes.items() if text is not None}
        if content.format == WHOLE:
            values = {name: plain_value(text) for name, text in texts.items()}
        else:
            ciphertexts = self._vault.encrypt_values({name: (text, self._key(name)) for name, text in texts.items()})
            values = {name: StringValue(ciphertext, VAULT) for name, ciphertext in ciphertexts.items()}
        return {name: values.get(name) for name in writes}

    def _key(self, name: str = "") -> VaultKey:
        """Return the secret that encrypts a single value, or the whole file."""
        if name not in self._keys:
            content, vault_id = self._beginning, self._settings.vault_id
            value = self._values(content, [name]).get(name) if name and not vault_id else None
            # Whoever could read the value or the file can still read it, unless the user asked for another secret.
            replaced = content.encryption or (value.encryption if value else None)
            key = self._vault.key(vault_id, replaced.key if replaced else None, content.ids_in_headers)
            # A new value must not get a mistyped password, which only the other values can show.
            sample = None if replaced or key in self._keys.values() else content.sample(key.vault_id)
            if sample:
                self._vault.decrypt(sample[1], f"The current value of '{sample[0]}'")
            self._keys[name] = key
        return self._keys[name]

    def _outcome(self, changes: Wanted, mode: int | None) -> Outcome:
        mode_before = self._first.mode if self._first else None
        writes = self._writes(self._beginning, changes)
        set_names = sorted(name for name, text in changes.items() if text is not None)
        before = self._values(self._beginning, set_names)
        vault_ids = {
            name: self._key(name).vault_id if name in writes else before[name].vault_id or "" for name in set_names
        }
        ids = set(vault_ids.values())
        return Outcome(
            added=[name for name in set_names if name in writes and name not in before],
            updated=[name for name in set_names if name in writes and name in before],
            removed=sorted(name for name, text in writes.items() if text is None),
            unchanged=sorted(changes.keys() - writes.keys()),
            format=self._beginning.format,
            vault_id=ids.pop() if len(ids) == 1 else None,
            vault_ids=vault_ids,
            mode_before=mode_before,
            mode_after=mode_before if mode is None or not self._first else mode,
            backup_file=self._backup_file,
        )


def _repeated(work: Callable[[], _Result]) -> _Result:
    """Do the work, and repeat it if another program changes the file meanwhile, up to five times in total."""
    for _try in range(_TRIES - 1):
        with suppress(FileChangedError):
            return work()
    return work()
