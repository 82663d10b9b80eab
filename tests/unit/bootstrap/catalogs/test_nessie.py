"""What Nessie's other branches and tags name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection


class Branched(NessieCatalog):
    """A catalog with a branch, on which a table has a former name, and a tag."""

    def __init__(self) -> None:
        pass

    def other_references(self) -> list[str]:
        return ["etl", "q1"]

    def entries(self, reference: str | None = None) -> Iterator[dict[str, Any]]:
        yield {"type": "NAMESPACE", "content": {}}
        for name in {"etl": ["former"], "q1": ["t", "u"]}[reference or ""]:
            yield {"type": "ICEBERG_TABLE", "content": {"metadataLocation": f"s3://w/{name}"}}


def test_the_metadata_files_of_all_tables_on_other_references_whatever_their_names() -> None:
    assert Branched().metadata_elsewhere() == {"s3://w/former", "s3://w/t", "s3://w/u"}


def test_its_commits_have_an_author_whichever_api_makes_them() -> None:
    at = CatalogConnection("nessie", "http://127.0.0.1:1/iceberg", api="http://127.0.0.1:1/api/v2", headers={"X": "1"})
    catalog = NessieCatalog("lake", at, Connections(StoreConnection(None, "r"), {"lake": at}))
    for http in (catalog.api, catalog.http):
        headers = http._pool.headers
        assert (headers["Nessie-Commit-Authors"], headers["X"]) == ("lakehouse", "1")
