# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replacing a locked file, and what that leaves behind."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file import atomic_write
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import (
    FileAccessError,
    FileChangedError,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.lock import Place, locked_place
from unit.plugins.plugin_utils.vars_file.children import make_reachable_for_others

# The ID in entries of an access control list that are not about a certain user or group.
NO_ID = 0xFFFFFFFF

needs_another_user = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def locked(path: Path, *, make_folders: bool = True) -> AbstractContextManager[Place]:
    return locked_place(str(path), make_folders=make_folders)


def write(path: Path, data: bytes, new_mode: int | None = None) -> None:
    with locked(path) as place:
        atomic_write.replace(place, atomic_write.read(place), data, new_mode)


@contextmanager
def as_another_user(folder: Path, groups: Sequence[int] = ()) -> Iterator[None]:
    """Act as another user, because root may do everything."""
    make_reachable_for_others(folder)
    before = os.getgroups()
    os.setgroups(groups)
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


def test_an_existing_file_keeps_its_owner_and_its_mode_unless_another_is_given(tmp_path: Path) -> None:
    path = tmp_path / "vars.yml"
    path.write_bytes(b"old")
    path.chmod(0o644)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    owner = path.stat().st_uid, path.stat().st_gid

    write(path, b"new")
    assert mode(path) == 0o644
    assert (path.stat().st_uid, path.stat().st_gid) == owner

    write(path, b"newer", 0o640)
    assert (path.read_bytes(), mode(path)) == (b"newer", 0o640)


@needs_another_user
def test_a_file_that_would_change_its_owner_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "vars.yml"
    path.write_bytes(b"old")
    path.chmod(0o644)
    tmp_path.chmod(0o777)

    with as_another_user(tmp_path), pytest.raises(FileAccessError, match="would no longer belong to user 0"):
        write(path, b"new")

    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["vars.yml"]


@needs_another_user
@pytest.mark.parametrize("set_group_id", [True, False])
@pytest.mark.parametrize(
    ("old_mode", "new_mode", "is_enough"),
    [(0o660, None, True), (0o660, 0o660, True), (0o640, None, False), (0o660, 0o600, False), (0o640, 0o660, False)],
)
def test_the_group_is_enough_if_all_of_it_may_write_the_file(
    tmp_path: Path, set_group_id: bool, old_mode: int, new_mode: int | None, is_enough: bool
) -> None:
    path = tmp_path / "vars.yml"
    path.write_bytes(b"old")
    for one, its_mode in ((path, old_mode), (tmp_path, 0o2770 if set_group_id else 0o770)):
        os.chown(one, 1234, 4321)
        one.chmod(its_mode)

    with as_another_user(tmp_path, groups=[4321]):
        if is_enough:
            write(path, b"new", new_mode)
        else:
            with pytest.raises(FileAccessError, match="would no longer belong to user 1234 and group 4321"):
                write(path, b"new", new_mode)

    assert (path.read_bytes(), path.stat().st_gid) == (b"new" if is_enough else b"old", 4321)
    assert mode(path) == (new_mode if is_enough and new_mode else old_mode)


def test_a_symbolic_link_stays_and_the_file_behind_it_is_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "vars.yml", tmp_path / "link.yml"
    real.parent.mkdir()
    real.write_bytes(b"old")
    link.symlink_to("real/vars.yml")

    write(link, b"new")

    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert names(tmp_path) == ["link.yml", "real"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("link.yml", "is a broken symbolic link; correct or remove it"),
        ("loop.yml", "is a broken symbolic link"),
        ("folder", "is a folder; give the path of a vars file"),
        ("pipe", "is not a regular file; give the path of a vars file"),
        ("vars.yml/vars.yml", "choose a path in which only the last part is a file"),
        ("x" * 300, "File name too long; fix the cause and run the play again"),
    ],
)
def test_what_cannot_be_a_vars_file_is_refused_and_not_waited_for(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "link.yml").symlink_to("nowhere")
    (tmp_path / "loop.yml").symlink_to("loop.yml")
    (tmp_path / "folder").mkdir()
    (tmp_path / "vars.yml").touch()
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(FileAccessError, match=problem):
        write(tmp_path / name, b"new")

    assert names(tmp_path) == ["folder", "link.yml", "loop.yml", "pipe", "vars.yml"]


@needs_another_user
@pytest.mark.parametrize("path", ["vars.yml", "new/vars.yml"])
def test_a_folder_that_cannot_be_written_is_refused_and_found_without_writing(tmp_path: Path, path: str) -> None:
    tmp_path.chmod(0o755)
    sentence = "^Cannot .*: Permission denied; give your user permission for it and the folder it is in"

    with as_another_user(tmp_path):
        with pytest.raises(FileAccessError, match=sentence):
            write(tmp_path / path, b"new")
        with locked(tmp_path / path, make_folders=False) as place, pytest.raises(FileAccessError, match=sentence):
            atomic_write.check_permission(place)

    assert names(tmp_path) == []


