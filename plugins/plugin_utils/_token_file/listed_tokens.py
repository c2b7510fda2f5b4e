# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The tokens that a task lists: what is required, what their variables contain, and what was done. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.voucherify.oauth.plugins.module_utils import _lifecycle as lifecycle
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import is_token
from ansible_collections.voucherify.oauth.plugins.plugin_utils._arguments import TaskArgsError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.variables import check_name
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_content import StoredValue
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_errors import InvalidVariableError

from .calls import Made, Reading

_NO_VARIABLE = lifecycle.Decision(lifecycle.NONE, "The file does not have the variable.")
_NO_TOKEN = lifecycle.Decision(lifecycle.NONE, "The variable is empty, so there was no token to revoke.")
_SHARED = lifecycle.Decision(lifecycle.NONE, "Another listed variable keeps this token, so it was not revoked.")
_NOT_REACHED = lifecycle.Decision(lifecycle.NONE, "The task failed before this was done.")
# The API answers the same for a token of another project or another region, so nothing more is known.
_INACTIVE = lifecycle.Decision(
    lifecycle.NONE, "The token is not active for this API key at this base URL, so there was nothing to revoke."
)


class TransactionFailed(Exception):
    """A task with listed tokens failed. The text is the message; error has details for programs, if there are any."""

    def __init__(self, message: str, cause: Exception | None = None) -> None:
        super().__init__(message)
        as_dict = getattr(cause, "as_dict", None)
        self.error: Mapping[str, Any] | None = as_dict() if as_dict else None


@dataclass
class ListedToken:
    """One listed token.

    name: the variable's name. wanted: None if the token must be absent. exists: whether the file has the variable.
    token: the variable's current token, or None. done: whether this token needs no further change in the
    file. written: whether this task wrote the variable, or would write it in check mode.
    """

    name: str
    wanted: lifecycle.Wanted | None
    exists: bool = False
    token: str | None = field(default=None, repr=False)
    reading: Reading | None = None
    decision: lifecycle.Decision = _NOT_REACHED
    done: bool = False
    vault_id: str | None = None
    written: bool = False

    @property
    def scope(self) -> tuple[str, ...] | None:
        return self.wanted.scope if self.wanted else None

    @property
    def must_be_introspected(self) -> bool:
        """Whether the decision about the token depends on what the API says about it."""
        return self.token is not None and self.wanted is not None and not self.wanted.force

    @property
    def may_be_active(self) -> bool:
        return self.reading is not None or not self.must_be_introspected

    @property
    def is_to_be_made(self) -> bool:
        return not self.done and self.decision.operation in (lifecycle.GENERATED, lifecycle.REPLACED)

    def read(self, value: StoredValue | None, path: str) -> str | None:
        """Store what the variable contains, and return its token or None.

        value: None if the file does not have the variable. path: the file, for messages.
        Raises InvalidVariableError if the variable contains something other than a token.
        """
        self.exists = value is not None
        if value is None or value.kind == "null" or value.text == "":
            return None
        if value.text is None or not is_token(value.text):
            kind = value.kind if value.text is None else "a string that cannot be a token"
            raise InvalidVariableError(
                f"The variable '{self.name}' in {path} is {kind}, so it was left alone; choose another name for the"
                " token, or remove the variable"
            )
        self.token, self.vault_id = value.text, value.vault_id
        return self.token

    def decide_present(self) -> None:
        """Decide what to do with a token that must be present, based on what the API said about it."""
        if not self.wanted:
            return
        details = self.reading.now() if self.reading else None
        self.decision = lifecycle.for_present(self.wanted, given=self.token is not None, details=details)
        self.done = self.decision.operation == lifecycle.KEPT

    def decide_absent(self, was_active: Mapping[str, bool | None], kept: set[str]) -> None:
        """Decide what was, or would be, done with a token that must be absent.

        was_active: what the API said about the tokens to revoke. kept: tokens that other listed variables keep.
        """
        if self.token is None:
            self.decision = _NO_TOKEN if self.exists else _NO_VARIABLE
        elif self.token in kept:
            self.decision = _SHARED
        else:
            active = was_active[self.token]
            self.decision = _INACTIVE if active is False else lifecycle.for_absent(active=active)
        self.reading = None

    def take(self, made: Made) -> None:
        """Note that the variable has a new token."""
        self.token, self.reading, self.done = made.access_token, made.reading, True

    def result(self, *, failed: bool) -> dict[str, Any]:
        """Return the entry for the task's result: everything except the token."""
        decision = _NOT_REACHED if failed and not self.done else self.decision
        details = self.reading.now() if self.reading else None
        return {
            "name": self.name,
            "operation": decision.operation,
            "reason": decision.reason,
            "scope": list(details.scope) if details and details.scope is not None else None,
            "expires_at": details.expires_at if details else None,
            "expires_in": details.expires_in if details else None,
            "vault_id": self.vault_id,
            "written": self.written,
        }


def in_use(listed: Iterable[ListedToken]) -> set[str]:
    """Return the current tokens of the variables that must be present."""
    return {entry.token for entry in listed if entry.token and entry.wanted}


def progress(listed: Iterable[ListedToken], path: str) -> str:
    """Return a sentence for a failure that says how many tokens are good; empty for none or all of them."""
    present = [entry for entry in listed if entry.wanted]
    good = sum(entry.done for entry in present)
    if good in (0, len(present)):
        return ""
    return f" {path} contains {good} of the {len(present)} tokens; the next run continues from there."


def listed_tokens(options: Mapping[str, Any]) -> list[ListedToken]:
    """Return the tokens that validated options list. Raises TaskArgsError or OptionError."""
    if not options["tokens"]:
        raise TaskArgsError("tokens is an empty list; list at least one token")
    lifecycle.check_min_expires_in("min_expires_in", options["min_expires_in"])
    listed: list[ListedToken] = []
    for position, entry in enumerate(options["tokens"]):
        where = f"tokens[{position}]"
        wanted = _wanted(options, entry, where)
        check_name(entry["name"], f"{where}.name")
        if entry["name"] in {other.name for other in listed}:
            raise TaskArgsError(f"{where}.name is listed twice; a variable has one token, so list each name once")
        listed.append(ListedToken(entry["name"], wanted))
    return listed


def _wanted(options: Mapping[str, Any], entry: Mapping[str, Any], where: str) -> lifecycle.Wanted | None:
    if entry["scope"] is not None:
        lifecycle.check_scope(f"{where}.scope", entry["scope"])
    seconds = options["min_expires_in"]
    if entry["min_expires_in"] is not None:
        seconds = entry["min_expires_in"]
        lifecycle.check_min_expires_in(f"{where}.min_expires_in", seconds)
    if "absent" in (options["state"], entry["state"]):
        return None
    return lifecycle.Wanted(None if entry["scope"] is None else tuple(entry["scope"]), seconds, options["force"])
