"""``python -m lakehouse.runtimes.process STEP``: called by the provisioners of the synthesised stack.

It runs in the stack's folder, with services.json. It imports little, because a deploy runs it once per service.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import changes, definitions, events, generations, owner, started
from lakehouse.runtimes.process import background, steps
from lakehouse.runtimes.state import State
from lakehouse.runtimes.step import ended


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lakehouse.runtimes.process", description=__doc__)
    parser.add_argument("step", choices=("preflight", "supervisor-up", "supervisor-down", "up", "down"))
    parser.add_argument("service", nargs="?")
    parser.add_argument("--state", required=True, type=Path)
    parser.add_argument("--start", default="")
    given = parser.parse_args(arguments)
    return ended(lambda: _run(given), given.service or given.step, given.state)


def _run(given: argparse.Namespace) -> None:
    state, name = State(given.state), given.service
    claim = owner.read_claim(Path(owner.MARK))
    if given.step == "preflight":
        changes.tell(Path())
        planned = definitions.read(Path(definitions.FILE))
        services, credentials = [service for service, _ in planned.values()], generations.planned_in(Path())
        steps.preflight(state, services, claim, credentials)
        generations.renew(state, services, credentials)  # the first change
        steps.stop_replaced(state, planned)
        steps.hand_over(state, services)
        return
    if "down" in given.step and not owner.may_stop(state, claim):
        print(f"{state.root} does not belong to this lakehouse: nothing is stopped there.")
    elif given.step == "supervisor-up":
        steps.supervisor_up(state, given.start)
    elif given.step == "supervisor-down":
        events.tell("step", "what is left of the supervisor's processes")
        steps.supervisor_down(state)
    elif name is None:
        raise LakehouseError(f"{given.step} needs the name of a service.")
    elif given.step == "down":
        events.tell("stopping", name)
        steps.service_down(state, name)
        events.tell("stopped", name)
    else:
        service, incarnation = definitions.read(Path(definitions.FILE))[name]
        events.tell("started", name)
        took = steps.service_up(state, service, incarnation)
        started.remember(state, service, incarnation, Path())
        events.tell("ready", name)
        if not service.is_job:
            background.start(state, service, claim.owner)
        print(f"{name} {'has ended' if service.is_job else 'is ready'} after {took:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
