"""Which layers of a stack are read, and which have nothing to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.audit.nessie import NessieCommits
from bootstrap.audit.polaris import PolarisRequests
from bootstrap.audit.readers import readers, silent
from bootstrap.audit.trino import TrinoQueries
from bootstrap.session.target import Target, find
from lakehouse.runtimes import owner

PROJECT = Path(__file__).parents[4]


def target(folder: Path, stack: dict[str, Any], engines: dict[str, Any]) -> Target:
    """The default lakehouse with another stack and other engines."""
    content = yaml.safe_load((PROJECT / "lakehouse.yaml").read_text())
    content["stacks"]["local"] |= stack
    content["engines"] = engines
    content["access"] = {"roles": {"r": {"grants": {"lake": ["read"]}}}, "principals": {"bi": {"roles": ["r"]}}}
    path = folder / "lakehouse.yaml"
    path.write_text(yaml.safe_dump(content))
    found = find(path, "local")
    owner.mark(found.located.state, found.located.claim)
    return found


def test_trino_and_nessie_are_read_and_the_store_and_spark_have_no_record(tmp_path: Path) -> None:
    found = target(tmp_path, {}, {"trino": {"properties": {"query.max-history": "7"}}, "spark": {"version": "4.1"}})
    trino, nessie = readers(found, str)
    assert isinstance(trino, TrinoQueries)
    assert not trino.named
    assert "the last 7," in trino.note
    assert isinstance(nessie, NessieCommits)
    assert (nessie.layer, nessie.references.main) == ("nessie lake", "main")
    assert silent(found) == ["S3Proxy", "Spark"]


def test_polaris_is_read_with_the_names_of_the_file(tmp_path: Path) -> None:
    lake = {"kind": "polaris", "home": str(tmp_path), "warehouse": "wh"}
    found = target(tmp_path, {"catalogs": {"lake": lake}}, {"trino": {"authentication": "password"}})
    trino, polaris = readers(found, str)
    assert isinstance(trino, TrinoQueries)
    assert trino.named
    assert isinstance(polaris, PolarisRequests)
    name = found.lakehouse.name
    assert (polaris.principals, polaris.catalogs) == ({f"{name}-bi": "bi"}, {"wh": "lake"})
    assert silent(found) == ["S3Proxy"]


@pytest.mark.parametrize("kind", ["rest", "hive"])
def test_other_catalogs_have_no_record(tmp_path: Path, kind: str) -> None:
    found = target(tmp_path, {"catalogs": {"lake": kind}}, {"spark": {"version": "4.1"}})
    assert list(readers(found, str)) == []
    assert len(silent(found)) == 3
