# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures tasks against the sandbox. The cases take turns, so that other load on the machine affects all of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import requests
from sandbox import Sandbox

from .cases import Case, Task, make_cases
from .figures import Figures
from .runs import Runner, say

# Without the other cases, because this measurement is long enough.
CASES_OF_HOSTS = ("worker", "module", "uri", "debug")


class Bench:
    """Runs the cases against a sandbox and adds the results to figures."""

    def __init__(self, figures: Figures, runner: Runner, sandbox: Sandbox) -> None:
        self._figures = figures
        self._sizes = figures.sizes
        self._runner = runner
        self._sandbox = sandbox

    def measure(self, number: int) -> None:
        """Measure everything once more. Raises RuntimeError if a run fails or did not do what it should."""
        self._loops(number, self._figures.near, latency=0)
        self._loops(number, self._figures.far, latency=self._sizes.latency)
        self._hosts(number)
        self._long_loop()

    def _loops(self, number: int, figures: dict[str, list[float]], latency: float) -> None:
        count = self._sizes.items
        for name, case in _in_turn(make_cases("{{ item }}"), number):
            if latency and not case.calls:
                continue
            variables = self._provide(count, latency)
            # The first loop includes one-time costs of a run, such as imports, so the second one is used to compare.
            tasks = [
                *_loop("first", case.tasks, 1),
                *_loop("short", case.tasks, 1),
                *_loop("long", case.tasks, count),
            ]
            laps = self._runner.laps(tasks, variables)
            self._check_calls(case, tokens=count, uses=count + 2)
            _keep(figures, name, (laps["long"] - laps["short"]) / (count - 1), f"an item at {latency} s of latency")

    def _hosts(self, number: int) -> None:
        count = self._sizes.hosts
        cases = make_cases("{{ token }}")
        for name, case in _in_turn({name: cases[name] for name in CASES_OF_HOSTS}, number):
            variables = self._provide(count)
            inventory = self._runner.folder / "inventory.json"
            hosts = {
                f"host{place}": {"ansible_connection": "local", "token": token}
                for place, token in enumerate(variables.pop("tokens"))
            }
            inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
            tasks = [{"name": "task", **task} for task in case.tasks]
            arguments = ("--inventory", str(inventory), "--forks", str(self._sizes.forks))
            laps = self._runner.laps(tasks, variables, *arguments)
            self._check_calls(case, tokens=count, uses=count)
            _keep(self._figures.hosts, name, laps["task"], f"for {count} hosts")

    def _long_loop(self) -> None:
        case = make_cases("{{ item }}")["worker"]
        many, few = self._sizes.many_tokens, self._sizes.few_tokens
        variables = self._provide(many)
        tasks = _loop("long", case.tasks, many)
        seconds = self._runner.seconds(tasks, variables)
        self._check_calls(case, tokens=many, uses=many)
        say(f"  {many} tokens in {seconds:.1f} s")
        self._figures.many_tokens.append(seconds)
        self._figures.memory_many.append(self._runner.peak_memory(tasks, variables))
        self._figures.memory_few.append(
            self._runner.peak_memory(_loop("long", case.tasks, few), {**variables, "tokens": variables["tokens"][:few]})
        )

    def _provide(self, count: int, latency: float = 0.0) -> dict[str, Any]:
        """Reset the sandbox, make `count` valid tokens, and return the variables of a play."""
        sandbox = self._sandbox
        sandbox.reset()
        sandbox.configure(rate_limit=0)
        with requests.Session() as session:
            session.trust_env = False
            session.headers.update({"X-App-Id": sandbox.app_id, "X-App-Token": sandbox.app_token})
            form = {"grant_type": "client_credentials", "scope": "vouchers"}
            answers = [session.post(f"{sandbox.url}/v1/oauth/token", form).json() for _number in range(count)]
        sandbox.configure(latency=latency)
        return {
            "app_id": sandbox.app_id,
            "app_token": sandbox.app_token,
            "api_base_url": sandbox.url,
            "tokens": [answer["access_token"] for answer in answers],
        }

    def _check_calls(self, case: Case, *, tokens: int, uses: int) -> None:
        """Check that a run made exactly the calls that it should, because otherwise its time means nothing."""
        seen = Counter(request.operation for request in self._sandbox.requests())
        wanted = Counter(dict.fromkeys(case.calls, uses)) + Counter(generate=tokens)
        if seen != wanted:
            raise RuntimeError(f"{case.title} made the calls {dict(seen)} instead of {dict(wanted)}")


def _loop(name: str, tasks: Iterable[Task], count: int) -> list[Task]:
    return [{"name": name, **task, "loop": f"{{{{ tokens[:{count}] }}}}"} for task in tasks]


def _in_turn(cases: Mapping[str, Case], number: int) -> Iterator[tuple[str, Case]]:
    """Reverse the order in every other round, so that no case always follows the same one."""
    names = list(cases)
    return ((name, cases[name]) for name in (names if number % 2 == 0 else reversed(names)))


def _keep(figures: dict[str, list[float]], name: str, seconds: float, unit: str) -> None:
    say(f"  {name}: {seconds:.4f} s {unit}")
    figures.setdefault(name, []).append(seconds)
