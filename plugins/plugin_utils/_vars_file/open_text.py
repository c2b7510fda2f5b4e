# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Lines below a block of text, some of which are a part of it if nothing else is in between."""

from __future__ import annotations

import enum
import re

from .vars_text import BLANKS, BREAKS, Variable, last_token, line_end, next_line

_KEEPS_EMPTY_LINES = re.compile(r"[^|>]*[|>][0-9]?\+")


class OpenText(enum.Enum):
    """Whether lines that follow, further in than the key, would become a part of a block of text above them."""

    NONE = enum.auto()
    YES = enum.auto()
    WITH_EMPTY_LINES = enum.auto()


def open_text(text: str, variable: Variable) -> OpenText:
    """Which lines would become a part of the variable's value if the variable below it was removed."""
    end = last_token(text, variable.events, variable.colon)
    if not variable.last_event.is_block_text or has_comment(text[line_end(text, end) : variable.limit]):
        return OpenText.NONE
    keeps_empty_lines = _KEEPS_EMPTY_LINES.match(text, variable.last_event.first)
    return OpenText.WITH_EMPTY_LINES if keeps_empty_lines else OpenText.YES


def has_comment(lines: str) -> bool:
    """Whether there is anything in these lines, in which there is no value."""
    return bool(lines.strip(BLANKS))


def outside(above: OpenText, lines: str, indent: int) -> str:
    """The lines below a removed variable, changed so that none of them becomes a part of the text above it.

    The first comment is moved to the left, which ends that text. Before it, lines of blanks go, and empty ones too
    where the text would keep them.
    """
    if above is OpenText.NONE:
        return lines
    kept = ""
    offset = 0
    while offset < len(lines):
        following = next_line(lines, offset)
        line = lines[offset:following]
        if has_comment(line):
            comment = line.lstrip(" \t")
            return kept + " " * min(indent, len(line) - len(comment)) + comment + lines[following:]
        if line[0] in BREAKS and above is not OpenText.WITH_EMPTY_LINES:
            kept += line
        offset = following
    return kept
