# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options, notes, requirements and attributes that all token modules share."""

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
      - The base URL of the API, for example V(https://us1.api.voucherify.io). It may contain a path, but leave off
        C(/v1).
      - It must begin with V(https://), except for a loopback address, and must not contain a user name, a query or a
        fragment.
      - If not set, the value of the environment variable E(VOUCHERIFY_API_BASE_URL) is used.
    type: str
    default: https://api.voucherify.io
  timeout:
    description:
      - Connect and read timeout, in seconds, from V(1) to V(86400).
      - One try of a call takes at most three times this long, however slowly the API sends its answer. This
        includes the time that the system needs to look up the host's name.
    type: int
    default: 10
  retries:
    description:
      - How many times a failed call is sent again. This is not the keyword C(retries), which runs the whole task
        again and so can generate another token.
      - A call is sent again if nothing was sent, or if the API says that it did not process the call. All calls except
        the one that generates a token are also sent again if the API failed, was busy or did not answer. A call
        that generates a token is never sent again if it may have arrived, because a token in a lost answer can be
        neither found nor revoked.
      - Failures that would be the same each time are not retried, for example if a certificate cannot be verified or a
        proxy refuses the connection.
    type: int
    default: 3
  max_wait:
    description:
      - Maximum total wait between retries of one call, in seconds.
      - If the API asks for a longer wait, the task fails at once and says when the call may be tried again.
    type: int
    default: 60
  validate_certs:
    description: Whether to verify the API's certificate.
    type: bool
    default: true
  ca_path:
    description:
      - A file, or a folder made by C(openssl rehash), with the certificates of the authorities to trust.
      - It overrides the environment variables E(REQUESTS_CA_BUNDLE) and E(CURL_CA_BUNDLE).
    type: path
  proxy:
    description:
      - The URL of an HTTP proxy. It overrides the proxy variables of the environment.
      - It may contain a user name and a password, so it is treated as a secret.
      - It is not used if O(api_base_url) begins with V(http://), which only a loopback address can.
    type: str
notes:
  - M(voucherify.oauth.vaulted_tokens) reads environment variables from Ansible's own environment, and so do the other
    modules on localhost without C(become). Otherwise the other modules read the environment of a process on the target,
    which does not contain what you exported in your shell. With C(become) on localhost, E(VOUCHERIFY_API_BASE_URL)
    still comes from Ansible's own environment.
requirements:
  - requests 2.25.1 or newer with urllib3 1.26.5 or newer, where the task runs
  - Python 3.9 or newer, where the task runs
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
    details: Everything that could be shown about a token is a secret or changes every second.
  platform:
    description: The platforms on which a task can execute.
    support: full
    platforms: posix
  async:
    description: Can be run in the background with the C(async) keyword.
    support: none
    details: Ansible would store the task's options and its result, which contain secrets, in files in plain text.
"""
