# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Editing the text of a vars file: generated files, edge cases, and what is refused. test_layouts.py has real files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest
import yaml
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file import yaml_text
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.edit import Changes, edit
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import InvalidFileError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.yaml_text import StringValue, parse
from hypothesis import given, settings
from hypothesis import strategies as st

CIPHERTEXT = StringValue("$ANSIBLE_VAULT;1.2;AES256;my id\n" + "61" * 40 + "\n6262", "!vault")
PLAIN = StringValue("quotes \" and ' {{ braces }} # 日本\n\ttab", "!unsafe")


@dataclass(frozen=True)
class Tagged:
    tag: str
    text: str


class Loader(yaml.SafeLoader):
    """Reads what Ansible's loader reads."""


def _tagged(loader: Loader, node: yaml.ScalarNode) -> Tagged:
    text = str(loader.construct_scalar(node))
    # Line breaks at the end of a ciphertext do not matter.
    return Tagged(node.tag, text.rstrip("\n") if node.tag == "!vault" else text)


Loader.add_constructor("!vault", _tagged)
Loader.add_constructor("!unsafe", _tagged)


def load(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(text, Loader=Loader) or {}
    return loaded


def as_loaded(value: StringValue) -> object:
    return Tagged(value.tag, value.text) if value.tag else value.text


def edited(text: str, changes: Changes) -> str:
    return edit(parse(text, "vars.yml"), changes).text


# --- generated files

VALUES = [
    " |\n  a text\n  # no comment\n\n  end",
    " |-\n    deep\n   \n    end",
    " |+\n  kept",
    " >+2\n   one more blank\n  end",
    " !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6161",
    " !vault |  # comment 1\n          $ANSIBLE_VAULT;1.2;AES256;dev\n          6161\n          62",
    "\n  x: 1\n  # within\n  y: [a, b]  # inside",
    "\n- 1\n-\n- # nothing\n  - 2\n-",
    "  # comment 1\n  - a: b\n    c: d",
    " &anchor\n  x: &anchor_inner 1\n  y: *anchor_inner",
    "\n  - a: b\n    c: |\n      text",
    " plain  # comment 1",
    "",
    " # comment 1",
    ' "on two\n  # lines"   ',
    " plain on\n  two lines # comment 1",
    " [1, 2,\n  {a: b}]",
    " &anchor unused",
]
BETWEEN = [
    "",
    "\n",
    "# comment 2\n",
    "\n# comment 2\n# lines\n\n",
    "   \n",
    "  # comment 2\n",
    "          # comment 2\n",
]


# Below a block of text, a comment that is indented as far would be a part of it.
PAIRS = [(value, below) for value in VALUES for below in (BETWEEN[:4] if re.search("[|>]", value) else BETWEEN)]


@st.composite
def files(draw: st.DrawFn) -> tuple[str, int]:
    """Return a file's text, and how many variables it has."""
    head = draw(st.sampled_from(["", "---\n", "# comment 0\n---\n", "%YAML 1.1\n---\n\n"]))
    values = draw(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=5))
    texts = [
        f"name{number}:{value.replace('anchor', f'anchor{number}')}\n{below}"
        for number, (value, below) in enumerate(values)
    ]
    text = head + "".join(texts) + draw(st.sampled_from(["", "...\n"]))
    text = text if draw(st.booleans()) else text.rstrip("\n")
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"]))), len(values)


def comments(text: str) -> list[str]:
    return re.findall(r"# comment [02]", text)


# PyYAML's own parser, which is used where libyaml is missing, takes much longer.
@pytest.mark.parametrize("parser", [yaml.CSafeLoader, pytest.param(yaml.SafeLoader, marks=pytest.mark.thorough)])
@settings(deadline=None, max_examples=150)
@given(file=files(), data=st.data(), value=st.sampled_from([CIPHERTEXT, PLAIN, StringValue(""), None]))
def test_an_edit_changes_what_is_wanted_or_is_refused(
    parser: type, file: tuple[str, int], data: st.DataObject, value: StringValue | None
) -> None:
    text, count = file
    names = [f"name{number}" for number in range(count) if data.draw(st.booleans())]
    changes = dict.fromkeys([*names, "added"], value)

    with mock.patch.object(yaml_text, "_LOADER", parser):
        try:
            new = edited(text, changes)
        except InvalidFileError:
            return

    wanted = {name: as_loaded(value) for name in changes} if value else {}
    kept = {name: one for name, one in load(text).items() if name not in changes}
    assert load(new) == {**kept, **wanted}
    assert comments(new) == comments(text)
    if value:
        assert new.count("# comment 1") == text.count("# comment 1")


# --- edge cases

