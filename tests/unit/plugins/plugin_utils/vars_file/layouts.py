# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vars files as people write them, with marks around the values.

A value is «like this». A block of text or a nested value has two marked parts: what stands on the key's line, and the
lines below. Between them can be a comment. So a test knows, without parsing YAML, which characters may change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LAYOUTS: dict[str, str] = {
    "no final newline": "a: «old»\nb: «2»",
    "comments in every place": "# top\n---\n# above\n\na: «old»  # behind\n# below\n\n\nb: «2» # behind b\n\n# last\n",
    "a comment directly below": "a: «old»\n# below\nb: «2»\n# below b\n",
    "a comment below, further in": "a: «old»\n  # below\nb: «2»\n",
    "vaulted": "a: «!vault |»«\n  $ANSIBLE_VAULT;1.1;AES256\n  6161\n  62»\nb: «2»\n",
    "a comment behind the tag": (
        "a: «!vault |»  # rotated in May«\n  $ANSIBLE_VAULT;1.1;AES256\n  6161»\nb: «!vault |» # by Ann«\n"
        "          $ANSIBLE_VAULT;1.2;AES256;dev\n          6161»\n"
    ),
    "comments below a vaulted value": (
        "a: «!vault |»«\n          $ANSIBLE_VAULT;1.1;AES256\n          6161»\n# below\n\n# of b\nb: «!vault |»«\n"
        "          $ANSIBLE_VAULT;1.1;AES256\n          6161»\n# the end\n"
    ),
    "an indented comment below a vaulted value": (
        "a: «!vault |»«\n    $ANSIBLE_VAULT;1.1;AES256\n    6161»\n  # below\nb: «2»\n"
    ),
    "empty lines below a vaulted value": (
        "a: «!vault |»«\n    $ANSIBLE_VAULT;1.1;AES256\n    6161»\n\n\nb: «!vault |»«\n    $ANSIBLE_VAULT;1.1;AES256\n"
        "    6161»\n\n\n\n# end\n"
    ),
    "stripped": "a: «!vault |-»«\n  $ANSIBLE_VAULT;1.1;AES256\n  6161»\n\nb: «2»\n",
    "vaulted without a final newline": "b: «2»\na: «!vault |»«\n  $ANSIBLE_VAULT;1.1;AES256\n  6161»",
    "Windows": (
        "---\r\n# top\r\na: «old»  # behind\r\nb: «!vault |»«\r\n  $ANSIBLE_VAULT;1.1;AES256\r\n  6161»\r\n# end\r\n"
    ),
    "old Macintosh": "# top\ra: «old»\rb: «2»\r",
    "next lines": "# top\x85a: «old»\x85b: «2»\x85",
    "line separators": "# top\u2028a: «old»\n# above\u2029b: «2»\n",
    "literal block": "a: «|»«\n  line one\n    line two # no comment\n\n  end»\nb: «2»\n",
    "folded block": "a: «>-»  # folded«\n  line one\n  line two»\n\n# of b\nb: «2»\n",
    "indentation indicator": "a: «|2»«\n   one more\n  end»\nb: «2»\n",
    "kept empty lines": "a: «|+»«\n  text»\n\n\nb: «2»\n",
    "quoted": "a: «\"old # no comment\"»  # behind\nb: «'it''s'»# close\nc: «''»\n",
    "quoted on several lines": 'a: «"on\n  # two\n  lines"»  # behind\nb: «2»\n',
    "plain on several lines": "a: «on\n  two\n\n  lines»  # behind\nb: «2»\n",
    "value on the next line": "a:«»  # why«\n  old»\nb: «2»\n",
    "quoted keys": "'a': «old»\n\"b\" : «2»\nc   : «3»\n",
    "keys that YAML takes for others": "'yes': «1»\n\"null\": «2»\n1: x\nno: y\na: «old»\n",
    "aligned values": "a:        «old»   # one\nlong_one: «2»     # two\n",
    "missing values": "a:«»\nb:«» # to do\nc: «~»\n",
    "tags and anchors": "a: «!!str 12»\nb: «&unused text»\nc: «!unsafe '{{ raw }}'»\nd: «! x»\n",
    "comments behind tags and anchors": (
        "a: «&x»  # why«\n  - v»\nb: «!!str» # by Ann«\n  old»\nc: «!unsafe» # raw«\n  '#'»\n"
        "d: «&y !!map» # y«\n  k: 1»\ne: «!!str»  # none\nf: «&z a#b» # c\n"
    ),
    "no comment behind a no-break space": "a: «\u00a0#old»\nb: «2»\n",
    "set above the last comment": "b: «2»\na:«»«\n  ? x\n  ? y»\n\n# the end:",
    "long list": "a:«»«\n" + "".join(f"  - item {number}\n" for number in range(200))[:-1] + "»\nb: «2»\n",
    "list at the key's indentation": "a:«»  # all of them«\n- 1\n- b: 2\n  c: 3\n-»\n# of b\nb: «2»\n",
    "nested mapping": "a:«»«\n  x: 1\n  y: [a, b]\n  z:\n    deep: {q: r}»\n\n# of b\nb: «2»\n",
    "comments below a nested value": "a:«»«\n  x: 1\n  # in between\n  y: 2»\n  # at the end\n# of b\nb: «2»\n",
    "a nested block of text": "a:«»«\n  - |\n    text\n    more»\n\n# of b\nb: «2»\n",
    "flow values": "a: «[1, 2,\n  {x: y}, # in\n  z]»  # behind\nb: «{q: r}»\nc: «[]»\n",
    "complex keys inside": "a:«»«\n  ? x\n  : y\n  ? z»\n# of b\nb: «2»\n",
    "alias": "base: &base {x: 1}\na: «*base»  # same\nb: «2»\n",
    "merge keys": "base: &base\n  x: 1\na:«»«\n  <<: *base\n  y: 2»\nb:«»«\n  <<: *base»\n",
    "an alias at the end": "base: &base 1\na:«»«\n  - x\n  - *base»\n# below\nb: «2»\n",
    "directive": "%YAML 1.1\n---\na: «old»\nb: «2»\n",
    "tabs": "a:\t«old»\t# behind\nb: «2»\t\n# c\td\n",
    "other scripts": "# 日本\na: «grüße 😀»  # für später\nb: «日本»\n# ☕\n",
    "text separators inside a value": 'a: «"x\u2028y"»\nb: «z»\n',
    "templates": "a: «\"{{ lookup('env', 'A') }}\"»\nb: «'{% if x %}y{% endif %}'»\nc: «!unsafe '{# x #}'»\n",
    "colons and hashes in values": "a: «http://x:80/#y»\nb: «C:\\path»\nc: «a#b»   #c\n",
    "blanks at line ends": "a: «old»   \nb: «!vault |»   «\n  $ANSIBLE_VAULT;1.1;AES256\n  6161»  \n\nc: «3» \n",
}
"""Layouts in which each variable can be replaced and removed, and one can be added."""

