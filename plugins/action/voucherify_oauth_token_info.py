# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from ..modules import voucherify_oauth_token_info as module
from ..plugin_utils._token_action import TokenAction


class ActionModule(TokenAction):
    NAME = "voucherify.oauth.voucherify_oauth_token_info"
    MODULE = module
