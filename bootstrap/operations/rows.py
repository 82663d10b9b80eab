"""Made-up rows into a table: all in one commit, and once, even if an earlier run was killed."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bootstrap import catalogs, output
from bootstrap.catalogs import tables
from bootstrap.session.alone import alone
from bootstrap.session.connect import connect
from bootstrap.session.target import Target

if TYPE_CHECKING:
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.table import Table

_PROPERTY = "lakehouse.generate"  # in the summary of the snapshot: which run wrote it
_ROWS_PER_FILE = 400_000  # rows in memory at a time


@dataclass(frozen=True)
class Run:
    """A run of `generate`. Its note is beside the stack's state from its begin to its end.

    A killed run leaves the note; the next with the same options goes on as that run, whose rows it looks for.
    """

    note: Path
    options: Mapping[str, Any]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    session: str = ""  # of Spark, which goes on after its client was killed

    @classmethod
    @contextmanager
    def begin(cls, target: Target, **options: Any) -> Iterator[Run]:
        """A new run with these options, or the one with the same options that did not end.

        It ends with the context, unless that fails. Raises LakehouseError if the same run goes on elsewhere.
        """
        # A note for each set of options: a run with others in between does not make a killed one write its rows twice.
        said = json.dumps(options, sort_keys=True)
        note = target.scratch / f"generate-{hashlib.sha256(said.encode()).hexdigest()[:12]}.json"
        with alone(note.with_suffix(".lock"), "`lakehouse generate` with these options"):
            run = cls._noted(note, options)
            yield run
            note.unlink(missing_ok=True)  # the same options are a new run from now on

    @classmethod
    def _noted(cls, note: Path, options: Mapping[str, Any]) -> Run:
        with suppress(OSError, ValueError, KeyError, TypeError):
            former = json.loads(note.read_text())
            if former["options"] == options:
                return cls(note, options, former["id"], former["session"])
        run = cls(note, options)
        run.keep()
        return run

    def keep(self, session: str = "") -> None:
        """Write the note, with Spark's session."""
        self.note.write_text(json.dumps({"id": self.id, "options": self.options, "session": session}))

    def wrote(self, table: Table) -> bool:
        """Whether the table has this run's rows already."""
        return any(
            each.summary is not None and each.summary.additional_properties.get(_PROPERTY) == self.id
            for each in table.metadata.snapshots
        )


def write(
    target: Target,
    catalog: str,
    name: str,
    rows: Iterator[pa.Table],
    count: int,
    run: Run,
    replace: str | BooleanExpression | None,
) -> bool:
    """Writes the rows in one commit, after deleting those for which ``replace`` is true. False: they were there.

    Nothing is written if it fails or is killed. Raises LakehouseError if someone else wrote at the same time.
    """
    connections = connect(target.path, target.stack)[1]
    table = tables.load(catalogs.connect(catalog, connections), name, connections)
    if run.wrote(table):
        return False
    with output.progress() as progress, table.transaction() as transaction:
        task = progress.add_task(f"rows to {catalog}.{name}", total=count)
        if replace is not None:
            transaction.delete(replace)
        for batch in _joined(rows, _ROWS_PER_FILE):
            transaction.append(batch, snapshot_properties={_PROPERTY: run.id})
            progress.advance(task, batch.num_rows)
    return True


def _joined(tables: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Merges batches into fewer and larger tables: each becomes a snapshot and a file in each partition."""
    pending: list[pa.Table] = []
    for each in tables:
        pending.append(each)
        if sum(table.num_rows for table in pending) >= rows:
            yield pa.concat_tables(pending)
            pending = []
    if pending:
        yield pa.concat_tables(pending)