REFUSED: dict[str, tuple[str, str]] = {
    "JSON": ('{"a": "old"}\n', "replace a, remove a, add"),
    "flow mapping": ("---\n{a: old, b: 2}\n", "replace a, remove a, add"),
    "comment in braces": ("---\n{\n  # tokens\n}\n", "add"),
    "end marker": ("---\na: «old»\nb: «2»\n...\n", "add"),
    "end marker and comment": ("---\na: «old»\nb: «2»\n... # end\n# last\n", "add"),
    "indented top level": ("  a: «old»\n  b: «2»\n", "add"),
    "block of text without a final newline": ("a: «old»\nb: |\n  text", "add"),
    "explicit key": ("? a\n: old\nb: «2»\n", "replace a, remove a"),
    "lines that end in separators": ("a: «old»\u2028b: «2»\u2028", "replace a, replace b"),
    "anchor that is used": ("a: &x old\nb: *x\nc: «3»\n", "replace a, remove a"),
    "anchor that is merged": ("a: &x\n  q: 1\nb:\n  <<: *x\nc: «3»\n", "replace a, remove a"),
    "set twice": ("a: 1\nb: «2»\na: 3\n", "replace a, remove a"),
    "comments at the key and behind": ("a: # why\n  old # behind\nb: «2»\n", "replace a"),
    "comments around and behind a nested value": ("a:  # why\n  # first\n  - x\nb: «2»\n", "replace a"),
    "indented comment below, under a block of text": ("c: |\n  text\na: «old»\n  # in\nb: «2»\n", "remove a"),
    "empty lines below, under a block of text": ("c: |+\n  text\na: «old»\n\nb: «2»\n", "remove a"),
    "a comment as far in as a ciphertext": ("a: «old»\n            # in\nb: «2»\n", "replace a"),
    "only an end marker would remain": ("a: «old»\n...\n", "remove a, add"),
}
"""Layouts in which some edits are refused; a mark says that the others work."""

