"""Locations: what overlaps and what does not; path properties, and buckets whose rules would delete live files."""

from typing import Any

import pytest

from lakehouse.spec.locations import cautions, check_locations
from lakehouse.spec.model import Lakehouse


def lakehouse(catalogs: dict[str, str], tables: dict[str, str]) -> Lakehouse:
    """``catalogs``: name -> location; ``tables``: name -> location or '', in the first catalog's namespace ``n``."""
    first = next(iter(catalogs))
    contents = {name: {"columns": {"a": "int"}, "location": where or None} for name, where in tables.items()}
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"one": {}, "two": {}},
            "catalogs": {
                name: {"location": where, "namespaces": {"n": {"tables": contents}} if name == first else {}}
                for name, where in catalogs.items()
            },
            "stacks": {
                "local": {"runtime": "process", "store": "s3proxy", "catalogs": dict.fromkeys(catalogs, "nessie")}
            },
        }
    )


@pytest.mark.parametrize(
    ("catalogs", "tables", "wrong"),
    [
        ({"a": "s3://one/lake", "b": "s3://one/lake2"}, {}, []),
        ({"a": "s3://one/lake", "b": "s3://two/lake"}, {}, []),
        ({"a": "s3://one/lake", "b": "s3://one/lake/x"}, {}, ["catalogs.b.location"]),
        ({"a": "s3://one/lake/x/y", "b": "s3://one/lake"}, {}, ["catalogs.a.location"]),
        ({"a": "s3://one/lake", "b": "s3://one/lake"}, {}, ["catalogs.b.location"]),
        ({"a": "s3://one/a", "b": "s3://one/b"}, {"t": "s3://one/a/t"}, []),
        ({"a": "s3://one/a", "b": "s3://one/b"}, {"t": "s3://two/t"}, []),
        ({"a": "s3://one/a", "b": "s3://one/b"}, {"t": "s3://one/b/t"}, ["catalogs.a.namespaces.n.tables.t.location"]),
        ({"a": "s3://one/a"}, {"t": "s3://one/a"}, ["catalogs.a.namespaces.n.tables.t.location"]),
        ({"a": "s3://one/x/a"}, {"t": "s3://one/x"}, ["catalogs.a.location"]),
        ({"a": "s3://one/a"}, {"t": "s3://one/a/n/u", "u": ""}, ["catalogs.a.namespaces.n.tables.t.location"]),
        ({"a": "s3://one/a"}, {"t": "s3://one/a/n/u1", "u": ""}, []),
        ({"a": "s3://one/a"}, {"t": "s3://two/t", "u": "s3://two/t/u"}, ["catalogs.a.namespaces.n.tables.u.location"]),
        ({"a": "s3://three/a"}, {}, ["catalogs.a.location"]),
    ],
)
def test_overlap(catalogs: dict[str, str], tables: dict[str, str], wrong: list[str]) -> None:
    found = list(check_locations(lakehouse(catalogs, tables)))
    assert [".".join(map(str, problem.at)) for problem in found] == wrong


def test_overlap_names_both() -> None:
    (problem,) = check_locations(lakehouse({"a": "s3://one/lake", "b": "s3://one/lake/x"}, {}))
    assert "catalogs.a" in problem.message
    assert "s3://one/lake/x" in problem.message
    assert problem.beside == ("catalogs", "a", "location")


ACCESS = {"roles": {"r": {"grants": {"lake": ["read"]}}}}


def changed(
    buckets: dict[str, Any], *, properties: dict[str, Any] | None = None, namespace: dict[str, Any] | None = None,
    location: str = "s3://one/lake", **more: Any
) -> Lakehouse:  # fmt: skip
    """Tables t (with the properties) and u in the namespace n of the catalog lake."""
    columns = {"columns": {"a": "int"}}
    tables = {"t": {**columns, "properties": properties or {}}, "u": columns}
    namespaces = {"n": {"tables": tables, "properties": namespace or {}}}
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"one": {}, **buckets},
            "catalogs": {"lake": {"location": location, "namespaces": namespaces}},
            "stacks": {"local": {"runtime": "process", "store": "minio", "catalogs": {"lake": "nessie"}}},
            **more,
        }
    )


