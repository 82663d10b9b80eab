"""Ingest without an engine, for stacks whose Spark has no sessions: PyIceberg appends the files from this machine.

It needs only the right to write the table, and no staging bucket. Files are written in the order of their rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bootstrap import catalogs
from bootstrap.catalogs import tables
from bootstrap.session.connect import connect
from bootstrap.session.target import Target

_ROWS = 400_000  # in memory at a time, and in a data file of a partition at most


class DirectLoader:
    """What :class:`bootstrap.ingest.spark.SparkLoader` and the staging bucket do together, for one table."""

    session_id = ""  # nothing goes on after its client was killed

    def __init__(self, target: Target, catalog: str, table: str, scratch: Path) -> None:
        from pyiceberg.io.pyarrow import schema_to_pyarrow

        connections = connect(target.path, target.stack)[1]
        self._table = tables.load(catalogs.connect(catalog, connections), table, connections)
        self._scratch = scratch
        self._files: list[Path] = []
        self.schema: Any = schema_to_pyarrow(self._table.schema(), include_field_ids=False)

    def __enter__(self) -> DirectLoader:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def end(self, session_id: str) -> None:
        """Does nothing: there is no former session."""

    def add(self, digest: str, rows: Iterator[Any]) -> int:
        """Keep a file's rows until all files are there. Returns how many there are."""
        import pyarrow.parquet as pq

        count, path = 0, self._scratch / f"{digest}.staged.parquet"
        with pq.ParquetWriter(path, self.schema, compression="zstd") as writer:
            for table in rows:
                writer.write_table(table)
                count += table.num_rows
        self._files.append(path)
        return count

    def append(self, source: str, into: str, summary: Mapping[str, str]) -> None:
        """Append the rows of all files in one commit, each of whose snapshots has ``summary``."""
        with self._table.transaction() as transaction:
            for rows in self._rows():
                transaction.append(rows, snapshot_properties=dict(summary))

    def set_properties(self, table: str, properties: Mapping[str, str]) -> None:
        with self._table.transaction() as transaction:
            transaction.set_properties(dict(properties))

    def clear(self) -> None:
        for path in self._files:
            path.unlink(missing_ok=True)
        self._files = []

    def _rows(self) -> Iterator[Any]:
        """At least one table of rows, even if the files have none: a file without rows counts as loaded."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        pending: list[Any] = [self.schema.empty_table()]
        for path in self._files:
            for batch in pq.ParquetFile(path).iter_batches(_ROWS):
                pending.append(pa.Table.from_batches([batch], self.schema))
                if sum(each.num_rows for each in pending) >= _ROWS:
                    yield pa.concat_tables(pending)
                    pending = []
        if pending:
            yield pa.concat_tables(pending)