_BREAKS = "\r\n|[\n\r\x85\u2028\u2029]"


@dataclass(frozen=True)
class Layout:
    """A layout without its marks, and where its values are."""

    marked: str

    @property
    def text(self) -> str:
        return re.sub("[«»]", "", self.marked)

    @property
    def newline(self) -> str:
        found = re.search("\r\n|[\n\r\x85]", self.text)
        return found.group() if found else "\n"

    def names(self) -> list[str]:
        return [name for name, _parts in self._values()]

    def replaced(self, name: str, lines: list[str]) -> str:
        """Return the text with a ciphertext as the variable's value."""
        before, value, between, below, after = dict(self._values())[name]
        gap = "" if before.endswith((" ", "\t")) else " "
        comment = between.strip(" \t")
        blanks = between[: len(between) - len(between.lstrip(" \t"))].replace("\t", " ") or " "
        indent = self._indent(value, below) or next(filter(None, self._indents()), 10)
        ciphertext = "".join(f"{self.newline}{' ' * indent}{line}" for line in lines)
        return f"{before}{gap}!vault |{blanks + comment if comment else ''}{ciphertext}{after}"

    def removed(self, name: str) -> str:
        before, _value, _between, _below, after = dict(self._values())[name]
        start = max((match.end() for match in re.finditer(_BREAKS, before)), default=0)
        return before[:start] + re.sub(f"\\A(?:{_BREAKS})", "", after)

    def added(self, name: str, lines: list[str]) -> str:
        indent = next(filter(None, self._indents()), 10)
        text = self.text
        end = "" if re.search(f"(?:{_BREAKS})\\Z", text) else self.newline
        ciphertext = "".join(f"{self.newline}{' ' * indent}{line}" for line in lines)
        return f"{text}{end}{name}: !vault |{ciphertext}{self.newline}"

    def vaulted(self, lines: list[str]) -> Layout:
        """Return the layout with a ciphertext as the value of each marked variable."""
        marked = self.marked
        for name in self.names():
            before, _value, between, below, after = Layout(marked)._parts(name)
            gap = "" if before.endswith((" ", "\t")) else " "
            blanks = " " if between.lstrip(" \t").startswith("#") and between[0] in "#\t" else ""
            below = "".join(f"{self.newline}    {line}" for line in lines)
            marked = f"{before}{gap}«!vault |»{blanks}{between.lstrip(chr(9))}«{below}»{after}"
        return Layout(marked)

    def _values(self) -> list[tuple[str, tuple[str, str, str, str, str]]]:
        def bare(parts: tuple[str, ...]) -> tuple[str, str, str, str, str]:
            before, value, between, below, after = (re.sub("[«»]", "", part) for part in parts)
            return before, value, between, below, after

        names = [match.group(1) for match in re.finditer(r"[\"']?(\w+)[\"']?[ \t]*:[ \t]*«", self.marked)]
        return [(name, bare(self._parts(name))) for name in names]

    def _parts(self, name: str) -> tuple[str, str, str, str, str]:
        """Return the marked text before the value, the value on the key's line, what is behind it, the lines of the
        value below, and the rest."""
        match = re.search(rf"(?<!\w)[\"']?{name}[\"']?[ \t]*:[ \t]*(?=«)", self.marked)
        assert match
        before, rest = self.marked[: match.end()], self.marked[match.end() :]
        value, rest = rest[1:].split("»", 1)
        between = re.split(f"(?={_BREAKS})|(?=«)|\\Z", rest, maxsplit=1)[0]
        rest = rest[len(between) :]
        below = ""
        if rest.startswith("«"):
            below, rest = rest[1:].split("»", 1)
            rest = re.sub(r"\A[ \t]+", "", rest)
        return before, value, between, below, rest

    def _indents(self) -> list[int]:
        return [self._indent(parts[1], parts[3]) for _name, parts in reversed(self._values())]

    @staticmethod
    def _indent(value: str, below: str) -> int:
        lines = re.split(_BREAKS, below)
        return len(lines[1]) - len(lines[1].lstrip(" ")) if value.startswith("!vault") and len(lines) > 1 else 0
