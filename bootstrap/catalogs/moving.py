"""A namespace is renamed by moving its tables one by one, in an order in which an interruption loses nothing.

The new namespace is created first, with a mark that says where its tables come from. The former one is dropped last,
and only if it is empty. An apply that is repeated finds the mark and goes on.
"""

from __future__ import annotations

from contextlib import suppress

from bootstrap.catalogs.base import LiveCatalog, RenamesTables
from bootstrap.iceberg.metadata import Moving
from bootstrap.remote.errors import Conflict, Exists, Missing, RemoteError, UnknownState, Unreachable


def move(catalog: LiveCatalog, tables: RenamesTables, moving: Moving, name: str, mark: str) -> None:
    """Rename a namespace of ``catalog``, which is also ``tables``, to ``name``.

    ``mark`` is the property of the new namespace that has the former name until all is done. Raises Conflict if a
    namespace ``name`` exists without it; the error of the first table that cannot be moved, after the others were, or
    at once if the server does not answer.
    """
    former = moving.former
    for each in sorted(moving.namespaces, key=lambda each: each.count(".")):
        properties = {**moving.namespaces[each], **({mark: former} if each == former else {})}
        try:
            catalog.create_namespace(_moved(each, former, name), properties)
        except Exists:
            if each == former and not _began(catalog, name, mark, former):
                raise Conflict(f"somebody has created the namespace {name} since the plan was made") from None
    failed: list[RemoteError] = []
    for table, identity in moving.tables.items():
        try:
            tables.rename_table(table, _moved(table, former, name), identity)
        except (Unreachable, UnknownState):
            raise  # each further table would wait as long for an answer
        except RemoteError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    for each in sorted(moving.namespaces, key=lambda each: -each.count(".")):
        with suppress(Missing):
            catalog.drop_namespace(each)
    catalog.update_namespace(name, {}, [mark])


def _began(catalog: LiveCatalog, name: str, mark: str, former: str) -> bool:
    """Whether the namespace was created by an apply that was interrupted, or by one that runs at the same time."""
    return catalog.facts((), lambda count, of: None).namespaces.get(name, {}).get(mark) == former


def _moved(each: str, former: str, name: str) -> str:
    return name + each.removeprefix(former)
