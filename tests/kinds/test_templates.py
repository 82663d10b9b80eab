"""Each local template of `lakehouse init`: init, deploy, verify, destroy, and what the template's own words promise.

The sessions with the files of other systems (000 to 004) have tests of their own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.spec import load, ports
from tests.integration.deployment import BIN, PROJECT, Deployment, up
from tests.ports import free

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1800)]


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """A project of the template, on free ports, deployed."""
    folder = tmp_path / "my lake"
    command = [BIN / "lakehouse", "init", "--template", request.param, folder]
    subprocess.run(command, check=True, cwd=PROJECT)
    made = Deployment(folder)
    names = list(ports(load(made.file), "local"))
    made.change("stacks", "local", "ports", to=dict(zip(names, free(len(names)), strict=True)))
    with up(made):
        yield made


@pytest.mark.parametrize("project", ["medallion"], indirect=True)
def test_medallion_fills_its_three_layers(project: Deployment) -> None:
    project.lakehouse("verify")
    project.lakehouse("generate", "--rows", "2000")
    filled = project.lakehouse("sql", "--format", "csv", "gold.sql").strip().splitlines()
    assert len(filled) >= 3
    again = project.lakehouse("sql", "--format", "csv", "gold.sql").strip().splitlines()
    assert again[-2:] == filled[-2:]
    assert project.trino("SELECT sum(volume) FROM lake.gold.daily") == project.trino(
        "SELECT sum(volume) FROM lake.silver.minute_aggs"
    )
    project.lakehouse("maintain")


@pytest.mark.parametrize("project", ["ingest"], indirect=True)
def test_ingest_loads_each_file_once(project: Deployment) -> None:
    project.lakehouse("verify")
    words = ("ingest", "landing", "--into", "lake.raw.orders")
    assert "7 rows from 2 files" in project.lakehouse(*words)
    project.lakehouse(*words)
    assert project.trino("SELECT count(*), sum(amount) FROM lake.raw.orders")[0][0] == 7
    project.lakehouse("maintain")


@pytest.mark.parametrize("project", ["dbt"], indirect=True)
def test_dbt_builds_its_models(project: Deployment, tmp_path: Path) -> None:
    project.lakehouse("verify")
    tools = tmp_path / "tools"
    subprocess.run([sys.executable, "-m", "venv", tools], check=True)
    versions = ["dbt-core>=1.8,<1.11", "dbt-trino<1.11"]
    subprocess.run([tools / "bin" / "pip", "install", "--quiet", *versions], check=True)
    profile = project.folder / "profiles.yml"
    profile.write_text(profile.read_text().replace("port: 8085", f"port: {project.port('trino')}"))
    for _ in range(2):
        assert "ERROR=0" in project.run(str(tools / "bin" / "dbt"), "build", "--profiles-dir", ".")
    assert project.trino("SELECT sum(orders) FROM lake.gold.monthly") == [[5]]
    # What dbt made is not in the file, and stays.
    project.lakehouse("apply")
    assert project.trino("SELECT count(*) FROM lake.silver.orders") == [[5]]
