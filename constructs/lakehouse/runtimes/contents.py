"""Compares the contents of a running local stack with the file during synth, in a separate process.

So a deploy notices drift in contents as it notices a service that died: the bootstrap's resource gets a new
incarnation. The CDK app itself loads no catalog client, and compares only stacks that are up. If there is no answer in
time, the deploy assumes no drift and says so.

``python -m lakehouse.runtimes.contents --state ROOT`` records which incarnation of the bootstrap ran last.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lakehouse.runtimes.incarnation import NONE, Incarnation, record, recorded
from lakehouse.runtimes.reasons import sentences
from lakehouse.runtimes.state import State

NAME = "bootstrap"
FILE = "bootstrap.json"
PATIENCE = 20.0  # seconds that a comparison may take
_MOST = 4  # changes that Terraform's plan names
_CHANGED = "the file's contents, or a service that they need, have changed"


@dataclass(frozen=True)
class Compared:
    """The contents compared with the file. ``steps`` are the changes that an apply would make, a line each.

    ``lines`` are the whole plan, as `lakehouse plan` shows it; None if there was no comparison, and ``failed`` says why
    if one was begun.
    """

    drift: bool = False
    steps: tuple[str, ...] = ()
    lines: tuple[str, ...] | None = None
    failed: str = ""


@dataclass(frozen=True)
class Look:
    """A comparison that runs. ``until`` is its time limit, on the monotonic clock."""

    process: subprocess.Popen[str]
    until: float

    def compared(self) -> Compared:
        """Waits for the answer, and prints a warning if there is none."""
        try:
            out, errors = self.process.communicate(timeout=max(0.1, self.until - time.monotonic()))
            if self.process.returncode == 0:
                found = json.loads(out)
                lines = found["lines"]
                return Compared(bool(found["drift"]), tuple(found["steps"]), None if lines is None else tuple(lines))
            why = errors.strip().splitlines()[-1:] or ["there is no error message"]
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            why = [f"no answer within {PATIENCE:.0f} s"]
        except (ValueError, KeyError, TypeError):
            why = ["its answer cannot be read"]
        print(
            f"The contents could not be compared with the file, so this plan shows no drift in them: {why[0]}",
            file=sys.stderr,
        )
        return Compared(failed=why[0])

    def end(self) -> None:
        """End the comparison if nobody waits for its answer."""
        with self.process:  # closes its pipes
            self.process.kill()


def propose(state: State, digest: str, compared: Compared) -> Incarnation:
    """The incarnation for the bootstrap: the last one, or a new one if it must run."""
    last = recorded(state, NAME)
    if last.digest == digest and not compared.drift:
        return last
    why = sentences(compared.steps, _MOST) or ("first start" if last == NONE else _CHANGED)
    return Incarnation.new(digest, why)


def write(folder: Path, incarnation: Incarnation) -> None:
    """Write the bootstrap's incarnation into the folder of the synthesised stack."""
    (folder / FILE).write_text(json.dumps(asdict(incarnation)))


def main(arguments: list[str] | None = None) -> None:
    """Record the incarnation. It runs in the stack's folder after a successful bootstrap."""
    parser = argparse.ArgumentParser(prog="python -m lakehouse.runtimes.contents", description=__doc__)
    parser.add_argument("--state", required=True, type=Path)
    given = parser.parse_args(arguments)
    content: Mapping[str, str] = json.loads(Path(FILE).read_text())
    record(State(given.state), NAME, Incarnation(**content))


if __name__ == "__main__":
    main()
