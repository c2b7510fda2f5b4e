# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and control the sandbox from Python."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .server import CONTROL, client_environment
from .state import ApiKey, Fault, LoggedRequest, Token

# How many seconds the server has to stop by itself.
STOP_TIMEOUT = 10


class Sandbox:
    """A running sandbox, in a separate process that ends with this one, however this one ends.

    url: the API's base URL.
    app_id, app_token: an API key; other_app_id, other_app_token: a second one of the same project.
    environment: the variables that make the collection use it, and VOUCHERIFY_SANDBOX_URL, the control interface.
    """

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.url = url
        self._process = process
        key, other_key = (ApiKey(**fields) for fields in self._get("state")["keys"])
        self.app_id, self.app_token = key.app_id, key.app_token
        self.other_app_id, self.other_app_token = other_key.app_id, other_key.app_token
        self.environment = client_environment(url, key)

    @classmethod
    def start(cls, certificate: Path | None = None) -> Sandbox:
        """Start a server and wait until it accepts connections. certificate: as on the command line.

        Raises RuntimeError if it does not start; its standard error stream says why.
        """
        command = [sys.executable, str(Path(__file__).parent), "--until-stdin-closes"]
        command += [f"--certificate={certificate}"] if certificate else []
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        word, _sign, url = process.stdout.readline().strip().partition(" ")
        if word != "ready":
            _end(process)
            raise RuntimeError("the sandbox did not start")
        return cls(process, url)

    def stop(self) -> None:
        """Stop the server. Stopping twice does no harm."""
        _end(self._process)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def reset(self) -> None:
        """Reset everything except the API keys, and release the answers that are held back."""
        self._post("reset", {})

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._post("clock", {"advance": seconds})

    def stop_clock(self) -> None:
        """Let only `advance` move the clock, until the next reset."""
        self._post("clock", {"stop": True})

    def now(self) -> int:
        """Return the time of the clock, as Unix time in seconds."""
        return int(self._get("state")["now"])

    def fail(self, operation: str, **fault: Any) -> None:
        """Add a fault or a deviation; see `Fault`. For all calls: `times=ALWAYS`."""
        self._post("faults", asdict(Fault(operation, **fault)))

    def configure(self, **settings: Any) -> None:
        """Change some of the settings; see `Settings`."""
        self._post("settings", settings)

    def release(self) -> None:
        """Send the answers that `hold` is holding back."""
        self._post("release", {})

    def in_flight(self) -> int:
        """Return how many calls have arrived and have not been answered yet."""
        return int(self._get("state")["in_flight"])

    def most_in_flight(self) -> int:
        """Return the highest number of calls that were in flight at the same time since the last reset."""
        return int(self._get("state")["most_in_flight"])

    def wait_for_calls_in_flight(self, count: int) -> None:
        """Wait until `count` calls are in flight. Raises TimeoutError if it takes longer than on any busy machine."""
        end = time.monotonic() + 120
        while self.in_flight() < count:
            if time.monotonic() > end:
                raise TimeoutError(f"there were never {count} calls in flight")
            time.sleep(0.02)

    def tokens(self) -> list[Token]:
        """Return every token made since the start or the last reset, the oldest first."""
        return [Token(**fields) for fields in self._get("state")["tokens"]]

    def live_tokens(self) -> list[Token]:
        """Return the tokens that still work."""
        return [token for token in self.tokens() if token.status == "active"]

    def requests(self) -> list[LoggedRequest]:
        """Return every request since the start or the last reset, except those to the control interface."""
        return [LoggedRequest(**fields) for fields in self._get("requests")["requests"]]

    def calls(self, operation: str) -> list[LoggedRequest]:
        """Return the requests of one operation."""
        return [request for request in self.requests() if request.operation == operation]

    def _get(self, name: str) -> Any:
        return self._call(urllib.request.Request(f"{self.url}{CONTROL}/{name}"))

    def _post(self, name: str, content: dict[str, Any]) -> Any:
        return self._call(urllib.request.Request(f"{self.url}{CONTROL}/{name}", json.dumps(content).encode()))

    def _call(self, request: urllib.request.Request) -> Any:
        try:
            with _OPENER.open(request) as response:
                return json.load(response)
        except urllib.error.HTTPError as refusal:
            raise ValueError(json.load(refusal)["error"]) from None


def _make_opener() -> urllib.request.OpenerDirector:
    # The server is a child process on loopback, so no proxy and no certificate check is needed.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))


def _end(process: subprocess.Popen[str]) -> None:
    with process:  # closes the pipes as well
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()


_OPENER = _make_opener()
