# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Make a new text for a vars file: set or remove some variables, and keep every character outside them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress

import yaml

from .open_text import OpenText, has_comment, open_text, outside
from .vars_text import (
    BREAK,
    BREAKS,
    StringValue,
    Variable,
    VarsText,
    line_end,
    next_line,
    parse,
)
from .vault_errors import InvalidFileError
from .yaml_events import Kind, is_string

# How far a ciphertext is indented, as in the output of `ansible-vault encrypt_string`.
_DEPTH = 10
_ONE_BREAK = rf"(?:\r\n|[{BREAKS}])"
# The breaks that YAML reads as "\n" within a text. It keeps the others, so they would become part of a ciphertext.
_ENDING_BREAK = re.compile("\r\n|[\n\r\x85]")
_REST_OF_EMPTY_LINE = re.compile(rf"[ \t]*(?:{_ONE_BREAK}|\Z)")
_END_MARKER = re.compile(rf"\.\.\.[ \t]*{_ONE_BREAK}?")
_START_MARKER = re.compile(rf"(?:\A|[{BREAKS}])---")
_COMMENT = re.compile(f"[ \t]+#[^{BREAKS}]*")

# The variables' names with their new values; None for a variable to remove.
Changes = Mapping[str, "StringValue | None"]
# A part of the text: its beginning, its end, and its replacement.
_Edit = tuple[int, int, str]


def splice(old: VarsText, changes: Changes) -> VarsText:
    """Return the text of `old` with variables set (to a value) or removed (None). New ones are added at the end.

    Removing a variable that is not there changes nothing. Raises InvalidFileError if a change would affect another
    variable; its text is the end of a sentence that begins with the file's name.
    """
    changes = {name: value for name, value in changes.items() if value or name in old.by_name}
    if not changes:
        return old
    if old.braces:
        old = _without_braces(old)
    _check_editable(old, changes)
    parts, done = [], 0
    for start, stop, replacement in sorted(_edits(old, changes)):
        parts += [old.text[done:start], replacement]
        done = stop
    with suppress(InvalidFileError):
        new = parse("".join([*parts, old.text[done:]]))
        if _is_as_wanted(old, changes, new):
            return new
    raise InvalidFileError("cannot be changed in this way without changing other parts of it; edit it by hand")


def _without_braces(old: VarsText) -> VarsText:
    """Return the text without an empty mapping, "{}", or null. Both mean that no variable is set."""
    if old.variables or not old.braces:
        raise InvalidFileError("is written as JSON or in braces; first write it as block YAML, one variable per line")
    before, after = old.text[: old.braces[0]], old.text[old.braces[1] :]
    empty_line = _REST_OF_EMPTY_LINE.match(after)
    if empty_line and (not before or before[-1] in BREAKS):
        after = after[empty_line.end() :]
    return parse(before + after)


def _check_editable(old: VarsText, changes: Changes) -> None:
    for name in changes:
        old.one(name)
    users: dict[str | None, set[str]] = {}
    for variable in old.variables:
        for event in (*variable.key, *variable.events):
            if event.kind is Kind.ALIAS:
                users.setdefault(event.anchor, set()).add(variable.name)
    for variable in old.variables:
        if variable.name not in changes:
            continue
        if not variable.has_simple_key:
            raise InvalidFileError(
                f"does not begin a line with '{variable.name}:'; give that variable its own line first"
            )
        for event in (*variable.key, *variable.events):
            if event.kind is not Kind.ALIAS and users.get(event.anchor, set()) - changes.keys():
                raise InvalidFileError(
                    f"gives the value of '{variable.name}' the anchor '&{event.anchor}', which another variable refers "
                    "to; replace that alias with the value first"
                )


def _edits(old: VarsText, changes: Changes) -> Iterator[_Edit]:
    first_break = _ENDING_BREAK.search(old.text)
    newline = first_break.group() if first_break else "\n"
    above = OpenText.NONE
    for upper, variable in zip((None, *old.variables), old.variables):
        if variable.name not in changes:
            continue
        if upper and upper.name not in changes:
            above = open_text(old.text, upper)
        if value := changes[variable.name]:
            yield _replacement(old.text, variable, value, newline)
            end = line_end(old.text, variable.stop)
            is_open = value.is_vaulted and not has_comment(old.text[end : variable.limit])
            above = OpenText.YES if is_open else OpenText.NONE
        else:
            below = old.text[min(next_line(old.text, variable.stop), variable.limit) : variable.limit]
            yield variable.start, variable.limit, outside(above, below, variable.indent)
            above = OpenText.NONE if has_comment(below) else above
    added = {name: value for name, value in changes.items() if value and name not in old.by_name}
    if added:
        yield _addition(old, added, newline)
    elif all(variable.name in changes and not changes[variable.name] for variable in old.variables):
        yield from _end_marker(old)


