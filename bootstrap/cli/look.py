"""``python -m bootstrap.cli.look --file FILE --stack STACK``: what an apply would change, as JSON.

The CDK app runs this at synth (:mod:`lakehouse.runtimes.contents`). A stack that is not up has nothing to compare.
Any failure ends with exit code 1 and one line.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from bootstrap.reconciler.changes import SYMBOLS
from bootstrap.reconciler.plan import render
from bootstrap.reconciler.reconcile import make_plan
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import first_line
from bootstrap.session.connect import connect
from lakehouse.errors import LakehouseError
from lakehouse.runtimes.contents import NAME, Compared
from lakehouse.runtimes.incarnation import NONE, recorded
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.processes import is_open
from lakehouse.spec import Lakehouse, LocalStack, load

_MOST = 50  # changes that are named
_PATIENCE = 3.0  # seconds of retries, because a deploy waits for them


def _is_up(lakehouse: Lakehouse, name: str, path: Path) -> bool:
    """Whether the stack is a local one whose bootstrap has run and whose store and catalogs listen."""
    if not isinstance(lakehouse.stacks.get(name), LocalStack):
        return False
    local = locate(lakehouse, name, path)
    needed = {local.endpoints.store.service, *(each.service for each in local.endpoints.catalogs)}
    at = [local.place.external(port.name) for each in local.services if each.name in needed for port in each.ports]
    return recorded(local.state, NAME) != NONE and all(is_open(each.port, each.host) for each in at)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bootstrap.cli.look", description=__doc__)
    parser.add_argument("--file", required=True, type=Path)
    parser.add_argument("--stack", required=True)
    given = parser.parse_args(arguments)
    try:
        if not _is_up(load(given.file, engines=False), given.stack, given.file):
            print(json.dumps(asdict(Compared())))
            return 0
        lakehouse, connections = connect(given.file, given.stack)
        plan = make_plan(lakehouse, World.of(replace(connections, patience=_PATIENCE)))
    except LakehouseError as error:
        print(first_line(error), file=sys.stderr)
        return 1
    except Exception as error:  # noqa: BLE001 - a deploy goes on without the look, whatever fails in it
        print(f"{type(error).__name__}: {first_line(error)}", file=sys.stderr)
        return 1
    # What an apply refuses counts: the deploy then reports it, instead of "No changes".
    found = {
        "drift": bool(plan.steps or plan.refused),
        "steps": [f"{SYMBOLS[step.change.op]} {step.address}" for step in plan.steps[:_MOST]]
        + [f"refused: {note}" for note in plan.refused[:_MOST]],
        "lines": list(render(plan, most=_MOST)),
    }
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
