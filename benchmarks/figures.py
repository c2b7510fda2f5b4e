# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much is measured, and the results."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Sizes:
    """How much is measured. items: the length of a loop. latency: in seconds."""

    rounds: int = 3
    items: int = 50
    latency: float = 0.05
    hosts: int = 200
    forks: int = 10
    few_tokens: int = 10
    many_tokens: int = 1000
    variables: tuple[int, ...] = (1, 10, 100, 1000)
    tokens: tuple[int, ...] = (3, 20, 100)
    most_by_hand: int = 20


QUICK = Sizes(rounds=1, items=4, hosts=4, forks=2, few_tokens=2, many_tokens=20, variables=(1, 10), tokens=(3,))


def describe_machine() -> dict[str, str]:
    """Return the CPU and the versions that the benchmarks run with."""
    return {
        "CPU": f"{_cpu()}, {len(os.sched_getaffinity(0))} cores",
        "load average at the start": f"{os.getloadavg()[0]:.1f}",
        "Python": platform.python_version(),
        **{name: version(name) for name in ("ansible-core", "requests", "cryptography")},
    }


@dataclass(frozen=True)
class Figures:
    """All measurements, one number per round. The keys of the dictionaries are those of the cases.

    near, far: seconds per item without and with latency. hosts: seconds for all hosts. many_tokens: seconds of the
    whole run. memory_few, memory_many: bytes. vaults: seconds of a step, see vaults.py.
    empty_play: seconds of a whole run. token_files: seconds of a whole run minus those, see token_files.py.
    """

    sizes: Sizes
    machine: dict[str, str] = field(default_factory=describe_machine)
    near: dict[str, list[float]] = field(default_factory=dict)
    far: dict[str, list[float]] = field(default_factory=dict)
    hosts: dict[str, list[float]] = field(default_factory=dict)
    many_tokens: list[float] = field(default_factory=list)
    memory_few: list[float] = field(default_factory=list)
    memory_many: list[float] = field(default_factory=list)
    vaults: dict[str, list[float]] = field(default_factory=dict)
    empty_play: list[float] = field(default_factory=list)
    token_files: dict[str, list[float]] = field(default_factory=dict)
    memory_few_in_file: list[float] = field(default_factory=list)
    memory_many_in_file: list[float] = field(default_factory=list)
    runs_at_once: list[float] = field(default_factory=list)
    tokens_of_runs_at_once: list[int] = field(default_factory=list)


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
