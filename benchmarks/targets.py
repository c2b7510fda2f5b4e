# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The performance targets of the collection, and whether the figures meet them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from .figures import Figures
from .token_files import key_of

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Target:
    """A figure and its upper limit, both in the same unit."""

    what: str
    measured: float
    limit: float
    unit: str

    @property
    def verdict(self) -> str:
        return "met" if self.measured <= self.limit else "**missed**"


def targets(figures: Figures) -> list[Target]:
    """Compare the medians with the targets."""
    sizes = figures.sizes
    near = {name: median(values) for name, values in figures.near.items()}
    far = median(figures.far["worker"])
    growth = median(figures.memory_many) - median(figures.memory_few)
    empty_play = median(figures.empty_play)
    latency = sizes.latency

    def in_file(state: str, count: int, seconds: float) -> float:
        return median(figures.token_files[key_of("module", state, count, seconds)])

    few, hundred = sizes.tokens[0], sizes.tokens[-1]
    growth_in_file = median(figures.memory_many_in_file) - median(figures.memory_few_in_file)
    return [
        Target(
            f"`vaulted_tokens`: {few} kept tokens, minus an empty play, relative to that play",
            in_file("kept", few, 0.0) / empty_play,
            0.6,
            "times",
        ),
        Target(
            f"`vaulted_tokens`: {hundred} kept tokens at {latency * 1000:.0f} ms, minus an empty play, relative to"
            " their round trips in sequence",
            in_file("kept", hundred, latency) / (hundred * latency),
            0.4,
            "times",
        ),
        Target(
            f"`vaulted_tokens`: {sizes.many_tokens} new tokens at {latency * 1000:.0f} ms, minus an empty play",
            in_file("new", sizes.many_tokens, latency),
            10,
            "s",
        ),
        Target(
            f"`vaulted_tokens`: {sizes.many_tokens} kept tokens at {latency * 1000:.0f} ms, minus an empty play",
            in_file("kept", sizes.many_tokens, latency),
            12,
            "s",
        ),
        Target(
            f"`vaulted_tokens`: memory for {sizes.many_tokens} new tokens, minus that for {sizes.few_tokens}",
            growth_in_file / MEGABYTE,
            100,
            "MB",
        ),
        Target(
            "`vaulted_tokens`: tokens that 4 simultaneous runs generate for 2 names",
            max(figures.tokens_of_runs_at_once),
            2,
            "",
        ),
        Target(
            "in the worker, one kept token relative to two `uri`", near["worker"] / near["two_uri"], 1 / 20, "times"
        ),
        Target("in the worker, one kept token relative to `debug`", near["worker"] / near["debug"], 2, "times"),
        Target(
            f"in the worker at {sizes.latency * 1000:.0f} ms of latency, each token after the first",
            far / sizes.latency,
            1.3,
            "round trips",
        ),
        Target("as a module, one kept token relative to one `uri`", near["module"] / near["uri"], 1, "times"),
        Target(f"{sizes.many_tokens} tokens in one loop, the whole run", median(figures.many_tokens), 60, "s"),
        Target(f"memory of that loop, minus that of a loop of {sizes.few_tokens}", growth / MEGABYTE, 100, "MB"),
    ]
