# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Decrypt and validate a task's options, with messages that never quote a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import MutuallyExclusiveError, RequiredError, RequiredIfError

from ..module_utils._options import let_core_mask

try:
    from ansible.parsing.vault import EncryptedString  # type: ignore[attr-defined,unused-ignore]
except ImportError:  # ansible-core up to 2.18
    from ansible.parsing.yaml.objects import (  # type: ignore[no-redef,unused-ignore]
        AnsibleVaultEncryptedUnicode as EncryptedString,
    )

Options = dict[str, Any]
Rule = Mapping[str, Any]
Spec = Mapping[str, Rule]

KEYS_HINT = "set these options, or the environment variables VOUCHERIFY_APP_ID and VOUCHERIFY_APP_TOKEN "

_FLATTEN = "a list must not contain another one; use the filter flatten"
_WANTED = {"int": "an integer", "bool": "a boolean", "list": "a list", "dict": "a mapping"}
# The messages of these errors only contain names of options. If each value is valid, ansible-core raises no others.
_NAMES_ONLY = (RequiredError, RequiredIfError, MutuallyExclusiveError)


class TaskArgsError(Exception):
    """The options of a task cannot be used. The text is a sentence without the full stop, and quotes no value."""


def validated(
    name: str, argument_spec: Spec, args: Mapping[str, Any], *, on_target: bool = False, **rules: Any
) -> Options:
    """Return the options of a task: decrypted, converted, and with defaults and fallbacks.

    name: the action's full name, for messages.
    on_target: whether a module validates them again on a target. Then fallbacks are left to the module, because they
        come from the environment there.
    rules: further arguments of ansible-core's ArgumentSpecValidator, for example required_if.
    Raises TaskArgsError.
    """
    given = decrypted(args)
    _register_secrets(argument_spec, given)
    values = list(_values(argument_spec, given))
    # With no_log, ansible-core would refuse a date in a secret option and not say where it is.
    spec = {
        option: {"type": rule["type"]} if on_target and "fallback" in rule else {**rule, "no_log": False}
        for option, rule in argument_spec.items()
    }
    try:
        validation = ArgumentSpecValidator(spec, **rules).validate(without_nulls(given))
        error = next(iter(validation.errors.errors), None)
    # ansible-core does not expect infinity.
    except (TypeError, ValueError, OverflowError) as unexpected:
        error = unexpected
    if error is None:
        options: Options = validation.validated_parameters
        return options
    for where, rule, value in values:
        _validated_alone(where, rule, value)
    if not isinstance(error, _NAMES_ONLY):
        raise TaskArgsError(f"The options of {name} cannot be used; compare them with its documentation")
    known = validation.validated_parameters
    keys_missing = any(spec.get(key, {}).get("required") and known.get(key) is None for key in ("app_id", "app_token"))
    raise TaskArgsError(f"{error}; {KEYS_HINT}on the controller" if keys_missing else str(error))


def without_nulls(options: Mapping[str, Any]) -> Options:
    """Return the entries that are not null. ansible-core would turn null into "None" in a required option."""
    return {name: value for name, value in options.items() if value is not None}


