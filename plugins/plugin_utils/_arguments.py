# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Decrypt and validate a task's options, with messages that never quote a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.common.validation import (
    check_type_bool,
    check_type_float,
    check_type_int,
    check_type_list,
)
from ansible.module_utils.errors import MutuallyExclusiveError, RequiredError, RequiredIfError
from ansible.utils.display import Display
from ansible_collections.voucherify.oauth.plugins.module_utils._api.quotable import looks_random
from ansible_collections.voucherify.oauth.plugins.module_utils._options import let_core_mask
from ansible_collections.voucherify.oauth.plugins.plugin_utils._masks import SHORTEST_SECRET

try:
    from ansible.parsing.vault import EncryptedString  # type: ignore[attr-defined,unused-ignore]
except ImportError:  # ansible-core up to 2.18
    from ansible.parsing.yaml.objects import (  # type: ignore[no-redef,unused-ignore]
        AnsibleVaultEncryptedUnicode as EncryptedString,
    )

Options = dict[str, Any]
Spec = Mapping[str, Mapping[str, Any]]

_WANTED = {"int": "an integer", "float": "a number", "bool": "a boolean", "list": "a list", "dict": "a mapping"}
_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "int": check_type_int,
    "float": check_type_float,
    "bool": check_type_bool,
    "list": check_type_list,
}
# More than in names such as myApp2Token3, and fewer than in nearly all tokens.
_PLACES_WITH_DIGITS = 3
# The messages of these errors only contain names of options. With correct types, ansible-core raises no others.
_NAMES_ONLY = (RequiredError, RequiredIfError, MutuallyExclusiveError)


KEYS_HINT = "set these options, or the environment variables VOUCHERIFY_APP_ID and VOUCHERIFY_APP_TOKEN "


