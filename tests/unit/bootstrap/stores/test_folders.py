"""What is known about a folder: whether it has files, and which table they belonged to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import Refused
from bootstrap.stores import folders
from bootstrap.stores.folders import Folders

FIRST = "metadata/00000-0a1b2c3d-0000-4000-8000-0123456789ab.metadata.json"
SECOND = FIRST.replace("00000", "00001", 1)
CONNECTIONS = Connections(StoreConnection("http://127.0.0.1:1", "us-east-1"), {})


class S3:
    """Keys of one bucket, in pages; prefixes in ``closed`` may not be listed."""

    def __init__(self, *keys: str, closed: tuple[str, ...] = ()) -> None:
        self.keys, self.closed, self.asked, self.page = sorted(keys), closed, 0, 1000

    def get_paginator(self, name: str) -> S3:
        return self

    def paginate(self, Bucket: str, Prefix: str, Delimiter: str = "", **_: Any) -> Any:  # noqa: N803 - boto3's names
        self.asked += 1
        if Prefix in self.closed:
            raise Refused("not allowed")
        found = [key for key in self.keys if key.startswith(Prefix)]
        if Delimiter:
            inside = sorted({Prefix + key.removeprefix(Prefix).partition("/")[0] + "/" for key in found})
            for at in range(0, len(inside), self.page):
                yield {"CommonPrefixes": [{"Prefix": each} for each in inside[at : at + self.page]]}
            return
        for at in range(0, len(found), 2):
            contents = [{"Key": key, "LastModified": datetime(2026, 1, 1, tzinfo=UTC)} for key in found[at : at + 2]]
            yield {"Contents": contents}


Looking = Callable[..., Folders]


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> Looking:
    def made(*keys: str, closed: tuple[str, ...] = ()) -> Folders:
        s3 = S3(*keys, closed=closed)
        monkeypatch.setattr(folders, "client", lambda *of, **more: s3)
        return Folders(CONNECTIONS)

    return made


@pytest.mark.parametrize(
    ("keys", "held"),
    [
        ((), False),
        (("lake/n/t2/data/x.parquet",), False),
        (("lake/n/t/data/x.parquet",), True),
        (("lake/n/t/thesis.txt",), True),
        (("lake/", "lake/n/", "lake/n/t/", "lake/n/t/data/"), False),  # folders alone, as stores on file systems list
        (("lake/", "lake/n/", "lake/n/t/", "lake/n/t/data/", "lake/n/t/data/x.parquet"), True),
        ((f"lake/n/t/{FIRST}",), False),  # an apply was killed before its commit
        ((f"lake/n/t/{FIRST}", f"lake/n/t/{FIRST.replace('0a1b', 'ffff')}"), False),
        ((f"lake/n/t/{FIRST}", f"lake/n/t/{SECOND}"), True),
        ((f"lake/n/t/{FIRST}", "lake/n/t/data/x.parquet"), True),
    ],
)
def test_a_folder_is_free_that_holds_no_more_than_what_nobody_committed(
    looking: Looking, keys: tuple[str, ...], held: bool
) -> None:
    assert looking(*keys).held("s3://w/lake/n/t") == held


def test_thousands_of_tables_of_a_new_namespace_cost_two_requests(looking: Looking) -> None:
    of = looking("lake/other/t/data/x.parquet")
    assert not any(of.held(f"s3://w/lake/n/t{number}") for number in range(1000))
    assert of._client.asked == 2  # type: ignore[attr-defined]


def test_folders_that_were_looked_at_together_are_not_listed_again(looking: Looking) -> None:
    of = looking("lake/n/t1/data/x.parquet", "lake/n/t7/data/x.parquet")
    locations = [f"s3://w/lake/n/t{number}" for number in range(20)]
    of.look(locations)
    asked = of._client.asked  # type: ignore[attr-defined]
    assert [number for number, at in enumerate(locations) if of.held(at)] == [1, 7]
    assert of._client.asked == asked  # type: ignore[attr-defined]


def test_many_new_tables_beside_others_cost_one_list_and_a_look_into_those_that_exist(looking: Looking) -> None:
    of = looking(
        *(f"lake/n/old{number}/data/x.parquet" for number in range(100)), "lake/n/t3/data/x", f"lake/n/t4/{FIRST}"
    )
    locations = [f"s3://w/lake/n/t{number}" for number in range(1000)]
    of.look(locations)
    assert [at for at in locations if of.held(at)] == ["s3://w/lake/n/t3"]
    assert of._client.asked <= 6  # type: ignore[attr-defined]


def test_many_new_namespaces_are_not_listed_one_by_one(looking: Looking) -> None:
    of = looking("lake/there/t1/data/x.parquet")
    locations = [f"s3://w/lake/{space}/t{number}" for space in ("there", *"abcdefgh") for number in range(8)]
    of.look(locations)
    assert [at for at in locations if of.held(at)] == ["s3://w/lake/there/t1"]
    # lists of lake and lake/there, and whether these and t1 hold files
    assert of._client.asked == 5  # type: ignore[attr-defined]


def test_no_list_of_buckets_takes_the_place_of_a_list_of_each(looking: Looking) -> None:
    of = looking("t1/data/x.parquet")
    locations = [f"s3://b{bucket}/t{number}" for bucket in range(8) for number in range(8)]
    of.look(locations)
    assert [at for at in locations if of.held(at)] == [f"s3://b{bucket}/t1" for bucket in range(8)]


def test_a_list_that_takes_more_requests_than_the_folders_themselves_is_given_up(looking: Looking) -> None:
    of = looking(*(f"lake/n/old{number}/x" for number in range(100)), "lake/n/t3/x")
    of._client.page = 1  # type: ignore[attr-defined]
    locations = [f"s3://w/lake/n/t{number}" for number in range(20)]
    of.look(locations)
    assert [at for at in locations if of.held(at)] == ["s3://w/lake/n/t3"]


def test_who_may_list_only_the_tables_folder_sees_what_is_in_it(looking: Looking) -> None:
    assert looking("lake/n/t/x", closed=("lake/", "lake/n/")).held("s3://w/lake/n/t")
    assert not looking("lake/n/t/x", closed=("lake/", "lake/n/", "lake/n/t/")).held("s3://w/lake/n/t")


def test_the_newest_metadata_files(looking: Looking) -> None:
    of = looking(f"lake/n/t/{FIRST}", f"lake/n/t/{SECOND}", "lake/n/t/metadata/snap-9.avro", "lake/n/t/data/x.parquet")
    assert of.latest("s3://w/lake/n/t") == [f"s3://w/lake/n/t/{SECOND}"]
    assert of.latest("s3://w/lake/n/u") == []
