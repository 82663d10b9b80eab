"""The toolkit installed once, from a wheel, and used from projects in other folders."""

from __future__ import annotations

import re
import subprocess
import zipfile
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from setup import CARRIED, locked
from tests.integration.deployment import PROJECT, up
from tests.integration.installed import Installation, InstalledProject, wheel

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Installation:
    return Installation.make(tmp_path_factory.mktemp("installed") / "venv", built)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, installation: Installation) -> Iterator[InstalledProject]:
    """A project in a folder whose path has a space in it, deployed by the installed toolkit."""
    made = installation.project(tmp_path_factory.mktemp("projects") / "my sales", "dbt")
    with up(made):
        yield made


def test_the_wheel_has_every_file_of_the_packages_and_what_is_beside_them(built: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    packages = ("bootstrap/", "offline/", "stacks/", "constructs/lakehouse/")
    expected = {name.removeprefix("constructs/") for name in tracked if name.startswith(packages)}
    carried = tuple(f"{name}/" if (PROJECT / name).is_dir() else name for name in CARRIED)
    expected |= {f"lakehouse/carried/{name}" for name in tracked if name.startswith(carried)}
    with zipfile.ZipFile(built) as archive:
        names = {each for each in archive.namelist() if ".dist-info/" not in each}
    assert names == expected


def test_it_asks_for_the_locked_packages_and_no_others(built: Path, installation: Installation) -> None:
    with zipfile.ZipFile(built) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        asked = message_from_string(archive.read(name).decode()).get_all("Requires-Dist") or []
    assert {*map(str, map(Requirement, asked))} == {*map(str, map(Requirement, locked()))}
    assert all(str(Requirement(each).specifier).startswith(("==", "~=")) for each in asked)


def test_nothing_comes_from_the_checkout(installation: Installation, tmp_path: Path) -> None:
    code = "import bootstrap, lakehouse, offline, stacks; print(*(each.__file__ for each in (bootstrap, lakehouse)))"
    done = subprocess.run(
        [installation.home / "bin" / "python", "-c", code],
        cwd=tmp_path, env={}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(str(installation.home) in path for path in done.stdout.split())


def test_a_deployed_project_works_and_is_destroyed(project: InstalledProject) -> None:
    project.lakehouse("status")
    project.lakehouse("verify")
    assert project.trino("SELECT count(*) FROM lake.raw.orders") == [[7]]  # its seed
    assert "No changes" in project.cdktf("diff", "local")


def test_another_project_runs_beside_it(project: InstalledProject, installation: Installation) -> None:
    other = installation.project(project.folder.parent / "other", "dbt")
    other.change("stacks", "local", "ports", "trino", to=project.port("trino"))
    said = " ".join(other.cdktf("deploy", "local", "--auto-approve", code=1).replace("│", " ").split())
    assert f"ort {project.port('trino')} (trino) is taken by" in said
    assert re.search(r"write `ports: \{trino: \d+\}` under stacks.local in lakehouse.yaml", said)
    project.lakehouse("status")
    other.cdktf("destroy", "local", "--auto-approve")
    project.lakehouse("status")
    assert {path.name for path in project.folder.iterdir()} >= {".lakehouse", "terraform.local.tfstate"}


def test_commands_find_the_project_from_its_subfolders(project: InstalledProject) -> None:
    run = f'cd models && "{project.bin}/lakehouse"'
    assert str(project.port("trino")) in project.run("sh", "-c", f"{run} endpoints")
    project.run("sh", "-c", f"{run} setup")
