"""Spark's versions, what fits each of them, and the rules for its entry in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lakehouse.spec.kinds import Opening
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.text.words import listed


@dataclass(frozen=True)
class SparkLine:
    """A line of Spark and the versions that fit it. https://iceberg.apache.org/multi-engine-support/"""

    line: str
    pyspark: str
    scala: str
    iceberg: str
    hadoop: str  # the client's in the distribution, whose version S3A must have
    java: tuple[int, ...]  # feature versions, the preferred one first
    token: bool = True  # Connect can require a token: SPARK-51156, since 4.0
    connect: str | None = None  # the Spark Connect server's artifact, if the distribution does not contain it

    @property
    def iceberg_runtime(self) -> str:
        """Maven coordinates of Iceberg's runtime for Spark."""
        return f"org.apache.iceberg:iceberg-spark-runtime-{self.line}_{self.scala}:{self.iceberg}"

    @property
    def aws_bundle(self) -> str:
        """Maven coordinates of Iceberg's AWS bundle, in the version of the runtime."""
        return f"org.apache.iceberg:iceberg-aws-bundle:{self.iceberg}"


LINES = {
    line.line: line
    for line in (
        # Spark Connect is not in 3.5's distribution; the newest server that is published is 3.5.7.
        SparkLine("3.5", "3.5.9", "2.12", "1.12.0", "3.3.4", (17,), False, "org.apache.spark:spark-connect_2.12:3.5.7"),
        SparkLine("4.0", "4.0.5", "2.13", "1.11.0", "3.4.1", (21, 17)),
        SparkLine("4.1", "4.1.4", "2.13", "1.12.0", "3.4.2", (21, 17)),
    )
}
_OWNED = {  # Spark properties that another key of the file sets
    "spark.executor.memory": "engines.spark.memory",
    "spark.driver.memory": "engines.spark.driver_memory",
    "spark.executor.cores": "engines.spark.cores",
    "spark.executor.instances": "engines.spark.workers",
    "spark.master": "the stack",
}


def check(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Problems of the entry, whose version has been checked."""
    spark = lakehouse.engines.spark
    line = LINES.get(spark.version) if spark else None
    if spark is None or line is None:
        return
    at: KeyPath = ("engines", "spark")
    if spark.connect and spark.connect.token and not line.token:
        right = listed(f'"{each.line}"' for each in LINES.values() if each.token)
        message = f"Spark {spark.version} has no token for its Connect server. Set version: {right}, or remove it"
        yield Problem((*at, "connect", "token"), message, about=((*at, "version"),))
    if not spark.cluster:
        if spark.connect is None:
            message = "without it Spark is only its Connect server, which is off. Remove `cluster` or `connect`"
            yield Problem((*at, "cluster"), message, about=((*at, "connect"),))
        if spark.dynamic:
            message = "it is for executors of a cluster, and there is none. Remove it or `cluster: false`"
            yield Problem((*at, "dynamic"), message, about=((*at, "cluster"),))
    for key, value in spark.properties.items():
        for why in property_refusals(key, value, line):
            yield Problem((*at, "properties", key), why, about=((*at, "version"),))


def openings(lakehouse: Lakehouse) -> Iterator[Opening]:
    """Ways around filters and masks: whoever may send Spark a job is the service, which has the keys of all tables."""
    if lakehouse.engines.spark:
        yield Opening(
            "Spark runs the jobs of everybody on its network, with keys for all tables", "remove `spark` from `engines`"
        )


def property_refusals(key: str, value: str, line: SparkLine) -> Iterator[str]:
    """Why a Spark property conflicts with its version or with the rest of the file; empty if it does not."""
    if key in _OWNED:
        yield f'"{value}" conflicts with {_OWNED[key]}, which sets it. Set it there'
    if key not in ("spark.jars.packages", "spark.jars"):
        return
    for artifact in filter(None, re.split(r"[\s,]+", value)):
        right = _right_artifact(artifact, line)
        if right:
            yield f'"{artifact}" does not fit Spark {line.line} with Scala {line.scala}. Use "{right}", or leave it out'


def _right_artifact(artifact: str, line: SparkLine) -> str | None:
    for name, right in (("iceberg-spark-runtime-", line.iceberg_runtime), ("iceberg-aws-bundle", line.aws_bundle)):
        if name in artifact:
            rest = right.partition(":")[2]
            jar = rest.replace(":", "-") + ".jar"
            return None if artifact == right or artifact.endswith(f"/{jar}") else right
    scala = re.search(r"_(2\.1[0-9])(?=[:-])", artifact)
    return artifact.replace(scala[0], f"_{line.scala}", 1) if scala and scala[1] != line.scala else None
