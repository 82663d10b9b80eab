"""Former metadata files on a real Nessie: unneeded ones are removed, the table and its branches stay readable."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from bootstrap import catalogs
from bootstrap.catalogs import tables
from bootstrap.catalogs.metrics import TableReader
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.maintenance.superseded import SupersededFiles
from tests.behaviour.conftest import lakehouse
from tests.behaviour.reconciling import reconcile
from tests.behaviour.servers import Servers

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]

LATER = 1 << 45  # milliseconds since 1970: long after now


def test_what_nobody_needs_goes_and_all_that_is_named_stays(servers: Servers, root: str) -> None:
    connections = servers.connections()
    assert reconcile(lakehouse({root: {"tables": {"t": {"columns": {"i": "int"}}}}}), connections).exit_code == 0
    name, catalog = f"{root}.t", catalogs.connect("lake", connections)
    assert isinstance(catalog, NessieCatalog)

    def append(*numbers: int) -> None:
        for number in numbers:
            tables.load(catalog, name, connections).append(pa.table({"i": pa.array([number], pa.int32())}))

    append(0, 1)
    branch = f"b{root}"
    catalog.references.create(branch, "branch")
    append(2, 3)
    reader = TableReader("lake", connections)
    former_name, name = name, f"{root}.renamed"  # on the branch it keeps the former name
    catalog.rename_table(former_name, name, reader.read_now(former_name).metadata["table-uuid"])
    files = SupersededFiles(reader, connections)
    former = reader.read_now(name).metadata
    assert files.old(name, former, before=0, least=1) == [], "none is as old as that"
    old = files.old(name, former, before=LATER, least=1)
    assert len(old) == 2, "of four, the newest stays, and the one that the branch is at"
    assert files.remove(old) == {"deleted_metadata_files": 2}
    append(4)
    assert rows(tables.load(catalog, name, connections)) == [0, 1, 2, 3, 4]
    answer = catalog.api.post(f"/trees/{branch}/contents", {"requestedKeys": [{"elements": former_name.split(".")}]})
    at = answer["contents"][0]["content"]["metadataLocation"]
    assert rows(tables.at(catalog, name, at, connections)) == [0, 1]
    left = files.old(name, reader.read_now(name).metadata, before=LATER, least=1)
    assert not set(left) & set(old), "what went is not planned again"
    catalog.references.delete(branch, "branch", catalog.references.get(branch).points_to)


def rows(table: Any) -> list[int]:
    return sorted(table.scan().to_arrow().column("i").to_pylist())
