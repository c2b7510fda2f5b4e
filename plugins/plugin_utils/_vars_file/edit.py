# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Edit the text of a vars file: replace, remove and add variables, and touch nothing else.

The edit itself is simple: a value is replaced from its first to its last character, a variable is removed with its
lines, and new ones are added at the end. A comment outside the value stays; if there are two for one line, the edit is
refused. Then the new text is parsed, and the edit is refused unless it means exactly what was wanted. So an unusual
layout can cost a refusal, but never a part of the file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import yaml

from .errors import InvalidFileError
from .yaml_text import StringValue, Variable, VarsText, is_block, is_string, parse

# Variables by name, each with its new value; None for a variable to remove.
Changes = Mapping[str, "StringValue | None"]

# How far a ciphertext is indented in the output of `ansible-vault encrypt_string`.
_INDENT = 10

# The line breaks of YAML 1.1, which has more of them than most formats.
_BREAKS = "\n\r\x85\u2028\u2029"
_BREAK = re.compile(rf"\r\n|[{_BREAKS}]|\Z")
# The breaks that YAML reads as "\n" within a text. It keeps the others, so they would become part of a ciphertext.
_ENDING_BREAK = re.compile("\r\n|[\n\r\x85]")
_COLON = re.compile(r"[ \t]*:")
_COMMENT = re.compile(rf"([ \t]*)(?<![^ \t{_BREAKS}])(#[^{_BREAKS}]*)")
# What can be before a value's first character: tags, anchors, comments and white space.
_PROPERTIES = re.compile(rf"(?:[!&][^ \t{_BREAKS}]*|#[^{_BREAKS}]*|[ \t{_BREAKS}]+)*")

_BY_HAND = "cannot be changed in this way without changing other parts of it, such as a comment; edit it by hand"


def edit(old: VarsText, changes: Changes) -> VarsText:
    """Return the text of `old` with variables set (to a value) or removed (None). New ones are added at the end.

    Removing a variable that is not there changes nothing. Raises InvalidFileError if a change would affect anything
    else.
    """
    found = old.named(changes)
    added = {name: value for name, value in changes.items() if value and name not in found}
    if not found and not added:
        return old
    if old.root:
        old = _without_root(old)
    _check_anchors(old, changes)
    pieces, done = [], 0
    for variable in (one for one in old.variables if one.name in changes):
        start, stop, replacement = _change(old, variable, changes[variable.name])
        pieces += [old.text[done:start], replacement]
        done = stop
    with suppress(InvalidFileError):
        new = parse("".join([*pieces, old.text[done:], *_additions(old, added)]), old.path)
        kept = [variable for variable in old.variables if changes.get(variable.name, variable)]
        wanted = [(one.meaning[0], changes.get(one.name) or one.meaning[1]) for one in kept]
        if [variable.meaning for variable in new.variables] == [*wanted, *added.items()]:
            return new
    raise old.refusal(_BY_HAND)


def _change(old: VarsText, variable: Variable, value: StringValue | None) -> tuple[int, int, str]:
    """Return where the replaced part begins and ends, and its replacement."""
    text, key, event = old.text, variable.key[0].start_mark, variable.events[0]
    start, first = key.index - key.column, event.start_mark.index
    match = _COLON.match(text, variable.key[-1].end_mark.index)
    if not match or text[start : key.index].strip(" "):
        raise old.refusal(f"does not begin a line with '{variable.name}:'; give that variable its own line first")
    colon = match.end()
    last = max(_last(text, variable.events), colon)
    key_line_end, last_line = _line_break(text, colon).start(), _line_break(text, last)
    if value is None:
        return start, last_line.end(), ""
    # A comment can follow the "|" of a block of text. It is kept, and so is one behind the value.
    is_text = is_block(event) and isinstance(event, yaml.ScalarEvent)
    content = next(_PROPERTIES.finditer(text, first, max(first, last))).end()
    outside = text[colon : _line_break(text, content).start() if is_text else content], text[last : last_line.start()]
    comments = [comment for part in outside for comment in _COMMENT.findall(part)]
    if len(comments) > 1:
        raise old.refusal(_BY_HAND)
    # PyYAML's own parser accepts spaces between "|" and a comment, but no tab.
    tail = "".join((blanks.replace("\t", " ") or " ") + comment for blanks, comment in comments)
    rendered = _rendered(old, value, tail, _indent(text, variable))
    if colon < first <= key_line_end:
        return first, last_line.start(), rendered
    return colon, last_line.start(), " " + rendered


