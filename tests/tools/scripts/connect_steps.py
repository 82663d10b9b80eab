"""A plain client of Spark Connect, at SPARK_REMOTE. Arguments: the catalog."""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession
from steps import step

spark = SparkSession.builder.getOrCreate()
spark.catalog.setCurrentCatalog(sys.argv[1])
T, V = "by_connect.t", "by_connect.v"
MERGE = f"""MERGE INTO {T} USING (SELECT 1 AS id, 'x' AS name) AS s ON {T}.id = s.id
WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"""
rows = spark.createDataFrame([(1, "a"), (2, "b")], "id int, name string")

step("namespace", lambda: spark.sql("CREATE NAMESPACE by_connect"))
step("createOrReplace", lambda: rows.writeTo(T).using("iceberg").createOrReplace())
step("append", lambda: rows.writeTo(T).append())
step("read", lambda: spark.table(T).count())
step("merge", lambda: spark.sql(MERGE))
step("schema change", lambda: spark.sql(f"ALTER TABLE {T} ADD COLUMN more double"))
step("view", lambda: (spark.sql(f"CREATE VIEW {V} AS SELECT id FROM {T}"), spark.sql(f"DROP VIEW {V}")))
step("drop", lambda: (spark.sql(f"DROP TABLE {T}"), spark.sql("DROP NAMESPACE by_connect")))
