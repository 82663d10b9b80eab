"""Metrics and what maintenance did, as text: for people, as JSON, and in Prometheus' exposition format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bootstrap.catalogs.metrics import TableMetrics
from bootstrap.maintenance.health import health
from bootstrap.maintenance.plan import human
from bootstrap.maintenance.run import TableOutcome, Work
from bootstrap.session.printing import table
from lakehouse.text.metrics import Family, text

_GAUGES = {  # https://prometheus.io/docs/practices/naming/
    "rows": ("rows", "Rows of the current snapshot, an estimate if the table has delete files"),
    "bytes": ("size_bytes", "Size of the current snapshot's files"),
    "files": ("files", "Data files of the current snapshot"),
    "average_file_bytes": ("average_file_size_bytes", "Mean size of the current snapshot's files"),
    "delete_files": ("delete_files", "Delete files of the current snapshot"),
    "snapshots": ("snapshots", "Snapshots that the table keeps"),
    "manifests": ("manifests", "Manifests of the current snapshot"),
    "metadata_bytes": ("metadata_size_bytes", "Size of all metadata files"),
    "stored_files": ("stored_files", "All files below the table's location"),
    "stored_bytes": ("stored_size_bytes", "Size of all files below the table's location"),
    "last_commit": ("last_commit_timestamp_seconds", "When the current snapshot was committed"),
    "health": ("health", "How little maintenance the table lacks, from 0 to 100"),
}


def metrics_json(each: TableMetrics) -> dict[str, Any]:
    """Sizes in bytes, ``last_commit`` in ISO 8601; ``health_lost``: the points that each reason took from 100."""
    found = health(each)
    return {
        **asdict(each),
        "average_file_bytes": each.average_file_bytes,
        "last_commit": _instant(each.last_commit),
        "health": found.value,
        "health_lost": dict(found.lost),
    }


def metrics_text(metrics: Sequence[TableMetrics]) -> Iterator[str]:
    headings = ("table", "rows", "size", "files", "average", "deletes", "snapshots", "manifests", "metadata", "stored")
    rows = [
        (
            *(each.table, _rows(each)),
            *(human(each.bytes), each.files, human(each.average_file_bytes), each.delete_files),
            *(each.snapshots, each.manifests, human(each.metadata_bytes), human(each.stored_bytes)),
            health(each).value,
            _instant(each.last_commit) or "never",
        )
        for each in metrics
    ]
    yield from "".join(table((*headings, "health", "last commit"), [rows])).splitlines()


def _rows(each: TableMetrics) -> int | str:
    """The number of rows; ``~`` before an estimate, ``?`` if the table does not say."""
    if each.rows is None:
        return "?"
    return each.rows if each.rows_exact else f"~{each.rows}"


def prometheus(metrics: Iterable[TableMetrics]) -> Iterator[str]:
    """The metrics in Prometheus' text format."""
    listed = list(metrics)
    return text(
        Family(f"lakehouse_table_{name}", meaning, list(_values(listed, field)))
        for field, (name, meaning) in _GAUGES.items()
    )


def _values(metrics: Iterable[TableMetrics], field: str) -> Iterator[tuple[dict[str, str], float]]:
    for each in metrics:
        catalog, _, rest = each.table.partition(".")
        namespace, _, short = rest.rpartition(".")
        value = health(each).value if field == "health" else getattr(each, field)
        if value is not None:
            number = value / 1000 if field == "last_commit" else value
            yield {"catalog": catalog, "namespace": namespace, "table": short}, number


def plan_json(work: Work) -> dict[str, Any]:
    return {
        "table": work.name,
        "lacking": work.lacking or None,
        "steps": [
            {
                "action": step.action,
                "why": step.why,
                "older_than": step.older_than.isoformat() if step.older_than else None,
                "refused": step.refused or None,
            }
            for step in work.steps
        ],
    }


def plan_text(work: Sequence[Work]) -> Iterator[str]:
    for each in work:
        if each.before is None:
            yield f"! {each.name}: {each.lacking}."
        elif not each.steps:
            yield f"  {each.name}: nothing to do."
        for step in each.steps:
            yield f"{'!' if step.refused else '~'} {each.name}: {step.action}: {step.refused or step.why}."


def outcome_json(outcome: TableOutcome) -> dict[str, Any]:
    before, after = outcome.work.before, outcome.after
    return {
        **plan_json(outcome.work),
        "done": {action: dict(answer) for action, answer in outcome.done.items()},
        "failed": dict(outcome.failed),
        "before": metrics_json(before) if before else None,
        "after": metrics_json(after) if after else None,
    }


def outcome_text(outcomes: Sequence[TableOutcome]) -> Iterator[str]:
    """Before and after of every table, the steps done, then what was not done and why."""
    rows = []
    for each in outcomes:
        if each.work.before and each.after:
            pair = (each.work.before, each.after)
            counts = ("files", "delete_files", "snapshots", "manifests")
            sizes = ("bytes", "metadata_bytes", "stored_bytes")
            columns = {name: " -> ".join(str(getattr(m, name)) for m in pair) for name in counts}
            columns |= {name: " -> ".join(human(getattr(m, name)) for m in pair) for name in sizes}
            order = ("files", "bytes", "delete_files", "snapshots", "manifests", "metadata_bytes", "stored_bytes")
            rows.append((each.work.name, *(columns[name] for name in order), ", ".join(each.done) or "nothing"))
    headings = ("table", "files", "size", "deletes", "snapshots", "manifests", "metadata", "stored", "done")
    if rows:
        yield from "".join(table(headings, [rows])).splitlines()


def complaints(outcomes: Iterable[TableOutcome]) -> Iterator[str]:
    for each in outcomes:
        for step in each.work.steps:
            if step.refused:
                yield f"refused: {each.work.name}: {step.action}: {step.refused}."
        for action, why in each.failed.items():
            yield f"failed: {each.work.name}: {f'{action}: ' if action else ''}{why}"


def _instant(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(sep=" ", timespec="seconds")
