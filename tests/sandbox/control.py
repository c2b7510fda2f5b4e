# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface by which a test, or a playbook, steers the sandbox: JSON in, JSON out, no credentials.

GET  /control/state
GET  /control/requests
POST /control/reset
POST /control/clock     {"advance": 840}, {"stop": true}
POST /control/settings  {"rate_limit": 100}, or any other of `Settings`
POST /control/faults    {"operation": "revoke", "cut": true}, or any other of `Fault`
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from .answer import Answer
from .call import Call
from .faults import Fault
from .world import World

ROOT = "/control"


def answer_control(world: World, call: Call) -> Answer | None:
    """Answer a call to the interface; None when it is none.

    400 with `{"error": ...}` for what is not understood, so that a misspelt option never passes unseen.
    """
    act = _ACTIONS.get((call.method, call.path))
    if act is None:
        return None
    try:
        content = json.loads(call.body or b"{}")
        return Answer.json(200, act(world, **content))
    except (TypeError, ValueError) as problem:
        return Answer.json(400, {"error": str(problem)})


def _show_state(world: World) -> dict[str, Any]:
    return {
        "now": world.clock.now(),
        "keys": [asdict(key) for key in world.keys],
        "tokens": [asdict(token) for token in world.project.tokens()],
        "settings": asdict(world.settings),
        "faults": [asdict(fault) for fault in world.faults.pending()],
    }


def _show_requests(world: World) -> dict[str, Any]:
    return {"requests": [asdict(entry) for entry in world.journal.entries()]}


def _reset(world: World) -> dict[str, Any]:
    world.reset()
    return {}


def _move_clock(world: World, *, advance: float = 0, stop: bool = False) -> dict[str, Any]:
    world.clock.advance(advance)
    if stop:
        world.clock.stop()
    return {"now": world.clock.now()}


def _change_settings(world: World, **changes: Any) -> dict[str, Any]:
    world.settings = replace(world.settings, **changes)
    return asdict(world.settings)


def _order_fault(world: World, **fault: Any) -> dict[str, Any]:
    world.faults.add(Fault(**fault))
    return {"faults": [asdict(pending) for pending in world.faults.pending()]}


_ACTIONS: dict[tuple[str, str], Callable[..., dict[str, Any]]] = {
    ("GET", f"{ROOT}/state"): _show_state,
    ("GET", f"{ROOT}/requests"): _show_requests,
    ("POST", f"{ROOT}/reset"): _reset,
    ("POST", f"{ROOT}/clock"): _move_clock,
    ("POST", f"{ROOT}/settings"): _change_settings,
    ("POST", f"{ROOT}/faults"): _order_fault,
}
