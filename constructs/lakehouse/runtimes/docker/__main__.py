"""``python -m lakehouse.runtimes.docker STEP``: what a stack on Docker runs before and after Terraform's containers.

It runs in the stack's folder, with services.json and containers.json.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import changes, definitions, events, generations, owner, started
from lakehouse.runtimes.docker import background, containers, network, steps, supervised
from lakehouse.runtimes.docker.connection import errors_reported
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.known import known_names
from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.process import steps as processes
from lakehouse.runtimes.state import State, terraform_state
from lakehouse.runtimes.step import ended

STEPS = ("preflight", "network-up", "network-down", "ready", "job", "supervisor-up", "supervisor-down", "up", "down")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lakehouse.runtimes.docker", description=__doc__)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("service", nargs="?")
    parser.add_argument("--start", default="")
    parser.add_argument("--state", required=True, type=Path)
    given = parser.parse_args(arguments)
    asked = containers.read(Path(containers.FILE))

    def run() -> None:
        with errors_reported():
            _run(given.step, given.service, given.start, State(given.state), asked)

    return ended(run, given.service or given.step, given.state)


def _run(step: str, service: str | None, start: str, state: State, asked: tuple[containers.Container, ...]) -> None:
    if step in ("down", "supervisor-down") and not owner.may_stop(state, owner.read_claim(Path(owner.MARK))):
        print(f"{state.root} does not belong to this lakehouse: nothing is stopped there.")
    elif step == "preflight":
        changes.tell(Path())
        read = definitions.read(Path(definitions.FILE))
        services = [each for each, _ in read.values()]
        planned = {name: incarnation for name, (_, incarnation) in read.items()}
        claim = owner.read_claim(Path(owner.MARK))
        known = known_names(terraform_state(Path(claim.owner.file), claim.owner.stack))
        credentials, engine = generations.planned_in(Path()), DockerEngine()
        runtime = Containers(state, asked, engine)
        steps.prepare(state, services, asked, engine, claim, planned, known, credentials, runtime)
        background.start(
            state,
            [each for each in services if not each.outside],
            engine.images({each.image for each in asked}),
            claim.owner,
        )
    elif step == "network-up":
        network.up(DockerEngine(), state, asked[0].network, start)
    elif step == "network-down":
        background.stop(state)
        network.down(DockerEngine(), state)
    elif step == "supervisor-up":
        supervised.up(state, start)
    elif step == "supervisor-down":
        events.tell("step", "what is left of the supervisor's processes")
        supervised.down(state)
    elif service is None:
        raise LakehouseError(f"{step} needs the name of a service.")
    elif step == "down":
        events.tell("stopping", service)
        processes.service_down(state, service)
        events.tell("stopped", service)
    elif step == "job":
        job, incarnation = definitions.read(Path(definitions.FILE))[service]
        events.tell("started", service)
        took = steps.run_job(
            state, DockerEngine(), next(each for each in asked if each.service == job.name), incarnation
        )
        started.remember(state, job, incarnation, Path())
        events.tell("ready", service)
        print(f"{service} has ended after {took:.1f} s")
    else:
        there, incarnation = definitions.read(Path(definitions.FILE))[service]
        events.tell("started", service)
        if step == "up":
            took = processes.service_up(state, there, incarnation)
        else:
            took = steps.await_ready(DockerEngine(), next(each for each in asked if each.service == service))
        started.remember(state, there, incarnation, Path())
        events.tell("ready", service)
        print(f"{service} is ready after {took:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
