"""What Nessie's other branches and tags name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bootstrap.catalogs.nessie import NessieCatalog


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
