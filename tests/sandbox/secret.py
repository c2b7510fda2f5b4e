# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random texts, long enough that a test can search any output for them."""

from __future__ import annotations

import secrets
import string

_ALPHANUMERICS = string.ascii_letters + string.digits


def random_alphanumerics(length: int) -> str:
    """A text of ASCII letters and digits, as Voucherify's access tokens and client ids are."""
    return "".join(secrets.choice(_ALPHANUMERICS) for _turn in range(length))


def random_hex(length: int) -> str:
    """A text of hexadecimal digits, as Voucherify's request ids are."""
    return secrets.token_hex(length)[:length]
