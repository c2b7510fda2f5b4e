# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Check which names and values can become string variables."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence

from ansible import constants
from ansible.parsing.vault import is_encrypted
from ansible.vars.reserved import is_reserved_name

from .errors import InvalidVariableError

# What a long part of a name consists of, unless it is a token or a key in the wrong place: words, and then a number.
_WORDS = re.compile(r"(?:[A-Z]{0,4}[a-z]*(?:[A-Z][a-z]{2,})*(?:Ids?|ID|API|SQL|SSL)?|[A-Z]+)\d{0,3}")


def check_name(name: object, what: str) -> None:
    """Check that a name can be the name of a variable, and may be shown. Raises InvalidVariableError.

    The sentence begins with `what` and does not quote the name, because it may be a secret in the wrong place.
    """
    if not isinstance(name, str):
        raise InvalidVariableError(f"{what} is {_type(name)}, not a string; put it in quotes")
    unfit = re.search(r"[^A-Za-z0-9_]", name)
    if unfit or not name or name[0].isdigit():
        problem = f"contains the character {unfit[0]!r}" if unfit else "begins with a digit" if name else "is empty"
        raise InvalidVariableError(
            f"{what} {problem}; the name of a variable consists of ASCII letters, digits and underscores, and does not "
            "begin with a digit"
        )
    if any(len(part) >= 16 and not _WORDS.fullmatch(part) for part in name.split("_")):
        raise InvalidVariableError(
            f"{what} looks like a token or a key, and results show the names of variables; choose another name"
        )
    if keyword.iskeyword(name) or name in {"true", "false", "none"}:
        raise InvalidVariableError(f"{what} is a keyword of Python or Jinja; choose another name for the variable")
    if is_reserved_name(name) or name in constants.INTERNAL_STATIC_VARS or name == "item":
        raise InvalidVariableError(f"{what} is '{name}', which Ansible reserves; choose another name for the variable")


def check_names(names: Sequence[object]) -> None:
    """Check the value of the option `names`. Raises InvalidVariableError."""
    for position, name in enumerate(names):
        check_name(name, f"names[{position}]")


def check_variables(variables: Mapping[object, object]) -> None:
    """Check the value of the option `variables`. Raises InvalidVariableError, which contains no value."""
    for position, name in enumerate(variables, start=1):
        check_name(name, f"Name {position} in variables")
    for name, value in variables.items():
        if not isinstance(value, str):
            filtered = "to_json" if isinstance(value, (Mapping, list, tuple)) else "string"
            advice = f"a string, or use the filter '{filtered}'" if value is not None else "it a value"
            raise InvalidVariableError(f"The value of '{name}' is {_type(value)}, not a string; give {advice}")
        if is_encrypted(value):
            raise InvalidVariableError(f"The value of '{name}' is already vaulted; give it as plain text")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidVariableError(
                f"The value of '{name}' is not valid Unicode; encode it, for example as Base64"
            ) from None


def _type(value: object) -> str:
    """Return a name for the value's type. ansible-core's own types are subclasses of Python's."""
    name = next(kind.__name__ for kind in type(value).__mro__ if not kind.__module__.startswith("ansible"))
    return {"NoneType": "null", "bool": "a boolean", "int": "an integer", "dict": "a mapping"}.get(name, f"a {name}")
