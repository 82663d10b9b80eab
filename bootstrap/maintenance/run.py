"""Carry out the steps of a policy, table by table, and read each table before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Protocol

from bootstrap.catalogs.base import HasReferences
from bootstrap.catalogs.metrics import Found, TableMetrics, TableReader
from bootstrap.maintenance import neighbours, plan
from bootstrap.maintenance.garbage import Garbage
from bootstrap.maintenance.neighbours import Neighbours
from bootstrap.maintenance.superseded import SupersededFiles
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict
from bootstrap.session.athena_sql import AthenaEngine, workgroup
from bootstrap.session.spark_sql import SparkEngine
from bootstrap.session.target import Target
from bootstrap.session.trino_sql import TrinoEngine
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec import Lakehouse
from lakehouse.spec.model import Maintenance
from lakehouse.text.sql import path

_ABSENT = "it is not in the catalog. `lakehouse apply` creates it"


@dataclass(frozen=True)
class Work:
    """A table, and what must be done to it; ``lacking`` says why it cannot be checked."""

    catalog: str
    table: str  # without the catalog
    before: TableMetrics | None
    steps: tuple[plan.MaintenanceStep, ...] = ()
    lacking: str = ""

    @property
    def name(self) -> str:
        return f"{self.catalog}.{self.table}"


@dataclass(frozen=True)
class TableOutcome:
    """The result for a table: the answers of the steps that were done, and why others were not."""

    work: Work
    done: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    after: TableMetrics | None = None
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        return not self.failed and not any(step.refused for step in self.work.steps)


class Procedures(Protocol):
    """The engine that does the work. ``deletes``: expiry and orphans too, in catalogs without branches."""

    deletes: bool

    def execute(self, catalog: str, table: str, step: plan.MaintenanceStep) -> Mapping[str, Any]:
        """Carries out one step. Raises LakehouseError with the engine's own message."""


class SparkProcedures:
    """With Spark Connect."""

    deletes = True

    def __init__(self, target: Target) -> None:
        self._session = SparkEngine(target)

    def execute(self, catalog: str, table: str, step: plan.MaintenanceStep) -> Mapping[str, Any]:
        quoted = path((catalog, *table.split(".")), "spark")
        self._session.run(f"REFRESH TABLE {quoted}")  # others may have written since Spark last looked
        result = self._session.run(plan.spark(catalog, table, step))
        rows = list(result.rows)
        if step.action == "remove orphans":  # the answer has one row for each file
            return {"deleted_files_count": len(rows)}
        return dict(zip(result.columns, rows[0], strict=True)) if rows else {}


class TrinoProcedures:
    """With Trino, if there is no Spark."""

    deletes = True

    def __init__(self, target: Target) -> None:
        self._session = TrinoEngine(target)

    def execute(self, catalog: str, table: str, step: plan.MaintenanceStep) -> Mapping[str, Any]:
        answer: dict[str, Any] = {}
        for statement in plan.trino(catalog, table, step):
            result = self._session.run(statement)
            for row in result.rows:
                # One row for each metric, with its name and value, if the procedure gives an answer.
                answer |= {str(row[0]): row[1]} if len(row) == 2 else {}
        return answer


class AthenaProcedures:
    """In AWS. Only compaction: Athena's VACUUM removes orphans whenever it expires snapshots, by ages of its own.

    https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-data-optimization.html
    """

    deletes = False

    def __init__(self, target: Target) -> None:
        self._target = target

    @cached_property
    def _session(self) -> AthenaEngine:
        return AthenaEngine(self._target, workgroup(self._target))

    def execute(self, catalog: str, table: str, step: plan.MaintenanceStep) -> Mapping[str, Any]:
        if step.action != "compact":
            raise LakehouseError(
                f"Athena cannot {step.action}. Remove it from the policy, or call Spark's procedure in a job: "
                f"`{plan.spark(catalog, table, step)}`, by `lakehouse run`"
            )
        for _ in self._session.run(plan.athena(table)).rows:
            pass
        return {}


def engine(target: Target) -> Procedures:
    """Athena in AWS; else Spark if the file has it, otherwise Trino. Raises UsageError if it has neither."""
    if target.in_aws:
        return AthenaProcedures(target)
    spark = target.lakehouse.engines.spark
    if spark is not None and spark.connect:
        return SparkProcedures(target)
    if target.lakehouse.engines.trino is not None:
        return TrinoProcedures(target)
    raise UsageError(
        f"{target.path.name}: there is no engine for this. Add `spark: {{}}` or `trino: {{}}` to `engines`."
    )


def chosen(lakehouse: Lakehouse, file: str, names: Sequence[str]) -> dict[tuple[str, ...], Maintenance]:
    """The tables with a policy that the names select: each a table, a namespace or a catalog; no name: all tables.

    Raises UsageError if a name selects no table of the file, or only tables without a policy.
    """
    found = dict(plan.policies(lakehouse))
    if not names:
        return found
    meant: dict[tuple[str, ...], Maintenance] = {}
    for name in names:
        under = {at: each for at, each in found.items() if f"{_full(at)}.".startswith(f"{name}.")}
        if not under:
            raise UsageError(
                f'{file}: no table under "{name}" (CATALOG, CATALOG.NAMESPACE or CATALOG.NAMESPACE.TABLE) has a '
                "policy. Add `maintenance` to the table, its namespace or its catalog"
            )
        meant |= under
    return meant


def _full(at: tuple[str, ...]) -> str:
    return f"{at[1]}.{at[3]}.{at[5]}"


