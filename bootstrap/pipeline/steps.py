"""Commands as steps of a pipeline: shown while they run, their output kept."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bootstrap import output
from lakehouse.errors import LakehouseError

#: The last lines of a failed step, in its error.
_SHOWN = 30


@dataclass(frozen=True)
class PipelineStep:
    """A command, and the exit codes that mean success. ``loud``: its output is shown while it runs."""

    name: str
    command: tuple[str, ...]
    fine: frozenset[int] = frozenset({0})
    loud: bool = True


@dataclass(frozen=True)
class Ran:
    """The end of a command: its exit code, standard output and standard error."""

    code: int
    output: str
    errors: str = ""


#: Runs a command; an argument, so that tests can run without.
Runner = Callable[[PipelineStep], Ran]


class StepFailed(LakehouseError):
    """A step ended with an unexpected exit code."""


def run(step: PipelineStep, runner: Runner) -> Ran:
    """Runs a step. Raises StepFailed with the end of its output."""
    began = time.monotonic()
    print(f"== {step.name}", flush=True)
    ran = runner(step)
    if ran.code not in step.fine:
        end = "\n".join((ran.output + ran.errors).strip().splitlines()[-_SHOWN:])
        shown = "" if step.loud else f":\n{end}"
        raise StepFailed(f"{step.name} failed ({' '.join(step.command)} ended with {ran.code}){shown}")
    print(f"== {step.name}: done after {time.monotonic() - began:.1f} s", flush=True)
    return ran


def processes(
    folder: Path, file: Path, redact: output.Redactor | None, further: Mapping[str, str] = MappingProxyType({})
) -> Runner:
    """Runs steps as processes in ``folder``, for the lakehouse.yaml ``file``. Secrets are blacked out.

    ``further`` are variables of the steps.
    """
    environment = {**os.environ, "LAKEHOUSE_FILE": str(file), "NO_COLOR": "1", "CI": os.environ.get("CI", "1")}
    environment |= further

    def clean(text: str) -> str:
        return redact(text) if redact else text

    def runner(step: PipelineStep) -> Ran:
        try:
            if not step.loud:
                done = subprocess.run(
                    step.command, cwd=folder, env=environment, capture_output=True, text=True, check=False
                )
                return Ran(done.returncode, clean(done.stdout), clean(done.stderr))
            return _watched(step.command, folder, environment, clean)
        except FileNotFoundError:
            raise LakehouseError(
                f"{step.name}: {step.command[0]} is missing. `make setup-pipeline` installs it"
            ) from None

    return runner


def _watched(command: Sequence[str], folder: Path, environment: dict[str, str], clean: Callable[[str], str]) -> Ran:
    lines = []
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(clean(line))
            sys.stdout.write(lines[-1])
            sys.stdout.flush()
    return Ran(process.returncode, "".join(lines))
