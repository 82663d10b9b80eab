"""The scheduler of a stack with `schedule`: a process on this machine, on each runtime.

It runs commands of this toolkit, which reach services from outside, so it is no container. It has a supervisor and a
folder of its own: ``schedule/`` in the state folder. :mod:`bootstrap.schedule.serve` is what runs.

``python -m lakehouse.runtimes.scheduling up|down --state ROOT`` is the step of Terraform's resource, which
:mod:`lakehouse.runtimes.scheduler` makes. This module imports no CDK, which commands do without.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import definitions, events, owner
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.process import steps, surroundings
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.processes import belonging
from lakehouse.runtimes.runs import of_stack
from lakehouse.runtimes.state import State
from lakehouse.services.service import File, Probe, Service
from lakehouse.spec.schedule import Schedule
from lakehouse.text.terminal import shown_lines

NAME, SETTINGS, READY = "scheduler", "schedule.json", "ready"
FOLDER = "schedule"  # in the folder of the synthesised stack


def service(local: Local, file: Path, schedule: Schedule) -> Service:
    """The scheduler with what it needs to know."""
    config = of_stack(local.state).config(NAME)
    content = {
        "file": str(file),
        "lakehouse": local.claim.owner.lakehouse,
        "stack": local.claim.owner.stack,
        "state": str(local.state.root),
        "schedule": schedule.model_dump(mode="json"),
    }
    return Service(
        name=NAME,
        image="",
        packages=(),
        command=(sys.executable, "-P", "-m", "bootstrap.schedule.serve", str(config / SETTINGS)),
        environment=surroundings.toolkit(),
        files=(File(SETTINGS, json.dumps(content, indent=1)),),
        forgets=(str(config / READY),),
        probe=Probe("exec", command=("/bin/sh", "-c", f"test -f {shlex.quote(str(config / READY))}"), patience=60),
        memory_mb=96,
    )


def up(state: State, folder: Path) -> float:
    """Start the scheduler, instead of a former one. Returns the seconds that it took."""
    own = of_stack(state)
    there, wanted = definitions.read(folder / FOLDER / definitions.FILE)[NAME]
    own.prepare()
    Supervisor(own).start(watched=False)
    events.tell("started", NAME)
    took = steps.service_up(own, there, wanted)
    events.tell("ready", NAME)
    return took


def down(state: State) -> None:
    """Stop the scheduler, and what it runs. The records of runs stay."""
    own = of_stack(state)
    if own.root.exists():
        events.tell("stopping", NAME)
        steps.supervisor_down(own)
        events.tell("stopped", NAME)


def remains(state: State) -> str:
    """What of it runs, as text; empty if nothing does."""
    pids = ", ".join(str(process.pid) for process in belonging(of_stack(state)))
    return f"the scheduler, pids {pids}" if pids else ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lakehouse.runtimes.scheduling", description=__doc__)
    parser.add_argument("step", choices=("up", "down"))
    parser.add_argument("--state", required=True, type=Path)
    given = parser.parse_args(arguments)
    state = State(given.state)
    try:
        if given.step == "up":
            print(f"{NAME} is ready after {up(state, Path()):.1f} s")
        elif not owner.may_stop(state, owner.read_claim(Path(owner.MARK))):
            print(f"{state.root} does not belong to this lakehouse: nothing is stopped there.")
        else:
            down(state)
    except LakehouseError as error:
        print(f"Error: {shown_lines(error)}", file=sys.stderr)
        events.tell("failed", NAME, shown_lines(error))
        return error.exit_code
    except OSError as error:  # a full disk
        print(f"Error: {error.filename or state.root}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
