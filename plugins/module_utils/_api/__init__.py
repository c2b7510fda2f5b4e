# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Call Voucherify's OAuth API. This package handles HTTP and what answers mean, and does not use Ansible."""