def _end_marker(old: VarsText) -> Iterator[_Edit]:
    """Remove "..." at the document's end, which is not allowed if there is neither a variable nor "---"."""
    head = old.text[: old.variables[0].start] if old.variables else ""
    marker = _END_MARKER.match(old.text, old.end)
    if marker and not _START_MARKER.search(head):
        yield old.end, marker.end(), ""


def _replacement(text: str, variable: Variable, value: StringValue, newline: str) -> _Edit:
    """Return the edit that replaces the old value, and keeps a comment after it."""
    first = variable.events[0]
    key_line_end, end = line_end(text, variable.colon), line_end(text, variable.stop)
    if variable.colon < first.first < key_line_end:
        head = text[variable.start : first.first]
    else:
        head = text[variable.start : variable.colon] + " "
    if first.is_block or first.first > key_line_end:
        comment = _COMMENT.search(text, variable.colon, key_line_end)
        tail = comment.group() if comment else ""
    else:
        tail = text[variable.stop : end]
    # A comment below that is indented as far as the ciphertext would be read as part of it.
    below = BREAK.split(text[end : variable.limit])
    depth = max(variable.indent + _DEPTH, *(len(line) - len(line.lstrip(" ")) + 1 for line in below))
    return variable.start, end, head + _rendered(value, tail, newline + " " * depth)


def _addition(old: VarsText, added: Mapping[str, StringValue], newline: str) -> _Edit:
    last = old.variables[-1] if old.variables else None
    indent = " " * last.indent if last else ""
    lines = "".join(
        f"{indent}{_key(name)}: {_rendered(value, '', newline + indent + ' ' * _DEPTH)}{newline}"
        for name, value in added.items()
    )
    if not old.text[: old.end] or old.text[old.end - 1] in BREAKS:
        return old.end, old.end, lines
    if last and last.last_event.is_block_text and not (last.value and last.value.is_vaulted):
        # A line break at the file's end would become part of that text, so the new variables are added above it.
        start = _with_comments_above(old.text, last)
        return start, start, lines
    return old.end, old.end, newline + lines


def _with_comments_above(text: str, variable: Variable) -> int:
    """Return where the comments right above a variable begin, or the variable itself if there are none."""
    start = variable.start
    lines = [0, *(match.end() for match in BREAK.finditer(text, 0, start))]
    for line in reversed(lines[:-1]):
        if not text.startswith(" " * variable.indent + "#", line):
            break
        start = line
    return start


def _key(name: str) -> str:
    """Return the name as a key, quoted if YAML would not read it as a string: yes, no, on, off, true, false, null."""
    return name if is_string(name) else f'"{name}"'


def _rendered(value: StringValue, tail: str, line_start: str) -> str:
    """Return what follows "name: ", with `tail` (a comment or nothing) at the end of its first line."""
    if tail.startswith("#"):
        tail = " " + tail
    if value.is_vaulted:
        comment = tail.lstrip(" \t")
        # PyYAML's own parser accepts spaces after "|", but no tab.
        tail = " " * (len(tail) - len(comment)) + comment
        return f"{value.tag} |{tail}" + "".join(line_start + line for line in value.text.split("\n"))
    quoted = yaml.safe_dump(value.text, default_style='"', width=sys.maxsize).rstrip("\n")
    return f"{value.tag} {quoted}{tail}" if value.tag else quoted + tail


def _is_as_wanted(old: VarsText, changes: Changes, new: VarsText) -> bool:
    """Whether the new text makes exactly the wanted changes. YAML can have forms that this file does not expect."""
    added = {name for name in changes if name not in old.by_name}
    wanted = [
        (variable.name, changes.get(variable.name) or variable.meaning)
        for variable in old.variables
        if variable.name not in changes or changes[variable.name]
    ]
    found = [(variable.name, variable.meaning) for variable in new.variables if variable.name not in added]
    return found == wanted and all(name in new.by_name and new.by_name[name].value == changes[name] for name in added)
