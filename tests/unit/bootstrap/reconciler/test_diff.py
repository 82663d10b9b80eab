from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from bootstrap.iceberg.metadata import BucketFacts, CatalogFacts, Facts, ReferenceFacts
from bootstrap.reconciler.changes import Diff
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.marks import PROPERTIES, SEED
from bootstrap.reconciler.objects.bucket import BucketSettings
from bootstrap.reconciler.objects.reference import MarkedReference, NewReference, ReferenceGone
from bootstrap.reconciler.seeds import SeedRows
from lakehouse.spec.kinds import Limits
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse

TABLE = {"columns": {"a": "long"}}
KEY = {"deletable": True}


def addresses(there: Simulation, wanted: Any, **options: Any) -> list[tuple[str, str]]:
    return [(change.op, change.address) for change in there.diff(wanted, **options).changes]


def test_everything_is_made_parents_first_and_a_parent_that_only_a_child_names_too() -> None:
    wanted = lakehouse({"b.c.d": {"tables": {"t": TABLE}}, "a": {"properties": {"k": "v"}}})
    assert addresses(Simulation(), wanted) == [
        ("create", "bucket warehouse"),
        ("create", "namespace lake.b"),
        ("create", "namespace lake.a"),
        ("create", "namespace lake.b.c"),
        ("create", "namespace lake.b.c.d"),
        ("create", "table lake.b.c.d.t"),
    ]


@pytest.mark.parametrize(
    ("managed", "before", "after", "updates", "removals"),
    [
        ("shared", {"a": "1"}, {"a": "1"}, None, None),
        ("shared", {"a": "1"}, {"a": "2"}, {"a": "2"}, []),
        ("shared", {"a": "1"}, {"b": "2"}, {"b": "2"}, []),
        ("exclusive", {"a": "1"}, {"b": "2"}, {"b": "2"}, ["a"]),
        ("exclusive", {"a": "1", "location": "s3://x/y", "owner": "me"}, {"a": "1"}, None, None),
    ],
)
def test_namespace_properties(managed: str, before: Any, after: Any, updates: Any, removals: Any) -> None:
    there = Simulation()
    there.apply(lakehouse({"n": {}}))
    there.namespaces["n"] = before
    changes = there.diff(lakehouse({"n": {"properties": after}}, managed=managed)).changes
    found = [asdict(change.body) for change in changes]
    for body in found:
        assert json.loads(body["updates"].pop(PROPERTIES)) == updates, "what it has set is remembered"
    assert found == ([] if updates is None else [{"updates": updates, "removals": tuple(removals)}])


@pytest.mark.parametrize(
    ("facts", "spec", "body", "kept"),
    [
        (BucketFacts(False, None), {}, None, 0),
        (BucketFacts(False, None), {"versioning": True}, {"versioning": True}, 0),
        (BucketFacts(True, 7), {"versioning": True, "expire_days": 7}, None, 0),
        (BucketFacts(True, 7), {}, {"versioning": False, "expire_days": None}, 0),
        (BucketFacts(False, 7), {"expire_days": 8}, {"expire_days": 8}, 0),
        (BucketFacts(None, None, lifecycle=False), {"versioning": True, "expire_days": 8}, None, 2),
        (BucketFacts(None, None, lifecycle=False), {}, None, 0),
        (BucketFacts(True, None), {"versioning": True, "noncurrent_days": 3}, {"noncurrent_days": 3}, 0),
        (BucketFacts(True, None, noncurrent_days=3), {"versioning": True}, {"noncurrent_days": None}, 0),
        (BucketFacts(False, None), {"access": "public-read"}, {"access": "public-read"}, 0),
        (BucketFacts(False, None, access="public-read"), {}, {"access": "private"}, 0),
        (BucketFacts(False, None, access=None), {"access": "public-read"}, None, 1),
        (BucketFacts(False, None, access=None), {}, None, 0),
    ],
)
def test_buckets(facts: BucketFacts, spec: Any, body: Any, kept: int) -> None:
    wanted = lakehouse({}, buckets={"warehouse": spec})
    found = diff(wanted, Facts({"warehouse": facts}, {"lake": CatalogFacts({}, {})}))
    assert [change.body for change in found.changes] == ([] if body is None else [BucketSettings(body)])
    assert len(found.kept) == kept


@pytest.mark.parametrize("allow_destroy", [False, True])
@pytest.mark.parametrize("managed", ["shared", "exclusive"])
@pytest.mark.parametrize("key", ["", "object", "parent"])
def test_destroying_takes_two_keys(key: str, managed: str, allow_destroy: bool) -> None:
    there = Simulation()
    object_key, parent_key = (KEY if key == "object" else {}), (KEY if key == "parent" else {})
    there.apply(lakehouse({"n": {**parent_key}, "n.m": {**object_key, "tables": {"t": {**TABLE, **object_key}}}}))
    wanted = lakehouse({"n": parent_key}, managed=managed)
    gone = addresses(there, wanted, allow_destroy=allow_destroy)
    destroyed = [("destroy", "table lake.n.m.t"), ("destroy", "namespace lake.n.m")]
    if not allow_destroy or not key:
        assert not gone
    elif key == "object":
        assert gone == destroyed
    else:
        # The parent's key counts only for what is directly in it, and only in an exclusive catalog: n.m is not empty.
        assert not gone
    reported = " ".join(str(note) for note in there.diff(wanted).kept)
    assert ("--allow-destroy" in reported) == (managed == "exclusive" or key == "object")


