"""The calls of :mod:`lakehouse.access.engines` that a catalog can decide, made with PyIceberg as each principal.

In Polaris a principal has its own credentials, and for files the keys that Polaris gives it, or else its own of the
store. In a catalog of the store's it has its keys of the store, which open nothing there. A catalog applies no filters
and masks, so a table that has one is closed. Nothing is left behind: a commit has a requirement that cannot hold, a
file that is written is removed, a table is staged and never committed, or dropped by the owner, and what a principal
drops is a table of the test.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bootstrap.operations.access_keys import PrincipalServers
from bootstrap.operations.trino_proof import OURS
from bootstrap.session import clients
from lakehouse.access.engines import EngineCall, EngineOperation, engine_calls
from lakehouse.errors import LakehouseError
from lakehouse.kinds import CATALOGS
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.catalogs.polaris import POLARIS, vends
from lakehouse.spec import Lakehouse

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table

_SIDE_BY_SIDE = 4
#: On a namespace, or on a table of the file.
_IN_NAMESPACE: tuple[EngineOperation, ...] = ("list", "create", "drop")
_ON_TABLE: tuple[EngineOperation, ...] = ("load", "read", "write")


@dataclass(frozen=True)
class CatalogOutcome:
    """A call, whether the file allows it to a client of the catalog (``wanted``), and whether it was allowed."""

    call: EngineCall
    wanted: bool
    allowed: bool


@dataclass(frozen=True)
class PrincipalClient:
    """A principal's client of a catalog. ``files``: it has keys for files, its own or such as the catalog gives it.

    ``stages``: the catalog also asks who somebody is that stages a table, and says so if it refuses something. In a
    catalog of the store's every answer but success is a refusal.
    """

    catalog: Catalog
    files: bool
    stages: bool


def calls(lakehouse: Lakehouse, stack: str) -> list[EngineCall]:
    """The calls that can be tried in the stack's catalogs that know principals: not on views."""
    kinds = {name: CATALOGS[entry.kind] for name, entry in lakehouse.stacks[stack].catalogs.items()}
    servers = {name: "store" if kind.in_store else "polaris" for name, kind in kinds.items() if _knows(kind.word)}
    members = lakehouse.access.principals
    return [
        call
        for call in engine_calls(lakehouse)
        if call.catalog in servers
        and members[call.principal].is_known_to("store" if kinds[call.catalog].in_store else "polaris")
        and call.operation in (_ON_TABLE if call.name else _IN_NAMESPACE)
        and call.name not in lakehouse.catalogs[call.catalog].namespaces[call.namespace].views
    ]


def _knows(kind: str) -> bool:
    """Whether a catalog of that kind asks clients who they are."""
    return kind == POLARIS.word or CATALOGS[kind].in_store


def outcomes(wanted: Sequence[EngineCall], servers: PrincipalServers) -> Iterator[CatalogOutcome]:
    """Make the calls, in their order. A principal without credentials there reaches nothing.

    Rows are read and written only where the principal has keys for files. Raises LakehouseError if the server answers
    neither yes nor no.
    """
    target = servers.target
    owners = {name: clients.iceberg(target, name) for name in dict.fromkeys(call.catalog for call in wanted)}
    endpoints = {each.name: each for each in target.local.endpoints.catalogs if each.name in owners}
    principals = {
        (principal, name): _client(servers, endpoint, principal)
        for principal in dict.fromkeys(call.principal for call in wanted)
        for name, endpoint in endpoints.items()
    }

    def outcome(call: EngineCall) -> CatalogOutcome | None:
        own, owner = principals[call.principal, call.catalog], owners[call.catalog]
        closed = bool(call.filters or call.masks) or endpoints[call.catalog].kind.in_store
        if own is not None and not own.files and call.operation == "read":
            return None  # not by its own keys: rows are out of its reach, whatever Polaris says
        return CatalogOutcome(call, call.allowed and not closed, own is not None and _may(call, own, owner))

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
        yield from (each for each in threads.map(outcome, wanted) if each is not None)


def _client(servers: PrincipalServers, endpoint: CatalogEndpoint, principal: str) -> PrincipalClient | None:
    """The principal's client; None if it has no credentials there, or the server does not let it in."""
    from pyiceberg.exceptions import ForbiddenError, OAuthError, UnauthorizedError

    name, settings = servers.name(principal), dict[str, str]()
    own = servers.users.keys.pair(name) if servers.users is not None else None
    if endpoint.kind.in_store:
        if own is None:
            return None
        settings |= _files("client", own)
    else:
        pair = servers.principals.keys.pair(name) if servers.principals is not None else None
        if pair is None:
            return None
        settings["credential"] = ":".join(pair)
    given = endpoint.kind == POLARIS and vends(endpoint)
    if not given:
        settings |= _files("s3", own or ("", ""))  # never those of the toolkit
    try:
        made = clients.iceberg(servers.target, endpoint.name, **settings)
        return PrincipalClient(made, given or own is not None, stages=not endpoint.kind.in_store)
    except (ForbiddenError, OAuthError, UnauthorizedError):
        return None


