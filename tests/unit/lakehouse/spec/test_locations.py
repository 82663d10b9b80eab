"""Locations: what overlaps and what does not."""

import pytest

from lakehouse.spec.locations import check_locations
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