def test_in_an_exclusive_catalog_a_namespaces_key_opens_what_is_directly_in_it() -> None:
    there = Simulation()
    there.apply(lakehouse({"n": {**KEY, "tables": {"t": TABLE, "u": TABLE}}, "n.m": {}}))
    left = {"n": {**KEY, "tables": {"t": TABLE}}}
    assert addresses(there, lakehouse(left), allow_destroy=True) == []
    assert addresses(there, lakehouse(left, managed="exclusive"), allow_destroy=True) == [
        ("destroy", "table lake.n.u"),
        ("destroy", "namespace lake.n.m"),
    ]


def test_what_the_file_does_not_name_is_reported() -> None:
    there = Simulation()
    there.apply(lakehouse({"n": {"tables": {"t": {"columns": {"a": "long", "b": "long"}}, "u": TABLE}}, "o": {}}))
    found = there.diff(lakehouse({"n": {"tables": {"t": TABLE}}}))
    assert set(found.unnamed) == {"table lake.n.u", "namespace lake.o", "column lake.n.t.b"}
    assert not found.changes


def test_a_view_of_that_name_is_in_the_way() -> None:
    facts = Facts({"warehouse": BucketFacts(False, None)}, {"lake": CatalogFacts({"n": {}}, {}, frozenset({"n.t"}))})
    [note] = diff(lakehouse({"n": {"tables": {"t": TABLE}}}), facts).refused
    assert "Choose another name" in note.message


@pytest.mark.parametrize(
    ("table", "limits", "words"),
    [
        ({**TABLE, "format_version": 3}, Limits("X", format_version=2), "X knows format versions up to 2"),
        ({"columns": {"s": "struct<a: int>"}, "partition_by": ["s.a"]}, Limits("X", nested_partitions=False), "(s.a)"),
    ],
)
def test_what_the_kind_of_catalog_cannot_do_is_refused(table: Any, limits: Limits, words: str) -> None:
    wanted = lakehouse({"n": {"tables": {"t": table}}})
    [note] = Simulation(limits).diff(wanted).refused
    assert words in note.message
    assert not Simulation(replace(limits, format_version=3, nested_partitions=True)).diff(wanted).refused


def test_a_refusal_names_the_place_in_the_file() -> None:
    there = Simulation()
    there.apply(lakehouse({"n": {"tables": {"t": {"columns": {"s": "struct<a: long>"}}}}}))
    wanted = lakehouse({"n": {"tables": {"t": {"columns": {"s": "struct<a: int>"}}}}})
    [note] = diff(wanted, there.facts(), where=".".join).refused
    assert note.where == "catalogs.lake.namespaces.n.tables.t.columns.s"
    assert str(note).startswith("catalogs.lake.namespaces.n.tables.t.columns.s: column lake.n.t.s.a: ")


REFERENCE = ReferenceFacts("branch", "abc")
WITH_REFERENCES = Limits("Nessie", references=True)


def with_references(
    wanted: Any, have: dict[str, ReferenceFacts], limits: Limits = WITH_REFERENCES, **options: Any
) -> Diff:
    facts = Facts(
        {"warehouse": BucketFacts(False, None)}, {"lake": CatalogFacts({}, {}, limits=limits, references=have)}
    )
    return diff(lakehouse({}, references=wanted), facts, **options)


@pytest.mark.parametrize(
    ("wanted", "have", "changes"),
    [
        ({"branches": {"etl": {}}}, {}, [("create", "branch lake.etl", NewReference("main", False))]),
        ({"branches": {"etl": {}}}, {"etl": REFERENCE}, []),
        ({"tags": {"v1": {"from": "etl"}}}, {"etl": REFERENCE},
         [("create", "tag lake.v1", NewReference("etl", False))]),
        ({"branches": {"etl": {"deletable": True}}}, {"etl": REFERENCE},
         [("update", "branch lake.etl", MarkedReference(True))]),
        ({"branches": {"etl": {}}}, {"etl": replace(REFERENCE, deletable=True)},
         [("update", "branch lake.etl", MarkedReference(False))]),
        ({}, {"etl": REFERENCE}, []),
    ],
)  # fmt: skip
def test_branches_and_tags(wanted: Any, have: Any, changes: Any) -> None:
    found = with_references(wanted, have)
    assert [(change.op, change.address, change.body) for change in found.changes] == changes
    assert not found.refused


