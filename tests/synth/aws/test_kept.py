"""An entry that was deployed without both keys to deletion may not leave the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lakehouse.aws.kept import DEPLOYED, kept, main
from lakehouse.spec import load
from tests.synth.aws.conftest import STACKS

FILE = """
name: demo
buckets:
  kept: {}
  gone: {deletable: true}
catalogs:
  lake:
    location: s3://kept/lake
    namespaces:
      stays: {}
      goes: {deletable: true}
stacks:
  aws: {region: eu-west-1, store: s3, catalogs: {lake: glue}}
  local: {runtime: process, store: minio, catalogs: {lake: nessie}}
"""
ALL = ["buckets.kept", "buckets.gone", "catalogs.lake.namespaces.stays", "catalogs.lake.namespaces.goes"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lakehouse.yaml"
    path.write_text(FILE)
    return path


def test_both_keys_are_asked_for(file: Path) -> None:
    lakehouse = load(file)
    assert kept(lakehouse, allow_destroy=False) == ALL
    assert kept(lakehouse, allow_destroy=True) == [ALL[0], ALL[2]]


@pytest.mark.parametrize(
    ("deployed", "old", "new", "gone"),
    [
        (ALL, "", "", ""),
        ([], "", "", ""),
        (ALL, "      stays: {}\n", "", "catalogs.lake.namespaces.stays"),
        (ALL, "      stays: {}\n", "      renamed: {}\n", "catalogs.lake.namespaces.stays"),
        (ALL, "      goes: {deletable: true}\n", "", "catalogs.lake.namespaces.goes"),
        ([ALL[0], ALL[2]], "      goes: {deletable: true}\n", "", ""),
        (ALL, "  gone: {deletable: true}\n", "", "buckets.gone"),
        ([ALL[0], ALL[2]], "  gone: {deletable: true}\n", "", ""),
        (ALL, "      stays: {}\n", "      stays: {deletable: true}\n      more: {}\n", ""),
    ],
)
def test_an_entry_that_left_the_file_is_reported(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    deployed: list[str],
    old: str,
    new: str,
    gone: str,
) -> None:
    assert old in FILE
    file.write_text(FILE.replace(old, new) if old else FILE)
    monkeypatch.setenv(DEPLOYED, ",".join(deployed))
    assert main([str(file), "aws"]) == (1 if gone else 0)
    reported = capsys.readouterr().err
    assert reported.startswith(f"Error: lakehouse.yaml no longer has {gone}") if gone else not reported


@pytest.mark.parametrize(("text", "code"), [("name: demo\n", 2), (FILE.replace("  aws:", "  other:"), 0)])
def test_a_wrong_file_stops_it_and_a_stack_without_an_entry_does_not(
    file: Path, monkeypatch: pytest.MonkeyPatch, text: str, code: int
) -> None:
    file.write_text(text)
    monkeypatch.setenv(DEPLOYED, "buckets.away")
    assert main([str(file), "aws"]) == code


@pytest.mark.parametrize("name", STACKS)
def test_it_needs_all_that_would_go(stacks: Mapping[str, Any], name: str) -> None:
    """Terraform may delete a resource before the check if the check does not depend on it."""
    resource = stacks[name]["resource"]
    needed = set(resource["terraform_data"]["kept"]["depends_on"])
    types = {"aws_glue_catalog_database", "aws_s3tables_table_bucket", "aws_s3tables_namespace"}
    types |= {type for type in resource if type.startswith("aws_s3_bucket")}
    data = {f"{type}.{name}" for type in types for name in resource.get(type, {})}
    assert {each for each in data - needed if "access_logs" not in each} == set()
    assert len(needed) > 10
