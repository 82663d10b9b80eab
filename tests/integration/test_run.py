"""A user's job on the cluster: `lakehouse run`."""

from __future__ import annotations

import signal

import psutil
import pytest

from tests.integration.deployment import BIN, Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

# It computes in Python on an executor, which must have the same Python and the module.
JOB = """
import sys
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf
import helper

spark = SparkSession.builder.getOrCreate()
spark.sql("CREATE OR REPLACE TABLE lake.run_test.numbers USING iceberg AS SELECT id FROM range(10)")
twice = udf(lambda number: helper.twice(number), "long")
rows = spark.table("lake.run_test.numbers").select(twice("id").alias("n")).agg({"n": "sum"}).collect()
print("sum", rows[0][0], sys.argv[1:])
sys.exit(3)
"""


def test_a_job_runs_on_the_cluster_and_ends_with_its_exit_code(deployed: Deployment) -> None:
    (deployed.folder / "job.py").write_text(JOB)
    (deployed.folder / "helper.py").write_text("def twice(number):\n    return number * 2\n")
    deployed.lakehouse("sql", "-e", "CREATE SCHEMA IF NOT EXISTS lake.run_test")
    try:
        words = ["run", "job.py", "--py-files", "helper.py", "--", "--day", "a b"]
        # Spark's log goes to standard error.
        output = deployed.run("sh", "-c", '"$@" 2> run.log', "sh", str(BIN / "lakehouse"), *words, code=3)
        assert output == "sum 90 ['--day', 'a b']\n"
        assert (
            deployed.lakehouse("sql", "--format", "csv", "-e", "SELECT count(*) AS n FROM lake.run_test.numbers")
            == "n\n10\n"
        )
    finally:
        deployed.lakehouse("sql", "-e", "DROP TABLE IF EXISTS lake.run_test.numbers; DROP SCHEMA lake.run_test")


SLEEPER = """
import os, time
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
print(os.getpid(), flush=True)
time.sleep(300)
"""


def test_ctrl_c_stops_the_job(deployed: Deployment) -> None:
    (deployed.folder / "sleeper.py").write_text(SLEEPER)
    with deployed.popen(str(BIN / "lakehouse"), "run", "sleeper.py") as process:
        assert process.stdout is not None
        job = psutil.Process(int(next(line for line in process.stdout if line.strip().isdigit())))
        driver = job.parent()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert driver is not None
    assert not job.is_running()
    assert not driver.is_running()
