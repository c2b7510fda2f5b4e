# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients, a second sandbox with TLS, and the authority that signed its certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from ansible_collections.voucherify.oauth.plugins.module_utils._api import retries
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient
from ansible_collections.voucherify.oauth.plugins.module_utils._api.retries import (
    Connection,
    HttpClient,
    Pacing,
)
from sandbox import Sandbox

SETTINGS: dict[str, Any] = {
    "timeout": 5,
    "retries": 2,
    "max_wait": 5,
    "validate_certs": True,
    "ca_path": None,
    "proxy": None,
    "user_agent": "voucherify.oauth/test",
}


@pytest.fixture
def make_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., OAuthClient]]:
    """Return a function that makes a client of a sandbox, or of a URL. The back-off is short."""
    monkeypatch.setattr(retries, "BACK_OFF_BASE_SECONDS", 0.01)
    made: list[OAuthClient] = []

    def make(server: Sandbox | str, pacing: Pacing | None = None, **settings: Any) -> OAuthClient:
        if isinstance(server, Sandbox):
            keys = {"app_id": server.app_id, "app_token": server.app_token, "api_base_url": server.url}
        else:
            keys = {"app_id": "an-id", "app_token": "s3cret-app-token-of-a-key", "api_base_url": server}
        made.append(OAuthClient(HttpClient(Connection(**{**SETTINGS, **keys, **settings}), pacing)))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_path(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


@pytest.fixture(scope="session")
def _running_secure_sandbox(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("tls")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    with Sandbox.start(certificate=folder / "server.pem") as running:
        yield running


@pytest.fixture
def secure_sandbox(_running_secure_sandbox: Sandbox) -> Sandbox:
    _running_secure_sandbox.reset()
    return _running_secure_sandbox
