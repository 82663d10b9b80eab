"""Hive Metastore: databases and tables through its own API.

A table's parameters say where its metadata file is, as Iceberg's own clients for Hive write them:
https://iceberg.apache.org/docs/latest/hive/. A commit holds the metastore's lock of the table.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from bootstrap.catalogs.base import SeenView, same
from bootstrap.catalogs.located import Listing, LocatedCatalog
from bootstrap.catalogs.metadata_files import committed, next_location, parsed
from bootstrap.catalogs.metastore import Metastore
from bootstrap.catalogs.purge import purgeable, purged
from bootstrap.catalogs.view_files import ViewFile
from bootstrap.iceberg.schema import type_to_json
from bootstrap.iceberg.view import ViewFacts
from bootstrap.remote.connections import CatalogConnection, Connections
from bootstrap.remote.errors import Conflict, Exists, Missing, Refused
from lakehouse.kinds.catalogs.hive import HIVE

if TYPE_CHECKING:
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.types import IcebergType

_COMMENT, _LOCATION = "comment", "location"
#: The database that every metastore has, and its description while nobody uses it.
_DEFAULT, _UNUSED = "default", "Default Hive database"
_TABLE, _VIEW = "ICEBERG", "ICEBERG-VIEW"  # values of the parameter table_type, in upper case
_AT, _BEFORE = "metadata_location", "previous_metadata_location"
_AT_ONCE = 500  # tables in one request
# The metastore's limits, in characters. It shows a table's columns only for clients that do not read metadata files.
_LONGEST_DOC, _LONGEST_COLUMN, _LONGEST_KEY = 4000, 767, 256
_QUIETLY = {"DO_NOT_UPDATE_STATS": "true"}  # else it lists the table's files


class HiveCatalog(LocatedCatalog):
    """The databases of a metastore at ``connection.uri`` whose tables are in ``connection.warehouse``."""

    limits = HIVE.can

    def __init__(self, name: str, connection: CatalogConnection, connections: Connections) -> None:
        super().__init__(name, connection, connections, f"{connection.uri} {connection.warehouse}")
        self.metastore = Metastore(connection.uri, connections.patience)

    # reading

    def namespaces(self) -> dict[str, dict[str, str]]:
        with self.metastore.asked(self.what) as hive:
            names: list[str] = hive.get_all_databases()
        with ThreadPoolExecutor(self.connections.parallel) as pool:
            found = dict(zip(names, pool.map(self._known, names), strict=True))
        return {name: properties for name, properties in found.items() if properties is not None}

    def _known(self, name: str) -> dict[str, str] | None:
        """A database's properties; None if it was dropped since it was listed, or nobody has ever used it."""
        try:
            with self.metastore.asked(self.what) as hive:
                database = hive.get_database(name)
                unused = name == _DEFAULT and database.description == _UNUSED and not hive.get_all_tables(name)
        except Missing:
            return None
        return None if unused else _properties(database)

    def listed(self, namespaces: Collection[str]) -> Listing:
        with ThreadPoolExecutor(self.connections.parallel) as pool:
            found = pool.map(self._tables, namespaces)
            every = {f"{each.dbName}.{each.tableName}": each for tables in found for each in tables}
        tables, views = ({name: at for name, each in every.items() if (at := _metadata_location(each, kind))}
                         for kind in (_TABLE, _VIEW))  # fmt: skip
        return Listing(tables, views, frozenset(every.keys() - tables.keys() - views.keys()))

    def _tables(self, database: str) -> list[Any]:
        try:
            with self.metastore.asked(self.what) as hive:
                names = hive.get_all_tables(database)
                parts = [names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE)]
                return [each for part in parts for each in hive.get_table_objects_by_name(database, part)]
        except Missing:
            return []  # dropped since it was listed

    # writing

    def create_namespace(self, name: str, properties: Mapping[str, str]) -> None:
        from hive_metastore.ttypes import Database

        if "." in name:
            raise Refused(f'{self.what}: "{name}" is nested, and Hive has one level. Write "{name.replace(".", "_")}"')
        if name == _DEFAULT and self._known(name) is None:
            self.update_namespace(name, {_COMMENT: "", **properties}, ())
            return
        made = _described(Database(name=name, locationUri=f"{self.warehouse}/{name}"), properties)
        with self.metastore.asked(self.what) as hive:
            hive.create_database(made)

    def update_namespace(self, name: str, updates: Mapping[str, str], removals: Collection[str]) -> None:
        with self.metastore.asked(f"{self.what}: {name}") as hive:
            there = hive.get_database(name)
            left = {key: value for key, value in _properties(there).items() if key not in removals}
            hive.alter_database(name, _described(there, {**left, **updates}))

    def drop_namespace(self, name: str) -> None:
        what = f"{self.what}: {name}"
        with self.metastore.asked(what) as hive:
            there = hive.get_database(name)
            if hive.get_all_tables(name):
                raise Conflict(f"{what} is not empty")
            if name == _DEFAULT:  # every metastore has it
                hive.alter_database(name, _described(there, {_COMMENT: _UNUSED}))
            else:
                hive.drop_database(name, deleteData=False, cascade=False)

    def commit_table(self, name: str, commit: Mapping[str, Any]) -> None:
        what, (database, table) = f"{self.what}: {name}", name.split(".")
        if any(each["type"] == "assert-create" for each in commit["requirements"]):
            metadata = committed(what, commit, None, None)
            self._create(what, name, metadata, self._write(metadata, None))
            return
        with self.metastore.asked(what) as hive, self.metastore.locked(hive, what, database, table) as held:
            there, at = self._table_at(hive, name)
            before = self.files.read(at)
            metadata = committed(what, commit, before, at)
            location = self._write(metadata, at)
            _point(there, metadata, location, gone=before.get("properties", {}).keys() - metadata.properties.keys())
            there.parameters[_BEFORE] = at
            held()
            hive.alter_table_with_environment_context(database, table, there, _context())

    def register_table(self, name: str, metadata_location: str) -> None:
        what = f"{self.what}: {name}"
        metadata = parsed(metadata_location, self.files.read(metadata_location))
        self._create(what, name, metadata, metadata_location)

    def rename_table(self, former: str, name: str, identity: str) -> None:
        what, (database, table) = f"{self.what}: {former}", former.split(".")
        with self.metastore.asked(what) as hive, self.metastore.locked(hive, what, database, table) as held:
            there, at = self._table_at(hive, former)
            same(what, identity, self.files.read(at)["table-uuid"])
            there.dbName, there.tableName = name.split(".")
            if there.tableName in hive.get_all_tables(there.dbName):
                raise Exists(f"{self.what}: there is already a table {name}")
            held()
            hive.alter_table_with_environment_context(database, table, there, _context())

    def drop_table(self, name: str, identity: str, *, purge: bool) -> str:
        what, (database, table) = f"{self.what}: {name}", name.split(".")
        with self.metastore.asked(what) as hive, self.metastore.locked(hive, what, database, table) as held:
            _, at = self._table_at(hive, name)
            content = self.files.read(at)
            same(what, identity, content["table-uuid"])
            if purge:
                purgeable(what, content.get("properties") or {})
            metadata = parsed(at, content) if purge else None
            held()
            hive.drop_table(database, table, deleteData=False)
        return purged(self.files.io, metadata, at) if metadata else ""

    def create_view(self, name: str, location: str, wanted: Mapping[str, Any], properties: Mapping[str, str]) -> None:
        made = _empty(name, "VIRTUAL_VIEW")
        _point_view(made, self.views.create(location, wanted, properties))
        self._made(f"{self.what}: {name}", made)

    def replace_view(
        self,
        name: str,
        seen: SeenView,
        wanted: Mapping[str, Any] | None,
        updates: Mapping[str, str],
        removals: Collection[str],
    ) -> None:
        what, (database, view) = f"{self.what}: {name}", name.split(".")
        with self.metastore.asked(what) as hive, self.metastore.locked(hive, what, database, view) as held:
            there, at = self._table_at(hive, name, _VIEW)
            file = self.views.replace(what, at, seen=seen, wanted=wanted, updates=updates, removals=removals)
            _point_view(there, file, gone=removals)
            there.parameters[_BEFORE] = at
            held()
            hive.alter_table_with_environment_context(database, view, there, _context())

    def drop_view(self, name: str, seen: SeenView) -> None:
        what, (database, view) = f"{self.what}: {name}", name.split(".")
        with self.metastore.asked(what) as hive, self.metastore.locked(hive, what, database, view) as held:
            _, at = self._table_at(hive, name, _VIEW)
            self.views.check(what, at, seen)
            held()
            hive.drop_table(database, view, deleteData=False)

    def _create(self, what: str, name: str, metadata: TableMetadata, location: str) -> None:
        made = _empty(name, "EXTERNAL_TABLE")
        _point(made, metadata, location)
        self._made(what, made)

    def _made(self, what: str, made: Any) -> None:
        try:
            with self.metastore.asked(what) as hive:
                hive.create_table_with_environment_context(made, _context())
        except Exists:
            raise Exists(f"{what}: there is already a table or view of that name") from None
        except Refused as error:
            if made.dbName not in self.namespaces():
                raise Missing(f"{what}: there is no namespace {made.dbName}") from None
            raise error

    def _table_at(self, hive: Any, name: str, kind: str = _TABLE) -> tuple[Any, str]:
        """A table or view, and where its metadata file is. Raises Conflict if it is none of Iceberg."""
        database, table = name.split(".")
        found = hive.get_table(database, table)
        if not (at := _metadata_location(found, kind)):
            raise Conflict(f"{self.what}: {name} is no longer an Iceberg {'view' if kind == _VIEW else 'table'}")
        return found, at

    def _write(self, metadata: TableMetadata, former: str | None) -> str:
        """Write the table's next metadata file. If the commit fails, the file stays, as an orphan like any other."""
        location = next_location(former, metadata.location)
        self.files.write(location, metadata.model_dump_json())
        return location


