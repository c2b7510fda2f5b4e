# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: measure, then write the page and its picture."""

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
from .page import page
from .plot import draw_loops, draw_vaults
from .runs import CHECKOUT, Runner
from .targets import targets
from .vaults import measure_vaults

KEPT = CHECKOUT / "build" / "benchmarks.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench BENCH=…", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="try everything once, on little, and write into build/")
    parser.add_argument("--redraw", action="store_true", help="measure nothing; write again what was measured last")
    options = parser.parse_args()
    figures = _last() if options.redraw else _measure(QUICK if options.quick else Sizes())
    folder = CHECKOUT / ("build" if options.quick else "docs")
    folder.mkdir(exist_ok=True)
    draw_loops(figures, folder / "benchmarks.png")
    draw_vaults(figures, folder / "benchmarks-vaults.png")
    (folder / "benchmarks.md").write_text(page(figures, "benchmarks.png", "benchmarks-vaults.png"))
    for target in targets(figures):
        limit = f"{target.measured:.3g} {target.unit}, at most {target.most:g}"
        print(f"{target.verdict.strip('*').upper()}: {target.what}: {limit}")


def _measure(sizes: Sizes) -> Figures:
    start = time.monotonic()
    figures = Figures(sizes)
    with tempfile.TemporaryDirectory() as folder, Sandbox.start() as sandbox:
        runner = Runner(Path(folder))
        measure_vaults(figures, runner)
        Bench(figures, runner, sandbox).measure()
    figures.machine["time for everything"] = f"{(time.monotonic() - start) / 60:.0f} min"
    KEPT.write_text(json.dumps(asdict(figures)))
    return figures


def _last() -> Figures:
    kept = json.loads(KEPT.read_text())
    return Figures(**{**kept, "sizes": Sizes(**kept["sizes"])})


if __name__ == "__main__":
    main()
