# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed or interrupted, runs at the same time, and full disks."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from pathlib import Path
from types import FrameType

import pytest
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import FileAccessError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vars_file import Settings, open_vars_file
from unit.plugins.plugin_utils.vars_file.children import Child
from unit.plugins.plugin_utils.vars_file.vaults import inline, run_vault, values_in

OLD, NEW = "the old secret value", "the new secret value"
VAULT = run_vault("default")


def edit(path: Path, value: str, name: str = "token", vault_format: str = "inline") -> None:
    settings = Settings(path=str(path), format=vault_format, backup=True)
    with open_vars_file(settings, VAULT, make_folders=True) as file:
        file.apply({name: value})


def value_in(path: Path) -> str:
    """Return the value in the file, which must be complete."""
    return values_in(path, VAULT)["token"]


def plaintext_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if b"secret value" in path.read_bytes()]


STEPS = ["open", "fsync", "fchmod", "replace", "unlink", "listdir"]


@pytest.mark.parametrize("vault_format", ["inline", "file"])
@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_any_step_leaves_the_old_file_or_the_new(
    tmp_path: Path, step: str, vault_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "vars.yml"
    edit(path, OLD, vault_format=vault_format)
    genuine = getattr(os, step)

    def killed_in(call: int) -> Callable[[], None]:
        calls = iter(range(1, 1000))

        def stop_at(*arguments: object, **options: object) -> object:
            if next(calls) == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return genuine(*arguments, **options)

        def work() -> None:
            monkeypatch.setattr(os, step, stop_at)
            edit(path, NEW, vault_format=vault_format)

        return work

    kills = 0
    for call in range(1, 100):
        status = Child(killed_in(call)).result()
        assert value_in(path) in (OLD, NEW)
        assert plaintext_in(tmp_path) == []
        if status == 0:
            break
        assert status == -signal.SIGKILL
        kills += 1
    assert kills > 0
    assert value_in(path) == NEW
    assert not list(tmp_path.glob(".vaulted_vars.*"))


class Alarm(Exception):
    """Raised by a signal handler."""


def raise_alarm_at(moment: str, number: int) -> Callable[[FrameType, str, object], None]:
    """Return a profiler that raises Alarm in one of the C functions that the code calls, at nearly any step."""
    calls = iter(range(1, 10_000))

    def profile(frame: FrameType, event: str, _argument: object) -> None:
        name = os.path.basename(frame.f_code.co_filename)
        if event == moment and name in PROFILED_FILES and next(calls) == number:
            raise Alarm

    return profile


ALL = list(product(["c_call", "c_return"], ["inline", "file"]))
PROFILED_FILES = ("atomic_write.py", "vars_file.py", "lock.py")


@pytest.mark.parametrize(
    ("moment", "vault_format", "stride"),
    [
        ("c_call", "inline", 4),
        ("c_return", "file", 4),
        *(pytest.param(*one, 1, marks=pytest.mark.thorough) for one in ALL),
    ],
)
# An exception within open() leaves the file object to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_exception_at_any_step_leaves_the_old_file_or_the_new_and_stored_knows_which(
    tmp_path: Path, moment: str, vault_format: str, stride: int
) -> None:
    path = tmp_path / "vars.yml"
    settings = Settings(path=str(path), format=vault_format, backup=True)
    seen = set()

    for number in range(1, 10_000, stride):
        edit(path, OLD, vault_format=vault_format)
        for backup in tmp_path.glob(".*~"):
            backup.unlink()
        interrupted = False
        try:
            with open_vars_file(settings, VAULT, make_folders=True) as file:
                sys.setprofile(raise_alarm_at(moment, number))
                try:
                    file.check_writable()
                    file.apply({"token": NEW})
                except Alarm:
                    interrupted = True
                    found = value_in(path)
                    seen.add(found)
                    assert file.stored({"token": NEW}) == ({"token"} if found == NEW else set())
                    assert file.stored({"token": OLD}) == ({"token"} if found == OLD else set())
                    if number % 3:
                        # The new value can still be written.
                        assert file.apply({"token": NEW}).updated == ["token"]
                        assert file.stored({"token": NEW}) == {"token"}
        except Alarm:
            interrupted = True
        finally:
            sys.setprofile(None)
        assert value_in(path) in (OLD, NEW)
        assert plaintext_in(tmp_path) == []
        others = sorted(other.name for other in tmp_path.iterdir() if other != path)
        assert len(others) <= 2  # a backup for each try
        assert all(other.endswith("~") for other in others)
        descriptor = os.open(tmp_path, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises if the lock was not released
        os.close(descriptor)
        if not interrupted:
            break

    assert number > 50
    assert seen == {OLD, NEW}


def test_a_write_that_is_interrupted_twice_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "vars.yml"
    edit(path, OLD)
    left = iter([True])
    genuine = os.unlink

    def replace(*_arguments: object, **_options: object) -> None:
        raise Alarm

    def unlink(name: str, *, dir_fd: int | None = None) -> None:
        if next(left, False):
            raise Alarm
        genuine(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(Alarm):
        edit(path, NEW)

    assert value_in(path) == OLD
    assert [found.name for found in tmp_path.iterdir()] == ["vars.yml"]


def test_a_full_disk_leaves_the_file_alone(tmp_path: Path, mounted: Callable[..., None]) -> None:
    mounted("-t", "tmpfs", "-o", "size=32k", "tmpfs", str(tmp_path))
    path = tmp_path / "vars.yml"
    path.write_text(inline("token", OLD))
    before = path.read_bytes()
    with suppress(OSError), (tmp_path / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 512)

    with pytest.raises(FileAccessError, match="No space left on device; free some space and run the play again"):
        edit(path, NEW)

    assert path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["filler", "vars.yml"]
