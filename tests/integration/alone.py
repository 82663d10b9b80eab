"""What a lakehouse does whose Spark has no cluster (`engines.spark.cluster: false`), on any runtime."""

from __future__ import annotations

from tests.integration.deployment import BIN, Deployment
from tests.integration.findings import doctor, errors

SPARK = {"version": "4.1", "cluster": False, "cores": 2, "memory": "512m", "driver_memory": "512m"}
TABLES = {"silver": {"tables": {"orders": {"columns": {"id": "long", "region": "string"}}}}}
_ORDERS = "lake.silver.orders"
_JOB = f"""
import sys
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

spark = SparkSession.builder.getOrCreate()
twice = udf(lambda number: number * 2, "long")
print("master", spark.sparkContext.master)
print("sum", spark.table("{_ORDERS}").agg({{"id": "sum"}}).collect()[0][0], sys.argv[1:])
spark.range(3, 5).select(twice("id").alias("id")).selectExpr("id", "'job' AS region").writeTo("{_ORDERS}").append()
sys.exit(3)
"""


def assert_alone(deployed: Deployment) -> None:
    """Connect is all of Spark, and its rows, and those of a batch job, are read by Trino."""
    names = [each.name for each in deployed.local.services if each.name.startswith("spark")]
    assert names == ["spark-connect"]
    deployed.lakehouse("sql", "--engine", "spark", "-e", f"INSERT INTO {_ORDERS} VALUES (1, 'EU'), (2, 'US')")
    assert _by_trino(deployed) == "1,EU\n2,US\n"
    (deployed.folder / "job.py").write_text(_JOB)
    words = [str(BIN / "lakehouse"), "run", "job.py", "--", "--day", "a b"]
    said = deployed.run("sh", "-c", '"$@" 2> run.log', "sh", *words, code=3)
    assert said == "master local[2]\nsum 3 ['--day', 'a b']\n", (deployed.folder / "run.log").read_text()
    assert _by_trino(deployed) == "1,EU\n2,US\n6,job\n8,job\n"


def assert_whole(deployed: Deployment) -> None:
    """Every client reads what another wrote, and nothing is left to do."""
    deployed.lakehouse("verify")
    deployed.lakehouse("plan", code=0)
    assert deployed.planned() == set()
    assert not errors(doctor(deployed, code=0))


def _by_trino(deployed: Deployment) -> str:
    query = f"SELECT id, region FROM {_ORDERS} ORDER BY id"
    said = deployed.lakehouse("sql", "--engine", "trino", "--format", "csv", "-e", query)
    return said.removeprefix("id,region\n")
