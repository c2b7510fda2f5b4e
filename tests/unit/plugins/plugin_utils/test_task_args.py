# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is taken off what a task was given."""

from __future__ import annotations

from ansible.parsing.yaml.objects import AnsibleUnicode
from ansible_collections.voucherify.oauth.plugins.plugin_utils._task_args import decrypted


def test_strings_lose_the_marks_of_ansible_core_and_other_values_stay() -> None:
    value = decrypted({AnsibleUnicode("a"): [AnsibleUnicode("b"), 1, None, True, (2.5,)]})

    assert value == {"a": ["b", 1, None, True, [2.5]]}
    assert {type(text) for text in (next(iter(value)), value["a"][0])} == {str}
