"""What a wheel and an sdist carry, from a checkout in which somebody has deployed."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("setup.py", "MANIFEST.in", "README.md", "LICENSE")
LEFT = (
    "lakehouses/.lakehouse/dbt/local/secrets/store-secret-key",
    "lakehouses/terraform.dbt.local.tfstate",
    "lakehouses/terraform.dbt.local.tfstate.backup",
    "lakehouses/cdktf.out/stacks/local/services.json",
    "lakehouses/dbt/target/run_results.json",
    "lakehouses/dbt/logs/dbt.log",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that setup.py reads, and what deploys and dbt leave among them."""
    folder = tmp_path / "a checkout"
    names = {*SOURCES, *_carried()}
    tracked = subprocess.run(["git", "ls-files", "-z", *names], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, tracked.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "lakehouse"\nversion = "1"\ndynamic = ["dependencies"]\n'
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        "[tool.setuptools]\npackages = []\n"
    )
    for name in LEFT:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("secret")
    return folder


def _carried() -> tuple[str, ...]:
    """``CARRIED`` of setup.py. It is not run here, because setuptools warns if something has imported distutils."""
    for line in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "CARRIED":
            found = ast.literal_eval(line.value)
            assert isinstance(found, tuple)
            return found
    raise AssertionError("setup.py has no CARRIED")


def _run(checkout: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", *words], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_wheel_carries_nothing_that_a_deploy_left(checkout: Path) -> None:
    _run(checkout, "build_py")
    carried = checkout / "build" / "lib" / "lakehouse" / "carried"
    files = {str(path.relative_to(carried)) for path in carried.rglob("*") if path.is_file()}
    tracked = {str(path.relative_to(checkout)) for path in checkout.rglob("*") if path.is_file()}
    wanted = {path for path in tracked if path.startswith(("lakehouses/", "bin/", "images/", "ansible/"))} - {*LEFT}
    assert {path for path in files if "/" in path} == wanted
    assert {*_carried()} <= {path.partition("/")[0] for path in files}


def test_neither_does_an_sdist(checkout: Path, tmp_path: Path) -> None:
    _run(checkout, "sdist", "-d", str(tmp_path / "made"))
    (made,) = (tmp_path / "made").iterdir()
    with tarfile.open(made) as archive:
        files = {each.name.partition("/")[2] for each in archive if each.isfile()}
    assert not files & {*LEFT}
    assert {"lakehouses/dbt/dbt_project.yml", "lakehouses/medallion.yaml", "package-lock.json", ".npmrc"} <= files
