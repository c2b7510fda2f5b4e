# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Turn a task's options into a client, and the outcome into the task's result."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.ansible_release import __version__ as core_version
from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.errors import AnsibleFallbackNotFound

from ._api.client import OAuthClient, TokenDetails, is_token
from ._api.errors import POSSIBLE_LOSS, LibraryMissing, OAuthError, OptionError, RequestError
from ._api.retries import Connection, HttpClient, Pacing
from ._api.words import HIDDEN, shown

try:
    from ansible.module_utils.secrets import register_secret  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # ansible-core up to 2.21

    def register_secret(value: str, /) -> str:
        return value


# The texts of a failed task that are shown, and the dictionary with the others.
_SHOWN_TEXTS = ("msg", "warnings", "error", "message", "details")

Options = Mapping[str, Any]
Result = dict[str, Any]
# What a module does, given a client, its validated options and whether this is check mode.
Work = Callable[[OAuthClient, Options, bool], Result]

# More than any play needs at once, but a limit for long loops over many projects.
MAX_OPEN_CLIENTS = 16

MAX_SECONDS = 24 * 3600

_DEFAULT_URL = "https://api.voucherify.io"
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")

# A shorter text is a placeholder, such as "none", or occurs in harmless words.
SHORTEST_SECRET = 8

# What is wrong with a text that came from a variable, by a pattern.
_MISTAKES = {
    r"""^(["']).*\1$""": "is in quotes; remove them (a file for docker --env-file, for example, must not contain any)",
    r"^\$(\w+|{\w+})$|^{{.*}}$": "is the name of a variable, such as ${NAME}, and not its value; set it to the value",
}
_UNFIT_FOR_HEADER = (
    "is empty, or contains white space or a character that cannot be sent in an HTTP header; copy it without a line"
    " break from Voucherify's dashboard, under Project settings, Application keys"
)

# galaxy.yml cannot be read on a target. A test compares the two.
VERSION = "1.0.0"
USER_AGENT = f"voucherify.oauth/{VERSION} (ansible-core/{core_version}; Python/{platform.python_version()})"


def _variable(name: str) -> str:
    """Like Ansible's env_fallback, but empty counts as not set, because CI systems set variables without a value."""
    if os.environ.get(name):
        return os.environ[name]
    raise AnsibleFallbackNotFound


def connection_argument_spec() -> dict[str, dict[str, Any]]:
    """Return the argument spec of the options that all token modules share; see the doc fragment C(connection)."""
    return {
        "app_id": {"type": "str", "required": True, "fallback": (_variable, ["VOUCHERIFY_APP_ID"])},
        "app_token": {
            "type": "str",
            "required": True,
            "no_log": True,
            "fallback": (_variable, ["VOUCHERIFY_APP_TOKEN"]),
        },
        "api_base_url": {"type": "str", "default": _DEFAULT_URL, "fallback": (_variable, ["VOUCHERIFY_API_BASE_URL"])},
        "timeout": {"type": "int", "default": 10},
        "retries": {"type": "int", "default": 3},
        "max_wait": {"type": "int", "default": 60},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        # Secret because it may contain a user name and a password.
        "proxy": {"type": "str", "no_log": True},
    }


def run(work: Work, options: Options, *, check_mode: bool) -> Result:
    """Do a module's work with a client made from its options, and return the result of the task.

    C(differences) in the result says where the API's answers differed from its documentation.
    """
    client = None
    try:
        client = _cached_client(_connection(options))
        result = work(client, options, check_mode)
    except OAuthError as error:
        result = without_secrets(failed(error), options)
    differences = client.take_differences() if client else []
    return {**result, "differences": differences} if differences else result


def let_core_mask(secret: object) -> None:
    """Let ansible-core 2.22 and newer mask a token or a key in all output of this run. Anything else is ignored."""
    if isinstance(secret, str) and len(secret) >= SHORTEST_SECRET:
        register_secret(secret)


def failed(error: OAuthError) -> Result:
    """Return the result of a task that failed because of a call or its options."""
    message = _missing_library(error.__cause__) if isinstance(error, LibraryMissing) else f"{error}"
    result: Result = {"failed": True, "changed": False, "msg": message}
    if isinstance(error, RequestError):
        result["error"] = error.as_dict()
        if error.may_have_made_a_token:
            result["warnings"] = [POSSIBLE_LOSS]
    return result