def prepare(
    lakehouse: Lakehouse, connections: Connections, meant: Mapping[tuple[str, ...], Maintenance], now: datetime
) -> Iterator[Work]:
    """The work on each table, from its policy and its present state."""
    asked = meant.values()
    orphans = any(each.remove_orphans for each in asked)
    beside = Neighbours()
    if orphans or any(each.expire_snapshots for each in asked):
        beside = neighbours.look(lakehouse.catalogs, connections, files=orphans)
    for catalog in lakehouse.catalogs:
        policies = {_full(at).partition(".")[2]: each for at, each in meant.items() if at[1] == catalog}
        if not policies:
            continue
        reader = TableReader(catalog, connections)
        there = reader.names()
        garbage = Garbage(reader, connections) if isinstance(reader.catalog, HasReferences) else None
        known = dict(reader.read_all({name: there[name] for name in policies if name in there}))
        for table, policy in sorted(policies.items()):
            found = known.get(table)
            if found is None:
                yield Work(catalog, table, None, lacking=_ABSENT)
            elif isinstance(found, LakehouseError):
                yield Work(catalog, table, None, lacking=str(found))
            else:
                whose = (catalog, table, found.metadata)
                same, unknown = _elsewhere(garbage, reader, table, policy, found)
                off = _off(lakehouse, catalog, table, None if garbage else found.metadata)
                around = plan.Guard(off, beside.sharer(*whose, same), beside.twin(*whose), unknown)
                old = _superseded(table, policy, found, SupersededFiles(reader, connections), now)
                yield Work(catalog, table, found.metrics, plan.steps(policy, found, around, now, old))


def _elsewhere(
    garbage: Garbage | None, reader: TableReader, table: str, policy: Maintenance, found: Found
) -> tuple[list[str], str]:
    """What the table is called on other branches and tags; and why that cannot be said, as text."""
    if garbage is None or not (policy.expire_snapshots or policy.remove_orphans):
        return [], ""
    try:
        heads = {
            each.location for each in garbage.heads(table, found.metadata, garbage.planned(policy.ignore_references))
        }
    except LakehouseError as error:
        return [], str(error)
    return [where for where, at in reader.elsewhere.items() if at in heads], ""


def _off(lakehouse: Lakehouse, catalog: str, table: str, metadata: Mapping[str, Any] | None) -> bool:
    """Whether ``gc.enabled`` is false: in the metadata, or, if that does not count, in the file.

    Nessie's clients set it in the metadata of every table, because engines know nothing of branches.
    """
    namespace, _, short = table.rpartition(".")
    declared = lakehouse.catalogs[catalog].namespaces[namespace].tables[short].properties
    properties = declared if metadata is None else metadata.get("properties", {})
    return str(properties.get("gc.enabled", "true")).lower() != "true"


def _superseded(table: str, policy: Maintenance, found: Found, files: SupersededFiles, now: datetime) -> Sequence[str]:
    asked = policy.expire_snapshots
    if asked is None:
        return ()
    before = now - timedelta(days=asked.older_than_days)
    return files.old(table, found.metadata, before=int(before.timestamp() * 1000), least=asked.retain_last)


def carry_out(
    work: Sequence[Work], connections: Connections, by: Procedures, report: Callable[[Work, str], None]
) -> Iterator[TableOutcome]:
    """Do the steps of each table. A failed step ends the work on its table, not on other tables."""
    garbage: dict[str, Garbage] = {}  # by catalog: each remembers which files are of which table
    for each in work:
        if each.before is None:
            yield TableOutcome(each, failed={"": each.lacking})
            continue
        done: dict[str, Mapping[str, Any]] = {}
        failed: dict[str, str] = {}
        after = None
        try:
            for step in each.steps:
                if step.refused:
                    continue
                report(each, step.action)
                try:
                    if step.action == "remove orphans":
                        _stayed(each, step, connections)
                    done[step.action] = _executed(each, step, connections, by, garbage)
                except LakehouseError as error:
                    failed[step.action] = str(error)
                    break
            after = look(each, connections).metrics if done else each.before
        except LakehouseError as error:
            failed["look again"] = str(error)
        yield TableOutcome(each, done, after, failed)


def _executed(
    work: Work, step: plan.MaintenanceStep, connections: Connections, by: Procedures, garbage: dict[str, Garbage]
) -> Mapping[str, Any]:
    """By the engine, except what deletes files that branches may need or that it cannot, and metadata files."""
    if step.action in ("compact", "rewrite manifests"):
        return by.execute(work.catalog, work.table, step)
    reader = TableReader(work.catalog, connections)
    if step.action == "remove metadata":
        return SupersededFiles(reader, connections).remove(step.files)
    if by.deletes and not isinstance(reader.catalog, HasReferences):
        return by.execute(work.catalog, work.table, step)
    if (own := garbage.get(work.catalog)) is None:
        own = garbage[work.catalog] = Garbage(reader, connections)
    return (own.expire if step.action == "expire snapshots" else own.orphans)(work.table, step)


def _stayed(work: Work, step: plan.MaintenanceStep, connections: Connections) -> None:
    """Check the table's location. Raises Conflict if it has moved, because then another folder was checked."""
    location = TableReader(work.catalog, connections).location_now(work.table)
    if location.rstrip("/") != step.location.rstrip("/"):
        raise Conflict(f"the table was at {step.location}, but is now at {location}. Run `lakehouse maintain` again")


def look(work: Work, connections: Connections) -> Found:
    """The table as it is now."""
    return TableReader(work.catalog, connections).read_now(work.table)


def today() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
