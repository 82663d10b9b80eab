"""A kind in the file: a word or a mapping, read, written again, and known to the schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lakehouse.spec import kinds, ports
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.ports import servers
from lakehouse.spec.schema import schema
from lakehouse.spec.stacks import LocalStack


def lakehouse(store: Any = "s3proxy", **catalogs: Any) -> Lakehouse:
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"one": {}},
            "catalogs": {name: {"location": f"s3://one/{name}"} for name in catalogs},
            "stacks": {"local": {"runtime": "process", "store": store, "catalogs": catalogs}},
        }
    )


def local(lakehouse: Lakehouse) -> LocalStack:
    stack = lakehouse.stacks["local"]
    assert isinstance(stack, LocalStack)
    return stack


@pytest.fixture
def other() -> Iterator[None]:
    """A second kind of catalog, which has a server like Nessie."""
    before = kinds.known()
    nessie = before.catalogs["nessie"]
    listeners = tuple(replace(each, name=each.name.replace("nessie", "other")) for each in nessie.listeners)
    second = replace(nessie, word="other", listeners=listeners)
    kinds.register(replace(before, catalogs={**before.catalogs, "other": second}))
    yield
    kinds.register(before)


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("minio", "minio"),
        ({"kind": "minio"}, "minio"),
        ({"kind": "minio", "properties": {}}, "minio"),
        (KindEntry(kind="minio"), "minio"),
        (
            {"kind": "minio", "properties": {"MINIO_API_REQUESTS_MAX": 400}},
            {"kind": "minio", "properties": {"MINIO_API_REQUESTS_MAX": "400"}},
        ),
    ],
)
def test_an_entry_is_written_as_short_as_it_can_be(said: Any, written: Any) -> None:
    read = lakehouse(said, lake="nessie")
    dumped = read.model_dump(mode="json", exclude_unset=True)
    assert dumped["stacks"]["local"]["store"] == written
    assert Lakehouse.model_validate(dumped) == lakehouse(written, lake="nessie")


@pytest.mark.usefixtures("other")
def test_servers_are_counted_by_kind() -> None:
    mixed = lakehouse(a="other", b="nessie", c="other", d="nessie")
    assert servers(mixed, local(mixed)) == {"a": "other", "b": "nessie", "c": "other-c", "d": "nessie-d"}
    numbers = ports(mixed, "local")
    assert set(servers(mixed, local(mixed)).values()) < set(numbers)
    assert len(set(numbers.values())) == len(numbers)


@pytest.mark.usefixtures("other")
def test_the_schema_offers_what_is_registered() -> None:
    places = schema()["$defs"]["LocalStack"]["properties"]["catalogs"]["patternProperties"].values()
    [(words, *mappings)] = [place["anyOf"] for place in places]
    offered = {word: kind for word, kind in kinds.known().catalogs.items() if "process" in kind.on}
    assert {"nessie", "other"} <= set(offered)
    assert words == {"enum": list(offered)}
    keys = {word: set(each["properties"]) for each in mappings for word in each["properties"]["kind"]["enum"]}
    without = {word: set() if kind.further else {"properties"} for word, kind in offered.items()}
    assert keys == {word: set(kind.entry.model_fields) - without[word] for word, kind in offered.items()}
    assert keys["other"] == {"kind", "properties"}
