#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation and the options of the action vaulted_vars, which does all the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vaulted_vars
short_description: Manage vaulted variables
version_added: 1.0.0
author:
  - The voucherify.oauth contributors (@voucherifyio)
description:
  - Sets or removes top-level variables of a YAML vars file on the controller, with their values encrypted by the vault
    secrets that the run was started with.
  - A value that stands in the file already is left alone, so a second run changes nothing although each encryption of
    the same value looks different. For that the standing value is decrypted and compared.
  - In a file whose values are vaulted one by one, every byte outside the changed variables stays as it is, with the
    comments, the order, the quoting, the line ends and the other vaulted values.
  - A file is replaced as a whole, never written in place, so that whoever reads it sees the old one or the new one. A
    value is nowhere written in plain text, not even for a moment. Runs that edit files in the same folder at the same
    time take turns, and what another program writes meanwhile is not overwritten but makes the task fail.
options:
  path:
    description:
      - Path of the vars file on the controller. A relative path begins at the folder of the playbook, as that of
        O(ansible.builtin.fetch#module:dest) does.
      - Folders that do not exist are made with mode V(0700).
      - Where it is a symbolic link, the file that it leads to is edited and the link stays.
    type: path
    required: true
  variables:
    description:
      - The variables to set, their names with their values. Those that the file does not have yet are added at its end,
        and a variable that stands there in plain text, or holds a list or a mapping, becomes a vaulted string.
      - A name must be a valid and unreserved name for an Ansible variable. A value must be a string.
      - Required with O(state=present).
    type: dict
  names:
    description:
      - The names of the variables to remove. One that the file does not have changes nothing.
      - The lines of the variable go, comments above it stay.
      - Required with O(state=absent).
    type: list
    elements: str
  state:
    description:
      - With V(present), the O(variables) are in the file. With V(absent), those in O(names) are not.
    type: str
    choices:
      - present
      - absent
    default: present
  format:
    description:
      - With V(inline), each value is vaulted by itself, as C(ansible-vault encrypt_string) does it. With V(file), the
        whole file is encrypted, as C(ansible-vault encrypt) does it.
      - A new file gets V(inline), and a standing one keeps what it is. Files are not converted, so the task fails when
        this option contradicts what stands there.
    type: str
    choices:
      - inline
      - file
  vault_id:
    description:
      - The vault id of the loaded secret to encrypt with. It is written into the header of what is encrypted, unless
        it is V(default).
      - Without it, a standing file in the format V(file) is encrypted with the secret that decrypts it. Otherwise it is
        the run's C(vault_encrypt_identity), and the first secret that was loaded when that is not configured.
      - A value that does not change is not encrypted anew, even if another vault id is given.
    type: str
  mode:
    description:
      - The mode of the file as an octal number in quotes, V('0640') for one.
      - A new file gets V(0600), and a standing one keeps its own.
    type: raw
  backup:
    description:
      - Whether a copy of the standing file is left beside it before it is replaced. The name of the copy begins with a
        dot and ends in a tilde, so that Ansible does not load it.
      - When a value in plain text is being replaced by a vaulted one, the whole copy is encrypted.
    type: bool
    default: false
notes:
  - A run has its vault secrets from C(--vault-password-file), C(--vault-id), C(--ask-vault-pass) or the configuration.
    The task fails when there are none.
  - The task runs as the user who runs Ansible, and C(become) has no part in it.
  - The result has names only, and no value is ever printed. In a loop Ansible prints the items, so with O(variables)
    the result is hidden there, while the message of a failure is still shown. An item that is skipped by C(when) is
    printed by Ansible itself; choose the items to loop over instead of skipping some.
  - A play that is running does not see what changed in a file that it has loaded; see
    M(ansible.builtin.include_vars) for loading it again.
  - A value in a task that is written out in a playbook is a secret in a playbook. Take values from a registered result,
    from a lookup or from another vaulted variable.
attributes:
  check_mode:
    description: Whether the task can run in check mode, in which it changes nothing.
    support: full
    details:
      - Everything but the writing is done, so that a file that cannot be edited is found out.
  diff_mode:
    description: Whether the task tells what it changes, or in check mode would change.
    support: full
    details:
      - The difference has the names of the variables and never a value.
  idempotent:
    description: Whether the same task, run a second time, changes nothing.
    support: full
  platform:
    description: The systems that the task can work on.
    support: full
    platforms: posix
    details:
      - This is about the controller; it does not matter what the targets are.
  action:
    description: Whether the task has a part that runs on the controller.
    support: full
    details:
      - All of it runs there.
  async:
    description: Whether the task can be used with the keyword C(async).
    support: none
  bypass_host_loop:
    description: Whether the task runs once for all hosts of a play, whatever C(run_once) says.
    support: none
seealso:
  - module: ansible.builtin.include_vars
    description: Loads the variables of the file into the running play.
  - module: voucherify.oauth.voucherify_oauth_token
    description: Makes the tokens that are worth keeping in such a file.
  - name: Encrypting content with Ansible Vault
    description: What vaulted variables and vault ids are.
    link: https://docs.ansible.com/ansible/latest/vault_guide/vault_encrypting_content.html
"""

EXAMPLES = r"""
- name: Keep a token in a vaulted variable of a group
  voucherify.oauth.vaulted_vars:
    path: group_vars/production/tokens.yml
    variables:
      vouchers_token: "{{ token.access_token }}"
  run_once: true

- name: Keep two tokens in a file that is encrypted as a whole, under a vault id
  voucherify.oauth.vaulted_vars:
    path: vars/tokens.yml
    variables:
      vouchers_token: "{{ vouchers.access_token }}"
      campaigns_token: "{{ campaigns.access_token }}"
    format: file
    vault_id: production
    mode: '0640'
  run_once: true

- name: Remove a token that was revoked, and keep a copy of the file as it was
  voucherify.oauth.vaulted_vars:
    path: group_vars/production/tokens.yml
    names:
      - vouchers_token
    state: absent
    backup: true
  run_once: true

- name: Let the running play see what the file holds now
  ansible.builtin.include_vars:
    file: group_vars/production/tokens.yml
"""

RETURN = r"""
path:
  description: The absolute path of the vars file.
  returned: success
  type: str
  sample: /srv/deploy/group_vars/production/tokens.yml
added:
  description: The names of the variables that the file did not have before, sorted.
  returned: success
  type: list
  elements: str
  sample:
    - vouchers_token
updated:
  description: The names of the variables that got another value, or whose value was not vaulted before, sorted.
  returned: success
  type: list
  elements: str
  sample:
    - campaigns_token
removed:
  description: The names of the variables that the file had and has no more, sorted.
  returned: success
  type: list
  elements: str
  sample: []
unchanged:
  description: The names of the variables that were as wanted already, sorted.
  returned: success
  type: list
  elements: str
  sample:
    - orders_token
vault_id:
  description: The vault id of the secret that encrypts what changes.
  returned: success
  type: str
  sample: default
format:
  description: The format of the file, V(inline) or V(file).
  returned: success
  type: str
  sample: inline
backup_file:
  description: The absolute path of the copy of the file as it was.
  returned: when O(backup=true) and the content of a standing file changed, but not in check mode
  type: str
  sample: /srv/deploy/group_vars/production/.tokens.yml.2026-11-23@14:37:26.391208~
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "variables": {"type": "dict", "no_log": True},
    "names": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "format": {"type": "str", "choices": ["inline", "file"]},
    "vault_id": {"type": "str"},
    "mode": {"type": "raw"},
    "backup": {"type": "bool", "default": False},
}
RULES: dict[str, Any] = {
    "mutually_exclusive": [("variables", "names")],
    "required_if": [("state", "present", ["variables"]), ("state", "absent", ["names"])],
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, **RULES)
    module.fail_json(
        msg="voucherify.oauth.vaulted_vars is an action that runs on the controller; call it in a task by its full name"
    )


if __name__ == "__main__":
    main()