def without_secrets(result: Result, options: Options, tokens: Iterable[str] = ()) -> Result:
    """Return a failed task's result with the secrets of its options masked in the texts that are shown.

    No message contains one, so this is a second line of defense. options: validated. tokens: further secrets.
    """
    passwords = re.findall("//[^:]*:(.+)@", options["proxy"] or "")
    known = (options["app_token"], options.get("access_token"), *passwords, *tokens)
    # The longest first, because a secret may contain another.
    secrets = sorted((secret for secret in known if secret and len(secret) >= SHORTEST_SECRET), key=len, reverse=True)

    def cleaned(value: Any) -> Any:
        if isinstance(value, dict):
            return {**value, **{name: cleaned(value[name]) for name in _SHOWN_TEXTS if name in value}}
        if isinstance(value, list):
            return [cleaned(text) for text in value]
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return value

    masked: Result = cleaned(result)
    return masked


def _missing_library(cause: BaseException | None) -> str:
    if isinstance(cause, ModuleNotFoundError) and cause.name == "requests":
        return str(missing_required_lib("requests"))
    return (
        f"The Python library requests cannot be imported on {platform.node()} by {sys.executable}, although it is"
        f" installed: {shown(str(cause))}. Install versions of requests and urllib3 that work with this Python."
    )


def run_module(module: AnsibleModule, work: Work) -> None:
    """Do a module's work and end its process with the result."""
    result = run(work, module.params, check_mode=module.check_mode)
    for warning in result.pop("warnings", []):
        module.warn(warning)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


def described(details: TokenDetails) -> Result:
    """Return a token's details for a task's result, without the token itself. What the API did not say is left out."""
    known = {name: value for name, value in asdict(details).items() if value is not None}
    return {**known, "scope": list(details.scope)} if details.scope is not None else known


def bearer_token(options: Options) -> str | None:
    """Return the option C(access_token), None if it is empty. Raises OptionError if it cannot be a token."""
    token: str | None = options["access_token"] or None
    # The API would only say that it does not know the token.
    _check_mistakes("access_token", token or "")
    if token and not is_token(token):
        raise OptionError(
            "access_token contains white space or a character that cannot be sent in an HTTP header, or is too long for"
            " one; give only the token, such as access_token of a registered result."
        )
    return token


def new_client(options: Options, pacing: Pacing | None = None) -> OAuthClient:
    """Return a new client; close it after use.

    options: validated by the spec of connection_argument_spec(). Raises OptionError or LibraryMissing.
    """
    return OAuthClient(HttpClient(_connection(options), pacing))


@lru_cache(maxsize=MAX_OPEN_CLIENTS)
def _cached_client(connection: Connection) -> OAuthClient:
    """Return a new client, or the one that an earlier item of a loop used."""
    return OAuthClient(HttpClient(connection))


def _connection(options: Options) -> Connection:
    sources = {}
    for name in ("app_id", "app_token"):
        _check_mistakes(name, options[name])
        if not re.fullmatch("[!-~]+", options[name]):
            raise OptionError(f"{name} {_UNFIT_FOR_HEADER}.")
        is_variable = options[name] == os.environ.get(f"VOUCHERIFY_{name.upper()}")
        sources[name] = "the environment" if is_variable else "an option"
    for name, minimum in (("timeout", 1), ("retries", 0), ("max_wait", 0)):
        if not minimum <= options[name] <= MAX_SECONDS:
            raise OptionError(f"{name} must be from {minimum} to {MAX_SECONDS}.")
    _check_base_url(options["api_base_url"])
    given = {name: options[name] for name in connection_argument_spec()}
    given["api_base_url"] = options["api_base_url"].rstrip("/")
    mixed = "; app_id comes from {app_id}, and app_token from {app_token}".format_map(sources)
    return Connection(**given, user_agent=USER_AGENT, key_sources=mixed if len({*sources.values()}) > 1 else "")


def _check_mistakes(name: str, value: str) -> None:
    """Raises OptionError."""
    for form, mistake in _MISTAKES.items():
        if re.search(form, value):
            raise OptionError(f"{name} {mistake}.")


def _check_base_url(url: str) -> None:
    """Raises OptionError. No message quotes the URL, because it may contain a password by mistake."""
    _check_mistakes("api_base_url", url)
    try:
        parts = urlsplit(url)
        well_formed = bool(parts.scheme and parts.hostname and parts.port != 0)
    except ValueError:
        well_formed = False
    # urlsplit drops line breaks and tabs; requests reads a backslash as a slash.
    if not well_formed or not re.fullmatch(r"[!-\[\]-~]+", url):
        raise OptionError(f"api_base_url is not a URL; it must look like {_DEFAULT_URL}.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _LOOPBACK.fullmatch(parts.hostname or "")):
        raise OptionError(
            "api_base_url must begin with https://, because otherwise others could read the keys and tokens"
            " (http:// is only allowed for a loopback address)."
        )
    if re.search("[?#]", url) or "@" in parts.netloc:
        raise OptionError(
            "api_base_url must not contain a user name, a password, a query or a fragment; it must end with a host or a"
            " path, and the API key belongs in app_id and app_token."
        )
