"""An ingest: fetch, stage in the store as Parquet, append with Spark in one commit, record what was loaded.

A commit carries the digests of its files in its snapshot's summary, so rows and digests are committed together or not
at all. Afterwards the digests are also copied to the table's properties, where expiring snapshots does not remove them.
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from bootstrap import catalogs
from bootstrap.catalogs import tables
from bootstrap.catalogs.metrics import TableReader
from bootstrap.files.items import FileFormat, Item, digest, items, rewritten
from bootstrap.files.places import FilePlace, place
from bootstrap.iceberg.claims import folder_of
from bootstrap.ingest.direct import DirectLoader
from bootstrap.ingest.spark import SparkLoader
from bootstrap.remote.errors import Missing
from bootstrap.session import clients
from bootstrap.session.alone import alone
from bootstrap.session.connect import connect
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec.claims import STAGED, STAGING, Claim, Register
from lakehouse.text import sql

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

#: In a snapshot's summary, the digests of its files; in the table's properties, those of all. Separated by spaces.
LOADED = "ingest.files"
#: A property of the table: the addresses that rows were loaded from, as the user wrote them, separated by spaces.
LOADED_FROM = "ingest.from"


@dataclass(frozen=True)
class Loaded:
    """What was done. ``known`` files were loaded before, by this or an earlier commit, and were skipped."""

    table: str
    files: int
    rows: int
    known: int


@dataclass(frozen=True)
class TableName:
    """CATALOG.NAMESPACE.TABLE; the namespace may have several levels."""

    catalog: str
    namespace: str
    name: str

    @classmethod
    def parse(cls, text: str, catalogs: Collection[str]) -> TableName:
        """Parse a name. Raises UsageError if it is anything else."""
        catalog, _, rest = text.partition(".")
        namespace, _, name = rest.rpartition(".")
        if not namespace or not name:
            raise UsageError(f'--into: "{text}" is not CATALOG.NAMESPACE.TABLE.')
        if catalog not in catalogs:
            raise UsageError(f'--into: "{catalog}" is not one of the catalogs {", ".join(catalogs)}.')
        return cls(catalog, namespace, name)

    def __str__(self) -> str:
        return f"{self.catalog}.{self.namespace}.{self.name}"

    def beside(self, name: str) -> TableName:
        return TableName(self.catalog, self.namespace, name)

    @property
    def quoted(self) -> str:
        return sql.path(str(self).split("."), "spark")


@dataclass(frozen=True)
class Ingest:
    """One run into one table."""

    target: Target
    into: TableName
    report: Callable[[str], None] = field(default=lambda what: None)

    @cached_property
    def _reader(self) -> TableReader:
        return TableReader(self.into.catalog, connect(self.target.path, self.target.stack)[1])

    def places(self, addresses: Sequence[str]) -> list[FilePlace]:
        lakehouse, connections = connect(self.target.path, self.target.stack)
        store, file = connections.store, self.target.path
        return [place(each, store, lakehouse.buckets, lakehouse.sources, file) for each in addresses]

    def infer(self, addresses: Sequence[str], form: FileFormat | None) -> dict[str, Any]:
        """The section of the file for a table that takes the sources."""
        from bootstrap.files.columns import schema_of, section

        with tempfile.TemporaryDirectory(prefix="ingest-", dir=self.target.scratch) as scratch:
            schemas = []
            for each in self.places(addresses):
                for item in items(each, form, Path(scratch)):
                    self.report(str(item))
                    path = item.place.fetch(item.name, Path(scratch))
                    schemas.append(schema_of(item, path))
                    _away(path, Path(scratch))
        return section(self.into.catalog, self.into.namespace, self.into.name, schemas)

    def load(self, addresses: Sequence[str], form: FileFormat | None) -> Loaded:
        """Load the files that the table does not have yet, in one commit.

        Raises UsageError if a source does not fit or the table does not exist.
        """
        if not self.target.in_aws and STAGING not in self.target.lakehouse.buckets:
            raise UsageError(
                f"{self.target.path.name}: files are staged in a bucket `{STAGING}`. Add "
                f"`{STAGING}: {{expire_days: 7}}` to `buckets`, then `lakehouse apply`."
            )
        places = self.places(addresses)
        if not self.target.in_aws:
            self._apart()
        self._metadata()  # a missing table is reported before anything is fetched
        with (
            self._alone() as lock,
            tempfile.TemporaryDirectory(prefix="ingest-", dir=self.target.scratch) as scratch,
            self._loader(Path(scratch)) as engine,
        ):
            self._end_of_before(lock, engine)
            known = loaded(self._metadata())
            found = [item for each in places for item in items(each, form, Path(scratch))]
            if old := rewritten(found, known):
                raise UsageError(
                    f"{old}: this Delta table has since rewritten or deleted files that {self.into} was loaded from: "
                    "its new files would load rows a second time. Load it into a new table."
                )
            staged = engine if isinstance(engine, DirectLoader) else Staged(self.target, self.into)
            try:
                new, count = self._stage(found, known, staged, Path(scratch))
                if new:
                    self.report(f"appending {count} rows to {self.into}")
                    self._append(engine, staged, sorted(new), known, addresses)
            finally:
                staged.clear()
            lock.seek(0)
            lock.truncate()
        return Loaded(str(self.into), len(new), count, len(found) - len(new))

    def _loader(self, scratch: Path) -> SparkLoader | DirectLoader:
        if self.target.in_aws:
            return DirectLoader(self.target, self.into.catalog, f"{self.into.namespace}.{self.into.name}", scratch)
        return SparkLoader(self.target)

    def _apart(self) -> None:
        """Check the staging folder. Raises LakehouseError if a live table keeps files there."""
        lakehouse, connections = connect(self.target.path, self.target.stack)
        here = run_of(self.into)
        found = [
            Claim(folder_of(at), f"{catalog}.{table}", catalog)
            for catalog in lakehouse.catalogs
            for table, (at, _) in TableReader(catalog, connections).names().items()
            if not table.rpartition(".")[2].startswith(f"ingest_{here}_")  # left by an earlier run that was killed
        ]
        other = Register(found).clash(Claim(f"s3://{STAGING}/{STAGED}/{here}", "ingest"))
        if other is not None:
            raise LakehouseError(
                f"{other.owner} keeps its files at {other.location}, where `lakehouse ingest` stages and removes files "
                f"(s3://{STAGING}/{STAGED}). Copy it to another folder (CREATE TABLE ... AS SELECT), and drop it."
            )

    def _stage(
        self, found: list[Item], known: set[str], staged: Staged | DirectLoader, scratch: Path
    ) -> tuple[set[str], int]:
        from bootstrap.files.columns import fitted

        new: set[str] = set()
        count = 0
        for item in found:
            if item.digest in known | new:
                continue
            self.report(str(item))
            path = item.place.fetch(item.name, scratch)
            number = item.digest or digest(path, item.columns)
            if number not in known | new:
                count += staged.add(number, fitted(item, path, staged.schema))
                new.add(number)
            _away(path, scratch)
        return new, count

    def _append(
        self,
        engine: SparkLoader | DirectLoader,
        staged: Staged | DirectLoader,
        new: list[str],
        known: set[str],
        addresses: Sequence[str],
    ) -> None:
        source = staged.table.quoted if isinstance(staged, Staged) else ""
        engine.append(source, self.into.quoted, {LOADED: " ".join(new)})
        before = self._metadata().get("properties", {}).get(LOADED_FROM, "").split()
        places = {*before, *(quote(each, safe=":/") for each in addresses)}
        noted = {LOADED: " ".join(sorted(known | set(new))), LOADED_FROM: " ".join(sorted(places))}
        engine.set_properties(self.into.quoted, noted)

    def _metadata(self) -> Mapping[str, Any]:
        name = f"{self.into.namespace}.{self.into.name}"
        try:
            return self._reader.read_now(name).metadata
        except Missing:
            raise UsageError(
                f"--into: there is no table {self.into}. `lakehouse ingest ... --infer` prints its section for "
                f"{self.target.path.name}; `lakehouse apply` creates it."
            ) from None

    def _alone(self) -> AbstractContextManager[IO[str]]:
        """Allow one run into a table at a time."""
        folder = self.target.scratch if self.target.in_aws else self.target.local.state.run
        return alone(folder / f"ingest-{self.into}.lock", f"`lakehouse ingest` into {self.into}")

    def _end_of_before(self, lock: IO[str], engine: SparkLoader | DirectLoader) -> None:
        """End the work that Spark continues for a killed client, before anyone checks what was loaded."""
        lock.seek(0)
        if former := lock.read().strip():
            engine.end(former)
        lock.seek(0)
        lock.truncate()
        lock.write(engine.session_id)
        lock.flush()


def run_of(into: TableName) -> str:
    """The name of all runs into one table: of the folder of their files, and of their tables."""
    return hashlib.sha256(str(into).encode()).hexdigest()[:12]


class Staged:
    """Files in the staging bucket, as Parquet, and a temporary table over them, which Spark reads.

    Spark has no file system for s3://. Through Iceberg's it reads them in parallel, wherever its workers are.
    """

    def __init__(self, target: Target, into: TableName) -> None:
        self._s3: S3Client = clients.s3(target)
        self._scratch = target.scratch
        self._catalog = clients.iceberg(target, into.catalog)
        run = run_of(into)
        # Spark caches tables by their names for a while: a reused name would be the former table.
        self.table = into.beside(f"ingest_{run}_{secrets.token_hex(4)}")
        self._namespace, self._ours = tuple(into.namespace.split(".")), f"ingest_{run}_"
        self._prefix = f"{STAGED}/{run}/"
        self.clear()  # left by a run that was killed
        connections = connect(target.path, target.stack)[1]
        name = f"{into.namespace}.{into.name}"
        live = catalogs.connect(into.catalog, connections)
        self._target = tables.load(live, name, connections)
        self._location = f"s3://{STAGING}/{self._prefix}table" if live.limits.locations else None

    @cached_property
    def schema(self) -> Any:
        """The table's columns in Arrow's types."""
        from pyiceberg.io.pyarrow import schema_to_pyarrow

        return schema_to_pyarrow(self._target.schema(), include_field_ids=False)

    @cached_property
    def _over(self) -> Any:
        name = (*self._namespace, self.table.name)
        return self._catalog.create_table(name, schema=self._target.schema(), location=self._location)

    def add(self, digest: str, rows: Iterator[Any]) -> int:
        """Stage a file's rows. Returns how many there are."""
        import pyarrow.parquet as pq

        count = 0
        with tempfile.NamedTemporaryFile(suffix=".parquet", dir=self._scratch) as file:
            with pq.ParquetWriter(file.name, self.schema, compression="zstd") as writer:
                for table in rows:
                    writer.write_table(table)
                    count += table.num_rows
            key = f"{self._prefix}{digest}.parquet"
            self._s3.upload_file(file.name, STAGING, key)
        if count:
            self._over.add_files([f"s3://{STAGING}/{key}"])
        else:
            self._over  # noqa: B018 - a file without rows counts as loaded, so the table must be there
        return count

    def clear(self) -> None:
        """Remove the files and the table over them, of this run and of earlier runs."""
        for *_, name in self._catalog.list_tables(self._namespace):
            if name.startswith(self._ours):
                self._catalog.drop_table((*self._namespace, name))
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=STAGING, Prefix=self._prefix):
            for each in page.get("Contents", ()):
                self._s3.delete_object(Bucket=STAGING, Key=each["Key"])


def loaded(metadata: Mapping[str, Any]) -> set[str]:
    """Digests of all files that the table was loaded from."""
    said = [metadata.get("properties", {}).get(LOADED, "")]
    said += [each.get("summary", {}).get(LOADED, "") for each in metadata.get("snapshots", ())]
    return {digest for text in said for digest in text.split()}


def _away(path: Path, scratch: Path) -> None:
    """Delete a fetched file. The user's own file stays."""
    if path.is_relative_to(scratch):
        path.unlink()
