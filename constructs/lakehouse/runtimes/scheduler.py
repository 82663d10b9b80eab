"""Terraform's resource of a stack's scheduler."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from lakehouse.cdk import TerraformResource, local_exec
from lakehouse.runtimes import definitions, scheduling
from lakehouse.runtimes.incarnation import NONE, Incarnation, digest, recorded
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.probe import BUSY_SECONDS
from lakehouse.runtimes.process import incarnation
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.runs import of_stack
from lakehouse.runtimes.scheduling import FOLDER, NAME, service
from lakehouse.runtimes.state import State
from lakehouse.runtimes.terraform import LocalRuntime
from lakehouse.spec.schedule import Schedule
from lakehouse.text.later import definition


class Scheduler:
    """The scheduler of a stack, at a synth."""

    def __init__(self, local: Local, file: Path, schedule: Schedule | None) -> None:
        self._local, self._schedule = local, schedule
        self._service = None if schedule is None else service(local, file, schedule)
        self._incarnation = NONE

    def add(self, runtime: LocalRuntime, contents: TerraformResource) -> str:
        """Add Terraform's resource, which starts last and stops first. Returns why it starts; empty: it goes on.

        Terraform runs no step for a block that is gone, so a scheduler that still runs without `schedule` has a
        resource that stops it.
        """
        own = of_stack(self._local.state)
        up, down = (_step(word, self._local.state) for word in ("up", "down"))
        if self._service is None:
            if Supervisor(own).alive():
                trigger = str(Incarnation.new(digest("down")))
                local_exec(runtime, NAME, trigger=trigger, up=down, needs=[contents])
            return ""
        last, wanted = recorded(own, NAME), digest(definition(self._service))
        well = incarnation.healthy([self._service], own, BUSY_SECONDS)[NAME]
        why = "first start" if last == NONE else "its schedule has changed" if last.digest != wanted else ""
        why = why or ("" if well else "it does not run")
        self._incarnation = Incarnation.new(wanted, why) if why else last
        trigger = str(self._incarnation)
        local_exec(runtime, NAME, trigger=trigger, up=up, down=down, needs=[contents], made_first=True)
        return why

    def write(self, folder: Path) -> None:
        """Write what the step reads, beside the synthesised stack."""
        if self._service is not None:
            (folder / FOLDER).mkdir(parents=True, exist_ok=True)
            definitions.write(folder / FOLDER, (self._service,), {NAME: self._incarnation})


def _step(word: str, state: State) -> str:
    return shlex.join([sys.executable, "-m", scheduling.__name__, word, "--state", str(state.root)])
