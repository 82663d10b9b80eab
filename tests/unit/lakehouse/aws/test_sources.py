"""What builds get: the toolkit's sources, the file and its seeds, and nothing else."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from lakehouse import toolkit
from lakehouse.aws import sources
from lakehouse.errors import UsageError
from lakehouse.spec import Lakehouse, load

TEXT = """
name: demo
buckets: {warehouse: {}}
catalogs:
  lake:
    location: s3://warehouse/lake
    namespaces:
      sales:
        tables:
          orders: {columns: {id: long}, seed: SEED}
stacks:
  aws: {region: eu-west-1, store: s3, catalogs: {lake: glue}}
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small toolkit, with what a deploy and a person leave in it."""
    root = tmp_path / "toolkit"
    for name in ("Makefile", "bin/cdktf", "bootstrap/run.py", "constructs/lakehouse/go/go.mod", "README.md"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    for name in ("bootstrap/__pycache__/run.pyc", "constructs/demo.egg-info/a", ".lakehouse/secrets/key", "secret.key",
                 "bootstrap/.env", "stacks/terraform.aws.tfstate", "tests/test.py"):  # fmt: skip
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("hidden")
    monkeypatch.setattr(toolkit, "root", lambda: root)
    return root


def _project(folder: Path, seed: str = "orders.csv") -> tuple[Path, Lakehouse]:
    folder.mkdir(exist_ok=True)
    path = folder / "my lake.yaml"
    path.write_text(TEXT.replace("SEED", seed))
    (folder / "orders.csv").write_text("id\n1\n")
    (folder / "slack.url").write_text("hidden")
    return path, load(path)


def test_only_what_is_named_is_there(checkout: Path, tmp_path: Path) -> None:
    found = sources.files(*_project(tmp_path / "project"), "aws")
    assert list(found) == [
        "project/my lake.yaml",
        "project/orders.csv",
        "toolkit/Makefile",
        "toolkit/README.md",
        "toolkit/bin/cdktf",
        "toolkit/bootstrap/run.py",
        "toolkit/constructs/lakehouse/go/go.mod",
    ]
    assert not any(each.read_text() == "hidden" for each in found.values())


def test_the_zip_has_the_same_digest_where_it_is_unpacked(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, lakehouse = _project(tmp_path / "project")
    found = sources.files(path, lakehouse, "aws")
    sources.write(found, tmp_path / "source.zip")
    there = tmp_path / "there"
    with zipfile.ZipFile(tmp_path / "source.zip") as archive:
        archive.extractall(there)
        modes = {each.filename: each.external_attr >> 16 for each in archive.infolist()}
    assert modes["toolkit/bin/cdktf"] == 0o755
    assert modes["toolkit/Makefile"] == 0o644
    monkeypatch.setattr(toolkit, "root", lambda: there / "toolkit")
    again = sources.files(there / "project" / path.name, lakehouse, "aws")
    assert sources.digest(again) == sources.digest(found)


@pytest.mark.parametrize("changed", ["toolkit/bootstrap/run.py", "project/orders.csv", "project/my lake.yaml"])
def test_another_content_or_name_has_another_digest(checkout: Path, tmp_path: Path, changed: str) -> None:
    found = sources.files(*_project(tmp_path / "project"), "aws")
    before = sources.digest(found)
    assert sources.digest({f"{name}x" if name == changed else name: each for name, each in found.items()}) != before
    found[changed].write_text("changed")
    assert sources.digest(found) != before


def test_a_seed_that_is_missing_is_left_to_who_reads_it(checkout: Path, tmp_path: Path) -> None:
    found = sources.files(*_project(tmp_path / "project", "others.csv"), "aws")
    assert "project/others.csv" not in found


def test_a_seed_elsewhere_is_refused_with_the_fix(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id\n")
    with pytest.raises(UsageError, match=r"cannot use the seed \.\./orders\.csv, .*Move it there"):
        sources.files(*_project(tmp_path / "project", "../orders.csv"), "aws")


def test_an_installed_toolkit_is_refused_with_the_fix(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolkit, "is_installed", lambda: True)
    with pytest.raises(UsageError, match=r"stacks\.aws\.schedule needs the toolkit as a checkout.*Deploy from a clone"):
        sources.files(*_project(tmp_path / "project"), "aws")


def test_each_part_is_in_the_repository() -> None:
    root = Path(__file__).parents[4]
    assert [each for each in sources.PARTS if not (root / each).exists()] == []
