"""Files with every kind of catalog, on processes, in containers and in AWS, as the tools' configuration sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.session.target import find
from bootstrap.tools import reach
from bootstrap.tools.reach import Reach

PROJECT = Path(__file__).parents[4]
CATALOGS = ("nessie", "rest", "hive", "polaris", "glue", "s3tables", "my_lake")
TEXT = """\
name: demo
buckets: {lakehouse: {}, tables: {}}
catalogs:
  nessie: {location: "s3://lakehouse/nessie"}
  rest: {location: "s3://lakehouse/rest"}
  hive: {location: "s3://lakehouse/hive"}
  polaris: {location: "s3://lakehouse/polaris"}
  glue: {location: "s3://lakehouse/glue"}
  s3tables: {location: "s3://tables"}
  my_lake: {location: "s3://lakehouse/my"}
engines:
  spark: {version: "4.1", thrift: true, connect: {token: true}}
  trino: {version: "476"}
stacks:
  local:
    runtime: RUNTIME
    store: seaweedfs
    catalogs:
      nessie: nessie
      rest: rest
      hive: hive
      polaris: POLARIS
      glue: {kind: glue, region: eu-west-1, endpoint: "http://moto:5000"}
      s3tables: s3tables
      my_lake: rest
"""
RUNTIMES = {"process": "{kind: polaris, home: polaris}", "docker": "polaris"}
CASES = (*RUNTIMES, "aws", "tables")


def stack(case: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Reach:
    """What the tools see of a case. Its file is in the folder."""
    monkeypatch.setattr("bootstrap.session.aws.account", lambda region, stack: "123456789012")
    path = folder / "lakehouse.yaml"
    write(case, path)
    return reach.of(find(path, None if case in RUNTIMES else case))


def write(case: str, path: Path) -> None:
    """The file of a case."""
    local = TEXT.replace("RUNTIME", case).replace("POLARIS", RUNTIMES.get(case, ""))
    path.write_text(local if case in RUNTIMES else (PROJECT / "lakehouses" / "aws-glue.yaml").read_text())
