# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox on a TCP port."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from ssl import SSLContext

from aiohttp import web

from .answer import Answer
from .api import answer_call, operation_of
from .call import Call
from .control import answer_control
from .faults import NO_FAULT, Fault
from .world import World

HOST = "127.0.0.1"

# What somebody else's web server says to a path that it does not know.
NOT_FOUND = Answer(404, {"Content-Type": "text/html"}, b"<html><body><h1>404 Not Found</h1></body></html>\n")

# Most seconds that stopping waits for a call that is being answered.
PATIENCE = 0.2


class Server:
    """Serves one world. prefix: empty, or a path that starts with a slash and ends without."""

    def __init__(self, world: World, prefix: str) -> None:
        self._world = world
        self._prefix = prefix
        self._runner: web.ServerRunner | None = None

    async def start(self, port: int, ssl_context: SSLContext | None) -> str:
        """Listen, on a free port for 0. Returns the server's URL, without the prefix, once it accepts connections."""
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=PATIENCE)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, port, ssl_context=ssl_context).start()
        chosen_port = self._runner.addresses[0][1]
        return f"{'https' if ssl_context else 'http'}://{HOST}:{chosen_port}"

    async def stop(self) -> None:
        """Close every connection and the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = await _read(request)
        answer = answer_control(self._world, call)
        if answer is not None:
            return _to_response(answer, self._world)
        return await self._answer_client(request, call)

    async def _answer_client(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        world = self._world
        # A reset may come while this call waits; what it then still writes down belongs to the old log.
        journal = world.journal
        path = call.path[len(self._prefix) :] if call.path.startswith(self._prefix) else ""
        operation = operation_of(path)
        place = journal.note(operation, call, request.protocol, world.clock.now())

        fault = world.faults.take(operation) if operation else NO_FAULT
        answer = _answer(world, path, call, fault) if operation else NOT_FOUND
        await asyncio.sleep(world.settings.latency + fault.delay)

        if answer is None:
            return await _say_nothing(request, fault)
        journal.note_status(place, answer.status)
        if fault.truncate:
            return await _send_half(request, answer, world)
        return _to_response(answer, world)


async def _read(request: web.BaseRequest) -> Call:
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


def _answer(world: World, path: str, call: Call, fault: Fault) -> Answer | None:
    """What the client is to hear, None for nothing at all; the work is done if the fault lets it be done."""
    true_answer = answer_call(world, path, call) if fault.needs_true_answer else None
    if fault.is_silent:
        return None
    return fault.answer or true_answer


def _to_response(answer: Answer, world: World) -> web.Response:
    return web.Response(status=answer.status, headers=_headers(answer, world), body=answer.body)


def _headers(answer: Answer, world: World) -> dict[str, str]:
    # The date tells a client the API's clock, which is not the machine's once a test has moved it.
    return {"Date": formatdate(world.clock.now(), usegmt=True), **answer.headers}


async def _say_nothing(request: web.BaseRequest, fault: Fault) -> web.StreamResponse:
    if fault.cut and request.transport is not None:
        request.transport.abort()
    while request.transport is not None:
        await asyncio.sleep(0.02)
    # The web server wants a response, and drops it, for the connection is gone.
    return web.Response()


async def _send_half(request: web.BaseRequest, answer: Answer, world: World) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=_headers(answer, world))
    response.content_length = len(answer.body)
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        # Unlike `abort`, this still sends what was written.
        request.transport.close()
    return response
