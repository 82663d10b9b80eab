"""A batch job on the cluster: SQL by an application of its own, submitted to the master.

It is Spark's own SQL command line, started as ``bin/spark-sql`` starts it and fed through its standard input, so that
a job can wait for others between two statements while its JVM and its executor are warm.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from bootstrap.target import Target
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes.process.place import ProcessPlace, with_secrets
from lakehouse.runtimes.process.state import write_private
from lakehouse.services import compose, spark
from lakehouse.services.text import properties
from lakehouse.spec.ports import ports

_NAME = "verify"
_HEAP_MB = 512
_SETTINGS = {
    # One core: it has to fit beside Spark Connect and whatever else runs.
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

    def __init__(self, target: Target, *, patience: float = 120.0) -> None:
        """Starts it, and does not wait. ``patience`` is how many seconds a statement may take."""
        self._patience = patience
        self._number = 0
        self._lock = threading.Lock()
        self._lines: queue.Queue[str | None] = queue.Queue()
        command, environment, folder = _prepare(target)
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, "PATH": os.environ.get("PATH", ""), "HOME": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C is for us: it ends the job after the checks that use it
        )
        threading.Thread(target=self._read, daemon=True).start()

    def run(self, sql: str) -> list[tuple[str, ...]]:
        """Runs a query; its rows as text. Raises LakehouseError with what Spark says where it fails."""
        with self._lock:
            self._number += 1
            row, end = f"row-{self._number}", f"end-{self._number}"
            # The words are put together by Spark, so that the echo of what is sent is not taken for an answer.
            self._send(f"SELECT concat('row', '-{self._number}'), * FROM ({sql});")
            return [tuple(line.split("\t")[1:]) for line in self._answer(end) if line.startswith(f"{row}\t")]

    def execute(self, sql: str) -> None:
        """Runs a statement that answers nothing; whether it worked has to be seen from what it did."""
        with self._lock:
            self._number += 1
            self._send(f"{sql};")
            self._answer(f"end-{self._number}")

    def close(self) -> None:
        """Ends the application, and waits until its process is gone."""
        if self._process.stdin and not self._process.stdin.closed:
            with suppress(BrokenPipeError):
                self._process.stdin.close()  # the end of its input ends it in good order
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """Ends the application at once; a statement under way fails."""
        self._process.kill()

    def __enter__(self) -> BatchJob:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{text}\nSELECT concat('end', '-{self._number}');\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise self._failure([], "ended") from error

    def _answer(self, end: str) -> list[str]:
        lines: list[str] = []
        until = time.monotonic() + self._patience
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise self._failure(lines, f"gave no answer within {self._patience:.0f} s") from None
            if line is None:
                self._lines.put(None)
                raise self._failure(lines, "ended")
            if line == end:
                return lines
            lines.append(line)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    @staticmethod
    def _failure(lines: list[str], what: str) -> LakehouseError:
        said = [
            line for line in lines if line.strip() and not line.startswith(("spark-sql (", "WARNING:", "Using Spark"))
        ]
        tail = "\n".join(f"    {line}" for line in said[-8:])
        return LakehouseError(
            f"the batch job {what}. Has the cluster a free core and 512 MiB? Its master's page shows it."
            + (f"\nIt said:\n{tail}" if tail else "")
        )


def _prepare(target: Target) -> tuple[list[str], dict[str, str], Path]:
    """The job's command, environment and working folder; its properties are written, secrets and all, mode 0600."""
    if target.lakehouse.engines.spark is None:
        raise UsageError(f"{target.path.name} has no engines.spark: add it to the file and deploy the stack again.")
    target.port(spark.MASTER, "engines.spark")
    state = target.local.state
    place = ProcessPlace(state, ports(target.lakehouse, target.stack))
    cluster = compose._cluster(target.lakehouse)
    settings = spark.defaults(place, cluster, target.local.endpoints.catalogs) | _SETTINGS
    folder = state.root / "cache" / _NAME
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "spark-defaults.conf"
    write_private(file, with_secrets(properties(settings), state.secret))
    jars = [place.package(jar) for jar in cluster.packages[1:]]
    command = [
        *spark._java(place, cluster, _HEAP_MB, jars),
        *("org.apache.spark.deploy.SparkSubmit", "--properties-file", str(file)),
        *("--class", "org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver", "spark-internal"),
    ]
    environment = dict(spark._environment(place, cluster, spark.CONNECT)) | {"SPARK_LOCAL_DIRS": str(folder / "local")}
    return command, environment, folder
