# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Find the variables in the text of a vars file.

The text is only parsed for positions and meanings. Nothing is ever written from parsed data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import yaml

from .errors import InvalidFileError

VAULT = "!vault"
_OLD_VAULT = "!vault-encrypted"  # which Ansible still reads
UNSAFE = "!unsafe"
_STRING = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"

_CONFLICT_MARKER = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?!\S)", re.MULTILINE)

# The parser that Ansible itself uses for vars files: libyaml, which is 30 times as fast, if PyYAML was built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = yaml.resolver.Resolver()


class StringValue(NamedTuple):
    """A variable's value that is a string: its text, or the ciphertext if `tag` is VAULT, and its YAML tag if any."""

    text: str
    tag: str | None = None

    @property
    def is_vaulted(self) -> bool:
        return self.tag == VAULT


class Variable(NamedTuple):
    """An entry of the top-level mapping, as the parser's events. Positions in them are offsets in characters."""

    name: str  # empty if the key is not a string
    key: Sequence[Any]
    events: Sequence[Any]  # of the value
    value: StringValue | None  # None if the value is not a string

    @property
    def tag(self) -> str | None:
        """The tag of a value that is a scalar, its own or the one that YAML gives it."""
        return _tag(self.events[0])

    @property
    def ciphertexts(self) -> list[str]:
        """The vaulted values in the variable's value, at any depth."""
        return [event.value for event in self.events if _tag(event) in (VAULT, _OLD_VAULT)]

    @property
    def meaning(self) -> tuple[object, object]:
        """The key and the value without their notation; equal for equal ones."""
        return self.name or _meaning(self.key), self.value or _meaning(self.events)


@dataclass(frozen=True)
class VarsText:
    """A vars file's text with the variables in it."""

    path: str
    text: str
    variables: Sequence[Variable] = ()
    root: tuple[int, int] | None = None  # first and last offset of a mapping in braces, or of the word null

    def named(self, names: Iterable[str]) -> dict[str, Variable]:
        """Return the variables of these names that the file has. Raises InvalidFileError if it sets one twice."""
        found = {name: self._by_name[name] for name in names if name in self._by_name}
        for name, variables in found.items():
            if len(variables) > 1:
                first, *_between, last = (one.key[0].start_mark.line + 1 for one in variables)
                raise self.refusal(
                    f"sets the variable '{name}' twice, on lines {first} and {last}; remove one of them first"
                )
        return {name: variables[0] for name, variables in found.items()}

    def refusal(self, reason: str) -> InvalidFileError:
        return InvalidFileError(f"{self.path} {reason}")

    @cached_property
    def _by_name(self) -> dict[str, list[Variable]]:
        found: dict[str, list[Variable]] = {}
        for variable in self.variables:
            found.setdefault(variable.name, []).append(variable)
        return found


def parse(text: str, path: str) -> VarsText:
    """Find the variables in a vars file's text, which has no byte order mark. Raises InvalidFileError."""
    empty = VarsText(path, text)
    try:
        # Between the start and the end of the stream, of the document and of the mapping.
        events: list[Any] = list(yaml.parse(text, Loader=_LOADER))
        nodes = list(_nodes(empty, events[3:-3]))
    # PyYAML decodes tags without checking that they are valid Unicode.
    except (yaml.YAMLError, UnicodeError) as error:
        # Without the parser's message, which may quote a value.
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise empty.refusal(_damage(text) or f"is not valid YAML{place}; correct it first") from None
    documents = sum(isinstance(event, yaml.DocumentStartEvent) for event in events)
    if documents == 0:
        return empty
    if documents > 1:
        raise empty.refusal("contains several YAML documents, which Ansible cannot read; keep only one of them")
    root, span = events[2], (events[2].start_mark.index, events[-3].end_mark.index)
    if _tag(root) == _NULL:
        return VarsText(path, text, (), None if span[0] == span[1] else span)
    if not isinstance(root, yaml.MappingStartEvent):
        kind = "a list" if isinstance(root, yaml.SequenceStartEvent) else "a single value"
        raise empty.refusal(
            _damage(text) or f"contains {kind}, not variables; a vars file must be a mapping of names to values"
        )
    variables = [_variable(key, value) for key, value in zip(nodes[::2], nodes[1::2])]
    return VarsText(path, text, variables, span if root.flow_style else None)


def is_block(event: Any) -> bool:
    """Whether the event begins a text after "|" or ">", or a collection without brackets."""
    # For a list that is not indented, PyYAML's own parser says None.
    return event.style in ("|", ">") if isinstance(event, yaml.ScalarEvent) else not getattr(event, "flow_style", True)


def is_string(name: str) -> bool:
    """Whether YAML reads this name as a string if it has no quotes: not yes, no, on, off, true, false, null."""
    return bool(_RESOLVER.resolve(yaml.ScalarNode, name, (True, False)) == _STRING)


def conflict_marker(text: str) -> int | None:
    """Return the number of the first line with a marker that git leaves where it cannot merge two versions."""
    match = _CONFLICT_MARKER.search(text)
    return text.count("\n", 0, match.start()) + 1 if match else None


def _nodes(text: VarsText, events: list[Any]) -> Iterator[list[Any]]:
    """Yield the events of each node; those of a collection include everything in it."""
    depth = first = 0
    anchors: set[str | None] = set()
    brace = None
    for position, event in enumerate(events):
        if not isinstance(event, yaml.ScalarEvent):
            mark = event.start_mark
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.MappingStartEvent) and event.flow_style:
                if mark.index - 1 == brace:
                    raise text.refusal(f"has a template without quotes on line {mark.line + 1}; put it in quotes first")
                brace = mark.index
            if isinstance(event, yaml.AliasEvent) and event.anchor not in anchors:
                raise yaml.MarkedYAMLError(problem_mark=mark)
        anchors.add(getattr(event, "anchor", None))
        if depth == 0:
            yield events[first : position + 1]
            first = position + 1


def _variable(key: Sequence[Any], value: Sequence[Any]) -> Variable:
    name = _string(key[0])
    return Variable(name.text if name and name.tag is None else "", key, value, _string(value[0]))


def _string(event: Any) -> StringValue | None:
    tag = _tag(event)
    if tag in (VAULT, _OLD_VAULT):
        return StringValue(event.value.rstrip("\n"), VAULT)
    return StringValue(event.value, None if tag == _STRING else UNSAFE) if tag in (_STRING, UNSAFE) else None


def _tag(event: Any) -> str | None:
    if not isinstance(event, yaml.ScalarEvent):
        return None
    if event.tag in (None, "!"):
        return str(_RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit))
    return str(event.tag)


def _meaning(events: Sequence[Any]) -> object:
    names = ("tag", "anchor", "implicit", "value")
    return [(type(event), *(getattr(event, name, None) for name in names)) for event in events]


def _damage(text: str) -> str:
    """Return what happened to a text that is no vars file, if that can be seen in it."""
    line = conflict_marker(text)
    if line:
        return f"has a conflict marker on line {line}; resolve the conflict first"
    is_below = "\n$ANSIBLE_VAULT;" in text
    return "is encrypted below its first line; remove the lines above $ANSIBLE_VAULT" if is_below else ""
