# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each security promise has tests. This is the list."""

from __future__ import annotations

import re

import pytest
from integration.plays import CHECKOUT
from publish.test_documented import PAGES

HTTP = "unit/plugins/module_utils/test_client"
# The promises in bold on one of the pages, and their tests: folder/file::function.
PROMISES = {
    "Never printed:": [
        "integration/test_secrets::test_a_success_prints_and_stores_no_secret",
        "integration/test_secrets::test_a_failure_or_warning_prints_no_secret_and_stays_readable",
        "integration/test_secrets::test_a_loop_prints_no_token_when_ansible_ends_it",
        "integration/test_secrets_in_options::test_no_output_shows_a_secret_from_any_option",
        "integration/test_vaulted_tokens::test_the_result_is_shown_with_names_and_reasons_and_without_secrets",
        "integration/test_vaulted_vars::test_a_loop_over_values_shows_none_and_its_failures_stay_readable",
        "integration/test_token_vault::test_the_role_prints_and_stores_no_secret",
        "publish/test_ansible_runner::test_a_job_succeeds_and_records_no_secret",
    ],
    "Never stored in plain text:": [
        "integration/test_secrets::test_a_success_prints_and_stores_no_secret",
        "integration/test_token_vault::test_the_role_prints_and_stores_no_secret",
        "integration/test_options_on_target::test_no_file_with_a_secret_is_left_on_the_target_and_nothing_is_printed",
        "integration/test_keys_in_playbooks::test_a_run_that_is_killed_leaves_no_secret_in_a_file",
        "integration/test_ways::test_async_is_refused_with_the_reason",
        "integration/test_vaulted_vars::test_without_a_vault_secret_nothing_is_written_and_only_plain_variables_can_be_removed",
        "unit/plugins/plugin_utils/vars_file/test_vars_file::test_several_writes_leave_one_backup_without_the_plain_text_of_what_is_vaulted_now",
    ],
    "Never sent elsewhere:": [
        f"{HTTP}::test_a_redirect_is_reported_and_its_target_receives_nothing",
        "integration/test_keys_in_playbooks::test_neither_a_proxy_nor_the_target_of_a_redirect_receives_anything",
        f"{HTTP}::test_netrc_adds_no_credentials",
        f"{HTTP}::test_a_certificate_that_does_not_verify_ends_the_call",
        f"{HTTP}::test_plain_http_on_this_machine_never_goes_through_a_proxy",
        "unit/plugins/module_utils/test_options::test_an_invalid_base_url_is_refused",
    ],
    "Never lost if it can be avoided:": [
        f"{HTTP}::test_generate_is_never_sent_again_once_it_may_have_been_carried_out",
        "integration/test_proxies::test_each_failure_on_the_way_through_a_proxy_is_told_apart",
        "integration/test_tokens_interrupted::test_a_killed_run_loses_at_most_eight_tokens",
        "integration/test_tokens_interrupted::test_every_token_that_arrived_is_in_the_file_when_the_worker_is_stopped",
        "integration/test_tokens_interrupted::test_no_token_is_made_when_the_file_cannot_be_replaced",
        "integration/test_lost_tokens::test_the_warning_of_a_failed_try_is_shown_although_until_hides_the_failure",
    ],
}


def test_the_list_has_each_promise() -> None:
    text = "".join(page.read_text() for page in PAGES)
    assert re.findall(r"^- \*\*(Never .+?)\*\*", text, re.MULTILINE) == list(PROMISES)


@pytest.mark.parametrize("promise", PROMISES)
def test_each_test_of_the_list_exists(promise: str) -> None:
    for name in PROMISES[promise]:
        file, function = name.split("::")
        assert f"def {function}(" in (CHECKOUT / "tests" / f"{file}.py").read_text(), name
