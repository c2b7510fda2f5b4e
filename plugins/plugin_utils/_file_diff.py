# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""The diff of a vars file that vaulted_vars and vaulted_tokens show."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vars_file import Outcome


def file_diff(path: str, outcome: Outcome | None, before: Sequence[str], after: Sequence[str]) -> dict[str, str]:
    """Return the entry C(diff) of a result.

    outcome: adds the file's mode to the lines, if that changes. before, after: a line for each variable that changes;
    both are shown, so they must not contain a value.
    """
    if outcome and outcome.mode_before is not None and outcome.mode_before != outcome.mode_after:
        before = [f"mode: {outcome.mode_before:04o}", *before]
        after = [f"mode: {outcome.mode_after:04o}", *after]
    return {
        "before_header": path,
        "after_header": path,
        "before": "".join(f"{line}\n" for line in before),
        "after": "".join(f"{line}\n" for line in after),
    }
