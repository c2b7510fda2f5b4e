# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests of vars files need."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vars.yml"


@pytest.fixture
def mounted() -> Iterator[Callable[..., None]]:
    """Mount something until the end of the test, if that is allowed."""
    targets = []

    def mount(*arguments: str) -> None:
        done = subprocess.run(["mount", *arguments], check=False, capture_output=True)
        if done.returncode:
            pytest.skip("only root can mount, and not in every container")
        targets.append(arguments[-1])

    yield mount
    for target in reversed(targets):
        subprocess.run(["umount", target], check=True)
