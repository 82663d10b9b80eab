"""The AWS Glue Data Catalog: databases through boto3, tables through pyiceberg's Glue catalog.

Of an Iceberg table, Glue keeps only the location of its metadata file. The file is read from the store.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore import exceptions

from bootstrap.catalogs.base import same
from bootstrap.catalogs.located import Listing, LocatedCatalog
from bootstrap.catalogs.metadata_files import file_settings
from bootstrap.catalogs.purge import purgeable, purged
from bootstrap.iceberg.metadata import CatalogFacts
from bootstrap.remote.connections import CatalogConnection, Connections
from bootstrap.remote.errors import (
    Conflict,
    Exists,
    Missing,
    Refused,
    RemoteError,
    Throttled,
    UnknownState,
    Unreachable,
    first_line,
)
from bootstrap.remote.s3 import glue
from lakehouse.kinds.catalogs.glue import GLUE

if TYPE_CHECKING:
    from pyiceberg.catalog.glue import GlueCatalog as PyIceberg

#: What Athena and EMR read and write.
_COMMENT = "comment"  # Glue's own description of a database, as the other catalogs call it
_KEPT = ("Description", "LocationUri", "Parameters", "CreateTableDefaultPermissions")
_TYPES: Mapping[str, type[RemoteError]] = {
    "AlreadyExistsException": Exists,
    "ConcurrentModificationException": Conflict,
    "EntityNotFoundException": Missing,
    "OperationTimeoutException": UnknownState,
    "ThrottlingException": Throttled,
    "VersionMismatchException": Conflict,
}


#: What AWS's "Insufficient Lake Formation permission(s)" means to somebody whose rights are IAM's.
_LAKE_FORMATION = (
    ". Lake Formation, and not IAM, decides about this database. `lakehouse apply` by a data lake administrator gives "
    "the stack's databases to IAM"
)


class GlueCatalog(LocatedCatalog):
    """The databases of an account's Data Catalog that are in ``connection.warehouse``. The others are not ours.

    ``connection.uri`` is Glue's address if the file names one, ``connection.account`` its region and keys if they are
    not the store's.
    """

    limits = GLUE.can

    def __init__(self, name: str, connection: CatalogConnection, connections: Connections) -> None:
        self.region = connection.account.region if connection.account else connections.store.region
        self.glue = _client(connection, connections)
        kept = f"glue {self._address} {self.region} {connection.warehouse.rstrip('/')}"
        super().__init__(name, connection, connections, kept)

    @cached_property
    def tables(self) -> PyIceberg:
        """pyiceberg's catalog, with the same client."""
        return pyiceberg(self.name, self.connection, self.connections, self.glue)

    # reading

    def namespaces(self) -> dict[str, dict[str, str]]:
        return {each["Name"]: _properties(self.name, each) for each in self._databases()}

    def listed(self, namespaces: Collection[str]) -> Listing:
        with ThreadPoolExecutor(self.connections.parallel) as pool:
            every = {
                f"{database}.{table['Name']}": _metadata_location(table) or ""
                for database, found in zip(namespaces, pool.map(self._tables, namespaces), strict=True)
                for table in found
            }
        tables = {name: at for name, at in every.items() if at}
        return Listing(tables, {}, frozenset(every.keys() - tables.keys()))

    def read(self, names: Collection[str]) -> CatalogFacts:
        ours = self.namespaces()
        return super().read([name for name in names if name.rpartition(".")[0] in ours])

    def _databases(self) -> list[dict[str, Any]]:
        with typed(self.what, self._address):
            pages = self.glue.get_paginator("get_databases").paginate()
            found: list[dict[str, Any]] = [each for page in pages for each in page["DatabaseList"]]
        return [each for each in found if self._ours(each)]

    def _ours(self, database: Mapping[str, Any]) -> bool:
        location = str(database.get("LocationUri") or "").rstrip("/")
        return location == self.warehouse or location.startswith(f"{self.warehouse}/")

    def _tables(self, database: str) -> list[dict[str, Any]]:
        try:
            with typed(self.what, self._address):
                pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=database)
                return [each for page in pages for each in page["TableList"]]
        except Missing:
            return []  # dropped since it was listed

    # writing

    def create_namespace(self, name: str, properties: Mapping[str, str]) -> None:
        if "." in name:
            raise Refused(f'{self.what}: "{name}" is nested, and Glue has one level. Write "{name.replace(".", "_")}"')
        made = {"Name": name, "LocationUri": f"{self.warehouse}/{name}", **_described(properties)}
        try:
            with typed(self.what, self._address):
                self.glue.create_database(DatabaseInput=made)
        except Exists:
            there = self._database(name)
            if self._ours(there):
                raise Exists(f"{self.what}: there is a database {name} already") from None
            at = there.get("LocationUri") or "no location"
            rule = f"Glue already has a database {name}, at {at}: it does not belong to this lakehouse"
            raise Refused(f"{self.what}: {rule}. Rename the namespace, or choose another region") from None

    def update_namespace(self, name: str, updates: Mapping[str, str], removals: Collection[str]) -> None:
        there = self._database(name)
        left = {key: value for key, value in _properties(self.name, there).items() if key not in removals}
        changed = {key: there[key] for key in _KEPT if key in there and key not in ("Description", "Parameters")}
        changed |= {"Name": name, **_described({**left, **updates})}
        with typed(self.what, self._address):
            self.glue.update_database(Name=name, DatabaseInput=changed)

    def drop_namespace(self, name: str) -> None:
        if self._tables(name):  # Glue would drop them too
            raise Conflict(f"{self.what}: {name} is not empty")
        with typed(self.what, self._address):
            self.glue.delete_database(Name=name)

    def _database(self, name: str) -> dict[str, Any]:
        with typed(self.what, self._address):
            found: dict[str, Any] = self.glue.get_database(Name=name)["Database"]
        return found

    def commit_table(self, name: str, commit: Mapping[str, Any]) -> None:
        from pydantic import TypeAdapter
        from pyiceberg.table.update import TableRequirement, TableUpdate

        requirements = TypeAdapter(tuple[TableRequirement, ...]).validate_python(commit["requirements"])
        updates = TypeAdapter(tuple[TableUpdate, ...]).validate_python(commit["updates"])
        table: Any = SimpleNamespace(name=lambda: tuple(name.split(".")))  # all that it reads of a table
        with typed(f"{self.what}: {name}", self._address):
            self.tables.commit_table(table, requirements, updates)

    def register_table(self, name: str, metadata_location: str) -> None:
        with typed(f"{self.what}: {name}", self._address):
            self.tables.register_table(name, metadata_location)

    def drop_table(self, name: str, identity: str, *, purge: bool) -> str:
        # Glue's call takes a name and no UUID: a table that is created again at this very moment is not noticed.
        what = f"{self.what}: {name}"
        with typed(what, self._address):
            table = self.tables.load_table(name)
            same(what, identity, str(table.metadata.table_uuid))
            if purge:
                purgeable(what, table.metadata.properties)
            self.tables.drop_table(name)
        return purged(table.io, table.metadata, table.metadata_location) if purge else ""

    @property
    def _address(self) -> str:
        return str(self.glue.meta.endpoint_url)


