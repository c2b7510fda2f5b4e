# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keyword environment has the same effect in the worker process as on a target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from integration.plays import EACH_WAY, Play
from leaks import find_secrets
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"


@EACH_WAY
def test_the_environment_of_a_task_sets_keys_and_urls_for_that_task_or_item_alone(
    play: Play, sandbox: Sandbox, way: str
) -> None:
    other = {"VOUCHERIFY_APP_ID": "{{ id }}", "VOUCHERIFY_APP_TOKEN": "{{ lookup('env', 'KEY_OF_TEST') }}"}
    here = {"VOUCHERIFY_API_BASE_URL": sandbox.url}
    outside = {"api_base_url": "https://api.voucherify.io", "retries": 0}
    with Sandbox.start() as proxy:
        tasks: list[dict[str, Any]] = [
            {TOKEN: {}, "environment": {**other, **here}},
            {TOKEN: {}, "environment": ["{{ of_play }}", {"A": "b"}]},
            {TOKEN: {"retries": 0}, "environment": "{{ [{}, of_play][item] }}", "loop": [1, 0, 1]},
            {TOKEN: {}, "environment": {**here, "VOUCHERIFY_APP_TOKEN": ""}},
            {TOKEN: outside, "environment": {"HTTPS_PROXY": proxy.url, "https_proxy": proxy.url}},
            {TOKEN: outside, "environment": {"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"}},
        ]
        names = [f"result_{number}" for number in range(len(tasks))]
        run = play(
            [{**task, "register": name, "ignore_errors": True} for task, name in zip(tasks, names)],
            "-vvv",
            fetch=names,
            vars={"id": sandbox.other_app_id, "of_play": {**other, **here}},
            environment={"VOUCHERIFY_API_BASE_URL": "http://127.0.0.1:9", "KEY_OF_TEST": sandbox.other_app_token},
            way=way,
        )
        assert {request.method for request in proxy.requests()} == {"CONNECT"}
    results = [run.variables[name] for name in names]
    assert [bool(result.get("failed")) for result in results] == [False, False, True, True, True, True], run.output
    assert [result["failed"] for result in results[2]["results"]] == [False, True, False]
    assert "127.0.0.1:9 cannot be reached" in results[2]["results"][1]["msg"]
    assert [call.headers["x-app-id"] for call in sandbox.requests()] == [sandbox.other_app_id] * 4
    # An empty variable hides that of the run.
    assert "missing required arguments: app_token" in results[3]["msg"]
    assert "REQUESTS_CA_BUNDLE" in results[5]["msg"]
    # Neither the command line nor what Ansible shows of it may contain a secret.
    assert not find_secrets(run.output, sandbox)


def test_become_on_the_controller_keeps_the_base_url_of_the_run_and_the_missing_keys_are_explained(
    play: Play, sandbox: Sandbox, tmp_path: Path
) -> None:
    # Like sudo, it clears the environment.
    sudo = tmp_path / "sudo"
    sudo.write_text(
        '#!/bin/sh\nwhile [ "$1" != /bin/sh ]; do shift; done\nexec env -i PATH="$PATH" HOME="$HOME" "$@"\n'
    )
    sudo.chmod(0o700)
    keys = {"app_id": sandbox.app_id, "app_token": "{{ lookup('env', 'VOUCHERIFY_APP_TOKEN') }}"}
    run = play(
        [{TOKEN: keys}, {TOKEN: {}}],
        fails=True,
        become=True,
        become_user="nobody",
        vars={"ansible_become_exe": str(sudo)},
    )
    assert (
        "missing required arguments: app_id, app_token; set these options, because become does not pass environment"
        " variables on." in run.unwrapped
    )
    assert len(sandbox.requests()) == len(sandbox.live_tokens()) == 1
