"""Hypothesis strategies: Iceberg types, and whole valid lakehouses."""

from typing import Any

import hypothesis.strategies as st

from lakehouse.iceberg import types
from lakehouse.spec.columns import TypeText
from lakehouse.spec.engines import Engines, Spark, Trino
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.model import (
    Bucket,
    Catalog,
    Column,
    Lakehouse,
    Namespace,
    Table,
    View,
    ViewColumn,
)
from lakehouse.spec.roles import Access, Narrowed, Principal, Role, Verb
from lakehouse.spec.stacks import LocalStack
from lakehouse.spec.values import Location

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)
values = texts | st.sampled_from(["true", "4.10", "null", "~", "1e3", "007", "on", "{}", "- a", "x: y", "# no"])
keys = names.map(lambda name: f"my.{name}").filter(lambda key: not key.endswith(("secret", "password", "token", "key")))
properties = st.dictionaries(keys, values, max_size=2)


def iceberg_types(*, version_3: bool = False) -> st.SearchStrategy[types.Type]:
    """Types of Iceberg's formats 1 and 2, or of 3 too."""
    known = sorted(types.PRIMITIVES if version_3 else types.PRIMITIVES - types.VERSION_3)
    decimals = st.integers(1, 38).flatmap(lambda p: st.integers(0, p).map(lambda s: f"decimal({p}, {s})"))
    leaves = st.sampled_from(known) | decimals | st.integers(1, 100).map(lambda n: f"fixed[{n}]")

    def nested(inner: st.SearchStrategy[types.Type]) -> st.SearchStrategy[types.Type]:
        fields = st.lists(
            st.tuples(names, inner, st.booleans()).map(lambda field: types.Field(types.NO_ID, *field)),
            min_size=1,
            max_size=3,
            unique_by=lambda f: f.name,
        )
        return (
            st.tuples(inner, st.booleans()).map(lambda some: types.List(types.NO_ID, *some))
            | st.tuples(inner, inner, st.booleans()).map(
                lambda some: types.Map(types.NO_ID, some[0], types.NO_ID, some[1], some[2])
            )
            | fields.map(lambda several: types.Struct(tuple(several)))
        )

    return st.recursive(leaves, nested, max_leaves=4)


@st.composite
def described(draw: st.DrawFn, kind: types.Type) -> TypeText:
    """The type with docs and former names of some of its fields."""
    former = {path: f"was_{field.name}" for path, field in types.fields(kind) if draw(st.booleans())}
    there = {f"{path.rpartition('.')[0]}.{field.name}" for path, field in types.fields(kind)}
    free = {path: name for path, name in former.items() if f"{path.rpartition('.')[0]}.{name}" not in there}
    return TypeText(str(kind), _documented(draw, kind), free)


