# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox on a TCP port: the API, its faults, and the interface that controls both.

The control interface takes and returns JSON and needs no credentials:

GET  /control/state
GET  /control/requests
POST /control/reset
POST /control/release
POST /control/clock     {"advance": 840}, {"stop": true}
POST /control/settings  {"rate_limit": 100}, or any other field of `Settings`
POST /control/faults    {"operation": "revoke", "cut": true}, or any other field of `Fault`
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from email.utils import formatdate
from ssl import SSLContext
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.typedefs import Handler

from .api import OPERATIONS, Answer, Call, answer_call, operation_of
from .state import ApiKey, Fault, LoggedRequest, State

HOST = "127.0.0.1"
CONTROL = "/control"

# How an ordinary web server answers an unknown path.
NOT_FOUND = Answer(404, {"Content-Type": "text/html"}, b"<html><body><h1>404 Not Found</h1></body></html>\n")

# How many seconds stopping waits for calls that are being answered.
SHUTDOWN_TIMEOUT = 0.2


def client_environment(url: str, key: ApiKey) -> dict[str, str]:
    """Return the variables that the collection reads, and VOUCHERIFY_SANDBOX_URL, the control interface."""
    return {
        "VOUCHERIFY_APP_ID": key.app_id,
        "VOUCHERIFY_APP_TOKEN": key.app_token,
        "VOUCHERIFY_API_BASE_URL": url,
        "VOUCHERIFY_SANDBOX_URL": url + CONTROL,
    }


class Server:
    """Serves one state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._runner: web.AppRunner | None = None

    async def start(self, port: int, ssl_context: SSLContext | None) -> str:
        """Listen on this port, or on a free one if it is 0. Return the URL once it is running."""

        # A middleware sees every request; routes would miss those that are meant for a proxy.
        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._handle(request)

        application = web.Application(middlewares=[answer])
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, port, ssl_context=ssl_context).start()
        chosen_port = self._runner.addresses[0][1]
        return f"{'https' if ssl_context else 'http'}://{HOST}:{chosen_port}"

    async def stop(self) -> None:
        """Close every connection and the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        call = await _read(request)
        action = _CONTROL.get((call.method, call.path))
        if action is not None:
            return self._to_response(_control(self._state, action, call))
        with self._state.count_in_flight():
            return await self._answer_client(request, call)

    async def _answer_client(self, request: web.Request, call: Call) -> web.StreamResponse:
        state = self._state
        operation = operation_of(call.path)
        logged = _log(state, operation, request, call)
        fault, answer = Fault("any"), NOT_FOUND
        if operation is not None:
            fault = state.take_fault(operation)
            true_answer = answer_call(state, call) if fault.does_the_work else NOT_FOUND
            answer = _faulty_answer(fault, true_answer, state)

        await asyncio.sleep(state.settings.latency + fault.delay)
        if fault.hold:
            await state.wait_for_release()
        if fault.cut or fault.hang:
            return await _send_nothing(request, fault)
        logged.status = answer.status
        if fault.truncate:
            return await self._send_half(request, answer)
        return self._to_response(answer)

    def _to_response(self, answer: Answer) -> web.Response:
        return web.Response(status=answer.status, headers=self._headers(answer), body=answer.body)

    async def _send_half(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=self._headers(answer))
        response.content_length = len(answer.body)
        await response.prepare(request)
        await response.write(answer.body[: len(answer.body) // 2])
        if request.transport is not None:
            # Unlike `abort`, this still sends what was written.
            request.transport.close()
        return response

    def _headers(self, answer: Answer) -> Any:
        # The date is that of the API's clock, which a test may have moved.
        headers = {"Date": formatdate(self._state.now(), usegmt=True), **answer.headers}
        several = {name: [value] if isinstance(value, str) else value or () for name, value in headers.items()}
        return [(name, value) for name, values in several.items() for value in values]


async def _read(request: web.Request) -> Call:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        lower = name.lower()
        headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
    return Call(
        method=request.method,
        target=request.raw_path,
        path=request.rel_url.raw_path,
        query=request.rel_url.raw_query_string,
        headers=headers,
        # Not `request.read()`, which refuses large bodies before they could be logged.
        body=await request.content.read(),
    )


def _log(state: State, operation: str | None, request: web.Request, call: Call) -> LoggedRequest:
    logged = LoggedRequest(
        operation=operation,
        method=call.method,
        path=call.target,
        headers=call.headers,
        form=dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)),
        status=None,
        connection=state.number_of_connection(request.protocol),
    )
    state.requests.append(logged)
    return logged