def _files(of: str, pair: tuple[str, str]) -> Mapping[str, str]:
    return {f"{of}.access-key-id": pair[0], f"{of}.secret-access-key": pair[1]}


def _may(call: EngineCall, own: PrincipalClient, owner: Catalog) -> bool:
    from pyiceberg.exceptions import (
        ForbiddenError,
        NoSuchNamespaceError,
        NoSuchTableError,
        RESTError,
        UnauthorizedError,
    )
    from pyiceberg.schema import Schema
    from pyiceberg.types import IntegerType, NestedField

    space, some = tuple(call.namespace.split(".")), Schema(NestedField(1, "a", IntegerType()))
    name, catalog = (*space, call.name), own.catalog
    try:
        match call.operation:
            case "list":
                found = catalog.list_tables(space)
                return own.stages or bool(found)  # SeaweedFS may answer with nothing in place of a refusal
            case "load":
                catalog.load_table(name)
            case "read":
                _read(catalog.load_table(name))
            case "write":
                parts = [_commits(catalog, owner.load_table(name))]
                parts += [_writes(catalog, owner, name)] if own.files else []
                return all(parts) if call.allowed else any(parts)
            case "create" if own.stages:
                catalog.create_table_transaction((*space, _name()), some)  # and never committed
            case "create":
                _create(catalog, owner, (*space, _name()), some)
            case "drop":
                _drop(catalog, owner, (*space, _name()), some)
    except (ForbiddenError, UnauthorizedError):
        return False
    except (NoSuchNamespaceError, NoSuchTableError):
        owner.load_table(name) if call.name else owner.list_tables(space)  # raises if it is not there at all
        return False  # SeaweedFS hides it from who has no right to it
    except OSError as error:
        if _is_denied(error):
            return False
        raise LakehouseError(f"The store answered neither yes nor no to {call.operation}: {error}") from error
    except RESTError as error:
        if not own.stages:  # SeaweedFS calls a refusal a failure of its own
            return False
        where = f"catalog {call.catalog}"
        raise LakehouseError(f"{where} answered neither yes nor no to {call.operation}: {error}") from error
    return True


def _read(table: Table) -> None:
    """Read a row if there is one, and in any case a file of the table."""
    with table.io.new_input(table.metadata_location).open() as file:
        file.read(1)
    table.scan(limit=1).to_arrow()


def _commits(own: Catalog, table: Table) -> bool:
    """Whether the principal may commit a change of the table: of one whose requirement does not hold."""
    from pyiceberg.exceptions import CommitFailedException, ForbiddenError, UnauthorizedError
    from pyiceberg.table.update import AssertTableUUID, SetPropertiesUpdate

    never, change = AssertTableUUID(uuid=uuid.UUID(int=0)), SetPropertiesUpdate(updates={OURS: ""})
    try:
        own.commit_table(table, (never,), (change,))
    except (ForbiddenError, UnauthorizedError):
        return False
    except CommitFailedException:
        return True  # for its requirement, so it was allowed
    return True


def _writes(own: Catalog, owner: Catalog, name: tuple[str, ...]) -> bool:
    """Whether the principal may write a file where the table's data are, with the keys that it has or gets."""
    from pyiceberg.exceptions import ForbiddenError, UnauthorizedError

    table = owner.load_table(name)
    place = f"{table.properties.get('write.data.path') or f'{table.location()}/data'}/{_name()}"
    try:
        with own.load_table(name).io.new_output(place).create(overwrite=True) as file:
            file.write(b"a")
    except (ForbiddenError, UnauthorizedError):
        return False
    except OSError as error:
        if not _is_denied(error):
            raise
        return False
    finally:
        with suppress(FileNotFoundError):
            table.io.delete(place)
    return True


def _is_denied(error: OSError) -> bool:
    """Whether the store refused it: Arrow has a type for that only sometimes."""
    return isinstance(error, PermissionError) or any(word in str(error) for word in ("ACCESS_DENIED", "AccessDenied"))


def _create(own: Catalog, owner: Catalog, name: tuple[str, ...], schema: Schema) -> None:
    from pyiceberg.exceptions import NoSuchTableError

    try:
        own.create_table(name, schema)
    finally:
        with suppress(NoSuchTableError):
            owner.drop_table(name)


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