def decrypted(value: Any) -> Any:
    """Return the value with each vaulted string in it as plain text, and other strings without ansible-core's tags.

    Up to 2.18, ansible-core does not decrypt a vaulted string that is not in a template. Raises TaskArgsError if the
    run cannot decrypt one.
    """
    if isinstance(value, EncryptedString):
        try:
            return str.__str__(str(value))
        except AnsibleError:
            raise TaskArgsError(
                "An option has a vaulted value that cannot be decrypted with the vault secrets of this run; also load "
                "the secret that encrypted it"
            ) from None
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {decrypted(name): decrypted(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [decrypted(inner) for inner in value]
    return value


def _register_secrets(spec: Spec, given: Mapping[Any, Any]) -> None:
    """Let ansible-core 2.22 and newer mask the secret options.

    It would do so itself, but only if no option is refused. If one is, it prints lines of the playbook.
    """
    for option, rule in spec.items():
        value = given.get(option) if rule.get("no_log") else None
        for text in value.values() if isinstance(value, Mapping) else [value]:
            let_core_mask(text)


def _values(spec: Spec, options: Mapping[Any, Any], path: str = "") -> Iterator[tuple[str, Rule, Any]]:
    """Yield each value that is neither a list nor a mapping, with its place and its rule.

    path: the prefix of the options' names, such as C(tokens[1].). Raises TaskArgsError for what ansible-core would
    accept or could not say the position of.
    """
    unknown = options.keys() - spec.keys()
    if unknown:
        names_shown = ", ".join(sorted({_option_name(option) for option in unknown}))
        problem = f"{path[:-1]} has no option" if path else "There is no option"
        raise TaskArgsError(f"{problem} {names_shown}; the options are {', '.join(sorted(spec))}")
    for option, rule in spec.items():
        where = f"{path}{option}"
        if options.get(option) is not None:
            yield from _values_in(where, rule, options[option])
        # A list may be left out on purpose, but if it is null, its lines are often commented out.
        elif option in options and rule["type"] in ("list", "dict"):
            raise TaskArgsError(f"{where} is empty (null); give {_WANTED[rule['type']]}, or leave out the option")
        # At the top level, a fallback may still set the value, so ansible-core's validator checks that.
        elif path and rule.get("required"):
            raise TaskArgsError(f"{where} is missing")


def _values_in(where: str, rule: Rule, value: Any) -> Iterator[tuple[str, Rule, Any]]:
    kind = rule["type"]
    if kind == "list":
        for position, element in enumerate(_validated_alone(where, {"type": "list"}, value)):
            inner = f"{where}[{position}]"
            if element is None:
                raise TaskArgsError(f"{inner} is empty (null); give a value, or remove the entry")
            yield from _values_in(inner, {**rule, "type": rule["elements"]}, element)
    elif kind == "dict":
        # ansible-core would parse a string as a mapping.
        if not isinstance(value, Mapping):
            advice = "write it as {name: my_token, scope: [vouchers]}, or use the filter from_yaml on a text"
            if isinstance(value, list):
                advice = _FLATTEN
            raise TaskArgsError(f"{_wrong_type(where, kind, value)}{f'; {advice}' if 'options' in rule else ''}")
        if "options" in rule:
            yield from _values(rule["options"], value, f"{where}.")
    elif kind in ("str", "path") and isinstance(value, (Mapping, list)):
        # ansible-core would make a string of it.
        advice = "to use one value from it, name that value, such as access_token of a registered result"
        if isinstance(value, list) and where.endswith("]"):
            advice = _FLATTEN
        raise TaskArgsError(f"{where} must be a string, but it is {_kind_of(value)}; {advice}")
    else:
        yield where, rule, value


def _validated_alone(where: str, rule: Rule, value: Any) -> Any:
    """Return a value as ansible-core converts it. Raises TaskArgsError with a sentence of our own if it refuses."""
    checked = {key: rule[key] for key in ("type", "choices") if key in rule}
    try:
        validation = ArgumentSpecValidator({"value": checked}).validate({"value": value})
    except (TypeError, ValueError, OverflowError):
        raise _wrong_type(where, rule["type"], value) from None
    if not validation.error_messages:
        return validation.validated_parameters["value"]
    if "choices" in rule:
        raise TaskArgsError(f"{where} must be one of {', '.join(rule['choices'])}, but it has another value")
    raise _wrong_type(where, rule["type"], value)


def _wrong_type(where: str, kind: str, value: Any) -> TaskArgsError:
    return TaskArgsError(f"{where} must be {_WANTED.get(kind, 'a string')}, but it is {_kind_of(value)}")


def _kind_of(value: Any) -> str:
    if isinstance(value, str):
        return "a string" if value else "an empty string"
    kinds = ((Mapping, "a mapping"), (list, "a list"), (bool, "a boolean"), ((int, float), "a number"))
    return next((words for kind, words in kinds if isinstance(value, kind)), "something else")


def _option_name(name: Any) -> str:
    """Return the name of an unknown option, unless it looks like a value in the wrong place."""
    return name if isinstance(name, str) and re.fullmatch("[a-z][a-z_]{0,39}", name) else "with the name that was given"
