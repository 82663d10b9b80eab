"""Loading a seed: every error of a library becomes an error of this project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.iceberg.metadata import CatalogFacts
from bootstrap.reconciler import seeds
from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import Refused, RemoteError, UnknownState
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse


class Catalog:
    def __init__(self, there: Simulation) -> None:
        self.there = there

    def read(self, *arguments: Any) -> CatalogFacts:
        return self.there.facts().catalogs["lake"]


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (OSError("When reading from bucket: AWS Error NETWORK_CONNECTION"), UnknownState),
        (pa.ArrowTypeError("expected bytes\nand more"), Refused),
        (pa.ArrowInvalid(""), Refused),
        (None, Refused),
    ],
)
def test_failures_have_their_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception | None, kind: type[RemoteError]
) -> None:
    """None: the table's metadata is damaged."""
    there = Simulation()
    there.apply(lakehouse({"n": {"tables": {"t": {"columns": {"a": "long"}}}}}))
    content = json.loads(there.tables["n.t"].model_dump_json()) if raised else {}

    def rows(*arguments: Any) -> Any:
        assert raised is not None
        raise raised

    monkeypatch.setattr(MetadataFiles, "read", lambda self, location: content)
    monkeypatch.setattr(seeds, "_rows", rows)
    file = tmp_path / "t.csv"
    file.write_text("a\n1\n")
    body = seeds.SeedRows(file.name, seeds._digest(file) or "")
    catalog: Any = Catalog(there)
    connections = Connections(StoreConnection("http://127.0.0.1:1", "us-east-1"), {}, folder=tmp_path)
    with pytest.raises(RemoteError) as caught:
        seeds.load(catalog, "n.t", body, connections)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(f"{file}: ")
    assert "more" not in str(caught.value)