def _metadata_location(table: Any, kind: str = _TABLE) -> str:
    """The location of the metadata file of an Iceberg table or view; empty if it is none of that kind."""
    parameters = table.parameters or {}
    return str(parameters.get(_AT, "")) if parameters.get("table_type", "").upper() == kind else ""


def _empty(name: str, kind: str) -> Any:
    """A table of the metastore without columns and properties."""
    from hive_metastore.ttypes import SerDeInfo, StorageDescriptor, Table

    database, table = name.split(".")
    now = int(time.time())
    stored = StorageDescriptor(
        inputFormat="org.apache.hadoop.mapred.FileInputFormat",
        outputFormat="org.apache.hadoop.mapred.FileOutputFormat",
        serdeInfo=SerDeInfo(serializationLib="org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"),
    )
    return Table(table, database, "lakehouse", now, now, sd=stored, parameters={}, tableType=kind)


def _properties(database: Any) -> dict[str, str]:
    comment = {} if database.description in (None, "", _UNUSED) else {_COMMENT: database.description}
    return {**(database.parameters or {}), _LOCATION: database.locationUri, **comment}


def _described(database: Any, properties: Mapping[str, str]) -> Any:
    """The database with these properties. The metastore has separate fields for two of them."""
    if len(comment := properties.get(_COMMENT, "")) > _LONGEST_DOC:
        rule = f"Hive keeps {_LONGEST_DOC} characters of a comment, and this one has {len(comment)}"
        raise Refused(f"namespace {database.name}: {rule}. Write a shorter one")
    database.description = comment
    database.locationUri = properties.get(_LOCATION, database.locationUri)
    database.parameters = {key: value for key, value in properties.items() if key not in (_COMMENT, _LOCATION)}
    return database


