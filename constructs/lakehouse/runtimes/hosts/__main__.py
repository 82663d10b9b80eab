"""``python -m lakehouse.runtimes.hosts STEP``: called by the provisioners of the synthesised stack.

It runs in the stack's folder, with services.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from ipaddress import IPv4Network
from pathlib import Path

from lakehouse.runtimes import changes, definitions, events, generations, owner, started
from lakehouse.runtimes.hosts import playbook, steps
from lakehouse.runtimes.hosts.place import STACK, HostsPlace, Layout
from lakehouse.runtimes.hosts.steps import PlacedStack
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.runtimes.state import State
from lakehouse.runtimes.step import ended
from lakehouse.spec.hosts import Host, Placement


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lakehouse.runtimes.hosts", description=__doc__)
    parser.add_argument("step", choices=("preflight", "host-up", "host-down", "up", "down", "clear"))
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--state", required=True, type=Path)
    parser.add_argument("--home", type=Path, default=Path())
    given = parser.parse_args(arguments)
    return ended(lambda: _run(given), given.name or given.step, given.state)


def _run(given: argparse.Namespace) -> None:
    state, name = State(given.state), given.name
    claim = owner.read_claim(Path(owner.MARK))
    if ("down" in given.step or given.step == "clear") and not owner.may_stop(state, claim):
        print(f"{state.root} does not belong to this lakehouse: nothing is stopped there.")
        return
    if given.step == "host-down":
        events.tell("step", f"what is left on host {name}")
        steps.host_down(state, given.home, name)
        return
    if given.step == "clear":
        steps.clear(state, given.home)
        return
    stack = _stack(state, Path())
    if given.step == "preflight":
        changes.tell(Path())
        steps.preflight(stack, claim, generations.planned_in(Path()))
        steps.hand_over(stack)
    elif given.step == "host-up":
        events.tell("step", f"the packages and the firewall of host {name}")
        with playbook.working(state):
            steps.host_up(stack, name)
    elif given.step == "down":
        events.tell("stopping", name)
        steps.service_down(stack, name)
        events.tell("stopped", name)
    else:
        service, incarnation = stack.planned[name]
        events.tell("started", name)
        with playbook.working(state):
            took = steps.service_up(stack, name)
        started.remember(state, service, incarnation, Path())
        events.tell("ready", name)
        print(f"{name} is ready on {stack.place.on(name)} after {took:.1f} s")


def _stack(state: State, folder: Path) -> PlacedStack:
    """The stack that was synthesised into a folder."""
    content = json.loads((folder / STACK).read_text())
    place = HostsPlace(
        Layout(content["id"]),
        {name: Host.model_validate(each) for name, each in content["hosts"].items()},
        Placement.model_validate(content["place"]),
        content["store"],
        {},  # the services have their ports
        Path(content["home"]),
        harden=tuple(content.get("harden", ())),
        mirror=content.get("mirror", ""),
    )
    clients = tuple(IPv4Network(each) for each in content["clients"])
    incarnations = {name: Incarnation.parse(each) for name, each in content["incarnations"].items()}
    return PlacedStack(state, place, clients, definitions.read(folder / definitions.FILE), incarnations)


if __name__ == "__main__":
    sys.exit(main())
