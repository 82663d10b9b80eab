"""The part of a picture that comes from the file: catalogs with their tables, and who is granted what on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bootstrap.diagram.picture import Arrow, Group, Node
from lakehouse.access.grants import VERBS, grants
from lakehouse.spec import Lakehouse, Verb
from lakehouse.spec.model import Catalog, Namespace

# More than these are counted, not named: nobody reads a picture of a thousand tables.
_TABLES = 8  # of a namespace
_NAMESPACES = 12  # of a catalog
_GRANTS = 40  # of all principals
_VERBS = {"read": "reads", "write": "writes", "manage": "manages"}


def catalog(name: str, content: Catalog, kind: str, servers: Iterable[Node] = ()) -> Group:
    """A catalog: its services and its namespaces."""
    shown = list(content.namespaces.items())[:_NAMESPACES]
    nodes = [Node(f"{name}.{each}", (each, *_tables(namespace)), "store") for each, namespace in shown]
    if rest := list(content.namespaces.values())[_NAMESPACES:]:
        tables = sum(len(namespace.tables) for namespace in rest)
        nodes.append(Node(f"{name}.*", (_counted(len(rest), "more namespace"), _counted(tables, "table")), "store"))
    return Group(f"catalog {name}", f"{kind} catalog {name}", (*servers, *nodes))


def place(lakehouse: Lakehouse, target: str) -> str:
    """The id of the node or group that shows CATALOG, CATALOG.NAMESPACE, or a table or view of that."""
    for name, content in lakehouse.catalogs.items():
        if target == name:
            return f"catalog {name}"
        for nth, (each, inner) in enumerate(content.namespaces.items()):
            held = target.removeprefix(f"{name}.{each}.")
            if target == f"{name}.{each}" or held in inner.tables or held in inner.views:
                return f"{name}.{each}" if nth < _NAMESPACES else f"{name}.*"
    raise ValueError(target)  # lakehouse.spec.checks refuses such a file


def buckets(lakehouse: Lakehouse) -> dict[str, list[str]]:
    """The buckets that hold a catalog's tables: the catalog's own, and those of tables with their own location."""
    found = {}
    for name, content in lakehouse.catalogs.items():
        tables = (table for inner in content.namespaces.values() for table in inner.tables.values())
        locations = [content.location, *(table.location for table in tables if table.location)]
        found[name] = list(dict.fromkeys(each.removeprefix("s3://").partition("/")[0] for each in locations))
    return found


def principals(lakehouse: Lakehouse) -> Group:
    """The principals that the file grants something."""
    return Group(
        "principals",
        "Principals",
        tuple(Node(f"principal {each}", (each,), "person") for each in lakehouse.access.principals),
    )


def granted(lakehouse: Lakehouse) -> Iterator[Arrow]:
    """Arrows from each principal to what it reads, writes or manages; the highest verb includes the lower ones.

    If there are too many grants, none is shown: `lakehouse access` lists them.
    """
    highest: dict[tuple[str, str], Verb] = {}
    for verb in VERBS:
        highest |= {(each.principal, each.target): verb for each in grants(lakehouse) if each.verb == verb}
    labels: dict[tuple[str, str], list[str]] = {}
    for (principal, target), verb in sorted(highest.items()):
        shown = place(lakehouse, target)
        # A table is a line in its namespace's node.
        table = target.rpartition(".")[2] if target.rpartition(".")[0] == shown else ""
        labels.setdefault((f"principal {principal}", shown), []).append(f"{_VERBS[verb]} {table}".strip())
    if len(labels) <= _GRANTS:
        yield from (Arrow(*ends, ", ".join(said)) for ends, said in labels.items())


def _tables(content: Namespace) -> Iterator[str]:
    names = [*content.tables, *(f"{each} (view)" for each in content.views)]
    if len(names) <= _TABLES:
        yield from names
    else:
        yield from names[: _TABLES - 1]
        yield f"and {_counted(len(names) - _TABLES + 1, 'more table')}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
