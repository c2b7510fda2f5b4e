# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the sandbox: clock, API keys, tokens, rate limit, settings, faults and received requests."""

from __future__ import annotations

import asyncio
import secrets
import string
import time
import uuid
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

TOKEN_LIFETIME = 900
MAX_LIVE_TOKENS = 1000
RATE_LIMIT_WINDOW = 60
# For `Fault.times`: more calls than any test makes.
ALWAYS = 10**9

_ALPHANUMERICS = string.ascii_letters + string.digits


def random_text(length: int, alphabet: str = _ALPHANUMERICS) -> str:
    """Return a random text."""
    return "".join(secrets.choice(alphabet) for _turn in range(length))


@dataclass(frozen=True)
class ApiKey:
    """An API key of the project. client_id: the client ID of its tokens."""

    app_id: str
    app_token: str
    client_id: str

    @classmethod
    def random(cls) -> ApiKey:
        """Return a new key. Its secret contains characters that JSON, URLs, YAML and shells escape, so that tests
        also find escaped leaks."""
        app_token = f"{random_text(8)}\"{random_text(4)}'{random_text(4)}/+=%&{random_text(15)}"
        return cls(str(uuid.uuid4()), app_token, random_text(21))


@dataclass(frozen=True)
class Token:
    """An access token. expires_at: Unix time in seconds. status: active, expired or revoked."""

    access_token: str
    scope: str
    client_id: str
    expires_at: int
    status: str = "active"


def _random_access_token() -> str:
    """Return a token with every kind of character that RFC 6750, section 2.1, allows."""
    specials = list("-._~+/")
    secrets.SystemRandom().shuffle(specials)
    return random_text(6) + "".join(special + random_text(6) for special in specials) + "=="


@dataclass(frozen=True)
class Settings:
    """How the API behaves. Can be changed while it runs.

    rate_limit: calls per minute, 0 for no limit. The default is that of Voucherify's plan "Organization".
    latency: delay of every answer in seconds.
    """

    rate_limit: int = 2000
    latency: float = 0.0


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the calls of one operation, or of all operations (`any`).

    skip: how many calls have no fault first. times: how many calls have the fault after that, or `ALWAYS`.
    delay: seconds to wait before the answer is sent. The call takes effect before that.
    hold: the call takes effect, and its answer waits for `Sandbox.release`.
    carried_out: the call takes effect although its answer is lost.

    At most one of these replaces the true answer:
    status, body: send this answer. `body` is text. Its type is JSON unless `headers` names another type. NEWEST_TOKEN
        in it becomes that token.
    cut: the connection is closed without an answer.
    hang: no answer is sent until the client disconnects.
    truncate: the head and half of the body of the true answer are sent, then the connection is closed.

    With none of them, the true answer is sent, and can deviate from the documentation:
    drop: names of fields to leave out. retype: maps fields to `str`, `float` or `list`, to convert their values.
    replace: new values of existing fields. add: fields that are not documented.
    success_status: the status instead of 200 or 204. not_found_body: the body of a 404.

    headers: additional headers of any answer, or replacements of true ones. A list sends the header several times, None
        leaves it out.
    """

    operation: str
    times: int = 1
    skip: int = 0
    delay: float = 0.0
    hold: bool = False
    carried_out: bool = False
    status: int | None = None
    body: str = ""
    cut: bool = False
    hang: bool = False
    truncate: bool = False
    drop: Sequence[str] = ()
    retype: Mapping[str, str] = field(default_factory=dict)
    replace: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, Any] = field(default_factory=dict)
    success_status: int | None = None
    not_found_body: str | None = None
    headers: Mapping[str, str | Sequence[str] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError for numbers that are none, and for faults that exclude each other."""
        if not (isinstance(self.times, int) and isinstance(self.skip, int)):
            raise ValueError("times and skip must be numbers")
        if [self.status is not None, self.cut, self.hang, self.truncate].count(True) > 1:
            raise ValueError("status, cut, hang and truncate are mutually exclusive")
        if self.status is None and self.body:
            raise ValueError("body needs a status")

    @property
    def does_the_work(self) -> bool:
        """Whether the call takes effect."""
        return self.carried_out or not (self.cut or self.hang or self.status is not None)


@dataclass
class LoggedRequest:
    """One received request.

    operation: generate, introspect, revoke or a collection such as vouchers, from the path alone; None for other paths.
    path: as sent, with the query, and with the host if the sandbox was used as a proxy. headers: names in lower case.
    form: the fields of the body; the last value of a repeated field.
    status: the status of the answer; None until it is sent.
    connection: 1 for the first TCP connection with a request, and so on.
    """

    operation: str | None
    method: str
    path: str
    headers: Mapping[str, str]
    form: Mapping[str, str]
    status: int | None
    connection: int


