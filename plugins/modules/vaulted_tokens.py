#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation and options of vaulted_tokens. The action plugin does all the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vaulted_tokens
short_description: Manage tokens in a vars file
version_added: 1.0.0
author:
  - The voucherify.oauth contributors (@voucherifyio)
description:
  - Makes sure that a vars file on the controller has the listed tokens, each in a vaulted variable. Tokens that are
    still good are kept, missing ones are generated, and all others are replaced.
  - The task is one transaction. It locks the file's folder before it reads the file, and unlocks it after the last
    write, so runs that use the same file at the same time share its tokens instead of generating more.
  - Tokens are generated in batches of up to eight, and each batch is written to the file before the next one is
    started. A run that is killed loses at most one batch, and the next run continues from there.
  - Secrets are never printed; you do not need C(no_log). The result contains names, operations and reasons, but no
    tokens.
extends_documentation_fragment:
  - voucherify.oauth.connection
options:
  path:
    description:
      - Path of the vars file on the controller. A relative path is resolved from the folder of the playbook.
      - Folders that do not exist are created, with the mode that the umask of the run gives.
      - If it is a symbolic link, the file that it points to is edited, and the link is left alone.
    type: path
    required: true
  tokens:
    description:
      - The tokens to keep in the file, or to remove from it.
      - Other variables in the file are neither decrypted nor changed.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - The name of the variable that contains the token. List each name only once.
          - A name that looks like a token or a key is refused, because names are printed. So is a name that Ansible
            uses itself, such as C(groups), or any that begins with C(ansible_).
          - If a token is generated for a variable that the file did not have, and the play already has a variable of
            that name, for example from the inventory, a warning says that it may override the file.
          - If the variable contains this task's own O(app_id) or O(app_token), or anything that cannot be a token, the
            task fails before it calls the API. Any other string counts as a token. Because the API does not know it, it
            is replaced or removed.
          - The task also fails if the file does not have the variable, and the play's variable of that name is this
            task's own O(app_id) or O(app_token).
        type: str
        required: true
      scope:
        description:
          - What the token may be used for, for example V(vouchers). U(https://docs.voucherify.io/api-reference/oauth/generate-oauth-20-token)
            lists the scopes.
          - A token is kept only if it has exactly these scopes, in any order. Case is ignored.
          - If not set, the API decides what a new token may be used for, and a token with any scope is kept.
          - If several playbooks list the same name, give it the same scope; otherwise they keep replacing each
            other's token.
        type: list
        elements: str
      min_expires_in:
        description:
          - Minimum remaining lifetime of this token when the task ends, in seconds.
          - If not set, O(min_expires_in) is used.
        type: int
      state:
        description:
          - V(present) makes sure that the file has a good token in this variable.
          - V(absent) revokes the token, and then removes the variable. The variable is also removed if the token is not
            active for this API key at this base URL. Such a token may belong to another project or region; RV(msg) says
            how many such tokens there were.
        type: str
        choices:
          - present
          - absent
        default: present
  state:
    description:
      - With V(present), the state that is set for each listed token applies.
      - V(absent) revokes and removes every listed token, whatever its own state is.
    type: str
    choices:
      - present
      - absent
    default: present
  min_expires_in:
    description: Minimum remaining lifetime of a kept token when the task ends, in seconds, from V(0) to V(899).
    type: int
    default: 300
  force:
    description: Whether to replace tokens that are still good.
    type: bool
    default: false
  revoke_replaced:
    description:
      - Whether to revoke a replaced token, once the new one is in the file and no other listed variable has the old
        one.
      - Do not use this for a file that several runs use at the same time. Another run may still be using the old token.
    type: bool
    default: false
  format:
    description:
      - V(inline) encrypts each value by itself, as C(ansible-vault encrypt_string) does. V(file) encrypts the whole
        file, as C(ansible-vault encrypt) does.
      - A new file is V(inline) by default. An existing file keeps its format; the task fails if this option asks for
        another one.
    type: str
    choices:
      - inline
      - file
  vault_id:
    description:
      - The vault id of the loaded password to encrypt with. Listed tokens that are encrypted under another id are
        encrypted again.
      - If not set, a value keeps the password that it is encrypted with. A new value is encrypted with the run's
        C(vault_encrypt_identity). Without one, the password of the other values in the file is used, or else the only
        password that is loaded. Otherwise the task fails.
    type: str
  mode:
    description:
      - The mode of the file, as an octal number in quotes such as V('0640').
      - A new file gets V(0600) by default. An existing file keeps its mode.
    type: raw
notes:
  - The task always runs on the controller, regardless of its connection and C(become). Use C(run_once) in a play with
    several hosts.
  - The run needs a vault password, from C(--vault-password-file), C(--vault-id), C(--ask-vault-pass) or the
    configuration.
  - A run loads the files in C(group_vars) and C(host_vars) once. No play of the same C(ansible-playbook) command sees
    the new values, not even a later one. Load the file again with M(ansible.builtin.include_vars), or use the role
    P(voucherify.oauth.token_vault#role), which does that.
  - A task that takes more than ten seconds shows a line every ten seconds that says how many tokens are in the file.
    One that waits for another run's lock shows a line after five seconds.
  - The lock only works between runs on the same machine. On file systems that cannot lock a folder, such as NFS, the
    task fails before it generates a token.
  - An editor that has the file open does not notice the lock. If it saves the file while the task runs, its changes
    are kept, except those of listed variables. If it saves an older version after the task, it overwrites what this
    task wrote.
attributes:
  action_group:
    membership:
      - voucherify.oauth.voucherify
      - voucherify.oauth.token_vault
    details:
      - The group C(token_vault) is only for the role of that name.
  check_mode:
    support: full
    details:
      - The tokens are introspected, but nothing is generated, revoked or written. Check mode takes no lock.
  diff_mode:
    description: Returns details on what has changed, or would change in check mode, when in diff mode.
    support: full
    details:
      - The difference contains names and operations, but never a value.
  idempotent:
    description: When run twice in a row with the same options, the second time changes nothing.
    support: partial
    details:
      - O(force=true) replaces tokens every time.
  platform:
    description: The platforms on which a task can execute.
    support: full
    platforms: posix
    details:
      - This is about the controller; the platform of the targets does not matter.
  action:
    description: Has a part that runs on the controller.
    support: full
    details:
      - All of it runs there.
  async:
    description: Can be run in the background with the C(async) keyword.
    support: none
    details: The task runs in Ansible's own process.
  bypass_host_loop:
    description: Runs once for all hosts of a play, regardless of C(run_once).
    support: none
seealso:
  - module: voucherify.oauth.voucherify_oauth_token
    description: Manages one token, without a file.
  - module: voucherify.oauth.vaulted_vars
    description: Manages other secrets in a vars file.
  - name: Voucherify OAuth 2.0
    description: Voucherify's documentation of the API.
    link: https://docs.voucherify.io/api-reference/oauth/generate-oauth-20-token
"""

EXAMPLES = r"""
- name: Keep two tokens in vaulted variables of all hosts
  voucherify.oauth.vaulted_tokens:
    app_id: "{{ voucherify_app_id }}"
    app_token: "{{ voucherify_app_token }}"
    path: group_vars/all/voucherify_tokens.yml
    tokens:
      - name: voucherify_vouchers_token
        scope:
          - vouchers
      - name: voucherify_campaigns_token
        scope:
          - campaigns
        min_expires_in: 600
  run_once: true
  register: voucherify

- name: Load the tokens, so that this run can use them
  ansible.builtin.include_vars:
    file: "{{ voucherify.path }}"
  # With --check, there may be no file yet.
  when: not ansible_check_mode
  no_log: true

- name: Replace one token, and revoke and remove the other
  voucherify.oauth.vaulted_tokens:
    app_id: "{{ voucherify_app_id }}"
    app_token: "{{ voucherify_app_token }}"
    path: group_vars/all/voucherify_tokens.yml
    tokens:
      - name: voucherify_vouchers_token
        scope:
          - vouchers
      - name: voucherify_campaigns_token
        state: absent
    force: true
    revoke_replaced: true
  run_once: true

- name: Revoke and remove both tokens
  voucherify.oauth.vaulted_tokens:
    app_id: "{{ voucherify_app_id }}"
    app_token: "{{ voucherify_app_token }}"
    path: group_vars/all/voucherify_tokens.yml
    tokens:
      - name: voucherify_vouchers_token
      - name: voucherify_campaigns_token
    state: absent
  run_once: true
"""

RETURN = r"""
msg:
  description:
    - What was done with how many tokens and their variables, or the cause of the failure.
    - If tokens to revoke are not active for this API key at this base URL, it says how many.
  type: str
  returned: always
  sample: "1 generated, 2 kept in /srv/deploy/group_vars/all/voucherify_tokens.yml."
path:
  description: The absolute path of the vars file.
  returned: when the file could be read
  type: str
  sample: /srv/deploy/group_vars/all/voucherify_tokens.yml
format:
  description: The format of the file, V(inline) or V(file).
  returned: success
  type: str
  sample: inline
vault_id:
  description: The vault id of the password that the listed tokens are encrypted with.
  returned: when O(state=present) and it is the same for all of them
  type: str
  sample: default
tokens:
  description:
    - One entry for each listed token, in the order of O(tokens). The tokens themselves are not included.
    - A failed task returns them too, so that you can see what was done.
  returned: when the file could be read
  type: list
  elements: dict
  contains:
    name:
      description: The name of the variable.
      type: str
      returned: always
      sample: voucherify_vouchers_token
    operation:
      description:
        - What was done, or what would be done in check mode.
        - V(kept) means that the file had a good token. V(generated) means that it had no token. V(replaced) means that
          it had a token that could not be kept.
        - V(revoked) means that a token was revoked and its variable removed. V(none) means that there was nothing to
          revoke, or that the task failed before it got to this token.
      type: str
      returned: always
      choices:
        - kept
        - generated
        - replaced
        - revoked
        - none
      sample: generated
    reason:
      description: A sentence that says why.
      type: str
      returned: always
      sample: There was no token.
    scope:
      description: What the token may be used for, according to the API. Null if that is unknown or there is no token.
      type: list
      elements: str
      returned: always
      sample:
        - vouchers
    expires_at:
      description: When the token expires, as Unix time in seconds. Null if that is unknown or there is no token.
      type: int
      returned: always
      sample: 1738945086
    expires_in:
      description:
        - Remaining lifetime when the task ended, in seconds. Null if that is unknown or there is no token.
      type: int
      returned: always
      sample: 899
    vault_id:
      description:
        - The vault id of the password that the variable is encrypted with. Null if there is no variable, or if it is
          not encrypted.
      type: str
      returned: always
      sample: default
    written:
      description:
        - Whether a value was written to the variable, or would be in check mode. A kept token is written too if it was
          in plain text or under another vault id.
        - V(false) means that the variable was left as it was, or that it was removed.
      type: bool
      returned: always
      sample: true
error:
  description: Details of a failed call, for programs. RV(msg) says the same in a sentence.
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
from ansible_collections.voucherify.oauth.plugins.module_utils._options import connection_argument_spec

ARGUMENT_SPEC: dict[str, Any] = {
    **connection_argument_spec(),
    "path": {"type": "path", "required": True},
    "tokens": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "no_log": False,
        "options": {
            "name": {"type": "str", "required": True},
            "scope": {"type": "list", "elements": "str"},
            "min_expires_in": {"type": "int"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
    },
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "min_expires_in": {"type": "int", "default": 300},
    "force": {"type": "bool", "default": False},
    "revoke_replaced": {"type": "bool", "default": False},
    "format": {"type": "str", "choices": ["inline", "file"]},
    "vault_id": {"type": "str"},
    "mode": {"type": "raw"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="voucherify.oauth.vaulted_tokens runs on the controller; use its full name in a task")


if __name__ == "__main__":
    main()