def _faulty_answer(fault: Fault, true_answer: Answer, state: State) -> Answer:
    if fault.status is not None:
        newest = state.tokens()[-1].access_token if state.tokens() else ""
        body = fault.body.replace("NEWEST_TOKEN", newest).encode()
        return Answer(fault.status, {"Content-Type": "application/json", **fault.headers}, body)
    answer = true_answer
    if answer.status == 404 and fault.not_found_body is not None:
        answer = replace(answer, body=fault.not_found_body.encode()).with_headers({"Content-Type": "application/json"})
    elif answer.body and (fault.drop or fault.retype or fault.replace or fault.add):
        fields = _deviating_fields(fault, json.loads(answer.body))
        answer = replace(answer, body=json.dumps(fields).encode())
    if 200 <= answer.status < 300 and fault.success_status is not None:
        answer = replace(answer, status=fault.success_status)
    return answer.with_headers(fault.headers)


def _deviating_fields(fault: Fault, fields: dict[str, Any]) -> dict[str, Any]:
    converters: dict[str, Callable[[Any], Any]] = {"str": str, "float": float, "list": lambda text: text.split(" ")}
    changed = {name: converters[kind](fields[name]) for name, kind in fault.retype.items() if name in fields}
    changed |= {name: value for name, value in fault.replace.items() if name in fields}
    fields = {**fields, **changed, **fault.add}
    return {name: value for name, value in fields.items() if name not in fault.drop}


async def _send_nothing(request: web.Request, fault: Fault) -> web.StreamResponse:
    if fault.cut and request.transport is not None:
        request.transport.abort()
    while request.transport is not None:
        await asyncio.sleep(0.02)
    # The web server expects a response, and drops it because the connection is closed.
    return web.Response()


def _control(state: State, action: Callable[..., dict[str, Any]], call: Call) -> Answer:
    """Answer a call to the control interface. Invalid content gets a 400, so that a misspelt option is noticed."""
    try:
        return Answer.json(200, action(state, **json.loads(call.body or b"{}")))
    except (TypeError, ValueError) as problem:
        return Answer.json(400, {"error": str(problem)})


def _show_requests(state: State) -> dict[str, Any]:
    return {"requests": [asdict(logged) for logged in state.requests]}


def _reset(state: State) -> dict[str, Any]:
    state.reset()
    return {}


def _release(state: State) -> dict[str, Any]:
    state.release()
    return {}


def _move_clock(state: State, *, advance: float = 0, stop: bool = False) -> dict[str, Any]:
    state.advance(advance)
    if stop:
        state.stop_clock()
    return {"now": state.now()}


def _change_settings(state: State, **changes: Any) -> dict[str, Any]:
    state.settings = replace(state.settings, **changes)
    return asdict(state.settings)


def _add_fault(state: State, **fields: Any) -> dict[str, Any]:
    fault = Fault(**fields)
    if fault.operation not in (*OPERATIONS, "any"):
        raise ValueError(f"operation must be any or one of {', '.join(OPERATIONS)}")
    state.faults.append(fault)
    return {"faults": [asdict(pending) for pending in state.faults]}


_CONTROL: dict[tuple[str, str], Callable[..., dict[str, Any]]] = {
    ("GET", f"{CONTROL}/state"): State.describe,
    ("GET", f"{CONTROL}/requests"): _show_requests,
    ("POST", f"{CONTROL}/reset"): _reset,
    ("POST", f"{CONTROL}/release"): _release,
    ("POST", f"{CONTROL}/clock"): _move_clock,
    ("POST", f"{CONTROL}/settings"): _change_settings,
    ("POST", f"{CONTROL}/faults"): _add_fault,
}
