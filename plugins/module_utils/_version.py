# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The version of this collection, because galaxy.yml cannot be read on a target. A test compares the two."""

from __future__ import annotations

VERSION = "1.0.0"
