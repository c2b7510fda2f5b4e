#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: voucherify_oauth_token_info
short_description: Introspect a Voucherify token
version_added: 1.0.0
description:
  - Asks the API whether a token is active, what it may be used for and when it expires.
  - The task does not fail if the token is unknown, expired or revoked. The API does not distinguish between these.
  - Secrets are never printed; you do not need C(no_log). In a loop, results are not shown, because Ansible would print
    each token next to its result. They can be registered and used. If an item of a loop fails, only the message is
    shown.
author:
  - The voucherify.oauth contributors (@voucherifyio)
extends_documentation_fragment:
  - voucherify.oauth.connection
options:
  access_token:
    description: The token to introspect.
    type: str
    required: true
attributes:
  idempotent:
    description: When run twice in a row with the same options, the second time changes nothing.
    support: full
    details: It never changes anything.
seealso:
  - module: voucherify.oauth.voucherify_oauth_token
  - name: Voucherify OAuth 2.0
    description: Voucherify's documentation of the API.
    link: https://docs.voucherify.io/api-reference/oauth/introspect-oauth-20-token
"""

EXAMPLES = r"""
- name: Introspect the token
  voucherify.oauth.voucherify_oauth_token_info:
    app_id: "{{ voucherify_app_id }}"
    app_token: "{{ voucherify_app_token }}"
    access_token: "{{ vault_voucherify_token }}"
  register: introspection

- name: Check that the token can be used for the next two minutes
  ansible.builtin.assert:
    that:
      - introspection.active
      - "'vouchers' in introspection.scope"
      - introspection.expires_in >= 120
    fail_msg: The token in vault_voucherify_token cannot be used for vouchers for two minutes.
"""

RETURN = r"""
active:
  description: Whether the token can be used now.
  type: bool
  returned: success
  sample: true
token_type:
  description: The word before the token in the C(Authorization) header.
  type: str
  returned: when the token is active
  sample: Bearer
scope:
  description: What the token may be used for.
  type: list
  elements: str
  returned: when the token is active
  sample:
    - vouchers
    - campaigns
client_id:
  description: Voucherify's identifier of the client that the token was generated for.
  type: str
  returned: when the token is active
  sample: a1Bcdefg2HI3Jkl4m5nOP
expires_at:
  description: When the token expires, as Unix time in seconds.
  type: int
  returned: when the token is active
  sample: 1738945086
expires_in:
  description: Remaining lifetime of the token, in seconds.
  type: int
  returned: when the token is active
  sample: 555
differences:
  description:
    - How the API's answers differed from its documentation, in sentences without values. They did not make the task
      fail.
    - They are also shown with C(-v). Please report them.
  type: list
  elements: str
  returned: when an answer differed from Voucherify's documentation
  sample:
    - The answer to introspect lacks token_type.
error:
  description: Details of a failed call, for programs. RV(ignore:msg) says the same in a sentence.
  type: dict
  returned: when a call to the API failed
  contains:
    operation:
      description: The call that failed, always V(introspect).
      type: str
      returned: always
      sample: introspect
    status:
      description: The HTTP status of the last answer.
      type: int
      returned: when there was an answer
      sample: 401
    key:
      description: The API's name for the error.
      type: str
      returned: when the API gave one
      sample: unauthorized
    message:
      description: What the API said, or else the cause of the failure.
      type: str
      returned: always
      sample: Unauthorized
    details:
      description: What the API said in more detail.
      type: str
      returned: when the API gave details
      sample: The application ID and token do not match.
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
from ansible_collections.voucherify.oauth.plugins.module_utils._api.client import OAuthClient
from ansible_collections.voucherify.oauth.plugins.module_utils._api.errors import OptionError
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
    "access_token": {"type": "str", "required": True, "no_log": True},
}
REQUIRED_IF: list[Any] = []


def work(client: OAuthClient, options: Options, check_mode: bool) -> Result:
    """Introspect the token. Raises OptionError or RequestError."""
    access_token = bearer_token(options)
    if not access_token:
        raise OptionError("access_token is empty; it must be the token to introspect.")
    details = client.introspect(access_token)
    return {"changed": False, "active": details is not None, **(described(details) if details else {})}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, required_if=REQUIRED_IF, supports_check_mode=True)
    run_module(module, work)


if __name__ == "__main__":
    main()
