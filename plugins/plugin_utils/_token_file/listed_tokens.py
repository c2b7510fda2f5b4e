# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The tokens that a task lists: what is required, what their variables contain, and what was done. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...module_utils import _lifecycle as lifecycle
from ...module_utils._api.client import Token, is_token
from .._arguments import TaskArgsError
from .._vars_file.content import StoredValue
from .._vars_file.errors import InvalidVariableError
from .._vars_file.names import check_name

NOT_REACHED = lifecycle.Decision(lifecycle.NONE, "The task failed before this was done.")
# The API answers the same for a token of another project or another region, so nothing more is known.
UNKNOWN = lifecycle.Decision(
    lifecycle.NONE, "The token is not active for this API key at this base URL, so there was nothing to revoke."
)
_NO_VARIABLE = lifecycle.Decision(lifecycle.NONE, "The file does not have the variable.")
_NO_TOKEN = lifecycle.Decision(lifecycle.NONE, "The variable is empty, so there was no token to revoke.")
_OWN_KEY = "this task's own app_id or app_token"
_SHARED = lifecycle.Decision(lifecycle.NONE, "Another listed variable keeps this token, so it was not revoked.")


@dataclass
class ListedToken:
    """One listed token.

    name: the variable's name. wanted: None if the token must be absent. exists: whether the file had the variable.
    token: the variable's current token, or None. vault_id: of the secret that encrypted the variable at first.
    active: what the API said about the token. done: whether this token needs no further change in the file.
    """

    name: str
    wanted: lifecycle.Wanted | None
    exists: bool = False
    token: str | None = field(default=None, repr=False)
    vault_id: str | None = None
    active: Token | None = None
    decision: lifecycle.Decision = NOT_REACHED
    done: bool = False

    @property
    def scope(self) -> tuple[str, ...] | None:
        return self.wanted.scope if self.wanted else None

    @property
    def must_be_introspected(self) -> bool:
        """Whether the decision about the token depends on what the API says about it."""
        return self.token is not None and self.wanted is not None and not self.wanted.force

    @property
    def is_to_be_made(self) -> bool:
        return not self.done and self.decision.operation in (lifecycle.GENERATED, lifecycle.REPLACED)

    def read(self, value: StoredValue | None, path: str, keys: Collection[str], in_play: object) -> None:
        """Store what the variable contains.

        value: None if the file does not have the variable. path: the file, for messages. keys: the parts of the task's
        own API key, which look like tokens. in_play: the value of the play's variable of that name, if it has one.
        Raises InvalidVariableError if the variable contains something other than a token.
        """
        self.exists = value is not None
        if value is None and in_play in keys:
            raise InvalidVariableError(
                f"The play's variable '{self.name}' is {_OWN_KEY}, and a token in {path} would hide it; choose another"
                " name for the token"
            )
        if value is None or value.kind == "null" or value.text == "":
            return
        kind, advice = value.kind, ", or remove the variable"
        if value.text in keys:
            kind, advice = _OWN_KEY, ""
        elif value.kind == "a template":
            advice = "; if it only stands for another variable, list that one"
        elif value.text is not None:
            if is_token(value.text):
                self.token, self.vault_id = value.text, value.vault_id
                return
            kind = "a string that cannot be a token"
            if is_token(value.text.strip()):
                kind, advice = "a token with white space or a line break around it", ", or remove the white space"
            elif is_token(value.text.removeprefix("Bearer ")):
                kind, advice = "the word Bearer and a token", ", or remove the word Bearer"
        raise InvalidVariableError(
            f"The variable '{self.name}' in {path} is {kind}, so it was left alone; choose another name for the"
            f" token{advice}"
        )

    def decide_present(self) -> None:
        """Decide what to do with a token that must be present, or decide again about one that was kept."""
        if not self.wanted or (self.done and self.decision.operation != lifecycle.KEPT):
            return
        details = self.active.details_now() if self.active else None
        self.decision = lifecycle.for_present(self.wanted, given=self.token is not None, details=details)
        self.done = self.decision.operation == lifecycle.KEPT

    def decide_absent(self, was_active: Mapping[str, bool | None], kept: Collection[str]) -> None:
        """Decide what was, or would be, done with a token that must be absent.

        was_active: what the API said about the tokens to revoke. kept: tokens that other listed variables keep.
        """
        if self.token is None:
            self.decision = _NO_TOKEN if self.exists else _NO_VARIABLE
        elif self.token in kept:
            self.decision = _SHARED
        else:
            active = was_active[self.token]
            self.decision = UNKNOWN if active is False else lifecycle.for_absent(active=active)
        self.active = None

    def take(self, made: Token) -> None:
        """Note that the variable has a new token."""
        self.token, self.active, self.done = made.access_token, made, True


def in_use(listed: Iterable[ListedToken]) -> set[str]:
    """Return the current tokens of the variables that must be present."""
    return {entry.token for entry in listed if entry.token and entry.wanted}


def listed_tokens(options: Mapping[str, Any]) -> list[ListedToken]:
    """Return the tokens that validated options list. Raises TaskArgsError, OptionError or InvalidVariableError."""
    if not options["tokens"]:
        raise TaskArgsError("tokens is an empty list; list at least one token")
    lifecycle.check_min_expires_in("min_expires_in", options["min_expires_in"])
    listed: dict[str, ListedToken] = {}
    for position, entry in enumerate(options["tokens"]):
        where, name = f"tokens[{position}]", entry["name"]
        check_name(name, f"{where}.name")
        # Passwords of connections have such names too, so only a token cannot.
        if name.startswith("ansible_"):
            raise TaskArgsError(f"{where}.name begins with ansible_, like Ansible's own variables; choose another name")
        if name in listed:
            raise TaskArgsError(f"{where}.name is listed twice; a variable has one token, so list each name once")
        seconds = options["min_expires_in"] if entry["min_expires_in"] is None else entry["min_expires_in"]
        wanted = lifecycle.checked(entry["scope"], seconds, options["force"], where=f"{where}.")
        is_absent = "absent" in (options["state"], entry["state"])
        listed[name] = ListedToken(name, None if is_absent else wanted)
    return list(listed.values())
