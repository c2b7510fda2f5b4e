# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Editing the text of a vars file: generated files, and YAML that is known to be difficult."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest
import yaml
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file import yaml_events
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vars_splice import (
    Changes,
    _is_as_wanted,
    splice,
)
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vars_text import StringValue, parse
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_errors import InvalidFileError
from hypothesis import given, settings
from hypothesis import strategies as st

CIPHERTEXT = StringValue("$ANSIBLE_VAULT;1.2;AES256;my id\n" + "61" * 40 + "\n6262", "!vault")
PLAIN = StringValue("quotes \" and ' {{ braces }} # 日本\n\ttab", "!unsafe")


class Loader(yaml.SafeLoader):
    """Reads what Ansible's loader reads."""


@dataclass(frozen=True)
class Tagged:
    tag: str
    text: str


def _tagged(loader: Loader, node: yaml.ScalarNode) -> Tagged:
    text = str(loader.construct_scalar(node))
    # Line breaks at the end of a ciphertext do not matter.
    return Tagged(node.tag, "\n".join(text.split("\n")).strip() if node.tag == "!vault" else text)


Loader.add_constructor("!vault", _tagged)
Loader.add_constructor("!unsafe", _tagged)


def load(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(text, Loader=Loader) or {}
    return loaded


def as_loaded(value: StringValue) -> object:
    return Tagged(value.tag, value.text) if value.tag else value.text


def spliced(text: str, changes: Changes) -> str:
    return splice(parse(text), changes).text


# --- generated files

BLOCK_VALUES = [
    "|\n  a text\n  # no comment\n\n  end",
    "|-\n    deep\n   \n    end",
    "|+\n  kept",
    ">\n  folded\n\n    more\n  text",
    ">+2\n   one more blank\n  end",
    "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6161",
    "!vault |  # rotated\n          $ANSIBLE_VAULT;1.2;AES256;dev\n          6161\n          62",
    "&anchor |\n  text",
]
NESTED_VALUES = [
    "\n  x: 1\n  # within\n  y: [a, b]  # inside",
    "\n- 1\n-\n- # nothing\n  - 2\n-",
    "  # the key's own comment\n  - a: b\n    c: d",
    "&anchor\n  x: &anchor_inner 1\n  y: *anchor_inner",
    "\n  ? complex\n  : value\n  ? bare",
]
# A comment below a nested value that is indented more than the key belongs to that value.
OWN_COMMENTS = ["", "\n  # a little further in", "\n              # far in", "\n\n  # in"]
PLAIN_ON_LINES = "\n    plain\n    on lines"
NESTED_VALUES_ENDING_IN_A_BLOCK = ["\n  keep: |+\n    text", "\n  - a: b\n    c: |\n      text"]
LINE_VALUES = [
    "plain",
    "42",
    "yes",
    "",
    "~",
    "'single ''quoted'' # text'",
    '"double \\"quoted\\" \\u263a # text"',
    '"on two\n  # lines"',
    "plain on\n  two lines",
    "grüße 日本 😀 text",
    "[1, 2,\n  {a: b}]",
    "{}",
    "!unsafe '{{ raw }}'",
    "&anchor unused",
    "!!str 12",
    "a#b",
    "C:\\path",
]
TRAILS = ["", "  # behind", " # behind 日本", "   "]
BETWEEN = ["", "\n", "# above\n", "\n# two\n# lines\n\n", "\n\n\n"]
# Below a block scalar, these would become part of it.
BETWEEN_OTHERS = [*BETWEEN, "   \n", "  # a little further in\n", "              # far in\n", "\n  # in\n\n"]

values = st.one_of(
    st.tuples(st.sampled_from([*BLOCK_VALUES, *NESTED_VALUES_ENDING_IN_A_BLOCK]), st.sampled_from(BETWEEN)),
    st.tuples(
        st.tuples(st.sampled_from(NESTED_VALUES), st.sampled_from(OWN_COMMENTS)).map("".join),
        st.sampled_from([*BETWEEN, "   \n"]),
    ),
    st.tuples(st.just(PLAIN_ON_LINES), st.sampled_from(BETWEEN_OTHERS)),
    st.tuples(
        st.tuples(st.sampled_from(LINE_VALUES), st.sampled_from(TRAILS)).map("".join), st.sampled_from(BETWEEN_OTHERS)
    ),
)
quotes = st.sampled_from(["{}", "{}", "'{}'", '"{}"', "{} "])


@dataclass(frozen=True)
class File:
    """A vars file in parts: the text before the first variable, and each variable with the text below it."""

    head: str
    parts: tuple[tuple[str, str], ...]
    tail: str
    newline: str
    ends_in_newline: bool

    def text(self, replaced: dict[int, str] | None = None) -> str:
        texts = [self.head]
        for number, (variable, below) in enumerate(self.parts):
            texts += [(replaced or {}).get(number, variable), below]
        whole = "".join([*texts, self.tail])
        whole = whole if self.ends_in_newline or self.tail else whole.removesuffix("\n")
        return whole.replace("\n", self.newline)


@st.composite
def files(draw: st.DrawFn) -> File:
    head = draw(st.sampled_from(["", "---\n", "# head\n---\n", "%YAML 1.1\n---\n\n"]))
    variables = draw(st.lists(st.tuples(quotes, values), max_size=5))
    gaps = ["" if value.startswith("\n") or not value else " " for _quote, (value, _below) in variables]
    return File(
        head=head + draw(st.sampled_from(BETWEEN)),
        parts=tuple(
            (f"{quote.format(f'name{number}')}:{gap}{value.replace('anchor', f'anchor{number}')}\n", below)
            for number, ((quote, (value, below)), gap) in enumerate(zip(variables, gaps))
        ),
        tail=draw(st.sampled_from(["", "...\n", "...\n# last\n"] if head else [""])),
        newline=draw(st.sampled_from(["\n", "\r\n"])),
        ends_in_newline=draw(st.booleans()),
    )


def span(file: File, number: int) -> tuple[int, int]:
    """Return where a variable starts and ends in the text, without the line break after it."""
    before = file.head + "".join(variable + below for variable, below in file.parts[:number])
    variable = file.parts[number][0].removesuffix("\n")
    start = len(before.replace("\n", file.newline))
    return start, start + len(variable.replace("\n", file.newline))


@st.composite
def files_with_a_variable(draw: st.DrawFn) -> tuple[File, int]:
    file = draw(files().filter(lambda file: bool(file.parts)))
    return file, draw(st.integers(0, len(file.parts) - 1))


new_values = st.sampled_from([CIPHERTEXT, PLAIN, StringValue("")])
both_parsers = pytest.mark.parametrize("parser", [yaml.SafeLoader, yaml.CSafeLoader])


@both_parsers
@settings(deadline=None, max_examples=100)
@given(chosen=files_with_a_variable(), value=new_values)
def test_setting_a_variable_touches_no_character_outside_it(
    parser: type, chosen: tuple[File, int], value: StringValue
) -> None:
    file, number = chosen
    old, name = file.text(), f"name{number}"
    start, stop = span(file, number)

    with mock.patch.object(yaml_events, "_LOADER", parser):
        new = spliced(old, {name: value})

    assert load(new) == load(old) | {name: as_loaded(value)}
    assert list(load(new)) == list(load(old))
    assert new.startswith(old[:start])
    assert new.endswith(old[stop:])
    changed = new[start : len(new) - len(old[stop:])]
    assert re.match(rf"['\"]?{name}['\"]? *: *(!vault \||!unsafe \"|\"\")", changed)
    for comment in ("# behind", "# rotated", "# the key's own comment"):
        assert (comment in changed) == (comment in file.parts[number][0])


@both_parsers
@settings(deadline=None, max_examples=100)
@given(chosen=files_with_a_variable())
def test_removing_a_variable_takes_its_lines_and_no_others(parser: type, chosen: tuple[File, int]) -> None:
    file, number = chosen
    old, name = file.text(), f"name{number}"
    start, stop = span(file, number)
    below = old[stop:].removeprefix(file.newline)

    with mock.patch.object(yaml_events, "_LOADER", parser):
        new = spliced(old, {name: None})

    assert load(new) == {other: value for other, value in load(old).items() if other != name}
    assert new.startswith(old[:start])
    kept = new[start:]
    if kept == below:
        return
    # Blank lines and an indented comment would become part of the block scalar above, so they go or move left.
    value_above, below_value_above = file.parts[number - 1]
    assert number > 0
    assert re.search(r"[|>]", value_above)
    assert "#" not in below_value_above
    comments, kept_comments = ([line for line in lines.splitlines() if line.strip()] for lines in (below, kept))
    assert kept_comments == [line.lstrip() if line is comments[0] else line for line in comments]


@both_parsers
@settings(deadline=None, max_examples=100)
@given(file=files(), value=new_values)
def test_adding_a_variable_keeps_every_character(parser: type, file: File, value: StringValue) -> None:
    old = file.text()

    with mock.patch.object(yaml_events, "_LOADER", parser):
        new = spliced(old, {"added": value})

    assert load(new) == load(old) | {"added": as_loaded(value)}
    same = next((offset for offset, pair in enumerate(zip(old, new)) if pair[0] != pair[1]), len(old))
    assert new.endswith(old[same:])


@settings(deadline=None, max_examples=100)
@given(file=files(), data=st.data(), value=st.sampled_from([None, CIPHERTEXT]))
def test_several_changes_at_once_are_all_made(file: File, data: st.DataObject, value: StringValue | None) -> None:
    old = file.text()
    names = [f"name{number}" for number in range(len(file.parts)) if data.draw(st.booleans())]
    changes = dict.fromkeys([*names, "added"], value)

    new = spliced(old, changes)

    wanted = {name: as_loaded(value) for name in changes} if value else {}
    assert load(new) == {name: kept for name, kept in load(old).items() if name not in changes} | wanted


# --- known texts

VAULTED = """!vault |
          $ANSIBLE_VAULT;1.2;AES256;my id
          61616161616161616161616161616161616161616161616161616161616161616161616161616161
          6262"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "a: VAULTED\n"),
        ("\n\n", "\n\na: VAULTED\n"),
        ("# only a comment", "# only a comment\na: VAULTED\n"),
        ("---\n", "---\na: VAULTED\n"),
        ("---", "---\na: VAULTED\n"),
        ("---\n...\n", "---\na: VAULTED\n...\n"),
        ("{}", "a: VAULTED\n"),
        ("---\n{ }\n# below\n", "---\n# below\na: VAULTED\n"),
        ("--- {}  # none yet\n", "---   # none yet\na: VAULTED\n"),
        ("--- {}\n# below\n", "--- \n# below\na: VAULTED\n"),
        ("{} # none yet\n", " # none yet\na: VAULTED\n"),
        ("b: 1", "b: 1\na: VAULTED\n"),
        ("b: 1\n...\n# behind", "b: 1\na: VAULTED\n...\n# behind"),
        ("b: 1\n# last\n", "b: 1\n# last\na: VAULTED\n"),
        ("  b: 1\n", "  b: 1\n  a: VAULTED\n"),
        ("b: !vault |\n  6161", "b: !vault |\n  6161\na: VAULTED\n"),
        ("c: 1\n\n# of b\nb: |\n  no break at the end", "c: 1\n\na: VAULTED\n# of b\nb: |\n  no break at the end"),
        ("a:", "a: VAULTED"),
        ("a: # to do\n", "a: VAULTED # to do\n"),
        ("a:   old\n", "a:   VAULTED\n"),
        ("a: # why\n  old\n", "a: VAULTED # why\n"),
        ("a: old#comment # real\n", "a: VAULTED # real\n"),
        ("a: [1]#close\n", "a: VAULTED #close\n"),
        ("'a' : old\n", "'a' : VAULTED\n"),
        ("a:\n  # within\n  b: 1\n  # within too\nc: 1\n", "a: VAULTED\nc: 1\n"),
        ("# of b\nb: |\n  no break at the end", "a: VAULTED\n# of b\nb: |\n  no break at the end"),
        ("a: 1\n  # not within\nc: 1\n", "a: VAULTED\n  # not within\nc: 1\n"),
        ("null\n", "a: VAULTED\n"),
        ("---\n~  # none yet\n", "---\n  # none yet\na: VAULTED\n"),
        ("--- !!null\n", "--- \na: VAULTED\n"),
    ],
)
def test_a_variable_is_set_in_edge_cases(old: str, new: str) -> None:
    header, lines = VAULTED.split("\n", 1)
    indent = "  " if new.startswith("  ") else ""

    def vaulted(match: re.Match[str]) -> str:
        return f"{header}{match.group(1)}\n" + "\n".join(indent + line for line in lines.split("\n"))

    assert spliced(old, {"a": CIPHERTEXT}) == re.sub("VAULTED(.*)", vaulted, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a: 1", ""),
        ("b: 1\na: 2", "b: 1\n"),
        ("# above\na: 1  # behind\nb: 2\n", "# above\nb: 2\n"),
        ("a:\n  - 1\n  -\n\n# of b\nb: 2\n", "\n# of b\nb: 2\n"),
        ("---\na: 1\n...\n", "---\n...\n"),
        ("b: 1\n", "b: 1\n"),
        # An end marker needs a document before it.
        ("a: 1\n...\n", ""),
        ("# above\na: 1\n... # behind\n# below\n", "# above\n# behind\n# below\n"),
        ("# ---\na: 1\n...", "# ---\n"),
        ("a: 1\nb: 2\n...\n", "b: 2\n...\n"),
        # An indented comment belongs to a nested value above it, but not to a simple one.
        ("a:\n  user: x\n  # password: secret\nb: 1\n", "b: 1\n"),
        ("a:\n  - x\n\n      # far in\n\n# of b\nb: 1\n", "\n# of b\nb: 1\n"),
        ("a:\n- x\n # in\n# of b\nb: 1\n", "# of b\nb: 1\n"),
        ("a:\n  text: |\n    x\n  # in\nb: 1\n", "b: 1\n"),
        ("a: [x]\n  # in\nb: 1\n", "  # in\nb: 1\n"),
        # Below a block scalar, text that would become part of it.
        ("b: |+\n  text\na: 1\n\n", "b: |+\n  text\n"),
        ("b: |\n  text\na:\n  x: 1\n  # within\n\n# of c\nc: 1\n", "b: |\n  text\n\n# of c\nc: 1\n"),
        (
            "b: |\n  text\n# of a\na: 1\n    # ]]]\n# of c\nc: 2\n",
            "b: |\n  text\n# of a\n    # ]]]\n# of c\nc: 2\n",
        ),
        ("b: |\n  text\na: 1\n    # ]]]\n    # in\nc: 2\n", "b: |\n  text\n# ]]]\n    # in\nc: 2\n"),
        ("b: |\n  text\na: 1\n     \n \t# c\nc: 2\n", "b: |\n  text\n# c\nc: 2\n"),
        ("b: |+\n  text\na: 1\n\n    # ]]]\n\nc: 2\n", "b: |+\n  text\n# ]]]\n\nc: 2\n"),
        ("  b: |\n    text\n  a: 1\n      # in\n", "  b: |\n    text\n  # in\n"),
        ("b: !vault |\n  61\na: 1\n   # in\n", "b: !vault |\n  61\n# in\n"),
        ("b:\n  - |\n    x\na: 1\n      # in\n", "b:\n  - |\n    x\n# in\n"),
    ],
)
def test_a_variable_is_removed_in_edge_cases(old: str, new: str) -> None:
    assert spliced(old, {"a": None}) == new


def test_two_neighbours_are_removed_from_below_a_block_of_text() -> None:
    old = "b: |+\n  text\na: 1\n\nc: 2\n   # d\nd: 3\n"

    assert spliced(old, {"a": None, "c": None}) == "b: |+\n  text\n# d\nd: 3\n"


def test_a_comment_between_a_new_ciphertext_and_a_removed_variable_keeps_the_next_one_as_it_is() -> None:
    changes = {"b": CIPHERTEXT, "a": None}

    assert spliced("b: 1\na: 2\n   # in\n", changes) == f"b: {VAULTED}\n# in\n"
    assert spliced("b: 1\n# of a\na: 2\n   # in\n", changes) == f"b: {VAULTED}\n# of a\n   # in\n"


@pytest.mark.parametrize("depth", [9, 10, 11, 30])
def test_a_ciphertext_is_further_in_than_any_comment_below_it(depth: int) -> None:
    comment = " " * depth + "# not a part of it\n"

    new = spliced(f"a: 1\n{comment}b: 2\n", {"a": CIPHERTEXT})

    assert new.endswith(f"\n{comment}b: 2\n")
    assert load(new) == {"a": as_loaded(CIPHERTEXT), "b": 2}


@pytest.mark.parametrize("tag", ["!unsafe", "!vault", "!!binary"])
def test_a_key_with_a_tag_is_not_the_name_of_a_variable(tag: str) -> None:
    assert list(parse(f"{tag} a: 1\nb: 2\n").by_name) == ["b"]


def test_a_variable_that_is_set_twice_does_not_prevent_other_changes() -> None:
    text = "a: 1\nb: 2\na: 3\n"

    assert spliced(text, {"b": None, "c": StringValue("x")}) == 'a: 1\na: 3\nc: "x"\n'


@pytest.mark.parametrize("break_", ["\r\n", "\r", "\x85"])
def test_new_lines_end_as_the_first_line_does(break_: str) -> None:
    new = spliced(f"b: 1{break_}", {"a": CIPHERTEXT})

    assert new == f"b: 1{break_}a: " + VAULTED.replace("\n", break_) + break_


@pytest.mark.parametrize("break_", ["\u2028", "\u2029"])
def test_new_lines_do_not_end_in_a_separator_that_yaml_keeps_in_a_text(break_: str) -> None:
    new = spliced(f"b: 1{break_}", {"a": CIPHERTEXT})

    assert new == f"b: 1{break_}a: {VAULTED}\n"


def test_many_comments_above_the_last_variable_are_handled_quickly() -> None:
    comments = "# c\n" * 50_000
    start = time.monotonic()

    new = spliced(f"{comments}\na: |\n  no break at the end", {"b": StringValue("1")})

    assert new == f'{comments}\nb: "1"\na: |\n  no break at the end'
    assert time.monotonic() - start < 10


def test_new_variables_come_in_the_order_they_are_given_in() -> None:
    new = spliced("b: 1\n", {"z": StringValue("1"), "a": StringValue("2")})

    assert new == 'b: 1\nz: "1"\na: "2"\n'


@pytest.mark.parametrize("name", ["yes", "no", "on", "off", "null", "Null"])
def test_a_name_that_yaml_takes_for_something_else_is_quoted(name: str) -> None:
    assert load(spliced("", {name: StringValue("1")})) == {name: "1"}


def test_a_long_text_stays_on_one_line() -> None:
    text = "many words " * 99

    assert spliced("", {"a": StringValue(text)}) == f'a: "{text}"\n'


def test_a_tab_before_a_comment_is_accepted_where_the_parser_does() -> None:
    assert "| # behind\n" in spliced("a: 1\t# behind\n", {"a": CIPHERTEXT})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{a: 1}", "is written as JSON or in braces; first write it as block YAML, one variable per line"),
        ('{"a": "1"}\n', "is written as JSON or in braces; first write it as block YAML, one variable per line"),
        ("a: 1\nb: 2\n'a': 3\n", "sets the variable 'a' twice, on lines 1 and 3; remove one of them first"),
        ("? a\n: 1\n", "does not begin a line with 'a:'; give that variable its own line first"),
        (
            "a: &x 1\nb: *x\n",
            "gives the value of 'a' the anchor '&x', which another variable refers to; replace that alias with "
            "the value first",
        ),
        (
            "a:\n  deep: &x {c: 1}\nb:\n  <<: *x\n",
            "gives the value of 'a' the anchor '&x', which another variable refers to; replace that alias with "
            "the value first",
        ),
    ],
)
@pytest.mark.parametrize("value", [CIPHERTEXT, None])
def test_a_variable_that_cannot_be_changed_alone_is_refused(
    text: str, sentence: str, value: StringValue | None
) -> None:
    with pytest.raises(InvalidFileError) as raised:
        spliced(text, {"a": value})

    assert str(raised.value) == sentence


def test_a_value_and_its_alias_can_be_changed_at_once() -> None:
    assert spliced("a: &x 1\nb: *x\nc: 3\n", {"a": StringValue("2"), "b": None}) == 'a: "2"\nc: 3\n'


def test_an_alias_of_a_value_elsewhere_can_be_replaced() -> None:
    assert spliced("b: &x 1\na: *x\nc: *x\n", {"a": StringValue("2")}) == 'b: &x 1\na: "2"\nc: *x\n'


@pytest.mark.parametrize(
    ("result", "is_wanted"),
    [
        ('b: 1\nc: |\n  x\nnew: "1"\n', True),
        ("b: 1\nc: |\n  x\n", False),  # nothing added
        ('b: 1\nc: |\n  x\nnew: "2"\n', False),  # another value
        ('b: 2\nc: |\n  x\nnew: "1"\n', False),  # a change elsewhere
        ('b: "1"\nc: |\n  x\nnew: "1"\n', False),
        ('b: 1\nc: |\n  x\n  # in\nnew: "1"\n', False),
        ('a: 1\nb: 1\nc: |\n  x\nnew: "1"\n', False),  # nothing removed
        ('c: |\n  x\nnew: "1"\n', False),  # too much removed
    ],
)
def test_a_splice_that_would_change_more_than_was_asked_for_is_noticed(result: str, is_wanted: bool) -> None:
    old = parse("a: 1\nb: 1\nc: |\n  x\n")

    assert _is_as_wanted(old, {"a": None, "new": StringValue("1")}, parse(result)) == is_wanted


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 'secret", "is not valid YAML (line 1, column 11); correct it first"),
        ("a: 1\n b: secret\n", "is not valid YAML (line 2, column 3); correct it first"),
        ("a: \x07secret", "is not valid YAML; correct it first"),
        ("a: *secret\n", "is not valid YAML (line 1, column 4); correct it first"),
        ("a: !%ED%A0%80 secret\n", "is not valid YAML; correct it first"),
        ("a: {{ secret }}\n", "has a template without quotes on line 1; put it in quotes first"),
        ("b: 1\na:\n  - x: [{{ secret }}]\n", "has a template without quotes on line 3; put it in quotes first"),
        ("{{ secret }}: 1\n", "has a template without quotes on line 1; put it in quotes first"),
        (
            "a: {{ secret }}/b\n",
            "is not valid YAML (line 1, column 16), perhaps because of a template without quotes; correct it first",
        ),
        (
            "a:\n  - {% if secret %}\n",
            "is not valid YAML (line 2, column 6), perhaps because of a template without quotes; correct it first",
        ),
        (
            "a: {{ secret\nb: 1\n",
            "is not valid YAML (line 2, column 2), perhaps because of a template without quotes; correct it first",
        ),
        (
            "a: {b: 1, {c: 1}: secret}\n",
            "uses a mapping as a key on line 1, which Ansible cannot load; correct it first",
        ),
        ("? [a, b]\n: secret\n", "uses a list as a key on line 1, which Ansible cannot load; correct it first"),
        ("- a: 1\n", "contains a list, not variables; a vars file must be a mapping of names to values"),
        ("secret\n", "contains a single value, not variables; a vars file must be a mapping of names to values"),
        ("a: 1\n---\nb: 2\n", "contains several YAML documents, which Ansible cannot read; keep only one of them"),
    ],
)
def test_a_text_that_is_not_a_vars_file_is_refused_without_quoting_it(text: str, sentence: str) -> None:
    with pytest.raises(InvalidFileError) as raised:
        parse(text)

    assert str(raised.value) == sentence
    assert "secret" not in str(raised.value)
