# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""Edit vaulted variables in vars files. This package handles files, YAML and vaults, and does not use Voucherify."""
