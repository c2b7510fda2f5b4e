# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# The shell of `make sandbox` reads this instead of ~/.bashrc.

# shellcheck shell=bash
PS1='(voucherify sandbox) \w \$ '

cat <<HINT
This shell uses a sandbox, not the Voucherify API. The sandbox stops when you leave the shell with 'exit'.
  API: $VOUCHERIFY_API_BASE_URL    control: $VOUCHERIFY_SANDBOX_URL
VOUCHERIFY_APP_ID, VOUCHERIFY_APP_TOKEN and ANSIBLE_VAULT_PASSWORD_FILE are set. Try:
  ansible-playbook voucherify.oauth.demo
  ansible-playbook voucherify.oauth.check
  ansible-doc voucherify.oauth.vaulted_tokens
The clock and the faults of the sandbox (python tests/sandbox --help lists more):
  curl -d '{"advance": 840}' \$VOUCHERIFY_SANDBOX_URL/clock
  curl -d '{"operation": "generate", "status": 500}' \$VOUCHERIFY_SANDBOX_URL/faults
  curl -d '' \$VOUCHERIFY_SANDBOX_URL/reset
  curl \$VOUCHERIFY_SANDBOX_URL/requests
HINT
