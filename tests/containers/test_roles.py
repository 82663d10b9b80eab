"""Each role of `ansible/`, and its playbook, by Molecule: on a container with systemd that nothing was done to.

A check without changes, the role, the role once more without any change, and what the scenario verifies.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.ansible_checks import ANSIBLE, environment
from tests.containers.machines import IMAGE, INIT, image
from tests.tools.environments import scripts

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(900)]

FOLDER = Path(__file__).parents[1] / "molecule"
SCENARIOS = sorted(path.parent.name for path in FOLDER.glob("*/molecule.yml"))


def test_each_role_has_a_scenario() -> None:
    assert {*SCENARIOS} == {*(path.name for path in (ANSIBLE / "roles").iterdir()), "site"}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_role_does_what_it_says_and_nothing_the_second_time(scenario: str, tmp_path: Path) -> None:
    image()
    shutil.copytree(FOLDER, tmp_path / "molecule")
    (tmp_path / "ansible").symlink_to(ANSIBLE)  # the playbook, as it is named from a scenario
    programs = scripts("ansible")
    given = environment(programs) | {"IMAGE": IMAGE, "INIT": INIT}
    given |= {"ROLES": str(ANSIBLE / "roles"), "SCENARIO": scenario}
    command = [str(programs / "molecule"), "--base-config", "molecule/base.yml", "test", "--scenario-name", scenario]
    done = subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, check=False, timeout=800)
    assert done.returncode == 0, "\n".join((done.stdout + done.stderr).splitlines()[-80:])
    print(os.linesep.join(line for line in done.stdout.splitlines() if "exposure level" in line))
