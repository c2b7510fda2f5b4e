# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Find the variables in the text of a vars file.

The text is only parsed for positions, and nothing is ever written from parsed data; `vars_splice` makes the new text
from the old one and these positions. A position is an offset in characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from .vault_errors import InvalidFileError
from .yaml_events import NULL, STRING, Event, Kind, events

_COLON = re.compile(r"[ \t]*:")

VAULT = "!vault"
UNSAFE = "!unsafe"
_VAULT_TAGS = (VAULT, "!vault-encrypted")

# The line breaks of YAML 1.1, which has more of them than most formats.
BREAKS = "\n\r\x85\u2028\u2029"
BREAK = re.compile(f"\r\n|[{BREAKS}]")
BLANKS = " \t" + BREAKS


@dataclass(frozen=True)
class StringValue:
    """A variable's value that is a string: its text, or the ciphertext if `tag` is VAULT, and its YAML tag if any."""

    text: str
    tag: str | None = None

    @property
    def is_vaulted(self) -> bool:
        return self.tag == VAULT


@dataclass(frozen=True)
class Variable:
    """One entry of the top-level mapping."""

    name: str  # empty if the key is not a string
    value: StringValue | None  # None if the value is not a string
    key: Sequence[Event]
    events: Sequence[Event]  # of the value
    start: int  # of the key's line
    colon: int  # the offset after the colon
    has_simple_key: bool  # whether the key begins its line and its colon follows, as in nearly all files
    stop: int  # the offset after the last character of the value
    limit: int  # where the line of the next variable begins, or where the document ends

    @property
    def indent(self) -> int:
        return self.key[0].column

    @property
    def line(self) -> int:
        return self.key[0].line

    @property
    def meaning(self) -> object:
        """The value without its notation; equal for equal values."""
        return self.value or [(event.kind, event.text, event.tag, event.anchor) for event in self.events]

    @property
    def last_event(self) -> Event:
        """The value's last event, not counting the ends of collections without brackets."""
        ends = (event.kind is Kind.END_OF_COLLECTION and event.is_empty for event in reversed(self.events))
        return self.events[-1 - list(ends).index(False)]


@dataclass(frozen=True)
class VarsText:
    """A vars file's text with the variables in it."""

    text: str
    variables: Sequence[Variable]
    end: int  # of the document, before its end marker "..." if there is one
    braces: tuple[int, int] | None  # beginning and end of a mapping in braces, or of the word null

    @cached_property
    def by_name(self) -> dict[str, Variable]:
        return {variable.name: variable for variable in self.variables if variable.name}

    def one(self, name: str) -> Variable | None:
        """Return the variable of that name, if any. Raises InvalidFileError if the file sets it twice."""
        if name in self._repeated:
            first = next(variable for variable in self.variables if variable.name == name)
            raise InvalidFileError(
                f"sets the variable '{name}' twice, on lines {first.line} and {self.by_name[name].line}; remove one of "
                "them first"
            )
        return self.by_name.get(name)

    @cached_property
    def _repeated(self) -> set[str]:
        return {variable.name for variable in self.variables if variable is not self.by_name.get(variable.name)} - {""}


def parse(text: str) -> VarsText:
    """Find the variables in a vars file's text, which has no byte order mark.

    Raises InvalidFileError; its text is the end of a sentence that begins with the file's name.
    """
    found = events(text)
    documents = sum(event.kind is Kind.DOCUMENT for event in found)
    if documents == 0:
        return VarsText(text, (), len(text), None)
    if documents > 1:
        raise InvalidFileError("contains several YAML documents, which Ansible cannot read; keep only one of them")
    root, end = found[1], found[-1].first
    if root.kind is Kind.SCALAR and root.tag == NULL:
        return VarsText(text, (), end, None if root.is_empty else (root.first, root.last))
    if root.kind is not Kind.MAPPING:
        kind = "a list" if root.kind is Kind.SEQUENCE else "a single value"
        raise InvalidFileError(f"contains {kind}, not variables; a vars file must be a mapping of names to values")
    _check_keys(text, found)
    variables = tuple(_variables(text, found[2:-2], end))
    return VarsText(text, variables, end, None if root.is_block else (root.first, found[-2].last))


def line_end(text: str, offset: int) -> int:
    """Return the offset of the line break that ends the line, or of the text's end."""
    match = BREAK.search(text, offset)
    return match.start() if match else len(text)


