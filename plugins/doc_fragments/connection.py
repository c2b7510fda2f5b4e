# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options that every token module shares, and what is true of all of them."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  app_id:
    description:
      - The application ID of an API key of the Voucherify project, sent as C(X-App-Id).
      - If not set, the value of the environment variable E(VOUCHERIFY_APP_ID) is used.
    type: str
    required: true
  app_token:
    description:
      - The secret of the same API key, sent as C(X-App-Token). It is never printed, stored or returned.
      - If not set, the value of the environment variable E(VOUCHERIFY_APP_TOKEN) is used.
    type: str
    required: true
  api_base_url:
    description:
      - Where the API is, V(https://us1.api.voucherify.io) for example. A path is kept as a prefix of every call's path.
      - It must begin with V(https://), except for a loopback address, and hold no user name, query or fragment.
      - If not set, the value of the environment variable E(VOUCHERIFY_API_BASE_URL) is used.
    type: str
    default: https://api.voucherify.io
  timeout:
    description: Seconds to wait for a connection, and for each time the API pauses while it answers.
    type: int
    default: 10
  retries:
    description:
      - How many times a call that failed is sent again.
      - A call is sent again when no connection came about or the API said that it had too many, and, except for the
        call that generates a token, when the API failed or did not answer. Generating is never repeated once it
        may have been carried out, because a token whose answer is lost can be neither found nor revoked.
    type: int
    default: 3
  max_wait:
    description:
      - The most seconds that all pauses between the tries of one call may add up to.
      - When the API asks for a longer pause, the task fails at once and says when the call may be tried again.
    type: int
    default: 60
  validate_certs:
    description: Whether the API's certificate must verify.
    type: bool
    default: true
  ca_path:
    description:
      - A file, or a folder made by C(openssl rehash), with the certificates of the authorities to trust.
      - It is used instead of what the environment variable E(REQUESTS_CA_BUNDLE) names.
    type: path
  proxy:
    description:
      - The URL of an HTTP proxy, used instead of what the environment's proxy variables name.
      - It may hold a user name and a password, so it is treated as a secret.
    type: str
notes:
  - Environment variables are those of the process that does the work. That is Ansible's own where the task runs on
    localhost without C(become), and otherwise a process on the target.
requirements:
  - requests, where the task executes
  - Python 3.9 or newer, where the task executes
attributes:
  action_group:
    description: Use C(group/voucherify.oauth.voucherify) in C(module_defaults) to set these options once.
    support: full
    membership:
      - voucherify.oauth.voucherify
  check_mode:
    description: Can run in C(check_mode) and tell whether something would change, without changing it.
    support: full
  diff_mode:
    description: Returns details on what has changed, or would change in check mode, when in diff mode.
    support: none
    details: What could be shown of a token is a secret or changes by the second.
  platform:
    description: The platforms on which a task can execute.
    support: full
    platforms: posix
  async:
    description: Can be run in the background with the C(async) keyword.
    support: none
    details: Ansible would keep the result, and so the token, in a file in plain text.
"""
