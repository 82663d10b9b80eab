"""The verification itself: all engines write in parallel, then all read in parallel, then everything is removed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from bootstrap import output
from bootstrap.remote.errors import first_line
from bootstrap.session.target import Target
from bootstrap.verify import chosen, namespace
from bootstrap.verify.checks import VerifyCheck, VerifyReport
from bootstrap.verify.engines import VerifiedEngine, VerifiedTable
from lakehouse.errors import LakehouseError

ROWS = (1, 2)  # what each engine writes, each row in a separate snapshot


@dataclass(frozen=True)
class _Written:
    """Who wrote which table."""

    engine: VerifiedEngine
    table: VerifiedTable


def run(target: Target) -> VerifyReport:
    """Verifies every catalog through every engine of the file.

    Raises LakehouseError if nothing can be tried: the store, a catalog or an engine does not answer.
    """
    began = time.monotonic()
    if target.in_aws:
        from bootstrap.session.connect import connect

        target = replace(target, lakehouse=connect(target.path, target.stack)[0])
    else:
        for service in target.local.services:
            outer = [each.name for each in service.ports if not each.inner]
            # Only the batch job needs workers.
            if outer and not service.name.startswith("spark-worker"):
                target.address(outer[0], service.name)
    engines = chosen.engines(target)
    name = namespace.unique()
    with output.progress() as progress:
        task = progress.add_task("verify", total=len(target.lakehouse.catalogs) * (len(engines) * 3 + 2))
        checks = Verification(target, engines, name, lambda: progress.advance(task)).run()
    return VerifyReport(tuple(checks), time.monotonic() - began)


class Verification:
    """One run. ``advance`` is called with every finished check."""

    def __init__(
        self, target: Target, engines: Sequence[VerifiedEngine], name: str, advance: Callable[[], None]
    ) -> None:
        self._target = target
        self._engines = engines
        self._namespace = name
        self._advance = advance
        self._pool = ThreadPoolExecutor(max_workers=len(engines))

    def run(self) -> list[VerifyCheck]:
        """All checks of all catalogs. Whatever happens, nothing is left in the catalogs and the store."""
        catalogs = list(self._target.lakehouse.catalogs)
        checks: list[VerifyCheck] = []
        try:
            for catalog in catalogs:
                checks += self._catalog(catalog)
        except BaseException:
            print("Interrupted: removing what was made so far.", file=sys.stderr)
            self._stop()
            for catalog in catalogs:
                with suppress(Exception):  # the user should see the error that ended the run
                    namespace.remove(self._target, catalog, self._namespace)
            raise
        self._stop()
        return checks + [
            self._check(catalog, "everything removed", partial(self._removed, catalog)) for catalog in catalogs
        ]

    def _catalog(self, catalog: str) -> list[VerifyCheck]:
        made = self._check(catalog, "namespace created", partial(self._created, catalog))
        if not made.ok:
            return [made]
        tables = {each.table: VerifiedTable(catalog, self._namespace, each.table) for each in self._engines}
        writes = self._all(catalog, "writes", lambda engine: self._writes(engine, tables[engine.table]))
        written = [
            _Written(each, tables[each.table]) for each, check in zip(self._engines, writes, strict=True) if check.ok
        ]
        if not written:
            return [made, *writes]
        reads = self._all(catalog, "reads", partial(self._reads, written))
        able = [each for each in self._engines if each.keeps_history(catalog)]
        kept = [each for each in written if each.engine in able]
        travels = (
            [] if not kept else self._all(catalog, "reads as of a snapshot", partial(self._travels, kept[-1]), able)
        )
        return [made, *writes, *reads, *travels, *self._views(catalog)]

    def _views(self, catalog: str) -> list[VerifyCheck]:
        """The views of the file, by each engine that they have SQL for."""
        views = [
            (VerifiedTable(catalog, namespace, name), view.sql)
            for namespace, content in self._target.lakehouse.catalogs[catalog].namespaces.items()
            for name, view in content.views.items()
        ]
        able = [each for each in self._engines if any(each.views in sql for _, sql in views)]
        return self._all(catalog, "reads the file's views", partial(self._looks, views), able)

    def _created(self, catalog: str) -> str:
        namespace.create(self._target, catalog, self._namespace)
        return self._namespace

    def _removed(self, catalog: str) -> str:
        return f"{namespace.remove(self._target, catalog, self._namespace)} files"

    @staticmethod
    def _writes(engine: VerifiedEngine, table: VerifiedTable) -> str:
        engine.write(table, ROWS)
        return table.name

    @staticmethod
    def _reads(written: Sequence[_Written], engine: VerifiedEngine) -> str:
        wrong: list[str] = []
        for each in written:
            found = engine.read(each.table)
            if found != list(ROWS):
                wrong.append(f"{each.engine.name} wrote {list(ROWS)}, {engine.name} reads {found}")
        if wrong:
            raise LakehouseError("; ".join(wrong))
        return "what " + ", ".join(each.engine.name for each in written) + " wrote"

    @staticmethod
    def _looks(views: Sequence[tuple[VerifiedTable, Mapping[str, str]]], engine: VerifiedEngine) -> str:
        wrong: list[str] = []
        mine = [view for view, sql in views if engine.views in sql]
        for view in mine:
            try:
                engine.look(view)
            except Exception as error:  # noqa: BLE001 - whatever a client raises is about this view
                wrong.append(f"{'.'.join(view)}: {first_line(error)}")
        if wrong:
            fix = "Correct its `sql` or `columns` in the file, and apply"
            raise LakehouseError("; ".join(wrong) + f". {fix}")
        return f"{len(mine)} of them"

    @staticmethod
    def _travels(written: _Written, engine: VerifiedEngine) -> str:
        # Some engines create a table with an empty snapshot.
        states = [state for each in engine.snapshots(written.table) if (state := engine.read(written.table, each))]
        expected = [list(ROWS[:count]) for count in range(1, len(ROWS) + 1)]
        if states != expected:
            raise LakehouseError(
                f"{written.table.name} held {expected} one after the other, {engine.name} reads {states}"
            )
        return f"the {len(states)} states of what {written.engine.name} wrote"

    def _all(
        self,
        catalog: str,
        what: str,
        attempt: Callable[[VerifiedEngine], str],
        engines: Sequence[VerifiedEngine] | None = None,
    ) -> list[VerifyCheck]:
        """The same check for each engine (by default all), in parallel."""
        futures = [
            self._pool.submit(self._check, catalog, f"{each.name} {what}", partial(attempt, each), each.services)
            for each in (self._engines if engines is None else engines)
        ]
        return [future.result() for future in futures]

    def _check(self, catalog: str, what: str, attempt: Callable[[], str], services: Sequence[str] = ()) -> VerifyCheck:
        began = time.monotonic()
        try:
            note, ok = attempt(), True
        except Exception as error:  # noqa: BLE001 - any failure of an engine is a failed check
            message = str(error) if isinstance(error, LakehouseError) else f"{type(error).__name__}: {error}"
            look = "".join(f"\n  `lakehouse logs {service}` shows more." for service in services)
            note, ok = message.strip() + look, False
        self._advance()
        return VerifyCheck(catalog, what, ok, round(time.monotonic() - began, 2), note)

    def _stop(self) -> None:
        for each in self._engines:
            with suppress(Exception):
                each.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)
