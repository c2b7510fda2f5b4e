# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox for Python callers."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .control import ROOT
from .environment import describe_sandbox
from .faults import Fault
from .journal import LoggedRequest
from .project import ApiKey, Token

# Seconds that the server has for going in peace.
PATIENCE = 10


class Sandbox:
    """A running sandbox, in a process of its own that ends with this one, however this one ends.

    url: the API's base URL, with the prefix.
    app_id, app_token: an API key; other_app_id, other_app_token: a second one of the same project.
    environment: the variables that tell the collection of it, and VOUCHERIFY_SANDBOX_URL, the control interface.
    """

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        server_url = f"{parts.scheme}://{parts.netloc}"
        self._process = process
        self._control_url = server_url + ROOT
        key, other_key = (ApiKey(**fields) for fields in self._get("state")["keys"])
        self.app_id, self.app_token = key.app_id, key.app_token
        self.other_app_id, self.other_app_token = other_key.app_id, other_key.app_token
        self.environment = describe_sandbox(server_url, parts.path, key)

    @classmethod
    def start(
        cls,
        prefix: str = "",
        latency: float = 0.0,
        rate_limit: int | None = None,
        certificate: str | Path | None = None,
        key: str | Path | None = None,
    ) -> Sandbox:
        """Start a server and wait until it accepts connections; the options are those of the command line.

        Raises RuntimeError when it does not start; why, it has then written to the standard error stream.
        """
        command = [sys.executable, str(Path(__file__).parent), "--until-stdin-closes", f"--latency={latency}"]
        options = {"prefix": prefix, "rate-limit": rate_limit, "certificate": certificate, "key": key}
        command += [f"--{name}={value}" for name, value in options.items() if value is not None]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        word, _sign, url = process.stdout.readline().strip().partition(" ")
        if word != "ready":
            _end(process)
            raise RuntimeError("the sandbox did not start")
        return cls(process, url)

    def stop(self) -> None:
        """Stop the server; nothing of it is left. Stopping twice does no harm."""
        _end(self._process)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def reset(self) -> None:
        """Everything back to the start, but for the API keys."""
        self._post("reset", {})

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._post("clock", {"advance": seconds})

    def stop_clock(self) -> None:
        """Let the clock only move by `advance`, until the next reset."""
        self._post("clock", {"stop": True})

    def now(self) -> int:
        """What the clock says, in seconds of Unix time."""
        now: int = self._get("state")["now"]
        return now

    def fail(self, operation: str, **fault: Any) -> None:
        """Order a fault; what there is to choose from, `Fault` says."""
        self._post("faults", asdict(Fault(operation, **fault)))

    def configure(self, **settings: Any) -> None:
        """Change some of the settings; what there is, `Settings` says."""
        self._post("settings", settings)

    def tokens(self) -> list[Token]:
        """Every token made since the start or the last reset, in the order of their making."""
        return [Token(**fields) for fields in self._get("state")["tokens"]]

    def live_tokens(self) -> list[Token]:
        """The tokens that still work."""
        return [token for token in self.tokens() if token.status == "active"]

    def requests(self) -> list[LoggedRequest]:
        """Every request since the start or the last reset, those to the control interface excepted."""
        return [LoggedRequest(**fields) for fields in self._get("requests")["requests"]]

    def calls(self, operation: str) -> list[LoggedRequest]:
        """The requests of one operation."""
        return [request for request in self.requests() if request.operation == operation]

    def _get(self, name: str) -> Any:
        return self._ask(urllib.request.Request(f"{self._control_url}/{name}"))

    def _post(self, name: str, content: dict[str, Any]) -> Any:
        return self._ask(urllib.request.Request(f"{self._control_url}/{name}", json.dumps(content).encode()))

    def _ask(self, request: urllib.request.Request) -> Any:
        try:
            with _OPENER.open(request) as response:
                return json.load(response)
        except urllib.error.HTTPError as refusal:
            raise ValueError(json.load(refusal)["error"]) from None


def _make_opener() -> urllib.request.OpenerDirector:
    # Its own child on loopback needs neither a proxy nor proof of who it is.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))


def _end(process: subprocess.Popen[str]) -> None:
    with process:  # closes the pipes as well
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()


_OPENER = _make_opener()
