"""A batch job on the cluster: SQL by a separate application, submitted to the master.

It is Spark's own SQL command line, started as ``bin/spark-sql`` starts it and fed through its standard input, so that
a job can wait for others between two statements while its JVM and its executor are warm.
"""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType

from bootstrap.session.submit import driver
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError
from lakehouse.kinds.engines import spark, spark_cluster

_NAME = "verify"
_FILE = f"{_NAME}.conf"
_SETTINGS = {
    # One core: it must fit next to Spark Connect and whatever else runs.
    "spark.cores.max": "1",
    "spark.executor.cores": "1",
    "spark.executor.memory": "512m",
    "spark.dynamicAllocation.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.app.name": _NAME,
    "spark.log.level": "ERROR",
}


class BatchJob:
    """A running application; ``with`` ends it. Statements run one at a time."""

    def __init__(self, target: Target, *, patience: float = 180.0) -> None:
        """Start the application without waiting. ``patience``: the seconds that a statement may take."""
        self._patience = patience
        self._number = 0
        self._lost: LakehouseError | None = None  # it has ended or does not answer, so it cannot be ended cleanly
        self._lock = threading.Lock()
        self._lines: queue.Queue[str | None] = queue.Queue()
        command, environment = _prepare(target)
        beside = spark_cluster.cluster(target.lakehouse).beside
        self._process = target.local.runtime.run(beside, command, environment)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def run(self, sql: str) -> list[tuple[str, ...]]:
        """Run a query and return its rows as text. Raises LakehouseError with Spark's message if it fails."""
        # Spark concatenates the word before each row, so that the echo of the query is not mistaken for one.
        lines = self._statement(f"SELECT concat('row', ':'), * FROM ({sql})")  # noqa: S608 - the SQL is ours
        return [tuple(line.split("\t")[1:]) for line in lines if line.startswith("row:\t")]

    def execute(self, sql: str) -> None:
        """Runs a statement without a result. Raises LakehouseError with Spark's message if it fails."""
        self._statement(sql)

    def close(self) -> None:
        """Ends the application and waits until its process is gone.

        At once if a statement is running, or if the application no longer answers.
        """
        if self._lost or self._lock.locked():
            self._process.kill()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()  # the end of its input ends it cleanly
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def __enter__(self) -> BatchJob:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _statement(self, sql: str) -> list[str]:
        """The lines that a statement prints."""
        with self._lock:
            if self._lost is not None:
                raise self._lost  # no further statement waits as long
            self._number += 1
            assert self._process.stdin is not None
            try:
                self._process.stdin.write(f"{sql};\nSELECT concat('end', ':{self._number}');\n")
                self._process.stdin.flush()
            except (BrokenPipeError, ValueError):
                pass  # it has ended; what it printed before is read below
            lines = self._until(lambda line: line == f"end:{self._number}")
            # The end is a statement too. Spark prints a time after each that succeeds, and none after one that fails.
            self._until(_is_time)
        if not any(map(_is_time, lines)):
            raise LakehouseError(_printed(lines) or "the statement failed, and Spark does not say why")
        return lines

    def _until(self, last: Callable[[str], bool]) -> list[str]:
        """The lines up to the one that is ``last``."""
        lines: list[str] = []
        until = time.monotonic() + self._patience
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                self._lost = _unfinished(f"gave no answer within {self._patience:.0f} s", lines)
                raise self._lost from None
            if line is None:
                self._lost = _unfinished("ended", lines)
                raise self._lost
            if last(line):
                return lines
            lines.append(line)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)


def _is_time(line: str) -> bool:
    return line.startswith("Time taken: ")


def _printed(lines: Sequence[str]) -> str:
    """What Spark printed, without prompts, echoes and the chatter of its start."""
    chatter = ("spark-sql (", "         > ", "WARNING:", "Using Spark", "Setting default", "To adjust logging")
    return "\n".join([line for line in lines if line.strip() and not line.startswith(chatter)][-8:])


def _unfinished(what: str, lines: Sequence[str]) -> LakehouseError:
    printed = _printed(lines)
    return LakehouseError(
        f"the batch job {what}. Has Spark a free core and 512 MiB? The master's page shows it."
        + (f"\nIt printed:\n{printed}" if printed else "")
    )


def _prepare(target: Target) -> tuple[list[str], dict[str, str]]:
    """The job's command and environment."""
    program = ("--class", "org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver", "spark-internal")
    engine = target.lakehouse.engines.spark
    if engine is None or engine.cluster:
        return driver(target, _FILE, _SETTINGS, program)
    heap = spark.BATCH_MB + spark.BATCH_EXECUTOR_MB
    return driver(target, _FILE, _SETTINGS | {"spark.master": "local[1]"}, program, heap)
