# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that reach an https API through a proxy.

Generate is never sent again once it may have arrived, and each failure says what happened.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import trustme
from integration.plays import EACH_WAY, Play
from loopback import connect_proxy
from sandbox import Sandbox

TOKEN = "voucherify.oauth.voucherify_oauth_token"
PASSWORD = "hunter2-of-the-proxy"
LOST = "may have made a token that was lost"
NO_ANSWER = "sent no complete answer"


@EACH_WAY
def test_each_failure_on_the_way_through_a_proxy_is_told_apart(play: Play, tmp_path: Path, way: str) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    with ExitStack() as stack:
        api = stack.enter_context(Sandbox.start(certificate=tmp_path / "server.pem"))
        cut_after, good, cut_before, always_cut, refusing = proxies = [
            stack.enter_context(connect_proxy()) for _number in range(5)
        ]
        cut_after.cut_when = lambda: bool(api.calls("generate"))
        cut_before.cut_at_once, always_cut.cut_at_once, refusing.status = 1, 99, f"407 {PASSWORD}"
        for fault in ("hang", "cut", "hang"):
            api.fail("generate", carried_out=True, **{fault: True})

        refused = refusing.url.replace("//", f"//me:{PASSWORD}@")
        # The options of each task, and what its failure says.
        cases: dict[str, tuple[dict[str, Any], list[str]]] = {
            "cut after the request": ({"proxy": cut_after.url, "timeout": 20}, [LOST]),
            "no answer": ({"proxy": good.url}, [LOST, NO_ANSWER]),
            "silence": ({"proxy": good.url, "timeout": 1}, [LOST, "(timed out)"]),
            "through the tunnel": ({"proxy": good.url}, []),
            "cut before the request": ({"proxy": cut_before.url}, []),
            "always cut": (
                {"proxy": always_cut.url, "retries": 1},
                [f"the proxy {always_cut.url[7:]} in front of it, ended before anything was sent"],
            ),
            "refused": (
                {"proxy": refused},
                [f"the proxy {refusing.url[7:]} did not connect to", "(407)", "and password in"],
            ),
        }
        names = [f"result_{number}" for number in range(len(cases))]
        tasks = [
            {TOKEN: options, "register": name, "ignore_errors": bool(said)}
            for name, (options, said) in zip(names, cases.values())
        ]
        environment = {**api.environment, "REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem")}
        run = play(tasks, way=way, fetch=names, environment=environment)
        for name, (case, (_options, said)) in zip(names, cases.items()):
            message = run.variables[name]["msg"]
            assert all(words in message for words in said), case
            assert (LOST in message) == (LOST in said), case
        assert "The keyword until would run the task again" in run.unwrapped
        assert PASSWORD not in run.output
        # One token for each lost answer, and the two that arrived.
        assert len(api.tokens()) == len(api.requests()) == 5
        assert [len(proxy.heads) for proxy in proxies] == [1, 3, 2, 2, 1]
        assert good.heads[0].split()[1] == api.url.partition("//")[2]