def _documented(draw: st.DrawFn, kind: types.Type) -> types.Type:
    match kind:
        case types.Struct(fields):
            return types.Struct(
                tuple(each._replace(type=_documented(draw, each.type), doc=draw(st.none() | texts)) for each in fields)
            )
        case types.List():
            return kind._replace(element=_documented(draw, kind.element))
        case types.Map():
            return kind._replace(value=_documented(draw, kind.value))
    return kind


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table whose partition, sort order and identifier fit its columns."""
    columns = {
        name: Column(
            type=draw(described(kind)),
            required=draw(st.booleans()),
            doc=draw(st.none() | texts),
            deletable=draw(st.booleans()),
        )
        for name, kind in draw(st.dictionaries(names, iceberg_types(), max_size=4)).items()
        if "time" not in types.names(kind)  # Spark cannot read it
    }
    columns |= {"a_day": Column(type=TypeText("date"), required=True)}
    columns |= {"a_name": Column(type=TypeText("string"), required=True, tags=["a_tag"])}
    return Table(
        columns=columns,
        partition_by=draw(st.lists(st.sampled_from(["day(a_day)", "bucket(16, a_name)", "a_name"]), unique=True)),
        sort_by=draw(st.lists(st.sampled_from(["a_day desc", "truncate(4, a_name) nulls last"]), unique=True)),
        identifier=draw(st.sampled_from([[], ["a_name"], ["a_day", "a_name"]])),
        properties=draw(properties),
        format_version=draw(st.sampled_from([1, 2])),
        doc=draw(st.none() | texts),
    )


queries = texts.map(lambda text: f"SELECT '{text}'")


@st.composite
def views(draw: st.DrawFn) -> View:
    """A view for Spark, as Trino reads none in every kind of catalog."""
    columns = draw(st.dictionaries(names, iceberg_types(), min_size=1, max_size=3))
    return View(
        sql={"spark": draw(queries)},
        columns={
            name: ViewColumn(
                type=TypeText("long" if "time" in types.names(kind) else str(kind)), doc=draw(st.none() | texts)
            )
            for name, kind in columns.items()
        },
        properties=draw(properties),
        doc=draw(st.none() | texts),
        deletable=draw(st.booleans()),
    )


@st.composite
def narrowed(draw: st.DrawFn, catalogs: dict[str, dict[str, Namespace]]) -> dict[str, list[Verb] | Narrowed]:
    """Grants with filters and masks on some of the tables."""
    tables = [
        f"{name}.{space}.{t}" for name, spaces in catalogs.items() for space in spaces for t in spaces[space].tables
    ]
    masks = st.dictionaries(st.sampled_from(["a_name", "a_day", "tag:a_tag"]), st.just("mask"), min_size=1, max_size=2)
    filters = st.sampled_from(["a_name = 'it''s (a) , ; name'", "a_day > date '2020-01-01'"])
    reads = st.just(["read"])
    grants: st.SearchStrategy[list[Verb] | Narrowed] = st.one_of(
        st.builds(Narrowed, verbs=reads, rows=filters),
        st.builds(Narrowed, verbs=reads, columns=masks),
        st.builds(Narrowed, verbs=reads, rows=filters, columns=masks),
    )
    return draw(st.dictionaries(st.sampled_from(tables), grants, max_size=2)) if tables else {}


@st.composite
def lakehouses(draw: st.DrawFn) -> Lakehouse:
    """A lakehouse that this release deploys."""
    buckets = draw(
        st.dictionaries(
            names.map(lambda name: "b-" + name.replace("_", "x")), st.builds(Bucket), min_size=1, max_size=2
        )
    )
    namespaces = st.dictionaries(
        names,
        st.builds(
            Namespace,
            properties=properties,
            tables=st.dictionaries(names, tables(), max_size=2),
            views=st.dictionaries(names.map("the_view_of_".__add__), views(), max_size=1),
        ),
        max_size=2,
    )
    drawn: dict[str, Any] = draw(st.dictionaries(names.map("c_".__add__), namespaces, min_size=1, max_size=2))
    catalogs = {
        name: Catalog(location=Location(f"s3://{next(iter(buckets))}/{name}"), namespaces=spaces)
        for name, spaces in drawn.items()
    }
    roles = {"reader": Role(grants={name: ["read"] for name in catalogs}), "narrow": Role(grants=draw(narrowed(drawn)))}
    ports = draw(st.sampled_from([{}, {"s3proxy": 9100, "nessie": 9101}]))
    return Lakehouse(
        name=draw(names).replace("_", "-"),
        buckets=buckets,
        catalogs=catalogs,
        access=Access(
            roles=roles,
            principals={"someone": Principal(roles=["reader"]), "other": Principal(roles=["narrow"])},
            enforce="best-effort",
        ),
        engines=Engines(
            spark=draw(
                st.none() | st.builds(Spark, version=st.sampled_from(["3.5", "4.0", "4.1"]), properties=properties)
            ),
            trino=draw(st.none() | st.just(Trino(catalogs={"tpch": {"connector.name": "tpch"}}))),
        ),
        stacks={
            "local": LocalStack(
                runtime="process",
                store=KindEntry(kind="s3proxy"),
                catalogs=dict.fromkeys(catalogs, KindEntry(kind="nessie")),
                ports=ports,
                state=draw(st.none() | st.just("a lake house/~")),
            )
        },
    )