class State:
    """One Voucherify project. `reset` resets everything except the API keys."""

    def __init__(self) -> None:
        self.keys = (ApiKey.random(), ApiKey.random())
        self._release = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        """Forget everything except the keys, and release the answers that are held back."""
        self.release()
        self.settings = Settings()
        self.faults: list[Fault] = []
        self.requests: list[LoggedRequest] = []
        # A call from before the reset may still be waiting. It is counted in the old set.
        self._in_flight: set[object] = set()
        self.most_in_flight = 0
        self._moved = 0.0
        self._stopped_at: float | None = None
        self._tokens: dict[str, Token] = {}
        self._window_ends_at = 0
        self._calls_in_window = 0
        # References to the connections keep Python from using the same identity for a new one.
        self._connections: dict[Hashable, int] = {}

    # The clock

    def now(self) -> int:
        """Return Unix time in whole seconds, as the API counts it."""
        return int((time.time() if self._stopped_at is None else self._stopped_at) + self._moved)

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._moved += seconds

    def stop_clock(self) -> None:
        """Let only `advance` move the clock."""
        if self._stopped_at is None:
            self._stopped_at = time.time()

    # API keys and tokens. Any key of the project may introspect and revoke any of its tokens: the only failure that the
    # documents mention is "not found or inactive", and they count tokens per project.

    def find_key(self, app_id: str | None, app_token: str | None) -> ApiKey | None:
        """Return the key that this ID and this secret belong to."""
        return next((key for key in self.keys if (key.app_id, key.app_token) == (app_id, app_token)), None)

    def make_token(self, key: ApiKey, scope: str) -> Token | None:
        """Return a new token, or None when the project has 1000 live ones (OpenAPI document, generate-oauth-token)."""
        if len([token for token in self.tokens() if token.status == "active"]) >= MAX_LIVE_TOKENS:
            return None
        token = Token(_random_access_token(), scope, key.client_id, self.now() + TOKEN_LIFETIME)
        self._tokens[token.access_token] = token
        return token

    def find_live_token(self, access_token: str) -> Token | None:
        """Return the token unless it is unknown, expired or revoked."""
        token = self._tokens.get(access_token)
        return token if token is not None and self._as_of_now(token).status == "active" else None

    def revoke_token(self, access_token: str) -> bool:
        """Return whether there was a live token to revoke."""
        token = self.find_live_token(access_token)
        if token is None:
            return False
        self._tokens[access_token] = replace(token, status="revoked")
        return True

    def tokens(self) -> list[Token]:
        """Return every token ever made, the oldest first."""
        return [self._as_of_now(token) for token in self._tokens.values()]

    def _as_of_now(self, token: Token) -> Token:
        is_over = token.status == "active" and self.now() >= token.expires_at
        return replace(token, status="expired") if is_over else token

    # The rate limit: windows of 60 s, which begin with their first call. Refused calls count too.

    def count_call(self) -> tuple[bool, dict[str, str]]:
        """Count one call. Return whether it exceeds the limit, and the headers that say so."""
        limit, now = self.settings.rate_limit, self.now()
        if now >= self._window_ends_at:
            self._window_ends_at, self._calls_in_window = now + RATE_LIMIT_WINDOW, 0
        self._calls_in_window += 1
        if limit == 0:
            return False, {}
        headers = {
            "X-Rate-Limit-Limit": str(limit),
            "X-Rate-Limit-Remaining": str(max(0, limit - self._calls_in_window)),
        }
        if self._calls_in_window <= limit:
            return False, headers
        headers["Retry-After"] = str(self._window_ends_at - now)
        headers["X-Rate-Limit-Retry"] = str(self._window_ends_at)
        headers["X-Rate-Limit-Type"] = "api_calls"
        return True, headers

    # Faults

    def take_fault(self, operation: str) -> Fault:
        """Return the fault of this call.

        Only the first matching fault counts: the calls that it skips have no fault.
        """
        for position, fault in enumerate(self.faults):
            if fault.operation not in (operation, "any"):
                continue
            if fault.skip > 0:
                self.faults[position] = replace(fault, skip=fault.skip - 1)
                return Fault(operation)
            if fault.times > 1:
                self.faults[position] = replace(fault, times=fault.times - 1)
            else:
                del self.faults[position]
            return fault
        return Fault(operation)

    async def wait_for_release(self) -> None:
        """Wait for the next `release`."""
        await self._release.wait()

    def release(self) -> None:
        """Send all answers that are held back now."""
        self._release.set()
        self._release = asyncio.Event()

    # Requests

    def number_of_connection(self, connection: Hashable) -> int:
        """Return 1 for the first connection, 2 for the second, and so on."""
        return self._connections.setdefault(connection, len(self._connections) + 1)

    @contextmanager
    def count_in_flight(self) -> Iterator[None]:
        """Count a request as in flight."""
        request, in_flight = object(), self._in_flight
        in_flight.add(request)
        self.most_in_flight = max(self.most_in_flight, len(in_flight))
        try:
            yield
        finally:
            in_flight.remove(request)

    def describe(self) -> dict[str, Any]:
        """Return what the control interface shows."""
        return {
            "now": self.now(),
            "keys": [asdict(key) for key in self.keys],
            "tokens": [asdict(token) for token in self.tokens()],
            "settings": asdict(self.settings),
            "faults": [asdict(fault) for fault in self.faults],
            "in_flight": len(self._in_flight),
            "most_in_flight": self.most_in_flight,
        }
