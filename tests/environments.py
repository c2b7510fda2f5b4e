# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Pythons on this machine, and virtual environments for them in build/matrix/."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from shutil import which

CHECKOUT = Path(__file__).parents[1]
BUILD = CHECKOUT / "build" / "matrix"
PINS = CHECKOUT / "tests" / "requirements.txt"

# The matrix varies ansible-core, and each version needs its own version of resolvelib.
UNPINNED = ("ansible-core==", "resolvelib==")


class NotInstalled(Exception):
    """An environment could not be made. The message names the log of pip."""


def find_pythons(versions: Collection[str]) -> dict[str, Path]:
    """Return the first working Python of each version. Each is run, because a name can be a shim that fails."""
    found: dict[str, Path] = {}
    code = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    for candidate in _candidates(versions):
        answer = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
        if answer.returncode == 0 and answer.stdout.strip() in versions:
            found.setdefault(answer.stdout.strip(), candidate)
    return found


def _candidates(versions: Collection[str]) -> Iterator[Path]:
    for folder in os.get_exec_path():
        yield from (path for python in sorted(versions) if (path := Path(folder) / f"python{python}").is_file())
    if which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip()
        yield from sorted(Path(root).glob("versions/*/bin/python3"))


def make_environment(name: str, python: Path, *requirements: str) -> Path:
    """Create or update a virtual environment. Return its interpreter. Raises NotInstalled."""
    folder = BUILD / name
    interpreter = folder / "bin" / "python"
    folder.mkdir(exist_ok=True)
    log = folder / "install.log"
    make = [str(python), "-m", "venv", str(folder)]
    install = [str(interpreter), "-m", "pip", "install", "--disable-pip-version-check", "--upgrade", *requirements]
    with log.open("w") as output:
        for command in (make, install):
            if subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False).returncode != 0:
                raise NotInstalled(f"cannot be installed, see {log.relative_to(CHECKOUT)}")
    return interpreter


def constraints(name: str, unpinned: tuple[str, ...] = ()) -> Iterable[str]:
    """Return the pip options that pin everything except ansible-core and `unpinned`."""
    BUILD.mkdir(parents=True, exist_ok=True)
    file = BUILD / f"constraints-{name}.txt"
    pins = PINS.read_text().splitlines(keepends=True)
    file.write_text("".join(pin for pin in pins if not pin.startswith((*UNPINNED, *unpinned))))
    return ("--constraint", str(file))
