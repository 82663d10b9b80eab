"""Every command of the README: each block is run, in a copy of the project, as somebody who has just cloned it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from lakehouse.runtimes.process import processes
from lakehouse.spec import load
from lakehouse.spec.ports import ports
from tests.integration.deployment import BIN, PROJECT, Deployment
from tests.ports import free

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

README = (PROJECT / "README.md").read_text()
# It wants the file edited between its blocks: test_publish.py does that.
PUBLISH = re.compile(r"^## Write, audit, publish$.*?(?=^## )", re.DOTALL | re.MULTILINE)
# What runs these tests cannot be run by them; the session has a test of its own.
ELSEWHERE = {"make test", "lakehouse generate --rows 100000"}


def blocks() -> list[str]:
    return [
        found.strip()
        for found in re.findall(r"^```bash\n(.*?)^```$", PUBLISH.sub("", README), re.DOTALL | re.MULTILINE)
    ]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The project's files, with the set-up that is there already, on free ports."""
    folder = tmp_path_factory.mktemp("readme") / "a clone"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
            os.utime(folder / name, (0, 0))  # older than the set-up, which is the project's own and must not be redone
    (folder / ".venv").symlink_to(BIN.parent)
    (folder / "node_modules").symlink_to(PROJECT / "node_modules")
    made = Deployment(folder)
    names = list(ports(load(made.file), "local"))
    made.change("stacks", "local", "ports", to=dict(zip(names, free(len(names)), strict=True)))
    yield made
    made.run("make", "destroy", code=None)
    left = list(processes.belonging(made.local.state))
    processes.end(left)
    assert not left


def test_every_block_is_known() -> None:
    assert blocks()[:2] == ["make deploy", "make test"]
    assert len(blocks()) >= 5


@pytest.mark.parametrize("block", [block for block in blocks() if block not in ELSEWHERE])
def test_the_block_runs(clone: Deployment, block: str) -> None:
    clone.run("bash", "-c", f'export PATH="{BIN}:$PATH"; set -e\n{block}', timeout=600)


@pytest.mark.parametrize(
    "command", ["cdktf diff local", "lakehouse endpoints", "lakehouse plan", "lakehouse drift", "lakehouse logs trino"]
)
def test_commands_of_the_table_run(clone: Deployment, command: str) -> None:
    assert command.removesuffix(" trino").removesuffix(" local").split()[-1] in README
    clone.run("bash", "-c", f'export PATH="{BIN}:$PATH"; {command}')


def test_a_second_deploy_needs_no_network(clone: Deployment) -> None:
    alone = ["unshare", "--net", "--map-root-user", "sh", "-c"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody make a network namespace")
    # Loopback is another one in there, so what runs outside is not seen: set-up and synth are what is tested.
    clone.run(*alone, "make setup && .venv/bin/cdktf synth")
