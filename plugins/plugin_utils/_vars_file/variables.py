# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Which names and values can become string variables."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping

from ansible.parsing.vault import is_encrypted
from ansible.vars.reserved import is_reserved_name

from .vault_errors import InvalidVariableError

_JINJA_WORDS = {"true", "false", "none"}


def check_names(names: Iterable[object]) -> None:
    """See to it that each is a variable's name; raises InvalidVariableError."""
    for name in names:
        if not isinstance(name, str):
            raise InvalidVariableError(f"The name {name!r} is {_type(name)}, not a string; put it in quotes")
        if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name) or name in _JINJA_WORDS:
            raise InvalidVariableError(
                f"'{name}' cannot be a variable's name; use ASCII letters, digits and underscores, no digit in front, "
                "and no word of Python's own"
            )
        if is_reserved_name(name):
            raise InvalidVariableError(f"'{name}' is reserved by Ansible; choose another name for the variable")


def check_variables(variables: Mapping[object, object]) -> None:
    """See to it that each can become a string variable; raises InvalidVariableError, which names no value."""
    check_names(variables)
    for name, value in variables.items():
        if not isinstance(value, str):
            filtered = "to_json" if isinstance(value, (Mapping, list, tuple)) else "string"
            raise InvalidVariableError(
                f"The value of '{name}' is {_type(value)}, not a string; give a string, or use the filter '{filtered}'"
            )
        if is_encrypted(value):
            raise InvalidVariableError(f"The value of '{name}' is vaulted text already; give it as plain text")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidVariableError(f"The value of '{name}' is no valid Unicode; encode it, as Base64 say") from None


def _type(value: object) -> str:
    """Python's name for the value's type: ansible-core's own types are marked kinds of those."""
    name = next(kind.__name__ for kind in type(value).__mro__ if not kind.__module__.startswith("ansible"))
    return {"NoneType": "null", "bool": "a boolean", "int": "an integer", "dict": "a mapping"}.get(name, f"a {name}")
