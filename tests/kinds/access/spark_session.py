"""Calls of principals by a Spark driver of their own: each catalog here has one principal's credentials.

Run with spark-submit; the argument is a file with the calls, as a JSON list of objects with `catalog` (as this Spark
names it), `operation`, `namespace`, `table` and `new` (a table's name that nobody has). Prints what was answered to
each: an empty text if it was allowed, and else the error.
"""

import json
import sys
from pathlib import Path

from py4j.protocol import Py4JError  # type: ignore[import-not-found]
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def statements(call: dict[str, str]) -> list[str]:
    space = f"{call['catalog']}.{call['namespace']}"
    table, new = f"{space}.{call['table']}", f"{space}.{call['new']}"
    return {
        "list": [f"SHOW TABLES IN {space}"],
        "load": [f"DESCRIBE TABLE {table}"],
        "read": [f"SELECT * FROM {table}"],
        "write": [f"INSERT INTO {table} VALUES (3, 'EU', 'c@example.org')"],
        "create": [f"CREATE TABLE {new} (a INT) USING iceberg"],
        "drop": [f"DROP TABLE {new}"],
    }[call["operation"]]


def answer(call: dict[str, str]) -> str:
    try:
        rows = [row for each in statements(call) for row in spark.sql(each).collect()]
        if call["operation"] == "list" and not rows:
            return "NOT_FOUND: nothing is listed, and there are tables"
    except (PySparkException, Py4JError) as error:  # what it says is judged by who reads it
        return f"{type(error).__name__}: {error}"  # with its causes, of which the last one is the store's
    return ""


print("ANSWERS " + json.dumps([answer(call) for call in json.loads(Path(sys.argv[1]).read_text())]))
