#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: voucherify_oauth_token
short_description: Manage Voucherify OAuth tokens
version_added: 1.0.0
description:
  - With O(state=present), keeps the token in O(access_token) if it is still good. Otherwise, or if there is no token,
    generates a new one.
  - With O(state=absent), revokes the token in O(access_token).
  - A token lives for 15 minutes, cannot be extended, and counts toward the project's limit of 1000 tokens. A lost
    token can be neither listed nor revoked, so pass each token to this module again or revoke it.
  - Secrets are never printed; you do not need C(no_log). A successful result is not shown at any verbosity, but can be
    registered and used. Failures stay readable; in a loop only the message is shown.
author:
  - The voucherify.oauth contributors (@voucherifyio)
extends_documentation_fragment:
  - voucherify.oauth.connection
options:
  state:
    description:
      - V(present) makes sure that there is a good token.
      - V(absent) makes sure that the token in O(access_token) can no longer be used.
    type: str
    choices:
      - present
      - absent
    default: present
  access_token:
    description:
      - The current token, for example from an earlier run. An empty string counts as not set.
      - Required with O(state=absent).
    type: str
  scope:
    description:
      - What the token may be used for, for example V(vouchers). A scope gives access to the paths of that name, so
        C(GET /v1/vouchers) needs V(vouchers).
        U(https://docs.voucherify.io/api-reference/oauth/generate-oauth-20-token) lists the scopes.
      - A token is kept only if it has exactly these scopes, in any order. Case is ignored.
      - If not set, the API decides what a new token may be used for, and a token with any scope is kept.
    type: list
    elements: str
  grant_type:
    description: The OAuth 2.0 grant type. The API supports only V(client_credentials).
    type: str
    choices:
      - client_credentials
    default: client_credentials
  min_expires_in:
    description: Minimum remaining lifetime of a kept token, in seconds, from V(0) to V(899).
    type: int
    default: 60
  force:
    description: Whether to replace the token in O(access_token) even if it is still good.
    type: bool
    default: false
  revoke_replaced:
    description:
      - Whether to revoke the token in O(access_token) after a new one was generated in its place.
      - If that fails, the task warns and still returns the new token.
    type: bool
    default: false
attributes:
  idempotent:
    description: When run twice in a row with the same options, the second time changes nothing.
    support: partial
    details: Pass the token that the first run returned to the second one. O(force=true) always replaces the token.
seealso:
  - module: voucherify.oauth.voucherify_oauth_token_info
  - name: Voucherify OAuth 2.0
    description: Voucherify's documentation of the API.
    link: https://docs.voucherify.io/api-reference/oauth/generate-oauth-20-token
"""

EXAMPLES = r"""
- name: Generate a token
  voucherify.oauth.voucherify_oauth_token:
    app_id: "{{ voucherify_app_id }}"
    app_token: "{{ voucherify_app_token }}"
    scope:
      - vouchers
      - campaigns
  register: voucherify

- name: Use the token, and always revoke it
  # With --check, no token is generated.
  when: not ansible_check_mode
  block:
    - name: Use the token
      ansible.builtin.uri:
        url: "{{ voucherify_api_base_url | default('https://api.voucherify.io') }}/v1/vouchers"
        headers:
          Authorization: "{{ voucherify.token_type }} {{ voucherify.access_token }}"
        follow_redirects: none
      no_log: true
  always:
    - name: Revoke the token
      voucherify.oauth.voucherify_oauth_token:
        app_id: "{{ voucherify_app_id }}"
        app_token: "{{ voucherify_app_token }}"
        state: absent
        access_token: "{{ voucherify.access_token }}"

- name: Keep a token that has at least five minutes left, or else replace it
  voucherify.oauth.voucherify_oauth_token:
    app_id: "{{ voucherify_app_id }}"
    app_token: "{{ voucherify_app_token }}"
    scope:
      - vouchers
    access_token: "{{ vault_voucherify_token | default('') }}"
    min_expires_in: 300
  register: voucherify

- name: Replace a token, and revoke the old one
  voucherify.oauth.voucherify_oauth_token:
    app_id: "{{ voucherify_app_id }}"
    app_token: "{{ voucherify_app_token }}"
    scope:
      - vouchers
    access_token: "{{ voucherify.access_token | default('') }}"
    force: true
    revoke_replaced: true
  register: voucherify

- name: Set the connection options in one place
  module_defaults:
    group/voucherify.oauth.voucherify:
      app_id: "{{ voucherify_app_id }}"
      app_token: "{{ voucherify_app_token }}"
      timeout: 5
  block:
    - name: Generate a token with the default scope of the API
      voucherify.oauth.voucherify_oauth_token:
      register: voucherify

    - name: Revoke the token
      voucherify.oauth.voucherify_oauth_token:
        state: absent
        access_token: "{{ voucherify.access_token }}"
      when: not ansible_check_mode
"""

RETURN = r"""
operation:
  description:
    - What was done, or what would be done in check mode.
    - V(kept) means that the given token was good. V(generated) means that no token was given, so a new one was
      generated. V(replaced) means that a new one was generated in place of the given one.
    - V(revoked) means that the given token was active and was revoked. V(none) means that it was not active.
  type: str
  returned: success
  choices:
    - kept
    - generated
    - replaced
    - revoked
    - none
  sample: replaced
reason:
  description: A sentence that says why.
  type: str
  returned: success
  sample: The token expires in 42 s, but at least 60 s are required.
access_token:
  description: The kept or generated token. It is never shown, but can be used when registered.
  type: str
  returned: success and O(state=present), but in check mode only when the token is kept
  sample: 1ABCde2FGHijKl3m4NO5pqR6STUv7wxYzAbc8dE90FgH1IJkLm
token_type:
  description: The word before the token in the C(Authorization) header.
  type: str
  returned: when there is a token
  sample: Bearer
scope:
  description: What the token may be used for, according to the API.
  type: list
  elements: str
  returned: when there is a token
  sample:
    - vouchers
    - campaigns
client_id:
  description: Voucherify's identifier of the client that the token was generated for.
  type: str
  returned: when there is a token
  sample: a1Bcdefg2HI3Jkl4m5nOP
expires_at:
  description: When the token expires, as Unix time in seconds.
  type: int
  returned: when there is a token
  sample: 1738945086
expires_in:
  description: Remaining lifetime of the token, in seconds.
  type: int
  returned: when there is a token
  sample: 900
differences:
  description:
    - How the API's answers differed from its documentation, in sentences without values. They did not make the task
      fail.
    - They are also shown with C(-v). Please report them.
  type: list
  elements: str
  returned: when an answer differed from Voucherify's documentation
  sample:
    - The answer to generate lacks token_type.
error:
  description: Details of a failed call, for programs. RV(ignore:msg) says the same in a sentence.
  type: dict
  returned: when a call to the API failed
  contains:
    operation:
      description: The call that failed, V(generate), V(introspect) or V(revoke).
      type: str
      returned: always
      sample: generate
    status:
      description: The HTTP status of the last answer.
      type: int
      returned: when there was an answer
      sample: 400
    key:
      description: The API's name for the error.
      type: str
      returned: when the API gave one
      sample: invalid_scope
    message:
      description: What the API said, or else the cause of the failure.
      type: str
      returned: always
      sample: "Invalid scope: coupons"
    details:
      description: What the API said in more detail.
      type: str
      returned: when the API gave details
      sample: See the list of scopes.
    request_id:
      description: The ID that Voucherify's support needs to find the call.
      type: str
      returned: when the API gave one
      sample: v-0a885062c80375740f
    retries:
      description: How many times the call was sent again.
      type: int
      returned: always
      sample: 3
    outcome_unknown:
      description: Whether the API may have carried out the call although it failed.
      type: bool
      returned: when it is true
      sample: true
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.voucherify.oauth.plugins.module_utils import _lifecycle as lifecycle
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient, TokenDetails
from ansible_collections.voucherify.oauth.plugins.module_utils._api.errors import OptionError, RequestError
from ansible_collections.voucherify.oauth.plugins.module_utils._options import (
    Options,
    Result,
    bearer_token,
    connection_argument_spec,
    described,
    run_module,
)

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    **connection_argument_spec(),
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "access_token": {"type": "str", "no_log": True},
    "scope": {"type": "list", "elements": "str"},
    "grant_type": {"type": "str", "choices": ["client_credentials"], "default": "client_credentials"},
    "min_expires_in": {"type": "int", "default": 60},
    "force": {"type": "bool", "default": False},
    "revoke_replaced": {"type": "bool", "default": False},
}
REQUIRED_IF: list[Any] = [("state", "absent", ["access_token"])]