VAULTED = """!vault |
          $ANSIBLE_VAULT;1.2;AES256;my id
          61616161616161616161616161616161616161616161616161616161616161616161616161616161
          6262"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "---\na: VAULTED\n"),
        ("\n\n", "\n\na: VAULTED\n"),
        ("# only a comment", "# only a comment\na: VAULTED\n"),
        ("---\n", "---\na: VAULTED\n"),
        ("---", "---\na: VAULTED\n"),
        ("{}", "---\na: VAULTED\n"),
        ("---\n{ }\n# below\n", "---\n# below\na: VAULTED\n"),
        ("--- {}  # none yet\n", "---  # none yet\na: VAULTED\n"),
        ("--- {}\n# below\n", "---\n# below\na: VAULTED\n"),
        ("{} # none yet\n", " # none yet\na: VAULTED\n"),
        ("null\n", "---\na: VAULTED\n"),
        ("---\n~  # none yet\n", "---\n  # none yet\na: VAULTED\n"),
        ("--- !!null\n", "---\na: VAULTED\n"),
        ("--- {}\r\n# below\r\n", "---\n# below\na: VAULTED\n".replace("\n", "\r\n")),
    ],
)
def test_a_variable_is_added_to_a_file_without_any(old: str, new: str) -> None:
    vaulted = VAULTED.replace("\n", "\r\n") if "\r" in old else VAULTED

    assert edited(old, {"a": CIPHERTEXT}) == new.replace("VAULTED", vaulted)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a: 1", ""),
        ("b: 1\na: 2", "b: 1\n"),
        ("---\na: 1\n...\n", "---\n...\n"),
        ("b: 1\n", "b: 1\n"),
        ("{}\n", "{}\n"),
        # What is below a value belongs to nobody.
        ("a:\n  user: x\n  # password: secret\nb: 1\n", "  # password: secret\nb: 1\n"),
        ("# of a\na: !vault |\n  61\n\n\n# of b\nb: 1\n", "# of a\n\n\n# of b\nb: 1\n"),
    ],
)
def test_a_variable_is_removed_in_edge_cases(old: str, new: str) -> None:
    assert edited(old, {"a": None}) == new


def test_new_variables_come_in_the_order_they_are_given_in_and_old_ones_stay_where_they_are() -> None:
    changes = {"z": StringValue("1"), "b": StringValue("2"), "a": StringValue("3"), "y": StringValue("4")}

    assert edited("a: 1\nb: 1\nc: 1\n", changes) == 'a: "3"\nb: "2"\nc: 1\nz: "1"\ny: "4"\n'


@pytest.mark.parametrize("name", ["yes", "no", "on", "off", "null", "Null"])
def test_a_name_that_yaml_takes_for_something_else_is_quoted(name: str) -> None:
    assert load(edited("", {name: StringValue("1")})) == {name: "1"}


def test_a_long_text_stays_on_one_line() -> None:
    text = "many words " * 99

    assert edited("b: 1\n", {"a": StringValue(text)}) == f'b: 1\na: "{text}"\n'


def test_a_value_and_its_alias_can_be_changed_at_once() -> None:
    assert edited("a: &x 1\nb: *x\nc: 3\n", {"a": StringValue("2"), "b": None}) == 'a: "2"\nc: 3\n'


@pytest.mark.parametrize("tag", ["!unsafe", "!vault", "!!binary"])
def test_a_key_with_a_tag_is_not_the_name_of_a_variable(tag: str) -> None:
    assert list(parse(f"{tag} a: 1\nb: 2\n", "vars.yml").named(["a", "b"])) == ["b"]


# --- refused

ALIAS = (
    "gives the value of 'a' the anchor '&x', which another variable refers to; replace that alias with the value first"
)
BRACES = "is written as JSON or in braces; first write it as block YAML, one variable per line"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{a: 1}", BRACES),
        ('{"a": "1"}\n', BRACES),
        ("a: 1\nb: 2\n'a': 3\n", "sets the variable 'a' twice, on lines 1 and 3; remove one of them first"),
        ("? a\n: 1\n", "does not begin a line with 'a:'; give that variable its own line first"),
        ("a: &x 1\nb: *x\n", ALIAS),
        ("a:\n  deep: &x {c: 1}\nb:\n  <<: *x\n", ALIAS),
        (
            "b: |\n  text\na: # one\n  1 # two\n  # in\n",
            "cannot be changed in this way without changing other parts of it, such as a comment; edit it by hand",
        ),
    ],
)
@pytest.mark.parametrize("value", [CIPHERTEXT, None])
def test_a_variable_that_cannot_be_changed_alone_is_refused(
    text: str, sentence: str, value: StringValue | None
) -> None:
    with pytest.raises(InvalidFileError) as raised:
        edited(text, {"a": value})

    assert str(raised.value) == f"vars.yml {sentence}"


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
        ("a: {{ secret }}/b\n", "is not valid YAML (line 1, column 16); correct it first"),
        ("- a: 1\n", "contains a list, not variables; a vars file must be a mapping of names to values"),
        ("secret\n", "contains a single value, not variables; a vars file must be a mapping of names to values"),
        ("a: 1\n---\nb: 2\n", "contains several YAML documents, which Ansible cannot read; keep only one of them"),
        (
            "a: 1\n<<<<<<< HEAD\nb: secret\n=======\nb: x\n>>>>>>> other\n",
            "has a conflict marker on line 2; resolve the conflict first",
        ),
        (
            "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n<<<<<<< HEAD\n  61\n=======\n  62\n>>>>>>> other\n",
            "has a conflict marker on line 3; resolve the conflict first",
        ),
        (
            "<<<<<<< HEAD\n$ANSIBLE_VAULT;1.1;AES256\n61\n=======\n62\n>>>>>>> other\n",
            "has a conflict marker on line 1; resolve the conflict first",
        ),
        *(
            (
                f"{above}\n$ANSIBLE_VAULT;1.1;AES256\n61\n62\n",
                "is encrypted below its first line; remove the lines above $ANSIBLE_VAULT",
            )
            for above in ("# tokens", "---", "a: 1")
        ),
    ],
)
def test_a_text_that_is_not_a_vars_file_is_refused_without_quoting_it(text: str, sentence: str) -> None:
    with pytest.raises(InvalidFileError) as raised:
        parse(text, "vars.yml")

    assert str(raised.value) == f"vars.yml {sentence}"
    assert "secret" not in str(raised.value)