def _client(connection: CatalogConnection, connections: Connections) -> Any:
    patience, parallel = connections.patience, connections.parallel
    return glue(connections.store, connection.uri, connection.account, patience=patience, parallel=parallel)


def pyiceberg(name: str, connection: CatalogConnection, connections: Connections, client: Any = None) -> PyIceberg:
    """pyiceberg's catalog; its access to files has the same keys."""
    from pyiceberg.catalog.glue import GlueCatalog as PyIceberg

    if client is None:
        client = _client(connection, connections)
    return PyIceberg(name, client, **file_settings(connections))


def _metadata_location(table: Mapping[str, Any]) -> str:
    """The location of an Iceberg table's metadata file; empty if it is not an Iceberg table."""
    parameters = table.get("Parameters") or {}
    iceberg = str(parameters.get("table_type", "")).upper() == "ICEBERG"
    return str(parameters.get("metadata_location", "")) if iceberg else ""


def _properties(catalog: str, database: Mapping[str, Any]) -> dict[str, str]:
    said = database.get("Description", "")
    # The stack (lakehouse.aws.glue) gives a database without a comment this description. It is not in the file.
    own = said.startswith(f"{catalog}.{database['Name']} of ")
    comment = {_COMMENT: said} if said and not own else {}
    return {**comment, **(database.get("Parameters") or {})}


def _described(properties: Mapping[str, str]) -> dict[str, Any]:
    """The same as Glue stores it. There a description is never empty, and all parameters are text."""
    comment = properties.get(_COMMENT)
    return {"Parameters": dict(properties), **({"Description": comment} if comment else {})}


@contextmanager
def typed(what: str, address: str) -> Iterator[None]:
    """Turn every failure of boto3 and pyiceberg into an error of :mod:`bootstrap.remote.errors`."""
    from pyiceberg import exceptions as iceberg

    try:
        yield
    except RemoteError:
        raise
    except exceptions.ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        kind = _TYPES.get(code, UnknownState if status >= 500 else Refused)
        raise kind(f"{what}: {error}{_LAKE_FORMATION if 'Lake Formation' in str(error) else ''}") from None
    except (exceptions.EndpointConnectionError, exceptions.ConnectTimeoutError) as error:
        raise Unreachable(what, address, type(error).__name__) from None
    except (exceptions.ReadTimeoutError, exceptions.HTTPClientError) as error:
        raise UnknownState(f"{what}: no answer from {address} ({type(error).__name__})") from None
    except exceptions.BotoCoreError as error:
        raise Refused(f"{what}: {error}") from None
    except iceberg.CommitFailedException as error:
        raise Conflict(f"{what}: {error}") from error
    except (iceberg.NoSuchTableError, iceberg.NoSuchNamespaceError) as error:
        raise Missing(f"{what}: {error}") from error
    except iceberg.TableAlreadyExistsError as error:
        raise Exists(f"{what}: {error}") from error
    except ValueError as error:  # what Iceberg forbids
        raise Refused(f"{what}: {first_line(error)}") from error
    except OSError as error:  # Arrow raises it for all failures of the store
        raise UnknownState(f"{what}: {error}") from error
