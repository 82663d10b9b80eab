"""All live tables are known before a folder is given away, also those that change while they are read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from bootstrap.iceberg import claims
from bootstrap.iceberg.metadata import CatalogFacts, TableFacts
from bootstrap.reconciler.tables.homes import everyone
from bootstrap.reconciler.world import World

AT = "s3://b/lake/n"
LISTED = CatalogFacts(
    {},
    {},
    frozenset({"n.moving", "n.lost"}),
    unread={"n.moving": f"{AT}/moving/metadata/1.metadata.json", "n.lost": f"{AT}/lost/metadata/1.metadata.json"},
)


class Lake:
    """The files that its list names are gone: one table got a commit, the other lost its files."""

    def completed(self, facts: CatalogFacts) -> CatalogFacts:
        return facts

    def read(self, names: Collection[str]) -> CatalogFacts:
        assert set(names) == {"n.moving", "n.lost"}
        metadata: dict[str, Any] = {"location": f"{AT}/moving", "properties": {"write.data.path": "s3://b/data"}}
        return CatalogFacts({}, {"n.moving": TableFacts("2.metadata.json", metadata)})


class Worlds:
    def catalog(self, name: str) -> Lake:
        return Lake()


def test_a_table_whose_metadata_file_went_after_the_list_keeps_its_folders() -> None:
    found = everyone(cast("World", Worlds()), {"lake": LISTED})
    assert (set(found["lake"].tables), set(found["lake"].others)) == ({"n.moving"}, {"n.lost"})
    held = {(each.owner, each.location) for each in claims.live(found)}
    assert held == {
        ("lake.n.moving", f"{AT}/moving"),
        ("lake.n.moving", "s3://b/data"),
        ("lake.n.lost", f"{AT}/lost"),
    }