def _last(text: str, events: Sequence[Any]) -> int:
    """Return the offset after a value's last character, which is that of its last scalar; 0 if it has none."""
    for event in reversed(events):
        first, last = int(event.start_mark.index), int(event.end_mark.index)
        is_scalar = isinstance(event, yaml.ScalarEvent)
        if is_scalar and is_block(event):
            return first + len(text[first:last].rstrip(" \t" + _BREAKS))
        # A collection without brackets ends, and a missing value is, where the next one begins, after the comments.
        if first < last or (is_scalar and text[first - 1] in "-:" and "#" not in text[:first].splitlines()[-1]):
            return last
    return 0


def _indent(text: str, variable: Variable) -> int:
    """Return how far the variable's ciphertext is indented, 0 if it has none."""
    event = variable.events[0]
    if not (variable.value and variable.value.is_vaulted and is_block(event)):
        return 0
    line = _line_break(text, event.start_mark.index).end()
    return len(text[line : event.end_mark.index]) - len(text[line : event.end_mark.index].lstrip(" "))


def _rendered(old: VarsText, value: StringValue, tail: str = "", indent: int = 0) -> str:
    """Return what follows "name: ", with `tail` at the end of its first line. A new value is indented as the others."""
    if value.is_vaulted:
        others = (_indent(old.text, variable) for variable in reversed(old.variables))
        line_start = _break(old.text) + " " * (indent or next(filter(None, others), _INDENT))
        return line_start.join([f"{value.tag} |{tail}", *value.text.split("\n")])
    quoted = yaml.safe_dump(value.text, default_style='"', width=sys.maxsize).rstrip("\n")
    return f"{value.tag} {quoted}{tail}" if value.tag else quoted + tail


def _additions(old: VarsText, added: Mapping[str, StringValue]) -> Iterator[str]:
    if not old.text:
        yield "---\n"
    elif added and old.text[-1] not in _BREAKS:
        yield _break(old.text)
    for name, value in added.items():
        yield f"{name if is_string(name) else repr(name)}: {_rendered(old, value)}{_break(old.text)}"


def _without_root(old: VarsText) -> VarsText:
    """Return the text without an empty mapping, "{}", or null. Both mean that no variable is set."""
    if old.variables or not old.root or "#" in old.text[slice(*old.root)]:
        raise old.refusal("is written as JSON or in braces; first write it as block YAML, one variable per line")
    before, after = old.text[: old.root[0]].rstrip(" \t"), old.text[old.root[1] :]
    if before[-1:] in ("", "\n"):
        after = re.sub(r"\A[ \t]*\r?\n", "", after)
    return parse(before + after, old.path)


def _check_anchors(old: VarsText, changes: Changes) -> None:
    """Raise InvalidFileError if a variable that stays refers to the value of one that is changed."""
    staying = [variable for variable in old.variables if variable.name not in changes]
    events = [event for variable in staying for event in (*variable.key, *variable.events)]
    aliases = {event.anchor for event in events if isinstance(event, yaml.AliasEvent)}
    for variable in old.variables if aliases else ():
        for event in variable.events if variable.name in changes else ():
            if not isinstance(event, yaml.AliasEvent) and getattr(event, "anchor", None) in aliases:
                raise old.refusal(
                    f"gives the value of '{variable.name}' the anchor '&{event.anchor}', which another variable refers "
                    "to; replace that alias with the value first"
                )


def _line_break(text: str, offset: int) -> re.Match[str]:
    """Return the line break that ends the line, or the empty match at the text's end."""
    return next(_BREAK.finditer(text, offset))


def _break(text: str) -> str:
    match = _ENDING_BREAK.search(text)
    return match.group() if match else "\n"