def work(client: OAuthClient, options: Options, check_mode: bool) -> Result:
    """Make sure that the token is in the given O(state). Raises OptionError or RequestError."""
    if options["state"] == "absent":
        return _absent(client, options, check_mode)
    return _present(client, options, check_mode)


def _absent(client: OAuthClient, options: Options, check_mode: bool) -> Result:
    access_token = bearer_token(options)
    if not access_token:
        raise OptionError("access_token is empty; with state=absent it must be the token to revoke.")
    active = client.introspect(access_token) is not None if check_mode else client.revoke(access_token)
    return _result(lifecycle.for_absent(active=active))


def _present(client: OAuthClient, options: Options, check_mode: bool) -> Result:
    wanted = lifecycle.checked(options["scope"], options["min_expires_in"], options["force"])
    given = bearer_token(options)
    details = client.introspect(given) if given and not wanted.force else None
    decision = lifecycle.for_present(wanted, given=given is not None, details=details)
    if decision.operation == lifecycle.KEPT:
        return _result(decision, details, given)
    if check_mode:
        return _result(decision)
    token = client.generate(wanted.scope, options["grant_type"])
    warning = lifecycle.scope_warning(wanted.scope, token.details.scope)
    warnings = [warning] if warning else []
    # The API may return the same token again.
    is_new = token.access_token != given
    if options["revoke_replaced"] and given and is_new and (details or wanted.force):
        try:
            client.revoke(given)
        except RequestError as error:
            # Without the advice to run the play again: the next run does not know the old token.
            warnings.append(f"A new token was generated, but the old one may still be active. {error.account}.")
    return _result(decision, token.details, token.access_token, warnings)


def _result(
    decision: lifecycle.Decision,
    details: TokenDetails | None = None,
    access_token: str | None = None,
    warnings: list[str] | None = None,
) -> Result:
    result: Result = {"changed": decision.changes, "operation": decision.operation, "reason": decision.reason}
    if details:
        result.update(described(details))
    if access_token:
        result["access_token"] = access_token
    if warnings:
        result["warnings"] = warnings
    return result


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, required_if=REQUIRED_IF, supports_check_mode=True)
    run_module(module, work)


if __name__ == "__main__":
    main()
