# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page that tells of the figures. Every number in it is one of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from .cases import make_cases
from .figures import Figures
from .targets import MEGABYTE, targets
from .vaults import FORMATS, STEPS, vault_figures

# Cut in two, or the tool that looks for licences would read it as this file's own.
HEADER = """\
<!--
SPDX-\
FileCopyrightText: 2026 The voucherify.oauth contributors
SPDX-\
License-Identifier: GPL-3.0-or-later
Written by `make bench`; change benchmarks/ and not this file.
-->
"""


def page(figures: Figures, picture: str, picture_of_vaults: str) -> str:
    """Return the page in Markdown. The pictures are named as files beside it."""
    sizes = figures.sizes
    latency = f"{sizes.latency * 1000:.0f} ms"
    near = {name: median(values) for name, values in figures.near.items()}
    return f"""\
{HEADER}
# What it costs

In a loop, one kept token costs {_milliseconds(near["worker"])} ms in the worker process. The two `uri` tasks that do
the same by hand cost {_milliseconds(near["two_uri"])} ms, {near["two_uri"] / near["worker"]:.0f} times as much.

![The time of one token, by the way it is made sure of]({picture})

## One token in a loop of {sizes.items}

{_loops(figures, latency)}

Times are medians; in parentheses stand the fastest and the slowest round. A round trip is {latency}, the time that the
server then takes for an answer.

## {sizes.hosts} hosts with a token each, {sizes.forks} forks

{_hosts(figures)}

## {sizes.many_tokens} tokens in one loop

In the worker, the whole run takes {median(figures.many_tokens):.1f} s. At its peak it holds
{median(figures.memory_many) / MEGABYTE:.0f} MB, all its processes together; with a loop of {sizes.few_tokens} it holds
{median(figures.memory_few) / MEGABYTE:.0f} MB.

## Vaulted variables

What `vaulted_vars` costs in seconds, by the number of variables, with values as long as a token. `inline` encrypts
each value on its own, `file` the file as a whole. Reading back is two tasks, `include_vars` and one that uses every
value, for Ansible decrypts no value before it is used.

{_vaults(figures)}

![Writing and reading vaulted variables, by their number]({picture_of_vaults})

An encryption and a decryption each derive a key from the vault's password, slowly on purpose. Inline, each value pays
for that; and equal values are recognised by decrypting those that stand.

## What was aimed at

{_targets(figures)}

## How it was measured

Each figure is the median of several rounds, here {len(figures.many_tokens)}. In each round all the cases take turns, in
another direction than in the round before, so that whatever else the machine does hits all of them. A case is a run of
`ansible-playbook` on its own, against the project's sandbox on the same machine, without a rate limit and with fresh
tokens. Afterwards, the sandbox's log must show just the calls that the case makes, or the benchmark fails.

The time of one token is the difference between a task that loops over {sizes.items} and one that loops over a single
token, divided by {sizes.items - 1}. Both are in the same run, after a third that pays what a run pays once, such as
imports. So neither Ansible's start nor that of the task is part of it, nor is the first connection. A callback reads
the clock where tasks begin. For {sizes.hosts} hosts it is the time of the task, and for {sizes.many_tokens} tokens that
of the whole command. The times of vaulted variables are those of whole tasks. Memory is the sum of the proportional set
sizes (PSS) of the run's processes, looked at many times a second, in a run that is not timed.

The interpreter for modules is given, pipelining is off as it is by default, and all output goes to a file.

| Machine and versions | |
|---|---|
{_lines(figures.machine.items())}

To repeat it, on Linux: `make bench`. To try whether it works: `make bench BENCH=--quick`, whose page says nothing and
goes into `build/`.
"""


def _loops(figures: Figures, latency: str) -> str:
    lines = []
    debug = median(figures.near["debug"])
    for name, case in make_cases("").items():
        near = figures.near[name]
        cells = [case.title, _spread(near), f"{median(near) / debug:.1f}"]
        if name in figures.far:
            far = figures.far[name]
            cells += [_spread(far), f"{median(far) / figures.sizes.latency:.2f}"]
        else:
            cells += ["", ""]
        lines.append(cells)
    head = ["Task", "ms per token", "relative to `debug`", f"ms per token, {latency} latency", "round trips"]
    return _table(head, lines)


def _hosts(figures: Figures) -> str:
    cases = make_cases("")
    ours = median(figures.hosts["worker"])
    lines = [
        [cases[name].title, f"{median(seconds):.1f}", f"{median(seconds) / ours:.1f}"]
        for name, seconds in figures.hosts.items()
    ]
    return _table(["Task", "seconds for all hosts", "relative to the worker process"], lines)


def _vaults(figures: Figures) -> str:
    lines = []
    for vault_format in FORMATS:
        for step, title in STEPS.items():
            seconds = [f"{median(values):.3f}" for values in vault_figures(figures, vault_format, step)]
            lines.append([f"`{vault_format}`: {title}", *seconds])
    return _table(["Seconds to", *(f"{count} variable{'s' * (count > 1)}" for count in figures.sizes.variables)], lines)


def _targets(figures: Figures) -> str:
    lines = [
        [target.what, f"{target.most:g} {target.unit}", f"{target.measured:.3g} {target.unit}", target.verdict]
        for target in targets(figures)
    ]
    return _table(["Target", "at most", "measured", "result"], lines)


def _spread(seconds: Sequence[float]) -> str:
    return f"{_milliseconds(median(seconds))} ({_milliseconds(min(seconds))} to {_milliseconds(max(seconds))})"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.{1 if seconds < 0.1 else 0}f}"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    columns = "|".join(["---", *["---:"] * (len(head) - 1)])
    return f"| {' | '.join(head)} |\n|{columns}|\n{_lines(lines)}"


def _lines(lines: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
