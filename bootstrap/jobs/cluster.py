"""A job on the cluster of a local stack. Its driver runs beside the master, as with ``spark-submit`` in client mode."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from bootstrap.jobs.job import Job
from bootstrap.session.interrupts import ending, undisturbed
from bootstrap.session.submit import driver
from bootstrap.session.target import Target
from lakehouse.kinds.engines import spark, spark_cluster
from lakehouse.services.service import File
from lakehouse.text.placeholders import Binary

_FOLDER = "jobs"
_PATIENCE = 10.0  # seconds that a job has to end after it was stopped

# Where a container runs the job, nothing outside sees its process. So the job ends when its standard input does, which
# is a pipe from here: with this command, however it ends. Job control gives the job a process group of its own, in
# which its Python is too, and what that has started and left.
_GUARD = """
set -m
exec 3<&0
"$@" </dev/null 3<&- &
job=$!
exec 2>/dev/null
{ cat <&3; kill -TERM -- -$job; sleep 5; kill -KILL -- -$job; } >/dev/null &
guard=$!
wait $job
code=$?
kill -KILL -- -$guard -$job
exit $code
"""


def run(target: Target, job: Job, out: IO[str], log: IO[str]) -> int:
    """Runs the job to its end and returns its exit code. What it prints goes to ``out``, Spark's log to ``log``.

    Whatever ends this command early, ends the job. Raises UsageError if the file has no Spark, LakehouseError if the
    cluster does not answer.
    """
    with ending(out), _started(target, job) as process:
        assert process.stderr is not None
        copier = threading.Thread(target=_copy, args=(process.stderr, log), daemon=True)
        copier.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                out.write(line)
                out.flush()
            code = process.wait()
        finally:
            with undisturbed():
                _stop(process)
                copier.join(_PATIENCE)
        return code if code >= 0 else 128 - code


@contextmanager
def _started(target: Target, job: Job) -> Iterator[subprocess.Popen[str]]:
    """The job's process, whose files are gone in the end."""
    own = f"{_FOLDER}/{uuid.uuid4().hex[:12]}"
    try:
        yield _start(target, job, own)
    finally:
        beside = spark_cluster.cluster(target.lakehouse).beside
        shutil.rmtree(target.local.state.config(beside) / own, ignore_errors=True)


def _start(target: Target, job: Job, own: str) -> subprocess.Popen[str]:
    local = target.local
    cluster = spark_cluster.cluster(target.lakehouse)
    there = f"{local.place.config(cluster.beside)}/{own}"
    apart = local.runtime.apart
    settings = {
        "spark.app.name": job.name,
        "spark.ui.enabled": "false",  # a port that the stack does not know
        "spark.log.level": "WARN",
        **({} if apart else {"spark.pyspark.python": os.environ.get("PYSPARK_PYTHON", sys.executable)}),
    }
    if job.modules:
        settings["spark.submit.pyFiles"] = ",".join(f"{there}/{name}" for name, _ in job.modules)
    # In containers the driver shares the memory of the service beside it, which has room for a small one.
    small = cluster.heap(spark.BATCH_MB, spark.BATCH_EXECUTOR_MB)
    heap = small if apart else cluster.heap(cluster.driver_mb, cluster.executor_mb)
    command, environment = driver(
        target, f"{own}/spark.conf", settings, (f"{there}/{job.main[0]}", *job.arguments), heap
    )
    files = [File(f"{own}/{name}", Binary.of(content)) for name, content in job.files]
    local.runtime.configure(cluster.beside, files)
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # beside the files, which are removed
    return local.runtime.run(cluster.beside, ["bash", "-c", _GUARD, "run", *command], environment, split=True)


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def _copy(source: IO[str], sink: IO[str]) -> None:
    with source, suppress(OSError):  # the reader has gone
        for line in source:
            sink.write(line)
            sink.flush()
