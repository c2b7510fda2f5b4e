# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page with the results. Every number on it comes from the figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from .cases import make_cases
from .figures import Figures
from .targets import MEGABYTE, targets
from .token_files import STATES, WRITERS, key_of
from .vaults import FORMATS, STEPS, vault_figures

# Split, because the license checker would take it for the header of this file.
HEADER = """\
<!--
SPDX-\
FileCopyrightText: 2026 The voucherify.oauth contributors
SPDX-\
License-Identifier: GPL-3.0-or-later
Written by `make bench`; change benchmarks/ instead of this file.
-->
"""


@dataclass(frozen=True)
class Pictures:
    """The file names of the pictures, which are next to the page."""

    tokens: str
    loops: str
    vaults: str


def page(figures: Figures, pictures: Pictures) -> str:
    """Return the page in Markdown."""
    sizes = figures.sizes
    latency = f"{sizes.latency * 1000:.0f} ms"
    near = {name: median(values) for name, values in figures.near.items()}
    return f"""\
{HEADER}
# Benchmarks

## Tokens in a vars file

{_token_files(figures)}

Seconds of a whole run, minus those of an empty play, which takes {median(figures.empty_play):.2f} s. "By hand" means
two `uri` tasks, `ansible-vault encrypt_string` and `copy` for new tokens, and `include_vars` and `uri` for kept ones.
{latency} is the time that the server takes for each answer.

![Seconds by number of tokens, with vaulted_tokens and by hand, at {latency}]({pictures.tokens})

Four runs that need the same two tokens at the same time generate {max(figures.tokens_of_runs_at_once)} tokens and take
{median(figures.runs_at_once):.1f} s in total. A run with {sizes.many_tokens} new tokens uses
{median(figures.memory_many_in_file) / MEGABYTE:.0f} MB at its peak, and one with {sizes.few_tokens} uses
{median(figures.memory_few_in_file) / MEGABYTE:.0f} MB.

## One token in a loop of {sizes.items}

In a loop, one kept token takes {_milliseconds(near["worker"])} ms in the worker process. A `uri` task that introspects
it takes {_milliseconds(near["uri"])} ms, {near["uri"] / near["worker"]:.0f} times as long.

![The time for one token, by task]({pictures.loops})

{_loops(figures, latency)}

Times are medians; the fastest and the slowest round are in parentheses. A round trip is {latency}.

## {sizes.hosts} hosts with a token each, {sizes.forks} forks

{_hosts(figures)}

## {sizes.many_tokens} tokens in one loop

In the worker process, the whole run takes {median(figures.many_tokens):.1f} s. At its peak it uses
{median(figures.memory_many) / MEGABYTE:.0f} MB in all its processes together; with a loop of {sizes.few_tokens} it uses
{median(figures.memory_few) / MEGABYTE:.0f} MB.

## Vaulted variables

The table shows how many seconds `vaulted_vars` takes, by number of variables, with values as long as a token. `inline`
encrypts each value by itself, `file` the whole file. Reading back takes two tasks, `include_vars` and one that uses
every value, because Ansible only decrypts a value when it is used.

{_vaults(figures)}

![Writing and reading vaulted variables, by number of variables]({pictures.vaults})

Each encryption and each decryption derives a key from the vault password, which is slow on purpose. With `inline`, this
is done for each value.

## Targets

{_targets(figures)}

[Decisions](decisions.md) says what limits the speed for many new tokens.

## How it was measured

Each figure is the median of {len(figures.many_tokens)} rounds. All cases run in each round, in the reverse order of the
previous round, so that other load on the machine affects all of them. A case is a run of `ansible-playbook` against the
project's sandbox on the same machine, without a rate limit and with new tokens. Afterwards, the sandbox's log must show
exactly the calls or tokens that the case should make, or the benchmark fails.

The time for one token in a loop is the difference between a task that loops over {sizes.items} and one that loops
over a single token, divided by {sizes.items - 1}. Both are in the same run, after a task that absorbs the one-time
costs of a run, such as imports. So the start of Ansible, the start of the task and the first connection are not
included. A callback plugin measures when tasks begin. For {sizes.hosts} hosts, the figure is the time of the task, and
for {sizes.many_tokens} tokens in a loop it is the time of the whole command. For vaulted variables, it is the time of
whole tasks. Memory is the sum of the proportional set sizes (PSS) of the run's processes, read many times a second, in
a run that is not timed.

The Python interpreter for modules is set explicitly, pipelining is off, which is the default, and all output goes to a
file.

| Machine and versions | |
|---|---|
{_lines(figures.machine.items())}

To repeat the benchmarks, run `make bench` on Linux. `make bench BENCH=--quick` only checks that everything works; it
writes to `build/`, and its figures mean nothing.
"""


def _token_files(figures: Figures) -> str:
    sizes = figures.sizes
    latencies = (0.0, sizes.latency)
    lines = []
    for writer, title in WRITERS.items():
        for state in STATES:
            for count in (*sizes.tokens, sizes.many_tokens):
                cells = [
                    f"{median(figures.token_files[key]):.2f}" if key in figures.token_files else ""
                    for key in (key_of(writer, state, count, latency) for latency in latencies)
                ]
                if any(cells):
                    lines.append([title, f"{count} {state}", *cells])
    return _table(["", "tokens", *(f"s at {latency * 1000:.0f} ms" for latency in latencies)], lines)


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
        [target.what, f"{target.limit:g} {target.unit}", f"{target.measured:.3g} {target.unit}", target.verdict]
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
