# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The events of a YAML parser with their positions in the text. No values are built from them."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from .vault_errors import InvalidFileError

STRING = "tag:yaml.org,2002:str"
NULL = "tag:yaml.org,2002:null"

# The parser that Ansible itself uses for vars files: libyaml, which is 30 times as fast, if PyYAML was built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BARE_TEMPLATE = re.compile(r"(?:^|[:-])[ \t]+\{[{%]")
_RESOLVER = yaml.resolver.Resolver()


class Kind(enum.Enum):
    """What an event is about."""

    DOCUMENT = enum.auto()
    END_OF_DOCUMENT = enum.auto()
    MAPPING = enum.auto()
    SEQUENCE = enum.auto()
    END_OF_COLLECTION = enum.auto()
    SCALAR = enum.auto()
    ALIAS = enum.auto()


_KINDS = {
    yaml.DocumentStartEvent: Kind.DOCUMENT,
    yaml.DocumentEndEvent: Kind.END_OF_DOCUMENT,
    yaml.MappingStartEvent: Kind.MAPPING,
    yaml.MappingEndEvent: Kind.END_OF_COLLECTION,
    yaml.SequenceStartEvent: Kind.SEQUENCE,
    yaml.SequenceEndEvent: Kind.END_OF_COLLECTION,
    yaml.ScalarEvent: Kind.SCALAR,
    yaml.AliasEvent: Kind.ALIAS,
}


@dataclass(frozen=True)
class Event:
    """One event. `first` is the offset of its first character, `last` the offset after its last, in characters."""

    kind: Kind
    first: int
    last: int
    line: int  # from 1
    column: int  # from 0
    text: str  # of a scalar
    tag: str | None  # a scalar always has one, its own or the one that YAML gives it
    anchor: str | None  # the anchor that the event sets, or that an alias refers to
    is_block: bool  # whether it is a text after "|" or ">", or a collection without brackets

    @property
    def is_empty(self) -> bool:
        """Whether it has no characters: the end of a collection without brackets, or a missing value."""
        return self.first == self.last

    @property
    def is_block_text(self) -> bool:
        return self.kind is Kind.SCALAR and self.is_block


def events(text: str) -> list[Event]:
    """Return the events of a text without a byte order mark.

    Raises InvalidFileError; its text is the end of a sentence that begins with the file's name.
    """
    try:
        return list(_events(text))
    # PyYAML decodes tags without checking that they are valid Unicode.
    except (yaml.YAMLError, UnicodeError) as error:
        # The parser's message may quote the file, including a value.
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        hint = ", perhaps because of a template without quotes" if mark and _has_bare_template(text, mark.line) else ""
        raise InvalidFileError(f"is not valid YAML{place}{hint}; correct it first") from None


def is_string(plain: str) -> bool:
    """Whether YAML reads this text as a string if it has no quotes."""
    return _tag(None, plain, (True, False)) == STRING


def _has_bare_template(text: str, line: int) -> bool:
    """Whether a value on this line (counted from 0) or the one before begins with a template without quotes."""
    lines = text.split("\n")[max(line - 1, 0) : line + 1]
    return any(_BARE_TEMPLATE.search(one) for one in lines)


def _events(text: str) -> Iterator[Event]:
    anchors = set()
    event: Any
    for event in yaml.parse(text, Loader=_LOADER):
        kind = _KINDS.get(type(event))
        if kind is None:
            continue
        value, tag, anchor = (getattr(event, name, None) for name in ("value", "tag", "anchor"))
        if kind is Kind.SCALAR:
            tag = _tag(tag, event.value, event.implicit)
        if kind is Kind.ALIAS and anchor not in anchors:
            raise yaml.MarkedYAMLError(problem_mark=event.start_mark)
        anchors.add(anchor)
        yield Event(
            kind=kind,
            first=event.start_mark.index,
            last=event.end_mark.index,
            line=event.start_mark.line + 1,
            column=event.start_mark.column,
            text=value or "",
            tag=tag,
            anchor=anchor,
            # For a list that is not indented, PyYAML's own parser returns None.
            is_block=event.style in ("|", ">") if kind is Kind.SCALAR else not getattr(event, "flow_style", True),
        )


def _tag(tag: str | None, text: str, implicit: tuple[bool, bool]) -> str:
    """Return a scalar's tag; `implicit` says whether the scalar is in quotes."""
    if tag in (None, "!"):
        tag = _RESOLVER.resolve(yaml.ScalarNode, text, implicit)
    return str(tag)
