# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All files that list the supported versions of ansible-core agree."""

from __future__ import annotations

import matrix
import yaml
from integration.plays import CHECKOUT


def test_the_hosted_ci_runs_each_row_of_the_matrix() -> None:
    jobs = yaml.safe_load((CHECKOUT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    assert jobs["sanity-and-integration"]["strategy"]["matrix"]["core"] == list(
        dict.fromkeys(row.core for row in matrix.ROWS)
    )


def test_the_collection_asks_for_the_oldest_core_of_the_matrix() -> None:
    runtime = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())
    assert runtime["requires_ansible"] == f">={matrix.ROWS[0].core}.0"
