# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""From a task's options to a client, and from what came of it to a task's result."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.errors import AnsibleFallbackNotFound

from ._errors import LibraryMissing, OAuthError, OptionError, RequestError
from ._http import Connection, HttpClient, Keys
from ._oauth import OAuthClient, TokenDetails

try:
    from ansible.module_utils.secrets import register_secret  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # ansible-core up to 2.21

    def register_secret(value: str, /) -> str:
        return value


Options = Mapping[str, Any]
Result = dict[str, Any]
# What a module does with a client, its validated options and whether this is check mode.
Work = Callable[[OAuthClient, Options, bool], Result]

# More than any play needs at once, yet an end to what a long loop over many projects can pile up.
MAX_OPEN_CLIENTS = 16


def _environment(*names: str) -> str:
    """Like Ansible's env_fallback, but an empty variable counts as not set: CI systems set even what has no value."""
    for name in names:
        if os.environ.get(name):
            return os.environ[name]
    raise AnsibleFallbackNotFound


def connection_argument_spec() -> dict[str, dict[str, Any]]:
    """Return the argument spec of the options that every module shares, documented in the fragment C(connection)."""
    return {
        "app_id": {"type": "str", "required": True, "fallback": (_environment, ["VOUCHERIFY_APP_ID"])},
        "app_token": {
            "type": "str",
            "required": True,
            "no_log": True,
            "fallback": (_environment, ["VOUCHERIFY_APP_TOKEN"]),
        },
        "api_base_url": {
            "type": "str",
            "default": "https://api.voucherify.io",
            "fallback": (_environment, ["VOUCHERIFY_API_BASE_URL"]),
        },
        "timeout": {"type": "int", "default": 10},
        "retries": {"type": "int", "default": 3},
        "max_wait": {"type": "int", "default": 60},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        # Secret because it may hold a user name and a password.
        "proxy": {"type": "str", "no_log": True},
    }


def run(work: Work, options: Options, *, check_mode: bool) -> Result:
    """Do a module's work with a client made from its options, and return the result of the task.

    This is the one place where an exception of this collection becomes a failed task.
    """
    try:
        result = work(_client(_connection(options), _keys(options)), options, check_mode)
        if "access_token" in result:
            # Options that are secret ansible-core registers by itself.
            register_secret(result["access_token"])
        return result
    except LibraryMissing as error:
        return {"failed": True, "changed": False, "msg": missing_required_lib(str(error))}
    except RequestError as error:
        return {"failed": True, "changed": False, "msg": str(error), "error": error.as_dict()}
    except OAuthError as error:
        return {"failed": True, "changed": False, "msg": str(error)}


def run_module(module: AnsibleModule, work: Work) -> None:
    """Do a module's work and end its process with the result."""
    result = run(work, module.params, check_mode=module.check_mode)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


def described(details: TokenDetails) -> Result:
    """Return what a task tells of a token, the token itself excepted."""
    return {**asdict(details), "scope": list(details.scope)}


def bearer_token(options: Options) -> str | None:
    """Return the option C(access_token), None where it is empty. Raises OptionError for what cannot be a token."""
    token: str | None = options["access_token"] or None
    # What a request can carry (RFC 6750, section 2.1). The API would only say that it does not know the token.
    if token and not re.fullmatch(r"[\w.~+/-]+=*", token, re.ASCII):
        raise OptionError(
            "access_token holds white space or a character that no token has; give the token alone, such as"
            " access_token of a registered result."
        )
    return token


@lru_cache(maxsize=MAX_OPEN_CLIENTS)
def _client(connection: Connection, keys: Keys) -> OAuthClient:
    return OAuthClient(HttpClient(connection, keys))


def _keys(options: Options) -> Keys:
    for name in ("app_id", "app_token"):
        if not options[name]:
            raise OptionError(f"{name} is empty; take it from the API keys in the settings of the Voucherify project.")
        if not re.fullmatch(r"[!-~]+", options[name]):
            raise OptionError(
                f"{name} holds white space or a character that no HTTP header can carry;"
                " often it is a line end that was copied with it."
            )
    return Keys(options["app_id"], options["app_token"])


def _connection(options: Options) -> Connection:
    for name, least in (("timeout", 1), ("retries", 0), ("max_wait", 0)):
        if options[name] < least:
            raise OptionError(f"{name} is {options[name]}; it must be {least} or more.")
    if options["ca_path"] and not os.path.exists(options["ca_path"]):
        raise OptionError(f"ca_path is {options['ca_path']}, and there is no such file.")
    return Connection(
        base_url=_base_url(options["api_base_url"]),
        **{name: options[name] for name in ("timeout", "retries", "max_wait", "validate_certs", "ca_path", "proxy")},
    )


def _base_url(url: str) -> str:
    """Check a base URL without ever quoting it, for it may hold a password by mistake. Raises OptionError."""
    try:
        parts = urlsplit(url)
        well_formed = bool(parts.scheme and parts.hostname and (parts.port is None or parts.port > 0))
    except ValueError:
        well_formed = False
    # urlsplit drops line ends and tabs; requests reads a backslash as a slash.
    if not well_formed or not re.fullmatch(r"[!-\[\]-~]+", url):
        raise OptionError("api_base_url is no URL; it looks like https://api.voucherify.io.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise OptionError(
            "api_base_url must begin with https://, or the keys and tokens could be read on the way"
            " (http:// is for a loopback address only)."
        )
    if "@" in parts.netloc:
        raise OptionError("api_base_url must not hold a user name or a password; app_id and app_token say who calls.")
    if "?" in url or "#" in url:
        raise OptionError("api_base_url must not hold a query or a fragment; it ends with a host or a path.")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