def places(of: Lakehouse) -> list[str]:
    return [".".join(map(str, problem.at)).removeprefix("catalogs.lake.namespaces.") for problem in check_locations(of)]


@pytest.mark.parametrize("key", ["write.data.path", "write.metadata.path", "write.object-storage.path"])
@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("s3://one/lake/n/t/files", False),
        ("s3://one/elsewhere/t", False),
        ("s3://two/t", False),
        ("s3://one/lake/n/u", True),
        ("s3://one/lake/n/u/inside", True),
        ("s3://one/lake/n", True),
        ("s3://one/lake", True),
        ("s3://three/t", True),
        ("s3://one/.lakehouse/t", True),
        ("/data/t", True),
    ],
)
def test_a_path_of_a_table_is_a_claim_like_its_location(key: str, path: str, refused: bool) -> None:
    found = places(changed({"two": {}}, properties={key: path}))
    assert set(found) <= {f"n.tables.t.properties.{key}"}
    assert bool(found) == refused


def test_the_message_names_both_owners_and_the_property() -> None:
    (problem,) = check_locations(changed({}, properties={"write.data.path": "s3://one/lake/n/u/x"}))
    assert '"s3://one/lake/n/u/x" is inside the location of catalogs.lake.namespaces.n.tables.u' in problem.message


def test_a_namespace_may_lie_anywhere_but_in_a_table() -> None:
    assert places(changed({}, namespace={"location": "s3://one/lake/n"})) == []
    assert places(changed({}, namespace={"location": "s3://one/away"})) == []
    assert places(changed({}, namespace={"location": "s3://one/lake/n/u/x"})) == ["n.properties.location"]


def test_where_ingest_stages_is_nobody_elses() -> None:
    found = list(check_locations(changed({"staging": {}}, location="s3://staging/ingest/lake")))
    assert [problem.at for problem in found] == [("catalogs", "lake", "location")]
    assert "`lakehouse ingest`" in found[0].message


@pytest.mark.parametrize(
    ("buckets", "more", "refused"),
    [
        ({"one": {"expire_days": 3}}, {}, ["buckets.one.expire_days"]),
        ({"one": {"versioning": True, "noncurrent_days": 30}}, {}, []),
        ({"two": {"expire_days": 3}}, {}, []),
        ({"two": {"expire_days": 3}}, {"properties": {"write.data.path": "s3://two/t"}}, ["buckets.two.expire_days"]),
        ({"two": {"expire_days": 3}}, {"namespace": {"location": "s3://two/n"}}, ["buckets.two.expire_days"]),
        ({"one": {"access": "public-read"}}, {}, []),
        ({"one": {"access": "public-read"}}, {"access": ACCESS}, ["buckets.one.access"]),
        ({"two": {"access": "public-read"}}, {"access": ACCESS}, []),
        ({"staging": {"access": "public-read"}}, {"access": ACCESS}, ["buckets.staging.access"]),
    ],
)
def test_no_rule_of_a_bucket_takes_or_shows_live_tables(
    buckets: dict[str, Any], more: dict[str, Any], refused: list[str]
) -> None:
    assert places(changed(buckets, **more)) == refused


def test_a_rule_that_would_delete_names_the_value_the_owner_and_the_fix() -> None:
    (problem,) = check_locations(changed({"one": {"expire_days": 3}}))
    assert problem.message.startswith('3 days, but the bucket holds the location of catalogs.lake, "s3://one/lake"')
    assert "Remove it" in problem.message
    assert problem.beside == ("catalogs", "lake", "location")


def test_what_would_harm_live_tables_keeps_nobody_from_destroying_them() -> None:
    of = changed({"one": {"expire_days": 3}}, properties={"write.data.path": "s3://one/lake/n/u"})
    assert len(places(of)) == 2
    assert not list(check_locations(of, everything=False))


@pytest.mark.parametrize(("path", "said"), [("s3://one/lake/n/t/x", False), ("s3://one/x", True), ("s3://two/t", True)])
def test_files_outside_their_tables_folder_are_allowed_with_a_word(path: str, said: bool) -> None:
    of = changed({"two": {}}, properties={"write.data.path": path})
    assert not places(of)
    assert bool(list(cautions(of))) == said
