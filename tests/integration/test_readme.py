"""Every command of the README: each block is run in the clone that its first command brought up."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.integration.deployment import BIN, PROJECT, Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

README = (PROJECT / "README.md").read_text()
COMMANDS = (PROJECT / "docs" / "commands.md").read_text()
# The fixture deploys; these tests cannot run `make test`; test_verify.py verifies.
ELSEWHERE = {"make deploy", "make test", "lakehouse verify"}


def blocks() -> list[str]:
    return [found.strip() for found in re.findall(r"^```bash\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)]


def test_every_block_is_known() -> None:
    assert blocks()[:2] == ["make deploy", "make test"]
    assert set(blocks()) > ELSEWHERE


@pytest.mark.parametrize("block", [block for block in blocks() if block not in ELSEWHERE])
def test_the_block_runs(deployed: Deployment, block: str) -> None:
    deployed.run("bash", "-c", f'export PATH="{BIN}:$PATH"; set -e\n{block}', timeout=600)


@pytest.mark.parametrize(
    "command", ["cdktf diff local", "lakehouse endpoints", "lakehouse plan", "lakehouse drift", "lakehouse logs trino"]
)
def test_commands_of_the_table_run(deployed: Deployment, command: str) -> None:
    assert command.removesuffix(" trino").removesuffix(" local").split()[-1] in COMMANDS
    deployed.run("bash", "-c", f'export PATH="{BIN}:$PATH"; {command}')


def test_a_second_deploy_needs_no_network(deployed: Deployment) -> None:
    alone = ["unshare", "--net", "--map-root-user", "sh", "-c"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine does not allow network namespaces")
    # It has another loopback, so services outside are not reachable: only set-up and synth are tested.
    deployed.run(*alone, "make setup && .venv/bin/cdktf synth")
