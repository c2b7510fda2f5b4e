# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sandbox import Sandbox
from unit.sandbox.client import Client


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    client = Client(sandbox)
    with client.session:
        yield client
