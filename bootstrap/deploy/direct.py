"""``python -m bootstrap.deploy.direct ACTION STACK``: runs the CDK app and Terraform, as ``cdktf ACTION STACK`` does.

The start of cdktf itself takes longer than both, and its installation as long as that of Python's packages. The state,
the output folder and Terraform's arguments are the same, so ``cdktf`` can follow this, and this can follow ``cdktf``.

https://developer.hashicorp.com/terraform/cdktf/cli-reference/commands
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from lakehouse import project, toolkit
from lakehouse.errors import LakehouseError
from lakehouse.packages import terraform
from lakehouse.runtimes import before, temporary

_OUTPUT = "cdktf.out"  # where cdktf.json names no other folder
_PATIENCE = "-lock-timeout=5m"  # if two deploys begin at the same time, the second one waits
_TERRAFORM: Mapping[str, Sequence[str]] = {
    "deploy": ("apply", "-auto-approve", "-input=false", _PATIENCE),
    "destroy": ("destroy", "-auto-approve", "-input=false", _PATIENCE),
    "diff": ("plan", "-input=false", _PATIENCE),
}


def run(action: str, stack: str, folder: Path, environment: Mapping[str, str]) -> int:
    """Synthesise the project in ``folder`` and let Terraform deploy, destroy or compare the stack.

    Returns the exit code: that of what failed. Raises LakehouseError if it cannot begin, KeyboardInterrupt after
    Ctrl-C, once the program that runs has ended.
    """
    program = terraform.find(environment)
    if program is None:
        raise LakehouseError(terraform.MISSING)
    settings = json.loads((folder / "cdktf.json").read_text())
    output = folder / settings.get("output", _OUTPUT)
    before.wait((action, stack))
    variables = _variables(environment)
    if code := _call(("/bin/sh", "-c", settings["app"]), folder, _of_app(action, stack, output, variables)):
        return code
    place = output / "stacks" / stack
    if not (place / "cdk.tf.json").is_file():
        raise LakehouseError(f"The app declares no stack {stack}: there is no {place / 'cdk.tf.json'}.")
    for words in (("init", "-input=false"), _TERRAFORM[action]):
        if code := _call((program, *words, "-no-color"), place, variables):
            return code
    return 0


def _of_app(action: str, stack: str, output: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """The app's variables, as cdktf sets them. Services inherit none of these: Terraform's steps start them."""
    found = {key: value for key, value in variables.items() if not key.startswith("TF_VAR_")}
    found["CDKTF_OUTDIR"] = str(output)
    found[project.ASKED_STACK] = stack
    found.setdefault("NODE_OPTIONS", "--max-old-space-size=4096")
    if action == "destroy":
        found[project.DESTROYING] = "yes"
    return found


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What the app and Terraform see: the environment with what ``bin/cdktf`` sets."""
    found = dict(environment)
    node = toolkit.node()
    commands = [str(Path(sys.executable).parent), *([str(node.parent)] if node else [])]
    found["PATH"] = os.pathsep.join([*commands, found.get("PATH", os.defpath)])
    found["CHECKPOINT_DISABLE"] = "1"
    if (own := temporary.make(os.getpid())) is not None:
        found |= temporary.named(own)
    if (file := found.get("TF_CLI_CONFIG_FILE")) and not Path(file).exists():
        print(f"warning: TF_CLI_CONFIG_FILE names {file}, which does not exist: Terraform runs without settings.")
        found["TF_CLI_CONFIG_FILE"] = os.devnull
    return found


def _call(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    """Run a command and wait for its end, whatever happens meanwhile. Returns its exit code; 1 if a signal ended it."""
    with _patient() as stops:
        sys.stdout.flush()
        process = subprocess.Popen(command, cwd=folder, env=environment)
        code = process.wait()
    if stops:
        raise KeyboardInterrupt
    return 1 if code < 0 else code


@contextmanager
def _patient() -> Iterator[list[int]]:
    """Ctrl-C also reaches the program that runs, which ends what it has begun. The signals that arrived."""
    arrived: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        arrived.append(number)

    former = signal.signal(signal.SIGINT, note)
    try:
        yield arrived
    finally:
        signal.signal(signal.SIGINT, former)


def main(arguments: Sequence[str] | None = None) -> int:
    action, stack = sys.argv[1:] if arguments is None else arguments
    try:
        with suppress(KeyboardInterrupt):
            return run(action, stack, Path.cwd(), os.environ)
    except LakehouseError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
