# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The address of a proxy: which parts may be shown, and which are secret. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit


@dataclass(frozen=True)
class Proxy:
    """A proxy for the calls. source: the option or environment variable that sets it."""

    address: str = field(repr=False)
    source: str

    @property
    def place(self) -> str | None:
        """The proxy's host and port; None if it is unclear which part of the address is the host.

        A slash or a similar character in the password ends the address early. A part of the password would be looked
        up as the name of a host, and shown.
        """
        try:
            parts = self._parts
            port = parts.port
        except ValueError:
            return None
        # urllib3 reads a backslash as a slash, and urlsplit drops line breaks.
        if self.address.count("@") != parts.netloc.count("@") or re.search(r"[\\\0- \x7f]", self.address):
            return None
        return f"{parts.hostname}:{port}" if parts.hostname and port else parts.hostname

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password, as it is in the address and decoded."""
        try:
            password = self._parts.password or ""
        except ValueError:
            return ()
        return (password, unquote(password))

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.address if "//" in self.address else f"//{self.address}")
