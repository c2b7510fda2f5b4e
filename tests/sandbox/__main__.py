# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python tests/sandbox`, run from anywhere."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

# A folder that is run is no package; its parent is where the package `sandbox` is found.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sandbox.options import read_options
from sandbox.run import run

if __name__ == "__main__":
    sys.exit(asyncio.run(run(read_options(sys.argv[1:]))))
