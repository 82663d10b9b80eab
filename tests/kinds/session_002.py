"""The Python commands of the Hive and Glue reference system, one after the other, through Spark Connect.

The argument is the address of Spark Connect. Prints one JSON object: the result of each step by its name, and for a
command that Spark refuses the first line of its message. docs/replays.md says which commands are as the guide has them.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, lit, years

spark = SparkSession.builder.remote(sys.argv[1]).create()
seen: dict[str, Any] = {}


def sql(text: str) -> list[list[str]]:
    return [list(map(str, row)) for row in spark.sql(text).collect()]


def counted(option: str, value: object) -> int:
    """The rows of a table as this option reads it."""
    return int(spark.read.option(option, value).table(TABLE).count())


def refused(command: Callable[[], Any]) -> str:
    """The first line of the error that the command ends with; empty if it does not fail."""
    try:
        command()
    except Exception as error:  # noqa: BLE001 - Spark, its client and Python each have their own
        return str(error).strip().partition("\n")[0] or type(error).__name__
    return ""


rows = [("Alice", 25, "Engineer"), ("Bob", 31, "Analyst"), ("Carol", 42, "Engineer")]
df = spark.createDataFrame(rows, "name string, age int, role string").withColumn(
    "hire_date", lit("2024-01-01").cast("date")
)
TABLE = "spark_catalog.default.employees_iceberg"

# Table Creation
df.writeTo("spark_catalog.default.employees_iceberg").using("iceberg").createOrReplace()
df.writeTo("spark_catalog.default.employees_iceberg").append()
seen["appended"] = spark.table(TABLE).count()
seen["overwrite() as written"] = refused(lambda: df.writeTo(TABLE).overwrite())
df.writeTo(TABLE).overwrite(lit(True))
seen["overwritten"] = spark.table(TABLE).count()

# Schema Evolution
df_with_salary = df.withColumn("salary", col("age") * 1000)
seen["salary as written"] = refused(lambda: df_with_salary.writeTo(TABLE).overwrite(lit(True)))
of_append = spark.sql(f"SELECT * FROM {TABLE}.snapshots WHERE operation = 'append' ORDER BY committed_at").tail(1)[0]
sql(f"ALTER TABLE {TABLE} ADD COLUMNS (salary INT)")
df_with_salary.writeTo(TABLE).overwrite(lit(True))
evolved_df = spark.table("spark_catalog.default.employees_iceberg")
seen["salaries"] = [row["salary"] for row in evolved_df.orderBy("name").collect()]

# Time Travel
seen["as-of-timestamp as written"] = refused(lambda: counted("as-of-timestamp", "2024-01-01 10:00:00"))
seen["as-of-timestamp"] = counted("as-of-timestamp", round(of_append["committed_at"].timestamp() * 1000))
seen["timestampAsOf"] = counted("timestampAsOf", str(of_append["committed_at"]))
seen["snapshot-id"] = counted("snapshot-id", of_append["snapshot_id"])
seen["versionAsOf"] = counted("versionAsOf", of_append["snapshot_id"])

# Partition Management
PARTITIONED = "spark_catalog.default.employees_partitioned"
seen["year as written"] = refused(
    lambda: df.writeTo(PARTITIONED).using("iceberg").partitionedBy("role", "year(hire_date)").createOrReplace()
)
df.writeTo(PARTITIONED).using("iceberg").partitionedBy("role", years("hire_date")).createOrReplace()
one = df.where("role = 'Analyst'").withColumn("age", lit(99))
one.writeTo(PARTITIONED).overwritePartitions()
seen["partitions"] = sorted(row[0] for row in sql(f"SELECT partition.role FROM {PARTITIONED}.partitions"))
seen["ages"] = sorted(row["age"] for row in spark.table(PARTITIONED).collect())

# Glue, by the same calls
df.writeTo("glue_catalog.default.employees_glue").using("iceberg").createOrReplace()
df.writeTo("glue_catalog.default.employees_glue").append()
seen["in glue"] = spark.table("glue_catalog.default.employees_glue").count()

# Iceberg Catalog Configuration
spark.conf.set("spark.sql.catalog.as_written", "org.apache.iceberg.aws.glue.GlueCatalog")
seen["GlueCatalog as written"] = refused(lambda: sql("SHOW TABLES IN as_written.default"))

# Monitoring and Debugging
table = spark.table("spark_catalog.default.employees_iceberg")
described = sql(f"DESCRIBE EXTENDED {TABLE}")
seen["described"] = sorted(row[1] for row in described if row[0] in ("Provider", "Location"))
seen["snapshots"] = len(sql(f"SELECT * FROM {TABLE}.snapshots"))
seen["history"] = len(sql(f"SELECT * FROM {TABLE}.history"))
seen["databases"] = sorted(row[0] for row in sql("SHOW DATABASES IN glue_catalog"))
seen["tables"] = [row[1] for row in sql("SHOW TABLES IN glue_catalog.default")]
described = sql("DESCRIBE EXTENDED glue_catalog.default.employees_glue")
seen["described in glue"] = sorted(row[1] for row in described if row[0] in ("Provider", "Location"))

# Migration from Other Formats: the guide reads what is there already, so it is written here first
df.write.mode("overwrite").parquet("s3a://spark-data/landing/existing-data.parquet")
parquet_df = spark.read.parquet("s3a://spark-data/landing/existing-data.parquet")
parquet_df.writeTo("spark_catalog.default.new_iceberg_table").using("iceberg").createOrReplace()
seen["from Parquet"] = spark.table("spark_catalog.default.new_iceberg_table").count()
df.write.format("delta").mode("overwrite").save("s3a://spark-data/landing/delta-table")
delta_df = spark.read.format("delta").load("s3a://spark-data/landing/delta-table")
delta_df.writeTo("spark_catalog.default.migrated_table").using("iceberg").createOrReplace()
seen["from Delta"] = spark.table("spark_catalog.default.migrated_table").count()

print("SEEN " + json.dumps(seen))
spark.stop()