class TaskArgsError(Exception):
    """The options of a task cannot be used. The text is a sentence without the full stop, and quotes no value.

    missing: the names of required options that were set neither in the task nor in the environment.
    """

    def __init__(self, message: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.missing = missing

    def with_hint(self, where: str) -> str:
        """Return the text, and where to set the keys if they are missing. where: where the work is done."""
        return f"{self}; {KEYS_HINT}{where}" if {"app_id", "app_token"} & set(self.missing) else f"{self}"


def validated(
    name: str, argument_spec: Spec, args: Mapping[str, Any], *, on_target: bool = False, **rules: Any
) -> Options:
    """Return the options of a task: decrypted, converted, and with defaults and fallbacks.

    name: the action's full name, for messages.
    on_target: whether a module validates them again on a target. Then fallbacks are left to the module, because they
        come from the environment there, and so are warnings and deprecations.
    rules: further arguments of ansible-core's ArgumentSpecValidator, for example required_if.
    Raises TaskArgsError.
    """
    given = decrypted(args)
    _register_secrets(argument_spec, given)
    _check_options(argument_spec, given)
    spec = _without_fallbacks(argument_spec) if on_target else argument_spec
    validation = ArgumentSpecValidator(spec, **rules).validate(without_nulls(given))
    for error in validation.errors.errors:
        if not isinstance(error, _NAMES_ONLY):
            raise TaskArgsError(f"The options of {name} cannot be used; compare them with its documentation")
        known = validation.validated_parameters
        missing = (option for option, rule in spec.items() if rule.get("required") and known.get(option) is None)
        raise TaskArgsError(str(error), tuple(missing) if isinstance(error, RequiredError) else ())
    if not on_target:
        _forward_warnings(validation)
    options: Options = validation.validated_parameters
    return options


def _register_secrets(spec: Spec, given: Mapping[Any, Any]) -> None:
    """Let ansible-core 2.22 and newer mask the secret options.

    It would do so itself, but only if no option is refused. If one is, it prints lines of the playbook.
    """
    for option, rule in spec.items():
        value = given.get(option) if rule.get("no_log") else None
        for text in value.values() if isinstance(value, Mapping) else [value]:
            if isinstance(text, str) and len(text) >= SHORTEST_SECRET:
                let_core_mask(text)


def check_no_secret(name: str, what: str) -> None:
    """Check that the name for a new variable does not look like a token or a key. Raises TaskArgsError.

    what: begins the sentence, which does not quote the name.
    """
    if any(looks_random(part, _PLACES_WITH_DIGITS) for part in name.split("_")):
        raise TaskArgsError(
            f"{what} looks like a token or a key, and results show the names of variables; choose another name"
        )


def without_nulls(options: Mapping[str, Any]) -> Options:
    """Return the options that are not null. ansible-core would turn null into "None" in a required option."""
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


def _check_options(spec: Spec, options: Mapping[Any, Any], path: str = "") -> None:
    """Check names, types and choices, including those of suboptions.

    path: the prefix of their names, such as C(tokens[1].).
    """
    names = {option: (option, *rule.get("aliases", ())) for option, rule in spec.items()}
    unknown = set(options) - {alias for aliases in names.values() for alias in aliases}
    if unknown:
        names_shown = ", ".join(sorted({_option_name(option) for option in unknown}))
        problem = f"{path[:-1]} has no option" if path else "There is no option"
        raise TaskArgsError(f"{problem} {names_shown}; the options are {', '.join(sorted(spec))}")
    for option, rule in spec.items():
        used = [alias for alias in names[option] if alias in options]
        for alias in used:
            _check_value(f"{path}{alias}", rule, options[alias])
        # At the top level, a fallback may still set the value, so ansible-core's validator checks that.
        if path and rule.get("required") and not [alias for alias in used if options[alias] is not None]:
            raise TaskArgsError(f"{path}{option} is missing")


def _check_value(where: str, rule: Mapping[str, Any], value: Any) -> None:
    kind = rule.get("type", "str")
    if value is None:
        # A list may be left out on purpose, but if it is null, its lines are often commented out.
        if kind in ("list", "dict"):
            raise TaskArgsError(f"{where} is empty (null); give {_WANTED[kind]}, or leave out the option")
        return
    converted = _converted(where, kind, value)
    elements = rule.get("elements", "raw")
    if kind == "list":
        for position, element in enumerate(converted):
            inner = f"{where}[{position}]"
            if element is None and elements != "raw":
                raise TaskArgsError(f"{inner} is empty (null); give a value, or remove the entry")
            _check_value(inner, {**rule, "type": elements, "elements": "raw"}, element)
    elif kind == "dict" and rule.get("options"):
        _check_options(rule["options"], value, f"{where}.")
    elif rule.get("choices") and converted not in rule["choices"]:
        raise TaskArgsError(f"{where} must be one of {', '.join(map(str, rule['choices']))}, but it has another value")


def _converted(where: str, kind: str, value: Any) -> Any:
    """Return the value as ansible-core converts it, for these checks. Raises TaskArgsError if that would be wrong.

    ansible-core would turn a mapping or a list into a string, and parse a string as a mapping.
    """
    if kind == "dict" and not isinstance(value, Mapping):
        raise TaskArgsError(f"{where} must be a mapping, but it is {_kind_of(value)}")
    if kind in ("str", "path") and isinstance(value, (Mapping, list)):
        raise TaskArgsError(
            f"{where} must be a string, but it is {_kind_of(value)}; to use one value from it, name that value, such as"
            " access_token of a registered result"
        )
    if kind == "str":
        return str(value)
    if kind not in _CONVERSIONS:
        return value
    try:
        return _CONVERSIONS[kind](value)
    # ansible-core does not expect infinity.
    except (TypeError, ValueError, OverflowError):
        raise TaskArgsError(f"{where} must be {_WANTED[kind]}, but it is {_kind_of(value)}") from None


def _kind_of(value: Any) -> str:
    if isinstance(value, str):
        return "a string" if value else "an empty string"
    kinds = ((Mapping, "a mapping"), (list, "a list"), (bool, "a boolean"), ((int, float), "a number"))
    return next((words for kind, words in kinds if isinstance(value, kind)), "something else")


def _option_name(name: Any) -> str:
    """Return the name of an unknown option, unless it looks like a value in the wrong place."""
    return name if isinstance(name, str) and re.fullmatch("[a-z][a-z_]{0,39}", name) else "with the name that was given"


def _without_fallbacks(spec: Spec) -> Spec:
    return {
        option: {key: value for key, value in rule.items() if key not in ("required", "fallback")}
        if "fallback" in rule
        else rule
        for option, rule in spec.items()
    }


def _forward_warnings(validation: ValidationResult) -> None:
    """Show the warnings that AnsibleModule would put into a module's result."""
    display = Display()
    for deprecation in validation._deprecations:
        display.deprecated(
            deprecation["msg"],
            version=deprecation.get("version"),
            date=deprecation.get("date"),
            collection_name=deprecation.get("collection_name"),
        )
    for warning in validation._warnings:
        display.warning(f"Both option {warning['option']} and its alias {warning['alias']} are set.")
