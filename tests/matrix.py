# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the integration tests with every ansible-core that this collection serves, and print a table.

    python tests/matrix.py [CORE …]

Each core gets a virtual environment of its own below build/matrix/, with the newest release of that core and one of the
Pythons found here. Without a name all rows run, and one whose Python is missing is only reported; a row that was named
must run. Needs nothing but Python itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

CHECKOUT = Path(__file__).parents[1]
BUILD = CHECKOUT / "build" / "matrix"
PINS = CHECKOUT / "tests" / "requirements.txt"

# What tests/integration imports; the rest of the pinned tools serves other checks.
PACKAGES = ("aiohttp", "trustme", "pytest")
# The core is what varies here, and each has its own idea of the resolvelib that it works with.
UNPINNED = ("ansible-core==", "resolvelib==")
# The oldest versions that the collection supports; the documentation names them. They want an older idna.
OLDEST = ("requests==2.25.1", "urllib3==1.26.5")
UNPINNED_WITH_OLDEST = ("requests==", "urllib3==", "idna==")


@dataclass(frozen=True)
class Row:
    """An ansible-core, and the Pythons that it may run on, the one to take first.

    target: the Python that modules run on, where that is to be another one. prerelease: not released yet, perhaps.
    oldest: with the oldest requests and urllib3, and also the unit tests of what uses them.
    """

    core: str
    pythons: tuple[str, ...]
    target: str | None = None
    prerelease: bool = False
    oldest: bool = False


# The first Pythons are so chosen that each has its turn. What a core may run on, its documentation says:
# https://docs.ansible.com/ansible/latest/reference_appendices/release_and_maintenance.html
ROWS = (
    Row("2.16", ("3.10", "3.11", "3.12")),
    Row("2.16", ("3.10",), target="3.9", oldest=True),
    Row("2.17", ("3.12", "3.11", "3.10")),
    Row("2.18", ("3.11", "3.12", "3.13")),
    Row("2.19", ("3.13", "3.12", "3.11")),
    Row("2.20", ("3.12", "3.13", "3.14")),
    Row("2.21", ("3.14", "3.13", "3.12")),
    # The oldest Python of a target, with the newest core that is released.
    Row("2.21", ("3.14", "3.13", "3.12"), target="3.9"),
    Row("2.22", ("3.14", "3.13"), prerelease=True),
)

LINE = "{:12} {:8} {:8} {:>7} {:>7} {:>8} {:>8}  {}"


@dataclass(frozen=True)
class Outcome:
    """What became of a row: what was installed, how the tests ended, or in `note` why there were none."""

    core: str
    python: str = ""
    target: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: int = 0
    note: str = ""

    def __str__(self) -> str:
        counts: tuple[int | str, ...] = (self.passed, self.failed, self.skipped, self.seconds)
        if not self.ran:
            counts = ("-", "-", "-", "-")
        return LINE.format(self.core, self.python or "-", self.target or "-", *counts, self.note).rstrip()

    @property
    def ran(self) -> bool:
        return self.passed + self.failed + self.skipped > 0


class NotInstalled(Exception):
    """An environment could not be made; the text says where pip's words are."""


