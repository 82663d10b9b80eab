"""A client of Spark Connect. https://spark.apache.org/docs/latest/spark-connect-overview.html"""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.tools import reach
from bootstrap.tools.reach import Reach
from lakehouse.kinds.engines import spark


def write(stack: Reach) -> str:
    """A program for `pyspark-client`, with the address of the Thrift server as a comment."""
    return "\n".join(_lines(stack))


def _lines(stack: Reach) -> Iterator[str]:
    at = stack.address(spark.CONNECT, "engines.spark with connect: true", "a client of Spark Connect")
    if (thrift := stack.addresses.get(spark.THRIFT)) is not None:
        yield f"# beeline -u jdbc:hive2://{thrift}"
    if stack.token is not None:
        what = "token, and the certificate to trust, come" if stack.trust else "token comes"
        yield f"# The {what} from the environment: {reach.EVAL}"
    yield "from pyspark.sql import SparkSession  # pip install pyspark-client"
    yield ""
    yield f'spark = SparkSession.builder.remote("{at.url("sc", stack.connect)}").getOrCreate()'
    yield f'spark.catalog.setCurrentCatalog("{stack.catalog.name}")'
    yield 'spark.sql("SHOW NAMESPACES").show()'