def next_line(text: str, offset: int) -> int:
    """Return the offset of the beginning of the next line, or of the text's end."""
    match = BREAK.search(text, offset)
    return match.end() if match else len(text)


def _variables(text: str, found: Sequence[Event], end: int) -> Iterator[Variable]:
    nodes = list(_nodes(found))
    keys, values = nodes[::2], nodes[1::2]
    starts = [key[0].first - key[0].column for key in keys]
    for key, value, start, limit in zip(keys, values, starts, [*starts[1:], end]):
        match = _COLON.match(text, key[-1].last)
        colon = match.end() if match else key[-1].last
        yield Variable(
            name=_name(key),
            value=_string(value),
            key=key,
            events=value,
            start=start,
            colon=colon,
            has_simple_key=bool(match) and not text[start : key[0].first].strip(" "),
            stop=_stop(text, key[0], value, colon, limit),
            limit=limit,
        )


def _check_keys(text: str, found: Sequence[Event]) -> None:
    """Raise InvalidFileError for a key that is a mapping or a list. YAML allows it, but Ansible cannot load it."""
    key_is_next: list[bool | None] = []  # for each collection around the event; None in a list
    for event in found:
        if event.kind is Kind.END_OF_COLLECTION:
            key_is_next.pop()
        if event.kind not in (Kind.MAPPING, Kind.SEQUENCE, Kind.SCALAR, Kind.ALIAS):
            continue
        is_key = bool(key_is_next and key_is_next[-1])
        if key_is_next and key_is_next[-1] is not None:
            key_is_next[-1] = not is_key
        if event.kind in (Kind.MAPPING, Kind.SEQUENCE):
            if is_key and "{{" in text[max(event.first - 1, 0) : event.first + 2]:
                raise InvalidFileError(f"has a template without quotes on line {event.line}; put it in quotes first")
            if is_key:
                kind = "a mapping" if event.kind is Kind.MAPPING else "a list"
                raise InvalidFileError(
                    f"uses {kind} as a key on line {event.line}, which Ansible cannot load; correct it first"
                )
            key_is_next.append(True if event.kind is Kind.MAPPING else None)


def _nodes(found: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """Yield the events of each node; those of a collection include everything in it."""
    depth = first = 0
    for position, event in enumerate(found):
        depth += (event.kind in (Kind.MAPPING, Kind.SEQUENCE)) - (event.kind is Kind.END_OF_COLLECTION)
        if depth == 0:
            yield found[first : position + 1]
            first = position + 1


def _name(key: Sequence[Event]) -> str:
    string = _string(key)
    return string.text if string and string.tag is None else ""


def _string(node: Sequence[Event]) -> StringValue | None:
    event = node[0]
    if event.kind is not Kind.SCALAR:
        return None
    if event.tag in _VAULT_TAGS:
        lines = (line.strip() for line in event.text.split("\n"))
        return StringValue("\n".join(line for line in lines if line), VAULT)
    if event.tag == UNSAFE:
        return StringValue(event.text, UNSAFE)
    return StringValue(event.text) if event.tag == STRING else None


def _stop(text: str, key: Event, value: Sequence[Event], colon: int, limit: int) -> int:
    """Return the offset after the value's last character.

    For a value on one line, the parser returns it. For a nested value, the parser returns the beginning of the next
    variable, after comments and empty lines. So the value ends with the last line that is neither, or with the last
    comment that is indented more than the key and therefore belongs to the value.
    """
    stop = last_token(text, value, colon)
    is_nested = value[0].kind in (Kind.MAPPING, Kind.SEQUENCE) and value[0].is_block
    offset = next_line(text, stop)
    while offset < limit:
        line = text[offset : line_end(text, offset)].rstrip(BLANKS)
        bare = line.lstrip(BLANKS)
        is_comment = bare.startswith("#")
        if bare and (not is_comment or (is_nested and len(line) - len(bare) > key.column)):
            stop = line_end(text, offset)
        offset = next_line(text, offset)
    return stop


def last_token(text: str, value: Sequence[Event], colon: int) -> int:
    """Return the offset after the value's last character that is not in a comment."""
    for event in reversed(value):
        if event.is_block_text:
            return event.first + len(text[event.first : event.last].rstrip(BLANKS))
        if not event.is_empty:
            return event.last
    return colon
