"""The registry of the bootstrap's clients for each kind of catalog."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bootstrap import catalogs
from bootstrap.catalogs.base import CommitsMany, HasReferences, Heads
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from bootstrap.remote.errors import Refused
from lakehouse import kinds

CONNECTIONS = Connections(StoreConnection("http://127.0.0.1:1", "us-east-1", "key", "secret"), {})
OFFERED = {word: kind for word, kind in kinds.CATALOGS.items() if kind.on}


def connected(word: str) -> catalogs.LiveCatalog:
    there = CatalogConnection(word, "http://127.0.0.1:1/iceberg", "lake", "http://127.0.0.1:1/api")
    return catalogs.connect("lake", replace(CONNECTIONS, catalogs={"lake": there}))


@pytest.mark.parametrize("word", OFFERED)
def test_every_kind_that_a_file_may_name_is_there_with_its_limits(word: str) -> None:
    can = OFFERED[word].can
    # The bootstrap makes tables only in the stores of this machine; those have a limit that S3 Tables lacks.
    assert connected(word).limits == (replace(can, nested_partitions=False) if OFFERED[word].in_store else can)


@pytest.mark.parametrize("word", OFFERED)
def test_what_the_limits_say_is_what_the_class_can_do(word: str) -> None:
    catalog = connected(word)
    assert isinstance(catalog, HasReferences) == OFFERED[word].can.references
    assert isinstance(catalog, HasReferences) <= isinstance(catalog, Heads)
    assert isinstance(catalog, CommitsMany) <= isinstance(catalog, Heads)
    assert isinstance(catalog, CommitsMany) <= OFFERED[word].can.multi_table_commits


def test_a_catalog_that_the_stack_does_not_have() -> None:
    with pytest.raises(Refused, match="this stack has no such catalog"):
        catalogs.connect("lake", CONNECTIONS)
