"""What Nessie's other branches and tags name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.catalogs.references import LiveReference
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection


class Branched(NessieCatalog):
    """A catalog with a branch, on which a table has a former name, and a tag."""

    def __init__(self) -> None:
        known = [LiveReference(name, "branch", "0") for name in ("main", "etl")] + [LiveReference("q1", "tag", "0")]
        self.references = MagicMock()
        self.references.list.return_value = known
        self.connection = CatalogConnection("nessie", "http://127.0.0.1:1/iceberg")

    def entries(self, reference: str | None = None) -> Iterator[dict[str, Any]]:
        yield {"type": "NAMESPACE", "content": {}}
        for name in {"etl": ["former"], "q1": ["t", "u"]}[reference or ""]:
            content = {"metadataLocation": f"s3://w/{name}/metadata/1.json"}
            yield {"type": "ICEBERG_TABLE", "name": {"elements": ["n", name]}, "content": content}


def test_the_metadata_files_of_all_tables_on_other_references_whatever_their_names() -> None:
    at = {"n.former on branch etl": "s3://w/former", "n.t on tag q1": "s3://w/t", "n.u on tag q1": "s3://w/u"}
    assert Branched().tables_elsewhere() == {name: f"{folder}/metadata/1.json" for name, folder in at.items()}
    assert Branched().elsewhere() == at


def test_its_commits_have_an_author_whichever_api_makes_them() -> None:
    at = CatalogConnection("nessie", "http://127.0.0.1:1/iceberg", api="http://127.0.0.1:1/api/v2", headers={"X": "1"})
    catalog = NessieCatalog("lake", at, Connections(StoreConnection(None, "r"), {"lake": at}))
    for http in (catalog.api, catalog.http):
        headers = http._pool.headers
        assert (headers["Nessie-Commit-Authors"], headers["X"]) == ("lakehouse", "1")
