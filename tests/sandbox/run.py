# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the sandbox as a program."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from .environment import describe_sandbox, without_proxy_on_loopback
from .options import Options
from .project import ApiKey
from .server import Server
from .world import World

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def run(options: Options) -> int:
    """Serve until told to stop, or until the command has ended. Returns the exit status."""
    keys = (ApiKey.random(), ApiKey.random())
    server = Server(World(keys, options.settings), options.prefix)
    try:
        url = await server.start(options.port, options.ssl_context)
        if options.command:
            environment = {**os.environ, **describe_sandbox(url, options.prefix, keys[0])}
            return await _run_command(options.command, without_proxy_on_loopback(environment))
        await _wait_for_the_end(f"ready {url}{options.prefix}", options.until_stdin_closes)
        return 0
    finally:
        await server.stop()


async def _wait_for_the_end(announcement: str, until_stdin_closes: bool) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for stop_signal in STOP_SIGNALS:
        loop.add_signal_handler(stop_signal, end.set)
    if until_stdin_closes:
        # Readable means closed: whoever holds the other end never writes.
        loop.add_reader(sys.stdin.fileno(), end.set)
    print(announcement, flush=True)
    await end.wait()


async def _run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    try:
        process = await asyncio.create_subprocess_exec(*command, env=environment)
    except OSError as problem:
        print(f"{command[0]}: {problem.strerror}", file=sys.stderr)
        return 127
    loop = asyncio.get_running_loop()
    for stop_signal in STOP_SIGNALS:
        loop.add_signal_handler(stop_signal, _forward, process, stop_signal)
    status = await process.wait()
    # As a shell says that a signal ended a command.
    return status if status >= 0 else 128 - status


def _forward(process: asyncio.subprocess.Process, stop_signal: signal.Signals) -> None:
    # It may have ended just now, which this program then learns next.
    if process.returncode is None:
        process.send_signal(stop_signal)
