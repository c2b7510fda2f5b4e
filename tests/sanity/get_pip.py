# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the get-pip.py that ansible-test downloads: the Python at hand brings a pip, which fetches the wanted one."""

from __future__ import annotations

import ensurepip
import subprocess
import sys

# get-pip's own options say which packages not to bring along; this script brings none.
arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--no-")]

ensurepip.bootstrap()
subprocess.check_call([sys.executable, "-m", "pip", "install", *arguments])
