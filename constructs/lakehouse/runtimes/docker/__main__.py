"""``python -m lakehouse.runtimes.docker STEP``: what a stack on Docker runs before and after its containers are made.

Run in the stack's folder, where services.json and containers.json lie.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import definitions, owner
from lakehouse.runtimes.docker import containers, steps
from lakehouse.runtimes.docker.engine import Engine, errors_told
from lakehouse.runtimes.state import State, terraform_state
from lakehouse.text.terminal import told


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lakehouse.runtimes.docker", description=__doc__)
    parser.add_argument("step", choices=("preflight", "ready"))
    parser.add_argument("service", nargs="?")
    parser.add_argument("--state", required=True, type=Path)
    given = parser.parse_args(arguments)
    asked = containers.read(Path(containers.FILE))
    try:
        with errors_told():
            _run(given.step, given.service, State(given.state), asked)
    except LakehouseError as error:
        print(f"Error: {told(error)}", file=sys.stderr)
        return error.exit_code
    except OSError as error:  # a full disk, a folder of another user
        print(f"Error: {error.filename or given.state}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(step: str, service: str | None, state: State, asked: tuple[containers.Container, ...]) -> None:
    if step == "preflight":
        read = definitions.read(Path(definitions.FILE))
        services = [each for each, _ in read.values()]
        planned = {name: incarnation for name, (_, incarnation) in read.items()}
        claim = owner.read_claim(Path(owner.MARK))
        known = names(terraform_state(Path(claim.owner.file), claim.owner.stack))
        steps.prepare(state, services, asked, Engine(), claim, planned, known)
    elif service is None:
        raise LakehouseError("ready: which service?")
    else:
        container = next(each for each in asked if each.service == service)
        took = steps.await_ready(Engine(), container)
        print(f"{service} is ready after {took:.1f} s")


def names(file: Path) -> frozenset[str]:
    """The names of the containers and networks in Terraform's state; none where there is no state yet.

    https://developer.hashicorp.com/terraform/internals/json-format describes the format for programs; the file itself
    has the same attributes by resource and instance.
    """
    try:
        content = json.loads(file.read_text() or "{}")
    except FileNotFoundError:
        return frozenset()
    return frozenset(
        instance["attributes"]["name"]
        for each in content.get("resources", ())
        if each["type"] in ("docker_container", "docker_network")
        for instance in each["instances"]
    )


if __name__ == "__main__":
    sys.exit(main())
