"""``python first_row.py CONNECT-PORT TRINO-PORT``: a row written by Spark Connect on the cluster and read by Trino."""

from __future__ import annotations

import sys

import trino
from pyspark.sql import SparkSession

connect, port = sys.argv[1:]
spark = SparkSession.builder.remote(f"sc://127.0.0.1:{connect}").getOrCreate()
spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.bench")
spark.sql("CREATE TABLE IF NOT EXISTS lake.bench.first (id bigint, word string) USING iceberg")
spark.sql("INSERT INTO lake.bench.first VALUES (1, 'one')")
cursor = trino.dbapi.connect(host="127.0.0.1", port=int(port), user="bench").cursor()  # type: ignore[no-untyped-call]
cursor.execute("SELECT count(*) FROM lake.bench.first")
assert cursor.fetchall()[0][0] > 0
