# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection has promised itself, and whether the figures keep it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from .figures import Figures

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Target:
    """A figure and the most that it may be, both in the unit that belongs after them."""

    what: str
    measured: float
    most: float
    unit: str

    @property
    def verdict(self) -> str:
        return "met" if self.measured <= self.most else "**missed**"


def targets(figures: Figures) -> list[Target]:
    """Compare medians with what was promised."""
    sizes = figures.sizes
    near = {name: median(values) for name, values in figures.near.items()}
    far = median(figures.far["worker"])
    growth = median(figures.memory_many) - median(figures.memory_few)
    return [
        Target(
            "in the worker, one kept token against the two `uri`", near["worker"] / near["two_uri"], 1 / 20, "times"
        ),
        Target("in the worker, one kept token against `debug`", near["worker"] / near["debug"], 3, "times"),
        Target(
            f"in the worker at {sizes.latency * 1000:.0f} ms of latency, one token beyond the first",
            far / sizes.latency,
            1.3,
            "round trips",
        ),
        Target("as a module, one kept token against one `uri`", near["module"] / near["uri"], 1.1, "times"),
        Target(f"{sizes.many_tokens} tokens in one loop, the whole run", median(figures.many_tokens), 60, "s"),
        Target(f"memory of that loop beyond that of a loop of {sizes.few_tokens}", growth / MEGABYTE, 100, "MB"),
    ]
