"""What a build does for each task of a schedule: its commands, the same as on a runner or any machine."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from lakehouse.aws.sources import PROJECT, TOOLKIT

#: A release of Terraform, as .github/actions/setup has it: only a look for drift runs it.
TERRAFORM = "1.11.4"
PYTHON = "3.11"

_ZIP = f"terraform_{TERRAFORM}_linux_amd64.zip"
_AT = f"https://releases.hashicorp.com/terraform/{TERRAFORM}"
# The checksums come from the same server by TLS, as hashicorp/setup-terraform takes them.
_FETCH = (
    "mkdir ../bin",
    f"curl -fsSL -o {_ZIP} {_AT}/{_ZIP}",
    f"curl -fsSL -o terraform.sums {_AT}/terraform_{TERRAFORM}_SHA256SUMS",
    f"grep -F {_ZIP} terraform.sums | sha256sum --check --strict",
    f"python3 -m zipfile -e {_ZIP} ../bin",
    "chmod +x ../bin/terraform",
    'export PATH="$(realpath ../bin):$PATH"',
)
_RUNTIME = "make .venv/done/runtime"
_LAKEHOUSE = ".venv/bin/lakehouse --stack $STACK"
#: By task: what is installed, and what runs.
_COMMANDS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "maintenance": ((_RUNTIME,), f"{_LAKEHOUSE} maintain"),
    "metadata": ((_RUNTIME,), f"{_LAKEHOUSE} metadata publish"),
    "drift": ((*_FETCH, "make setup-pipeline STACK=$STACK"), "make pipeline-drift STACK=$STACK"),
}


def buildspec(task: str, file: str) -> str:
    """The build of a task, in JSON, which CodeBuild reads as YAML; ``file`` is the name of the lakehouse.yaml.

    All commands run in one shell, one after the other, and the first that fails ends the build.
    https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
    """
    install, run = _COMMANDS[task]
    here = f"cd {TOOLKIT}"
    file = f'export LAKEHOUSE_FILE="$CODEBUILD_SRC_DIR"/{PROJECT}/{shlex.quote(file)}'
    return json.dumps(
        {
            "version": 0.2,
            "env": {"shell": "bash"},
            "phases": {
                "install": {"runtime-versions": {"python": PYTHON}, "commands": [here, file, *install]},
                "build": {"commands": [run]},
            },
        },
        indent=1,
    )


def variables(stack: str, account: str) -> dict[str, str]:
    """The variables of every build."""
    return {
        "STACK": stack,
        "LAKEHOUSE_AWS_ACCOUNT": account,
        "NO_COLOR": "1",
        "TF_CLI_ARGS_plan": "-lock=false",  # the role cannot write the state, not even a lock
    }
