# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Handle lines below a block of text, which become part of it if nothing else is in between."""

from __future__ import annotations

import enum
import re

from .vars_text import BLANKS, BREAKS, Variable, last_token, line_end, next_line

_KEEPS_EMPTY_LINES = re.compile(r"[^|>]*[|>][0-9]?\+")


class OpenText(enum.Enum):
    """Whether the following lines would become part of a block of text above them, if indented more than its key."""

    NONE = enum.auto()
    YES = enum.auto()
    WITH_EMPTY_LINES = enum.auto()


def open_text(text: str, variable: Variable) -> OpenText:
    """Return which lines would become part of the variable's value if the variable below it were removed."""
    end = last_token(text, variable.events, variable.colon)
    if not variable.last_event.is_block_text or has_comment(text[line_end(text, end) : variable.limit]):
        return OpenText.NONE
    keeps_empty_lines = _KEEPS_EMPTY_LINES.match(text, variable.last_event.first)
    return OpenText.WITH_EMPTY_LINES if keeps_empty_lines else OpenText.YES


def has_comment(lines: str) -> bool:
    """Whether there is a comment in these lines, which contain no value."""
    return bool(lines.strip(BLANKS))


def outside(above: OpenText, lines: str, indent: int) -> str:
    """Return the lines below a removed variable, changed so that none of them becomes part of the text above it.

    The first comment is moved to the left, which ends that text. Before it, lines of blanks are removed, and also empty
    lines if the text would keep them.
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
