"""`engines.spark.dynamic` on processes: executors come with work and go without it, drained workers included."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest

from tests.integration.deployment import BIN, Deployment, until, up

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(900)]

# Its tasks sleep, so that one executor is not enough for them whatever the machine has to do.
JOB = """
import time
from pyspark.sql import SparkSession

def slowly(rows):
    time.sleep(4)
    return rows

spark = SparkSession.builder.appName("slow").getOrCreate()
print(spark.sparkContext.parallelize(range(12), 12).mapPartitions(slowly).count(), "rows")
seen = spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() - 1
print(seen, "executors with work")
until = time.monotonic() + 120
while spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() > 2 and time.monotonic() < until:
    time.sleep(1)
print(spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() - 1, "executors without work")
print(spark.range(1000).repartition(4).count(), "rows after that")
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    made = Deployment.make(
        tmp_path_factory.mktemp("dynamic") / "a lakehouse",
        {
            ("stacks",): {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
            ("engines",): {
                "spark": {
                    "workers": 2,
                    "cores": 2,
                    "memory": "512m",
                    "driver_memory": "512m",
                    "dynamic": True,
                    "properties": {"spark.dynamicAllocation.executorIdleTimeout": "5s"},
                }
            },
        },
    )
    with up(made):
        yield made


def of_connect(stack: Deployment) -> int:
    """The executors of Spark Connect."""
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.port('spark-master-ui')}/json/", timeout=10) as answer:
        [connect] = [each for each in json.load(answer)["activeapps"] if each["name"] == "Spark Connect"]
    return int(connect["cores"])  # each has one


def test_a_job_has_executors_while_it_has_work_for_them(stack: Deployment) -> None:
    until(lambda: of_connect(stack) == 1, 60)
    (stack.folder / "job.py").write_text(JOB)
    said = stack.run(str(BIN / "lakehouse"), "run", "job.py")
    assert "12 rows" in said
    assert "3 executors with work" in said, "four fit, and one is Connect's"
    assert "1 executors without work" in said
    assert "1000 rows after that" in said


def test_connect_gives_back_what_it_has_no_work_for(stack: Deployment) -> None:
    sum_of = "SELECT sum(hash(a.id * 31 + b.id)) IS NOT NULL FROM range(0, 60000, 1, 8) a, range(4000) b"
    stack.lakehouse("sql", "--engine", "spark", "-e", f"CREATE TABLE lake.silver.sums AS {sum_of}")
    stack.lakehouse("sql", "--engine", "spark", "-e", "DROP TABLE lake.silver.sums")
    until(lambda: of_connect(stack) == 1, 120)
    stack.lakehouse("verify")
