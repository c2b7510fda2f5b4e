# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: measure, then write the page and its pictures."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from sandbox import Sandbox

from .figures import QUICK, Figures, Sizes
from .measure import Bench
from .page import Pictures, page
from .plot import draw_loops, draw_token_files, draw_vaults
from .runs import CHECKOUT, Runner, say
from .targets import targets
from .token_files import TokenFiles
from .vaults import measure_vaults

BUILD = CHECKOUT / "build"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench BENCH=…", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="run everything once with small sizes, and write to build/"
    )
    parser.add_argument(
        "--redraw", action="store_true", help="measure nothing; write the results of the last measurement again"
    )
    options = parser.parse_args()
    sizes, folder = (QUICK, BUILD) if options.quick else (Sizes(), CHECKOUT / "docs")
    results = BUILD / ("benchmarks-quick.json" if options.quick else "benchmarks.json")
    figures = _load(results) if options.redraw else _measure(sizes, results)
    folder.mkdir(exist_ok=True)
    draw_loops(figures, folder / "benchmarks.png")
    draw_vaults(figures, folder / "benchmarks-vaults.png")
    draw_token_files(figures, folder / "benchmarks-tokens.png")
    pictures = Pictures("benchmarks-tokens.png", "benchmarks.png", "benchmarks-vaults.png")
    (folder / "benchmarks.md").write_text(page(figures, pictures))
    for target in targets(figures):
        figure = f"{target.measured:.3g} {target.unit}, at most {target.limit:g}"
        print(f"{target.verdict.strip('*').upper()}: {target.what}: {figure}")


def _measure(sizes: Sizes, results: Path) -> Figures:
    start = time.monotonic()
    figures = Figures(sizes)
    with tempfile.TemporaryDirectory() as folder, Sandbox.start() as sandbox:
        runner = Runner(Path(folder))
        bench = Bench(figures, runner, sandbox)
        token_files = TokenFiles(figures, runner, sandbox)
        for number in range(sizes.rounds):
            say(f"Round {number + 1} of {sizes.rounds}")
            token_files.measure()
            measure_vaults(figures, runner)
            bench.measure(number)
            figures.machine["time for all rounds"] = f"{(time.monotonic() - start) / 60:.0f} min"
            # After each round, so that --redraw can use the rounds before an interruption.
            results.write_text(json.dumps(asdict(figures)))
    return figures


def _load(results: Path) -> Figures:
    figures = json.loads(results.read_text())
    return Figures(**{**figures, "sizes": Sizes(**figures["sizes"])})


if __name__ == "__main__":
    main()
