# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of ansible-playbook: their time and their memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]

# Seconds between two samples of the memory. Sampling takes time, so a run is either timed or sampled.
SAMPLING_INTERVAL = 0.05

Tasks = Sequence[Mapping[str, Any]]


class Runner:
    """Runs tasks in its own folder, with the ansible-playbook next to this interpreter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # What any user of the collection has, and none of the settings of the user who runs the benchmarks.
        self._environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder),
            "ANSIBLE_HOME": str(folder / ".ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "build" / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "stopwatch",
            # Without it, looking for an interpreter on each host would take longer than the work of a module.
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        }

    def laps(self, tasks: Tasks, variables: Mapping[str, Any], *arguments: str) -> dict[str, float]:
        """Run tasks. Return the names of the tasks and the seconds that all tasks with that name took."""
        self.end(self.start(tasks, variables, *arguments))
        laps: dict[str, float] = json.loads((self.folder / "laps.json").read_text())
        return laps

    def seconds(self, tasks: Tasks, variables: Mapping[str, Any], *arguments: str) -> float:
        """Run tasks. Return the seconds from the start of the process to its end."""
        start = time.perf_counter()
        self.end(self.start(tasks, variables, *arguments))
        return time.perf_counter() - start

    def peak_memory(self, tasks: Tasks, variables: Mapping[str, Any], *arguments: str) -> int:
        """Run tasks. Return the peak memory in bytes of all processes together."""
        process = self.start(tasks, variables, *arguments)
        peak = 0
        while process.poll() is None:
            peak = max(peak, sum(_memory(pid) for pid in _with_descendants(process.pid)))
            time.sleep(SAMPLING_INTERVAL)
        self.end(process)
        return peak

    def start(self, tasks: Tasks, variables: Mapping[str, Any], *arguments: str) -> subprocess.Popen[bytes]:
        """Start a run."""
        # JSON is also YAML, and faster to write and read.
        play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
        (self.folder / "playbook.yml").write_text(json.dumps([play]))
        (self.folder / "variables.json").write_text(json.dumps(variables))
        inventory = () if "--inventory" in arguments else ("--inventory", "localhost,", "--connection", "local")
        with (self.folder / "output.txt").open("wb") as output:
            return subprocess.Popen(
                [
                    str(Path(sys.executable).with_name("ansible-playbook")),
                    *inventory,
                    *arguments,
                    "--extra-vars",
                    "@variables.json",
                    "playbook.yml",
                ],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for a run. Raises RuntimeError if it failed."""
        if process.wait() != 0:
            raise RuntimeError((self.folder / "output.txt").read_text()[-4000:])


def say(line: str) -> None:
    """Report progress to the user who waits."""
    print(line, file=sys.stderr, flush=True)


def _with_descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The parent is the second field after the command, which is in parentheses and can contain anything.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    family = [root]
    for pid in family:
        family += children.get(pid, [])
    return family


def _memory(pid: int) -> int:
    """Return the proportional set size of a process in bytes. In a sum of these, shared pages count once."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # the process has just ended
    return 0
