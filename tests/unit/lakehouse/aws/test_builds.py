"""The commands of builds; ``synth/aws/test_builds.py`` runs them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from lakehouse.aws import builds
from lakehouse.spec.schedule import TASKS

ROOT = Path(__file__).parents[4]
BUILDS = [each for each in TASKS if each != "backup"]  # that `validate` refuses


@pytest.mark.parametrize("task", BUILDS)
def test_a_build_changes_the_folder_names_the_file_and_runs_the_task(task: str) -> None:
    spec = json.loads(builds.buildspec(task, "it's mine.yaml"))
    assert str(spec["version"]) == "0.2"
    here, file, *_ = spec["phases"]["install"]["commands"]
    assert here == "cd toolkit"
    assert shlex.split(file) == ["export", "LAKEHOUSE_FILE=$CODEBUILD_SRC_DIR/project/it's mine.yaml"]
    [run] = spec["phases"]["build"]["commands"]
    assert (
        run
        == {
            "maintenance": ".venv/bin/lakehouse --stack $STACK maintain",
            "metadata": ".venv/bin/lakehouse --stack $STACK metadata publish",
            "drift": "make pipeline-drift STACK=$STACK",
        }[task]
    )


def test_terraform_and_python_are_those_of_the_workflows() -> None:
    action = (ROOT / ".github/actions/setup/action.yml").read_text()
    assert f'terraform_version: "{builds.TERRAFORM}"' in action
    assert f'python-version: "{builds.PYTHON}"' in action


def test_the_terraform_of_a_build_is_the_one_whose_checksum_was_compared() -> None:
    commands = json.loads(builds.buildspec("drift", "lakehouse.yaml"))["phases"]["install"]["commands"]
    check = next(nth for nth, each in enumerate(commands) if "sha256sum --check --strict" in each)
    used = next(nth for nth, each in enumerate(commands) if "zipfile -e" in each)
    assert check < used
    assert all("https://" in each for each in commands if each.startswith("curl"))


def test_a_build_knows_the_account_and_takes_no_lock() -> None:
    assert builds.variables("aws", "123456789012") == {
        "STACK": "aws",
        "LAKEHOUSE_AWS_ACCOUNT": "123456789012",
        "NO_COLOR": "1",
        "TF_CLI_ARGS_plan": "-lock=false",
    }