@pytest.mark.parametrize(
    ("wanted", "have", "limits", "words"),
    [
        ({"branches": {"etl": {}}}, {}, Limits("Hive"), "Hive has no branches and tags of a whole catalog"),
        ({"tags": {"etl": {}}}, {"etl": REFERENCE}, WITH_REFERENCES, "a branch has this name"),
        ({"tags": {"v1": {"from": "gone"}}}, {}, WITH_REFERENCES, 'it starts at "gone", which does not exist'),
    ],
)
def test_branches_and_tags_that_cannot_be(wanted: Any, have: Any, limits: Limits, words: str) -> None:
    found = with_references(wanted, have, limits)
    assert not found.changes
    assert [words in note.message for note in found.refused] == [True]


@pytest.mark.parametrize("allow_destroy", [False, True])
@pytest.mark.parametrize("deletable", [False, True])
def test_a_branch_goes_with_two_keys_and_only_as_it_was_seen(deletable: bool, allow_destroy: bool) -> None:
    found = with_references({}, {"etl": replace(REFERENCE, deletable=deletable)}, allow_destroy=allow_destroy)
    gone = [(change.op, change.address, change.body) for change in found.changes]
    assert gone == ([("destroy", "branch lake.etl", ReferenceGone("abc"))] if deletable and allow_destroy else [])
    assert found.unnamed == (() if gone else ("branch lake.etl",))
    assert ("--allow-destroy" in str(found.kept)) == (deletable and not allow_destroy)


@pytest.mark.parametrize("allow_destroy", [False, True])
def test_a_bucket_goes_with_two_keys(allow_destroy: bool) -> None:
    """The facts have unnamed buckets only if this lakehouse's file called them deletable."""
    there = Simulation()
    there.apply(lakehouse({}, buckets={"warehouse": {}, "old": {"deletable": True}}))
    assert there.buckets["old"].deletable == "unit"
    gone = addresses(there, lakehouse({}), allow_destroy=allow_destroy)
    assert gone == ([("destroy", "bucket old")] if allow_destroy else [])
    there.buckets["old"] = replace(there.buckets["old"], deletable="another")
    assert not addresses(there, lakehouse({}), allow_destroy=True)


def test_a_mark_of_another_lakehouse_stays() -> None:
    facts = Facts({"warehouse": BucketFacts(False, None, deletable="another")}, {"lake": CatalogFacts({}, {})})
    assert not diff(lakehouse({}), facts).changes
    [change] = diff(lakehouse({}, buckets={"warehouse": {"deletable": True}}), facts).changes
    assert change.body == BucketSettings({"deletable": "unit"})


SEEDED = {**TABLE, "seed": "t.csv"}


def seeding(there: Simulation, digest: str | None, table: Any = SEEDED) -> Diff:
    return diff(lakehouse({"n": {"tables": {"t": table}}}), replace(there.facts(), seeds={"t.csv": digest}))


def test_a_seed_is_loaded_once() -> None:
    there = Simulation()
    first = seeding(there, "d1")
    assert [change.address for change in first.changes][-2:] == ["table lake.n.t", "seed lake.n.t"]
    assert first.changes[-1].body == SeedRows("t.csv", "d1")
    there.apply(lakehouse({"n": {"tables": {"t": TABLE}}}))
    assert [change.address for change in seeding(there, "d1").changes] == ["seed lake.n.t"]
    there.tables["n.t"] = there.tables["n.t"].model_copy(update={"properties": {SEED: "d1"}})
    assert not seeding(there, "d1")
    assert not seeding(there, "d1", TABLE), "the mark outlives the entry: the seed does not come twice"
    changed = seeding(there, "d2")
    assert not changed.changes
    assert "changed since it was loaded" in changed.kept[0].message


def test_a_seed_that_is_not_there_is_refused() -> None:
    found = seeding(Simulation(), None)
    assert ["there is no file t.csv" in note.message for note in found.refused] == [True]
    assert [change.address for change in found.changes][-1] == "table lake.n.t", "the table itself can be made"


def test_a_table_that_is_refused_gets_no_rows() -> None:
    there = Simulation()
    there.apply(lakehouse({"n": {"tables": {"t": {"columns": {"a": "string"}}}}}))
    found = seeding(there, "d1")
    assert not found.changes
    assert [note.address for note in found.refused] == ["column lake.n.t.a"]


def test_docs_and_names_of_fields_that_an_engine_changed_are_drift() -> None:
    fields = {"x": {"type": "int", "doc": "ours"}, "y": "int", "z": "int"}
    theirs = {"x": {"type": "int", "doc": "theirs"}, "w": {"type": "int", "renamed_from": "y"}, "z": fields["x"]}
    wanted, changed = (lakehouse({"n": {"tables": {"t": {"columns": {"s": {"type": {"list": {"struct": of}}}}}}}})
                       for of in (fields, theirs))  # fmt: skip
    there = Simulation()
    there.apply(wanted)
    there.apply(changed)
    found = there.diff(wanted)
    assert [detail.text for change in found.changes for detail in change.details] == [
        'column s.element.x: doc "theirs" -> "ours"',
        "column s.element.y int",
    ]
    assert set(found.unnamed) == {"column lake.n.t.s.element.w", "doc of column lake.n.t.s.element.z"}