def _point(table: Any, metadata: TableMetadata, location: str, gone: Collection[str] = ()) -> None:
    """Point the metastore's table at a metadata file, set its columns and properties, and remove those of ``gone``."""
    from hive_metastore.ttypes import FieldSchema

    kept = {key: value for key, value in table.parameters.items() if key not in gone}
    own = {"EXTERNAL": "TRUE", "table_type": "ICEBERG", _AT: location}
    shown = {key: value for key, value in metadata.properties.items() if len(key) <= _LONGEST_KEY}
    table.parameters = kept | shown | own
    table.sd.location = metadata.location
    table.sd.cols = [
        FieldSchema(each.name, _hive_type(each.field_type), (each.doc or "")[:_LONGEST_DOC] or None)
        for each in metadata.schema().fields
        if len(each.name) <= _LONGEST_COLUMN
    ]


def _point_view(view: Any, file: ViewFile, gone: Collection[str] = ()) -> None:
    """Point the metastore's view at a metadata file, as Iceberg's HiveViewOperations does."""
    from hive_metastore.ttypes import FieldSchema
    from pyiceberg.schema import Schema

    facts = ViewFacts(file.location, file.metadata)
    kept = {key: value for key, value in view.parameters.items() if key not in gone}
    shown = {key: value for key, value in facts.properties.items() if len(key) <= _LONGEST_KEY}
    view.parameters = kept | shown | {"EXTERNAL": "TRUE", "table_type": _VIEW, _AT: file.location}
    view.sd.location = facts.location
    schema = Schema.model_validate(type_to_json(facts.columns))
    view.sd.cols = [
        FieldSchema(each.name, _hive_type(each.field_type), (each.doc or "")[:_LONGEST_DOC] or None)
        for each in schema.fields
        if len(each.name) <= _LONGEST_COLUMN
    ]
    view.viewOriginalText = view.viewExpandedText = facts.sql.get("hive", next(iter(facts.sql.values())))


def _hive_type(of: IcebergType) -> str:
    """Hive's name of a type. Engines read a table's types from its metadata file."""
    from pyiceberg.catalog.hive import SchemaToHiveConverter
    from pyiceberg.schema import visit

    try:
        return visit(of, SchemaToHiveConverter(False))
    except KeyError:  # a type of a later format
        return "string"


def _context() -> Any:
    from hive_metastore.ttypes import EnvironmentContext

    return EnvironmentContext(properties=dict(_QUIETLY))
