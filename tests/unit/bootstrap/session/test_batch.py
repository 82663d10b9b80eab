from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

import pytest

from bootstrap.session.batch import BatchJob, _prepare
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError

# The SQL command line on a pipe: it echoes, prints tab-separated rows, and prints the time of successful statements.
SPARK_SQL = r"""
import re, sys
print("Spark master: spark://127.0.0.1:7077, Application Id: app-1", flush=True)
for line in sys.stdin:
    print(f"spark-sql (default)> {line}", end="")
    sql = line.strip().rstrip(";")
    if sql == "DIE":
        print("java.lang.OutOfMemoryError: Java heap space")
        sys.exit(1)
    if sql in ("SLEEP", "MUTE"):
        import os, time
        if sql == "MUTE":
            os.close(1)
            os.close(2)
        time.sleep(60)
    if end := re.fullmatch(r"SELECT concat\('end', '(:\d+)'\)", sql):
        print(f"end{end[1]}")
    elif "nope" in sql:
        print("[TABLE_OR_VIEW_NOT_FOUND] The table or view `nope` cannot be found.", flush=True)
        continue
    elif sql.startswith("SELECT concat('row', ':'), *"):
        print("row:\t1\tx\nrow:\t2\ty")
    print("Time taken: 0.1 seconds", flush=True)
"""


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-c", SPARK_SQL]
    monkeypatch.setattr("bootstrap.session.batch._prepare", lambda target: (command, dict(os.environ)))


def test_rows_of_a_query(target: Target) -> None:
    with BatchJob(target) as job:
        assert job.run("SELECT a, b FROM t") == [("1", "x"), ("2", "y")]
        assert job.run("SELECT a, b FROM t") == [("1", "x"), ("2", "y")]


def test_a_statement_that_fails_says_why_and_the_next_one_runs(target: Target) -> None:
    with BatchJob(target) as job:
        job.execute("CREATE TABLE t (a INT)")
        with pytest.raises(LakehouseError) as caught:
            job.run("SELECT * FROM nope")
        assert str(caught.value) == "[TABLE_OR_VIEW_NOT_FOUND] The table or view `nope` cannot be found."
        with pytest.raises(LakehouseError, match="cannot be found"):
            job.execute("DROP TABLE nope")
        assert job.run("SELECT 1")


def test_a_job_that_dies_is_reported_with_its_message(target: Target) -> None:
    with BatchJob(target) as job:
        with pytest.raises(LakehouseError, match=r"(?s)the batch job ended.*free core.*OutOfMemoryError"):
            job.execute("DIE")
        with pytest.raises(LakehouseError, match="the batch job ended"):
            job.execute("SELECT 1")


def test_a_job_that_does_not_answer_is_given_up(target: Target) -> None:
    with BatchJob(target, patience=2) as job:
        with pytest.raises(LakehouseError, match="gave no answer within 2 s"):
            job.execute("SLEEP")
        began = time.monotonic()
        with pytest.raises(LakehouseError, match="gave no answer within 2 s"):
            job.execute("SELECT 1")
        assert time.monotonic() - began < 1, "no further statement waits as long"
    assert job._process.returncode == -signal.SIGKILL, "it is not asked to end in good order, which takes 10 s"


def test_a_job_that_closed_its_output_is_not_waited_for(target: Target) -> None:
    """Its process may still run: a JVM can hang in its shutdown."""
    with BatchJob(target) as job, pytest.raises(LakehouseError, match="the batch job ended"):
        job.execute("MUTE")
    assert job._process.returncode == -signal.SIGKILL


def test_it_is_small(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Target, "address", lambda self, name, asked_by: 7077)
    command, _ = _prepare(target)
    file = target.local.state.config("spark-master") / "verify.conf"
    assert command[command.index("--properties-file") + 1] == str(file)
    assert "spark.cores.max=1\n" in file.read_text()
    assert "-Xmx512m" in command


def test_without_spark_there_is_no_batch_job(without: Callable[[str], Target]) -> None:
    with pytest.raises(UsageError, match="has no engines.spark"):
        _prepare(without("spark"))
