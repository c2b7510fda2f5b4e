# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the sandbox's API that is independent of the collection's own client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from sandbox import Sandbox

GENERATE = "/v1/oauth/token"
INTROSPECT = "/v1/oauth/introspect"
REVOKE = "/v1/oauth/token/revoke"
VOUCHERS = "/v1/vouchers"

Form = Mapping[str, str]


class Client:
    """One keep-alive session with one API key. Sends documented requests unless told otherwise."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.headers = {
            "X-App-Id": sandbox.app_id,
            "X-App-Token": sandbox.app_token,
            "Accept": "application/json",
        }
        self.session = requests.Session()
        self.session.trust_env = False

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send any request. A header that is None is left out."""
        headers = {**self.headers, **options.pop("headers", {})}
        return self.session.request(
            method, self.sandbox.url + path, headers=headers, allow_redirects=False, **{"timeout": 10, **options}
        )

    def post(self, path: str, form: Form | str | bytes, **options: Any) -> requests.Response:
        """Send a form. Text and bytes are sent as they are."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", **options.pop("headers", {})}
        return self.send("POST", path, data=form, headers=headers, **options)

    def generate(self, scope: str | None = "vouchers", **options: Any) -> requests.Response:
        form = {"grant_type": "client_credentials", "scope": scope}
        return self.post(GENERATE, {name: value for name, value in form.items() if value is not None}, **options)

    def introspect(self, access_token: str, **options: Any) -> requests.Response:
        return self.post(INTROSPECT, {"access_token": access_token}, **options)

    def revoke(self, access_token: str, **options: Any) -> requests.Response:
        return self.post(REVOKE, {"access_token": access_token}, **options)

    def list_collection(self, access_token: str, name: str = "vouchers") -> requests.Response:
        headers = {"X-App-Id": None, "X-App-Token": None, "Authorization": f"Bearer {access_token}"}
        return self.send("GET", f"/v1/{name}", headers=headers)

    def make_token(self, scope: str | None = "vouchers") -> str:
        """Return a new access token."""
        response = self.generate(scope)
        assert response.status_code == 200, response.text
        return str(response.json()["access_token"])


def assert_refused(response: requests.Response, status: int, key: str) -> dict[str, Any]:
    """Assert that this is an error in the API's format. Return its content."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json"
    error: dict[str, Any] = response.json()
    assert (error["code"], error["key"]) == (status, key)
    assert error["message"]
    assert error["request_id"].startswith("v-")
    return error
