"""Whether what a running local stack holds is still what the file says: asked at synth, in a process of its own.

So a deploy sees drift in contents as it sees a service that died: the bootstrap's resource gets a new incarnation. The
CDK app itself loads no client of a catalog, and asks only stacks that are up. No answer in time is no drift: then a
deploy does what it does without the look, and says so.

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

from lakehouse.runtimes.incarnation import Incarnation, record, recorded
from lakehouse.runtimes.state import State

NAME = "bootstrap"
FILE = "bootstrap.json"
PATIENCE = 20.0  # seconds that a look may take


@dataclass(frozen=True)
class Look:
    """A look under way."""

    process: subprocess.Popen[str]
    until: float

    def drifted(self) -> bool:
        """Whether the contents differ from the file. Waits for the answer; says on standard error if there is none."""
        try:
            out, told = self.process.communicate(timeout=max(0.1, self.until - time.monotonic()))
            if self.process.returncode == 0:
                return bool(json.loads(out)["drift"])
            why = told.strip().splitlines()[-1:] or ["it gave no reason"]
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            why = [f"no answer within {PATIENCE:.0f} s"]
        except (ValueError, KeyError, TypeError):
            why = ["its answer cannot be read"]
        print(
            f"The contents could not be compared with the file, so drift in them does not show now: {why[0]}",
            file=sys.stderr,
        )
        return False


def propose(state: State, digest: str, drifted: bool) -> Incarnation:
    """The incarnation that the bootstrap should have: the last one, unless there is something for it to do."""
    last = recorded(state, NAME)
    return last if last.digest == digest and not drifted else Incarnation.new(digest)


def write(folder: Path, incarnation: Incarnation) -> None:
    """Writes beside the synthesised stack which incarnation its bootstrap has."""
    (folder / FILE).write_text(json.dumps(asdict(incarnation)))


def main(arguments: list[str] | None = None) -> None:
    """Run in the stack's folder once the bootstrap is well done."""
    parser = argparse.ArgumentParser(prog="python -m lakehouse.runtimes.contents", description=__doc__)
    parser.add_argument("--state", required=True, type=Path)
    given = parser.parse_args(arguments)
    content: Mapping[str, str] = json.loads(Path(FILE).read_text())
    record(State(given.state), NAME, Incarnation(**content))


if __name__ == "__main__":
    main()