def main(names: list[str]) -> int:
    unknown = set(names) - {row.core for row in ROWS}
    if unknown:
        print(f"There is no row for {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    pythons = find_pythons()
    print(LINE.format("ansible-core", "Python", "target", "passed", "failed", "skipped", "seconds", ""))
    ran, wrong = False, False
    for row in ROWS:
        if names and row.core not in names:
            continue
        outcome, well = run(row, pythons, must_run=bool(names))
        print(outcome, flush=True)
        ran = ran or outcome.ran
        wrong = wrong or not well
    if not ran:
        print("Nothing was tested.", file=sys.stderr)
    return 1 if wrong or not ran else 0


def find_pythons() -> dict[str, Path]:
    """Return the first working Python of each minor version. Each is run, for a name can be a shim that fails."""
    found: dict[str, Path] = {}
    question = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    for candidate in _candidates():
        answer = subprocess.run([candidate, "-c", question], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            found.setdefault(answer.stdout.strip(), candidate)
    return found


def _candidates() -> Iterator[Path]:
    wanted = {python for row in ROWS for python in (*row.pythons, row.target) if python}
    for folder in os.get_exec_path():
        yield from (path for python in sorted(wanted) if (path := Path(folder) / f"python{python}").is_file())
    if which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip()
        yield from sorted(Path(root).glob("versions/*/bin/python3"))


def run(row: Row, pythons: dict[str, Path], *, must_run: bool) -> tuple[Outcome, bool]:
    """Run one row; return what became of it and whether that is well."""
    python = next((python for python in row.pythons if python in pythons), None)
    if python is None:
        return Outcome(row.core, note=f"no Python {' or '.join(row.pythons)} here"), not must_run
    if row.target and row.target not in pythons:
        return Outcome(row.core, python, row.target, note=f"no Python {row.target} here"), not must_run
    try:
        return _test(row, python, pythons)
    except NotInstalled as error:
        return Outcome(row.core, python, row.target or "", note=str(error)), row.prerelease and not must_run


def _test(row: Row, python: str, pythons: dict[str, Path]) -> tuple[Outcome, bool]:
    started = time.monotonic()
    # A specifier that names a pre-release lets pip install one.
    core = f"ansible-core~={row.core}.0" + ("a1" if row.prerelease else "")
    libraries = OLDEST if row.oldest else ("requests",)
    suffix = "-oldest" if row.oldest else ""
    packages = [core, *libraries, *PACKAGES, *(["hypothesis"] if row.oldest else []), *_constraints(row)]
    interpreter = make_environment(f"{row.core}-python{python}{suffix}", pythons[python], *packages)
    target = interpreter
    if row.target:
        # Unpinned, because the pins begin with the oldest Python that a controller can have.
        target = make_environment(f"target-python{row.target}{suffix}", pythons[row.target], *libraries)
    name = row.core + (f"-target{row.target}" if row.target else "") + suffix
    report, log = BUILD / f"{name}.xml", BUILD / f"{name}.log"
    report.unlink(missing_ok=True)
    tests = ["tests/integration"]
    if row.oldest:
        # Warnings are no errors, because old libraries use what Python has deprecated since.
        tests += ["tests/unit/plugins/module_utils", "-W", "default"]
    command = [str(interpreter), "-m", "pytest", *tests, f"--junit-xml={report}"]
    with log.open("w") as output, TemporaryDirectory() as folder:
        # Up to 2.18, the path of a target's Python must hold no space, and that of this checkout may.
        link, inventory = Path(folder) / "target", Path(folder) / "inventory.ini"
        link.symlink_to(target.parents[1])
        inventory.write_text(f"localhost ansible_connection=local ansible_python_interpreter={link}/bin/python\n")
        ended = subprocess.run(
            command,
            cwd=CHECKOUT,
            env={**os.environ, "ANSIBLE_INVENTORY": str(inventory)},
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    counts = _counts(report)
    return Outcome(
        core=_version(interpreter),
        python=python,
        target=row.target or "",
        seconds=round(time.monotonic() - started),
        note=_note(row, log, failed=ended.returncode != 0),
        **counts,
    ), ended.returncode == 0


def make_environment(name: str, python: Path, *requirements: str) -> Path:
    """Make a virtual environment, or bring one up to date; return its interpreter. Raises NotInstalled."""
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


def _constraints(row: Row) -> Iterable[str]:
    BUILD.mkdir(parents=True, exist_ok=True)
    constraints = BUILD / f"constraints{'-oldest' if row.oldest else ''}.txt"
    unpinned = (*UNPINNED, *(UNPINNED_WITH_OLDEST if row.oldest else ()))
    pins = PINS.read_text().splitlines(keepends=True)
    constraints.write_text("".join(pin for pin in pins if not pin.startswith(unpinned)))
    return ("--constraint", str(constraints))


def _note(row: Row, log: Path, *, failed: bool) -> str:
    notes = [*(["oldest requests"] if row.oldest else []), *([f"see {log.relative_to(CHECKOUT)}"] if failed else [])]
    return ", ".join(notes)


def _version(interpreter: Path) -> str:
    question = "import ansible.release; print(ansible.release.__version__)"
    return subprocess.run([interpreter, "-c", question], capture_output=True, text=True, check=True).stdout.strip()


def _counts(report: Path) -> dict[str, int]:
    """Read what pytest reports, which is nothing when it could not start."""
    if not report.exists():
        return {}
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    tests, failures, errors, skipped = (int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped"))
    return {"passed": tests - failures - errors - skipped, "failed": failures + errors, "skipped": skipped}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
