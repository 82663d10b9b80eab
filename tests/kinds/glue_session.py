"""The sessions of the Glue reference system, in PySpark: create, append, overwrite, evolve and read.

Run with spark-submit. Prints its results as one JSON object. If Spark does not accept a statement of the reference
(overwrite() without a condition, the read option snapshot-id, which Iceberg 1.12 refuses, a timestamp of 2024), the
nearest valid form is here.
"""

import json
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, lit, years

spark = SparkSession.builder.getOrCreate()
SCHEMA = "name string, age int, role string, hire_date date"
ROWS = [("Alice", 25, "Engineer"), ("Bob", 31, "Analyst"), ("Carol", 42, "Engineer")]
TABLE = "glue_catalog.default.employees_glue"


def sql(text: str) -> list[list[str]]:
    return [list(map(str, row)) for row in spark.sql(text).collect()]


seen: dict[str, Any] = {}
spark.sql("CREATE NAMESPACE IF NOT EXISTS glue_catalog.default")
df = spark.createDataFrame(ROWS, "name string, age int, role string").withColumn(
    "hire_date", lit("2024-01-01").cast("date")
)

# table creation
df.writeTo(TABLE).using("iceberg").createOrReplace()
df.writeTo(TABLE).append()
seen["appended"] = spark.table(TABLE).count()
df.writeTo(TABLE).overwrite(lit(True))
seen["overwritten"] = spark.table(TABLE).count()

# schema evolution
first = spark.sql(f"SELECT snapshot_id FROM {TABLE}.snapshots ORDER BY committed_at").collect()[1][0]
spark.sql(f"ALTER TABLE {TABLE} ADD COLUMNS (salary INT)")
df.withColumn("salary", col("age") * 1000).writeTo(TABLE).overwrite(lit(True))
seen["salaries"] = [row["salary"] for row in spark.table(TABLE).orderBy("name").collect()]

# time travel
seen["by snapshot"] = spark.read.option("versionAsOf", first).table(TABLE).count()
when = spark.sql(f"SELECT max(committed_at) FROM {TABLE}.snapshots").collect()[0][0]
seen["by timestamp"] = len(sql(f"SELECT * FROM {TABLE} TIMESTAMP AS OF '{when}'"))

# partition management
partitioned = "glue_catalog.default.employees_partitioned"
df.writeTo(partitioned).using("iceberg").partitionedBy("role", years("hire_date")).createOrReplace()
seen["partitions"] = sorted(row[0] for row in sql(f"SELECT partition.role FROM {partitioned}.partitions"))

# plain SQL
spark.sql("CREATE TABLE glue_catalog.default.by_sql (name STRING, age INT, role STRING, hire_date DATE) USING iceberg")
spark.sql("INSERT INTO glue_catalog.default.by_sql VALUES ('Alice', 25, 'Engineer', DATE '2024-01-01')")

# information
seen["databases"] = sorted(row[0] for row in sql("SHOW DATABASES IN glue_catalog"))
seen["tables"] = sorted(row[1] for row in sql("SHOW TABLES IN glue_catalog.default"))
seen["provider"] = [row[1] for row in sql(f"DESCRIBE EXTENDED {TABLE}") if row[0] == "Provider"]
seen["snapshots"] = len(sql(f"SELECT * FROM {TABLE}.snapshots"))
seen["history"] = len(sql(f"SELECT * FROM {TABLE}.history"))

# what the bootstrap made
spark.sql("INSERT INTO glue_catalog.people.departments VALUES (1, 'Research')")
seen["departments"] = sql("SELECT * FROM glue_catalog.people.departments")

print("SEEN " + json.dumps(seen))
