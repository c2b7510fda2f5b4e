# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `python tests/sandbox`, which works from any folder."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import ssl
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

# Python does not treat a folder that it runs as a package, so import it as `sandbox` from its parent folder.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sandbox.server import Server, client_environment
from sandbox.state import Fault, State

DESCRIPTION = """\
A server on 127.0.0.1 that behaves like Voucherify's OAuth API. It prints one line, `ready URL`, when it accepts
connections. With a COMMAND it prints nothing: it runs the command with VOUCHERIFY_APP_ID, VOUCHERIFY_APP_TOKEN,
VOUCHERIFY_API_BASE_URL and VOUCHERIFY_SANDBOX_URL set, stops when the command ends, and exits with its status.
"""

EXAMPLES = """\
With the control interface, whose address is VOUCHERIFY_SANDBOX_URL, you can move the clock and order faults:

  curl -d '{"advance": 840}' $VOUCHERIFY_SANDBOX_URL/clock
  curl -d '{"operation": "generate", "status": 500}' $VOUCHERIFY_SANDBOX_URL/faults
  curl -d '{"operation": "revoke", "cut": true, "times": 9}' $VOUCHERIFY_SANDBOX_URL/faults
  curl -d '{"operation": "any", "status": 429}' $VOUCHERIFY_SANDBOX_URL/faults
  curl -d '{"operation": "any", "hang": true}' $VOUCHERIFY_SANDBOX_URL/faults
  curl -d '{"operation": "any", "status": 200, "body": "<html>"}' $VOUCHERIFY_SANDBOX_URL/faults
  curl -d '{"rate_limit": 5}' $VOUCHERIFY_SANDBOX_URL/settings
  curl -d '' $VOUCHERIFY_SANDBOX_URL/reset
  curl $VOUCHERIFY_SANDBOX_URL/requests
  curl $VOUCHERIFY_SANDBOX_URL/state

`operation` is generate, introspect, revoke, a collection such as vouchers, or any. In JSON, None is null,
and ALWAYS is a large number.
`Sandbox.release` is a POST to /release. A fault can also have these fields:

"""


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal arrives or the command has ended. Return the exit status."""
    # Split here, because each Python's argparse treats a second `--`, which belongs to the command, differently.
    has_command = "--" in arguments
    place = arguments.index("--") if has_command else len(arguments)
    command = arguments[place + 1 :]
    parser = _make_parser()
    options = parser.parse_args(arguments[:place])
    if has_command and not command:
        parser.error("a command is missing after --")
    try:
        ssl_context = _load_certificate(options.certificate)
    except OSError as problem:
        parser.error(str(problem))
    return asyncio.run(_run(options, ssl_context, command))


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python tests/sandbox",
        usage="%(prog)s [options] [-- COMMAND [ARGUMENT ...]]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=DESCRIPTION,
        epilog=EXAMPLES + textwrap.dedent("    " + (Fault.__doc__ or "").partition("\n\n")[2].lstrip()),
    )
    parser.add_argument("--port", type=int, default=0, help="the port to listen on; 0, the default, chooses a free one")
    parser.add_argument("--certificate", metavar="PEM", help="serve https with this certificate and its key")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when the standard input is closed")
    return parser


def _load_certificate(certificate: str | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def _run(options: argparse.Namespace, ssl_context: ssl.SSLContext | None, command: Sequence[str]) -> int:
    state = State()
    server = Server(state)
    try:
        url = await server.start(options.port, ssl_context)
        if command:
            environment = {**os.environ, **client_environment(url, state.keys[0])}
            return await _run_command(command, _without_proxy_on_loopback(environment))
        await _wait_for_the_end(f"ready {url}", options.until_stdin_closes)
        return 0
    finally:
        await server.stop()


def _without_proxy_on_loopback(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the same environment, with no proxy for this machine.

    Sets both spellings, because programs differ in which one they look at first.
    """
    exceptions = environment.get("no_proxy") or environment.get("NO_PROXY")
    loopback = "127.0.0.1,localhost"
    no_proxy = f"{exceptions},{loopback}" if exceptions else loopback
    return {**environment, "NO_PROXY": no_proxy, "no_proxy": no_proxy}


async def _wait_for_the_end(announcement: str, until_stdin_closes: bool) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for stop_signal in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(stop_signal, end.set)
    if until_stdin_closes:
        # Readable means closed, because the other end never writes.
        loop.add_reader(sys.stdin.fileno(), end.set)
    print(announcement, flush=True)
    await end.wait()


async def _run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    try:
        process = await asyncio.create_subprocess_exec(*command, env=environment)
    except OSError as problem:
        print(f"{command[0]}: {problem.strerror}", file=sys.stderr)
        return 127
    # The terminal sends Ctrl-C to the command, too, which decides what to do.
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)
    status = await process.wait()
    # Shells report a command that was ended by a signal in the same way.
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
