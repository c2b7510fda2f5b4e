# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line."""

from __future__ import annotations

import argparse
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from .settings import Settings


@dataclass(frozen=True)
class Options:
    """What was asked for. command: empty, or a program and its arguments."""

    port: int
    prefix: str
    ssl_context: ssl.SSLContext | None
    settings: Settings
    until_stdin_closes: bool
    command: tuple[str, ...]


def read_options(arguments: Sequence[str]) -> Options:
    """Ends the program with a message, and status 2, when the arguments make no sense."""
    # Split by hand, for argparse treats a second `--`, which would be the command's own, differently in each Python.
    own, dashes, command = _split_at_dashes(arguments)
    parser = _make_parser()
    parsed = parser.parse_args(own)
    if dashes and not command:
        parser.error("a command is missing after --")
    if parsed.key and not parsed.certificate:
        parser.error("--key needs --certificate")
    try:
        settings = Settings(rate_limit=parsed.rate_limit, latency=parsed.latency)
        ssl_context = _load_certificate(parsed.certificate, parsed.key)
    except (OSError, ValueError) as problem:
        parser.error(str(problem))
    path = parsed.prefix.strip("/")
    return Options(
        port=parsed.port,
        prefix=f"/{path}" if path else "",
        ssl_context=ssl_context,
        settings=settings,
        until_stdin_closes=parsed.until_stdin_closes,
        command=tuple(command),
    )


def _split_at_dashes(arguments: Sequence[str]) -> tuple[Sequence[str], bool, Sequence[str]]:
    if "--" not in arguments:
        return arguments, False, ()
    place = arguments.index("--")
    return arguments[:place], True, arguments[place + 1 :]


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python tests/sandbox",
        usage="%(prog)s [options] [-- COMMAND [ARGUMENT ...]]",
        description="A server on 127.0.0.1 that behaves like Voucherify's OAuth API. It prints one line, "
        "`ready URL`, when it accepts connections. With a COMMAND it prints nothing: it runs the command with "
        "VOUCHERIFY_APP_ID, VOUCHERIFY_APP_TOKEN, VOUCHERIFY_API_BASE_URL and VOUCHERIFY_SANDBOX_URL set, stops when "
        "the command ends, and exits with its status.",
    )
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--prefix", default="", help="path of the API's base URL, such as /some/path")
    parser.add_argument("--certificate", metavar="PEM", help="serve https with this certificate")
    parser.add_argument("--key", metavar="PEM", help="the certificate's private key, if in a file of its own")
    parser.add_argument("--latency", type=float, default=Settings.latency, metavar="SECONDS", help="of each answer")
    parser.add_argument(
        "--rate-limit",
        type=int,
        default=Settings.rate_limit,
        metavar="CALLS",
        help="calls a minute, %(default)s unless told; 0 for no limit",
    )
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when the standard input ends")
    return parser


def _load_certificate(certificate: str | None, key: str | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
