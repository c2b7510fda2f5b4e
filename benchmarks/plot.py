# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of the results. Their background is white, so that they are also readable on a dark page."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import matplotlib as mpl

mpl.use("agg")

from matplotlib import pyplot as plt

from .cases import make_cases
from .figures import Figures
from .token_files import WRITERS, key_of
from .vaults import vault_figures

NEAR_COLOR = "#2a6fbb"
FAR_COLOR = "#e08a1e"
BAR = 0.38

# Plain numbers instead of powers of ten.
PLAIN = "{x:g}"


def draw_loops(figures: Figures, picture: Path) -> None:
    """Draw the time for one token, with two bars for each case, the fastest at the top."""
    cases = make_cases("")
    names = sorted(figures.near, key=lambda name: median(figures.near[name]), reverse=True)
    plot, axes = plt.subplots(figsize=(9, 4.2), layout="constrained")
    kinds = [
        ("no latency", figures.near, NEAR_COLOR, BAR / 2),
        (f"{figures.sizes.latency * 1000:.0f} ms of latency", figures.far, FAR_COLOR, -BAR / 2),
    ]
    for label, seconds, color, offset in kinds:
        places = [place for place, name in enumerate(names) if name in seconds]
        widths = [median(seconds[names[place]]) * 1000 for place in places]
        bars = axes.barh([place + offset for place in places], widths, BAR, color=color, label=label)
        axes.bar_label(bars, fmt=lambda width: f"{width:.{1 if width < 100 else 0}f} ms", padding=3, fontsize=9)
    axes.set_yticks(range(len(names)), [cases[name].title.replace("`", "") for name in names])
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(PLAIN)
    axes.set_xlabel(f"milliseconds per token in a loop of {figures.sizes.items} (logarithmic)")
    axes.margins(x=0.15)
    axes.legend(loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    plot.savefig(picture, dpi=150, facecolor="white")
    plt.close(plot)


def draw_vaults(figures: Figures, picture: Path) -> None:
    """Draw the time for writing and reading by number of variables."""
    plot, axes = plt.subplots(figsize=(9, 4.2), layout="constrained")
    for vault_format, color in (("inline", FAR_COLOR), ("file", NEAR_COLOR)):
        for step, style in (("write", "o-"), ("read", "s--")):
            seconds = [median(values) for values in vault_figures(figures, vault_format, step)]
            label = f"{step}, {'a whole file' if vault_format == 'file' else vault_format}"
            axes.plot(figures.sizes.variables, seconds, style, color=color, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(PLAIN)
    axes.yaxis.set_major_formatter(PLAIN)
    axes.set_xlabel("vaulted variables in the file (logarithmic)")
    axes.set_ylabel("seconds (logarithmic)")
    axes.grid(which="major", alpha=0.3)
    axes.legend(loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
    plot.savefig(picture, dpi=150, facecolor="white")
    plt.close(plot)


def draw_token_files(figures: Figures, picture: Path) -> None:
    """Draw the time for tokens in a file by number of tokens, with vaulted_tokens and by hand."""
    latency = figures.sizes.latency
    plot, axes = plt.subplots(figsize=(9, 4.2), layout="constrained")
    for writer, color in (("hand", FAR_COLOR), ("module", NEAR_COLOR)):
        for state, style in (("new", "o-"), ("kept", "s--")):
            counts = [
                count
                for count in (*figures.sizes.tokens, figures.sizes.many_tokens)
                if key_of(writer, state, count, latency) in figures.token_files
            ]
            seconds = [median(figures.token_files[key_of(writer, state, count, latency)]) for count in counts]
            axes.plot(counts, seconds, style, color=color, label=f"{WRITERS[writer].replace('`', '')}, {state}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(PLAIN)
    axes.yaxis.set_major_formatter(PLAIN)
    axes.set_xlabel("tokens in the file (logarithmic)")
    axes.set_ylabel("seconds more than an empty play (logarithmic)")
    axes.grid(which="major", alpha=0.3)
    axes.legend(loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    plot.savefig(picture, dpi=150, facecolor="white")
    plt.close(plot)