def test_a_read_only_file_system_is_found_without_writing_and_named(
    tmp_path: Path, mounted: Callable[..., None]
) -> None:
    mounted("-t", "tmpfs", "-o", "ro", "tmpfs", str(tmp_path))

    with (
        pytest.raises(FileAccessError, match=r"Read-only file system; choose a path on a writable file system and run"),
        locked(tmp_path / "new" / "vars.yml", make_folders=False) as place,
    ):
        atomic_write.check_permission(place)


@needs_another_user
def test_a_folder_that_cannot_be_searched_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "closed" / "in").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)

    with (
        as_another_user(tmp_path / "closed"),
        pytest.raises(FileAccessError, match="Permission denied"),
        locked(tmp_path / "closed" / "in" / "vars.yml", make_folders=False),
    ):
        pass


def give_acl(path: Path, name: str) -> bytes:
    """Give a file or folder a list that lets user 1234 read and write."""
    # Version 2, then entries with permissions: the owner, user 1234, the group, the mask and others.
    entries = [(1, 6, NO_ID), (2, 6, 1234), (4, 0, NO_ID), (16, 6, NO_ID), (32, 0, NO_ID)]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(path, name, acl)
    except (OSError, AttributeError):
        pytest.skip("the file system of temporary files does not support access control lists")
    return acl


def test_an_existing_file_keeps_its_access_control_list(tmp_path: Path) -> None:
    path = tmp_path / "vars.yml"
    path.write_bytes(b"old")
    acl = give_acl(path, "system.posix_acl_access")

    write(path, b"new")

    assert os.getxattr(path, "system.posix_acl_access") == acl
    assert path.read_bytes() == b"new"


def test_the_default_access_control_list_of_the_folder_lets_nobody_else_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "vars.yml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    give_acl(tmp_path, "system.posix_acl_default")

    write(path, b"new")

    assert "system.posix_acl_access" not in os.listxattr(path)
    assert path.stat().st_mode & 0o777 == 0o640


CHANGES: dict[str, Callable[[Path], object]] = {
    "write": lambda path: path.write_bytes(b"theirs"),
    "same size": lambda path: path.write_bytes(b"OLD"),
    "replace": lambda path: path.with_name("other").replace(path),
    "mode": lambda path: path.chmod(0o640),
    "remove": lambda path: path.unlink(),
    "make": lambda path: path.write_bytes(b"theirs"),
    "link": lambda path: path.symlink_to("other"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_write_by_another_program_is_not_overwritten(tmp_path: Path, change: str) -> None:
    path, other = tmp_path / "vars.yml", tmp_path / "other"
    if change not in ("make", "link"):
        path.write_bytes(b"old")
    other.write_bytes(b"old")
    error: type[Exception] = FileChangedError
    sentence = r"changed by another program .*, so nothing was written"
    if change == "link":
        error, sentence = FileAccessError, "is not a regular file; give the path of a vars file"

    with locked(path) as place:
        old = atomic_write.read(place)
        CHANGES[change](path)
        before = path.read_bytes() if path.exists() else None
        with pytest.raises(error, match=sentence):
            atomic_write.replace(place, old, b"ours")

    assert (path.read_bytes() if path.exists() else None) == before
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def test_the_leftovers_of_a_killed_run_are_removed_and_nothing_else(tmp_path: Path) -> None:
    others = [".vaulted_vars.tmp", ".vars.yml.swp", "vars.yml", ".vaulted_vars.0123456789abcdef.tmp.yml"]
    for name in [*others, ".vaulted_vars.0123456789abcdef.tmp"]:
        (tmp_path / name).write_bytes(b"x")

    with locked(tmp_path / "vars.yml") as place:
        atomic_write.remove_leftovers(place)

    assert names(tmp_path) == sorted(others)


def test_the_temporary_file_is_for_the_owner_only_until_it_is_complete_and_synced_before_it_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "vars.yml"
    path.write_bytes(b"old")
    path.chmod(0o644)
    steps: list[object] = []

    def watch(name: str, describe: Callable[[int], object]) -> None:
        genuine = getattr(os, name)

        def watched(*arguments: Any, **options: Any) -> None:
            steps.append((name, describe(arguments[0])))
            genuine(*arguments, **options)

        monkeypatch.setattr(os, name, watched)

    watch("fchmod", lambda descriptor: (stat.S_IMODE(os.fstat(descriptor).st_mode), names(tmp_path)[0][0]))
    watch("fsync", lambda descriptor: os.fstat(descriptor).st_size)
    watch("replace", lambda _name: path.read_bytes())
    write(path, b"the new one")

    assert steps == [("fchmod", (0o600, ".")), ("fsync", len(b"the new one")), ("replace", b"old")]
