#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation and options of vaulted_vars. The action plugin does all the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vaulted_vars
short_description: Manage vaulted variables
version_added: 1.0.0
author:
  - The voucherify.oauth contributors (@voucherifyio)
description:
  - Sets or removes top-level variables of a YAML vars file on the controller. The values are encrypted with the vault
    passwords that the run was started with.
  - A value that the file already contains is left alone, so a second run changes nothing. To find this out, the
    existing value is decrypted and compared, because encrypting the same value again gives a different text each time.
  - In a file whose values are vaulted one by one, nothing outside the changed variables changes. Comments, order,
    quoting, line breaks and other vaulted values stay as they are.
  - The file is replaced as a whole and never written in place, so a reader sees either the old file or the new one.
    Values are never written to the disk in plain text. Runs that edit files in the same folder lock it in turn. A
    change that another program makes in between is kept, unless that program is still writing the file in place.
options:
  path:
    description:
      - Path of the vars file on the controller. A relative path is resolved from the folder of the playbook, as with
        O(ansible.builtin.fetch#module:dest).
      - Folders that do not exist are created, with the mode that the umask of the run gives.
      - If it is a symbolic link, the file that it points to is edited, and the link is left alone.
    type: path
    required: true
  variables:
    description:
      - The variables to set, with their values. New ones are added at the end of the file. An existing variable that
        is in plain text, or that is a list or a mapping, becomes a vaulted string. Comments inside the old value are
        removed with it, and all others stay.
      - A name must be valid for an Ansible variable. It is refused if Ansible sets it itself, such as C(groups) or
        C(ansible_facts), or if it looks like a token or a key, because names are printed. Connection variables such as
        C(ansible_password) are accepted.
      - A value must be a string.
      - From ansible-core 2.22 on, the values are masked in all output of the run. A very short one, such as V(no), also
        masks the same letters in other words.
      - Required with O(state=present).
    type: dict
  names:
    description:
      - The names of the variables to remove. Names that are not in the file are ignored.
      - The lines of the variable are removed, including comments inside a nested value. Comments above the variable
        stay.
      - Removing variables in plain text needs no vault password.
      - Required with O(state=absent).
    type: list
    elements: str
  state:
    description:
      - V(present) makes sure that the O(variables) are in the file.
      - V(absent) makes sure that the variables in O(names) are not in the file.
    type: str
    choices:
      - present
      - absent
    default: present
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
      - The vault id of the loaded password to encrypt with. It is written into the header of the encrypted text, unless
        it is V(default).
      - Values in O(variables) that are encrypted under another id are encrypted again, even if they do not change. In
        the format V(file), the whole file is encrypted again.
      - If not set, an existing value, or a file in the format V(file), keeps the password that it is encrypted with.
        A new value is encrypted with the configured C(vault_encrypt_identity). Without one, if all other vaulted
        values in the file have the same id, the password of that id is used, or else the only password that is loaded.
        Otherwise the task fails and names the loaded ids.
    type: str
  mode:
    description:
      - The mode of the file, as an octal number in quotes such as V('0640').
      - A new file gets V(0600) by default. An existing file keeps its mode.
    type: raw
  backup:
    description:
      - Whether to leave a copy of the existing file next to it. The name of the copy starts with a dot and ends with a
        tilde, so Ansible does not load it.
      - If a value in plain text is replaced by a vaulted one, the whole copy is encrypted.
    type: bool
    default: false
requirements:
  - Python 3.10 or newer, on the controller
notes:
  - Vault passwords come from C(--vault-password-file), C(--vault-id), C(--ask-vault-pass) or the configuration. The
    task fails if something has to be encrypted and there are none.
  - The task runs as the user who runs Ansible. C(become) has no effect on it.
  - The result contains names only, and values are never printed. In a loop only the message of a failure is shown,
    because Ansible would print the item next to it. Ansible itself prints items that are skipped by C(when); choose
    the items to loop over instead of skipping some.
  - If another run has locked the folder, the task waits, and says so after five seconds. It fails when nothing in the
    folder has changed for ten minutes. The lock only works between runs on the same machine. Some file systems, such
    as NFS, cannot lock a folder.
  - Other names (hard links) of the file keep the old content, because the file is replaced.
  - A run loads the files in C(group_vars) and C(host_vars) once. No play of the same C(ansible-playbook) command sees
    the new values, not even a later one. Load the file again with M(ansible.builtin.include_vars).
  - Do not write secret values into a playbook. Take them from a registered result, a lookup or another vaulted
    variable.
attributes:
  check_mode:
    description: Whether the task can run in check mode, in which it changes nothing.
    support: full
    details:
      - Takes no lock. The task fails if it can tell, without writing, that the file could not be edited.
  diff_mode:
    description: Whether the task shows what it changes, or in check mode would change.
    support: full
    details:
      - The difference contains the names of the variables, but never a value.
  idempotent:
    description: Whether the same task, run a second time, changes nothing.
    support: full
  platform:
    description: The systems that the task can work on.
    support: full
    platforms: posix
    details:
      - This is about the controller; the platform of the targets does not matter.
  action:
    description: Whether the task has a part that runs on the controller.
    support: full
    details:
      - All of it runs there.
  async:
    description: Whether the task can be used with the keyword C(async).
    support: none
    details: The task runs in Ansible's own process.
  bypass_host_loop:
    description: Whether the task runs once for all hosts of a play, whatever C(run_once) says.
    support: none
seealso:
  - module: ansible.builtin.include_vars
    description: Loads the variables of the file into the run.
  - module: voucherify.oauth.vaulted_tokens
    description: Keeps tokens in such a file, and generates, replaces and revokes them.
  - name: Encrypting content with Ansible Vault
    description: Explains vaulted variables and vault ids.
    link: https://docs.ansible.com/projects/ansible/latest/vault_guide/vault_encrypting_content.html
"""

EXAMPLES = r"""
- name: Keep a password in a vaulted variable of a group, and generate it in the first run
  voucherify.oauth.vaulted_vars:
    path: group_vars/production/passwords.yml
    variables:
      database_password: "{{ database_password | default(lookup('ansible.builtin.password', '/dev/null length=32')) }}"
  run_once: true

- name: Keep an API key in a file that is encrypted as a whole, with the password of a vault id
  voucherify.oauth.vaulted_vars:
    path: vars/voucherify.yml
    variables:
      voucherify_app_id: "{{ lookup('ansible.builtin.env', 'VOUCHERIFY_APP_ID') }}"
      voucherify_app_token: "{{ lookup('ansible.builtin.env', 'VOUCHERIFY_APP_TOKEN') }}"
    format: file
    vault_id: production
    mode: '0640'
  run_once: true

- name: Remove a variable, and keep a copy of the old file
  voucherify.oauth.vaulted_vars:
    path: group_vars/production/passwords.yml
    names:
      - database_password
    state: absent
    backup: true
  run_once: true
  register: removed

- name: Load the file again, so that this run sees the change
  ansible.builtin.include_vars:
    file: "{{ removed.path }}"
  # With --check, there may be no file yet.
  when: not ansible_check_mode
  no_log: true
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
  description: The names of the variables that got a new value or vault id, or that were not vaulted before, sorted.
  returned: success
  type: list
  elements: str
  sample:
    - campaigns_token
removed:
  description: The names of the variables that were removed, sorted.
  returned: success
  type: list
  elements: str
  sample: []
unchanged:
  description: The names of the variables that did not need to change, sorted.
  returned: success
  type: list
  elements: str
  sample:
    - orders_token
vault_id:
  description: The vault id under which the variables are encrypted now.
  returned: when O(state=present) and it is the same for all of them
  type: str
  sample: default
format:
  description: The format of the file, V(inline) or V(file).
  returned: success
  type: str
  sample: inline
backup_file:
  description: The absolute path of the copy of the old file.
  returned: when O(backup=true) and the content of an existing file changed, but not in check mode
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
    module.fail_json(msg="voucherify.oauth.vaulted_vars runs on the controller; use its full name in a task")


if __name__ == "__main__":
    main()
