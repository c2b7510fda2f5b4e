# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A play on localhost that lasts as long as the tests."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from integration.plays import TIME_LIMIT, Run, StartedRun, Task, save_task, start_play

_STEPS = 500


class LongPlay:
    """A play that executes tasks whenever the test has some.

    ansible-playbook starts once for many tests, so a task costs a tenth of what it costs in a run of its own. Variables
    stay set for later tests, and a warning is only shown once. A context manager that ends the play.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._environment = {**environment, "ANSIBLE_VAULT_ENCRYPT_IDENTITY": "default"}
        self._started: StartedRun | None = None
        self._plays = self._step = self._shown = 0
        self._is_busy = False

    def __enter__(self) -> LongPlay:
        return self

    def __exit__(self, *exception: object) -> None:
        self.give_up_unfinished()
        if self._started:
            self._write_step([{"ansible.builtin.meta": "end_play"}])
            assert self._started.end().status == 0, self._new_output()

    def run(self, tasks: Sequence[Task], fetch: Sequence[str] = ()) -> Run:
        """Execute tasks, of which none may fail without C(ignore_errors). Return their output and variables."""
        self.begin(tasks, fetch)
        return self.end()

    def begin(self, tasks: Sequence[Task], fetch: Sequence[str] = ()) -> None:
        """Start to execute tasks."""
        assert not self._is_busy
        self._is_busy = True
        following = self._file("yml", self._step + 1)
        saving = save_task(self._file("json", self._step), fetch, wait_for=str(following), test=os.getpid())
        self._write_step([*tasks, saving])
        if self._started is None:
            self._started = start_play(
                self.folder,
                [{"ansible.builtin.include_tasks": str(self._file("yml", number))} for number in range(_STEPS)],
                environment=self._environment,
                vault_ids=("default", "staging"),
            )

    def end(self) -> Run:
        """Wait until the tasks have ended."""
        assert self._started
        saved = self._file("json", self._step)
        end = time.monotonic() + TIME_LIMIT
        while not saved.exists():
            if self._started.process.poll() is not None or time.monotonic() > end:
                output = self._new_output()
                self.give_up_unfinished()
                raise AssertionError(f"the play ended before the test\n{output}")
            time.sleep(0.01)
        self._is_busy = False
        self._step += 1
        return Run(0, self._new_output(), json.loads(saved.read_text()))

    def worker(self) -> int:
        """Return the process ID of the worker that executes a task now."""
        assert self._started
        return self._started.worker()

    def give_up_unfinished(self) -> None:
        """Kill the play if a test failed before its tasks ended. The next tasks begin another one."""
        if self._is_busy and self._started:
            self._started.kill()
            self._started = None
            self._is_busy = False
            self._plays += 1
            self._step = self._shown = 0

    def _new_output(self) -> str:
        assert self._started
        output = self._started.output
        new, self._shown = output[self._shown :], len(output)
        return new

    def _file(self, kind: str, step: int) -> Path:
        return self.folder / f"{self._plays}.{step}.{kind}"

    def _write_step(self, tasks: Sequence[Task]) -> None:
        file = self._file("yml", self._step)
        complete = file.with_suffix(".tmp")
        complete.write_text(json.dumps(tasks))
        complete.rename(file)
