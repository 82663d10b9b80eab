"""Each command of docs/operations.md is run by a test, and this says by which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text()
#: The test that runs a command, and the words by which it does.
TESTS = {
    "status": ("integration/test_deploy.py", 'lakehouse("status"'),
    "doctor": ("integration/test_doctor.py", '"doctor"'),
    "drift": ("integration/test_maintenance.py", 'lakehouse("drift"'),
    "metrics": ("integration/test_maintenance.py", 'lakehouse("metrics"'),
    "maintain --plan": ("integration/test_maintenance.py", '"--plan"'),
    "maintain": ("integration/test_maintenance.py", 'lakehouse("maintain"'),
    "validate": ("kinds/test_000_polaris.py", '"validate"'),
    "diff": ("integration/test_output.py", 'lakehouse("diff"'),
    "deploy": ("integration/test_installed.py", '"deploy"'),
    "verify": ("integration/test_verify.py", '"verify"'),
    "backup create": ("integration/test_bad_days.py", '"backup", "create"'),
    "backup verify": ("integration/test_bad_days.py", '"backup", "verify"'),
    "backup restore": ("integration/test_bad_days.py", '"--into"'),
    "backup delete": ("unit/bootstrap/cli/test_backup.py", '"backup", "delete"'),
    "schedule history": ("unit/bootstrap/cli/test_schedule.py", '"schedule", "history"'),
    "secret list": ("unit/bootstrap/cli/test_secrets.py", '"secret", "list"'),
    "secret renew": ("kinds/test_secure.py", '"secret", "renew"'),
    "secret rotate": ("kinds/access/test_access_kinds.py", '"secret", "rotate"'),
    "access test": ("kinds/access/test_access_kinds.py", '"access", "test"'),
    "access log": ("kinds/access/test_trino_password.py", '"access", "log"'),
    "access": ("unit/bootstrap/cli/test_access.py", '"access", *words'),
    "store probe": ("kinds/test_002_hive_glue.py", '"store", "probe"'),
}


def commands() -> list[str]:
    """The commands below "What to do when", without the program."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.partition("## What to do when")[2], re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert all(line.startswith("lakehouse ") for line in lines)
    return [line.removeprefix("lakehouse ") for line in lines]


def test_each_command_has_its_test_and_none_is_left() -> None:
    found = {next((key for key in TESTS if f"{each} ".startswith(f"{key} ")), each) for each in commands()}
    assert found == set(TESTS)


@pytest.mark.parametrize("command", TESTS)
def test_the_test_runs_it(command: str) -> None:
    file, words = TESTS[command]
    assert words in (ROOT / "tests" / file).read_text(), f"{file} no longer runs `lakehouse {command}`"


def test_the_seeds_intervals_are_there() -> None:
    assert re.findall(r"^### (.*)$", PAGE.partition("## What to do when")[2], re.MULTILINE) == [
        *("Daily", "Weekly", "Monthly", "Quarterly")
    ]
