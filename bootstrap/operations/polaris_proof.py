"""The calls of :mod:`lakehouse.access.engines` that a catalog can decide, made for real at Polaris.

Each principal makes them by PyIceberg's client, with its own credentials. A catalog applies no filters and masks, so
a table that has one is closed there. Nothing is left behind: a commit has a requirement that cannot hold, a table is
staged and never committed, and what is dropped is a table of the test.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bootstrap.operations.trino_proof import OURS
from bootstrap.session import clients
from bootstrap.session.target import Target
from lakehouse.access.engines import EngineCall, EngineOperation, engine_calls
from lakehouse.errors import LakehouseError
from lakehouse.kinds.catalogs.polaris import POLARIS
from lakehouse.spec import Lakehouse

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.schema import Schema

_SIDE_BY_SIDE = 4
#: On a namespace, or on a table of the file.
_IN_NAMESPACE: tuple[EngineOperation, ...] = ("list", "create", "drop")
_ON_TABLE: tuple[EngineOperation, ...] = ("load", "write")


@dataclass(frozen=True)
class CatalogOutcome:
    """A call, whether the file allows it to a client of the catalog (``wanted``), and whether Polaris did."""

    call: EngineCall
    wanted: bool
    allowed: bool


def calls(lakehouse: Lakehouse, stack: str) -> list[EngineCall]:
    """The calls that can be tried in the stack's catalogs of kind polaris: not on views."""
    own = {name for name, entry in lakehouse.stacks[stack].catalogs.items() if entry.kind == POLARIS.word}
    return [
        call
        for call in engine_calls(lakehouse)
        if call.catalog in own
        and lakehouse.access.principals[call.principal].is_known_to("polaris")
        and call.operation in (_ON_TABLE if call.name else _IN_NAMESPACE)
        and call.name not in lakehouse.catalogs[call.catalog].namespaces[call.namespace].views
    ]


def outcomes(
    wanted: Sequence[EngineCall], target: Target, pair: Callable[[str], tuple[str, str] | None]
) -> Iterator[CatalogOutcome]:
    """Make the calls, in their order. ``pair`` are a principal's id and secret; None: it reaches nothing.

    Raises LakehouseError if the server answers neither yes nor no.
    """
    owners = {name: clients.iceberg(target, name) for name in dict.fromkeys(call.catalog for call in wanted)}
    principals = {
        (principal, catalog): _client(target, catalog, pair(principal))
        for principal in dict.fromkeys(call.principal for call in wanted)
        for catalog in owners
    }

    def outcome(call: EngineCall) -> CatalogOutcome:
        own, owner = principals[call.principal, call.catalog], owners[call.catalog]
        right = call.allowed and not call.filters and not call.masks
        return CatalogOutcome(call, right, own is not None and _may(call, own, owner))

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
        yield from threads.map(outcome, wanted)


def _client(target: Target, catalog: str, pair: tuple[str, str] | None) -> Catalog | None:
    """The principal's client; None if the server does not let it in."""
    from pyiceberg.exceptions import ForbiddenError, OAuthError, UnauthorizedError

    if pair is None:
        return None
    try:
        return clients.iceberg(target, catalog, credential=":".join(pair))
    except (ForbiddenError, OAuthError, UnauthorizedError):
        return None


def _may(call: EngineCall, own: Catalog, owner: Catalog) -> bool:
    from pyiceberg.exceptions import CommitFailedException, ForbiddenError, RESTError
    from pyiceberg.schema import Schema
    from pyiceberg.table.update import AssertTableUUID, SetPropertiesUpdate
    from pyiceberg.types import IntegerType, NestedField

    space, some = tuple(call.namespace.split(".")), Schema(NestedField(1, "a", IntegerType()))
    try:
        match call.operation:
            case "list":
                own.list_tables(space)
            case "load":
                own.load_table((*space, call.name))
            case "write":
                never, change = AssertTableUUID(uuid=uuid.UUID(int=0)), SetPropertiesUpdate(updates={OURS: ""})
                own.commit_table(owner.load_table((*space, call.name)), (never,), (change,))
            case "create":
                own.create_table_transaction((*space, _name()), some)  # staged, and never committed
            case "drop":
                _drop(own, owner, (*space, _name()), some)
    except ForbiddenError:
        return False
    except CommitFailedException:
        return True  # for its requirement, so it was allowed
    except RESTError as error:
        raise LakehouseError(f"Polaris answered neither yes nor no to {call.operation}: {error}") from error
    return True


def _drop(own: Catalog, owner: Catalog, name: tuple[str, ...], schema: Schema) -> None:
    from pyiceberg.exceptions import NoSuchTableError

    owner.create_table(name, schema)
    try:
        own.drop_table(name)
    finally:
        with suppress(NoSuchTableError):
            owner.drop_table(name)


def _name() -> str:
    return f"{OURS}{uuid.uuid4().hex[:8]}"
