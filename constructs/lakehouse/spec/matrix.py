"""The compatibility matrix: which versions fit together.

It is the only place for versions, so that a wrong pair is refused before a deploy and the message names the right one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lakehouse.text.words import listed


@dataclass(frozen=True)
class SparkLine:
    """A line of Spark and the versions that fit it. https://iceberg.apache.org/multi-engine-support/"""

    line: str
    pyspark: str
    scala: str
    iceberg: str
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


@dataclass(frozen=True)
class TrinoRelease:
    """A release of Trino. ``s3_switch`` is the catalog property that turns on its S3 file system."""

    version: str
    java: int  # the minimum feature version
    s3_switch: str


SPARK = {
    line.line: line
    for line in (
        # Spark Connect is not in 3.5's distribution; the newest server that is published is 3.5.7.
        SparkLine("3.5", "3.5.9", "2.12", "1.12.0", (17,), False, "org.apache.spark:spark-connect_2.12:3.5.7"),
        SparkLine("4.0", "4.0.5", "2.13", "1.11.0", (21, 17)),
        SparkLine("4.1", "4.1.4", "2.13", "1.12.0", (21, 17)),
    )
}
# A page in a browser may send plain requests to every port of this machine. Each of these features would accept one
# without a key: jobs that run code (on by default since 4.1, SPARK-51165), links that end jobs, workers that leave.
SPARK_CLOSED = {
    "spark.master.rest.enabled": "false",
    "spark.ui.killEnabled": "false",
    "spark.master.ui.decommission.allow.mode": "DENY",
}
TRINO = {release.version: release for release in (TrinoRelease("476", 24, "fs.native-s3.enabled"),)}

# Trino's S3 switch was fs.native-s3.enabled since release 458, and is fs.s3.enabled since trinodb/trino#29070.
_S3_SWITCHES = ("fs.native-s3.enabled", "fs.s3.enabled")
# https://trino.io/docs/current/object-storage/file-system-s3.html#migration-from-legacy-s3-file-system
_TRINO_LEGACY_S3 = {
    "hive.s3.upload-acl-type": "s3.canned-acl",
    "hive.s3.connect-timeout": "s3.socket-connect-timeout",
    "hive.s3.socket-timeout": "s3.socket-read-timeout",
    "hive.s3.connect-ttl": "s3.connection-ttl",
    "hive.s3.proxy.host": "s3.http-proxy",
    "hive.s3.proxy.port": "s3.http-proxy",
    "hive.s3.proxy.protocol": "s3.http-proxy.secure",
    "hive.s3.proxy.non-proxy-hosts": "s3.http-proxy.non-proxy-hosts",
    "hive.s3.proxy.username": "s3.http-proxy.username",
    "hive.s3.proxy.password": "s3.http-proxy.password",
    "hive.s3.sse.enabled": "s3.sse.type",
}
_SPARK_OWNED = {  # Spark properties that another key of the file sets
    "spark.executor.memory": "engines.spark.memory",
    "spark.driver.memory": "engines.spark.driver_memory",
    "spark.executor.cores": "engines.spark.cores",
    "spark.executor.instances": "engines.spark.workers",
    "spark.master": "the stack",
}


def version_refusal(engine: str, version: str, known: Mapping[str, object]) -> str | None:
    """Why a version of Spark or Trino is not supported, with the nearest that is. None if it is supported."""
    if version in known:
        return None

    def number(text: str) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d{1,9}", text)[:2]) or (10**9,)

    def distance(candidate: str) -> list[int]:
        return [abs(a - b) for a, b in zip(number(candidate), number(version), strict=False)]

    right = min(reversed(list(known)), key=distance)
    return f'{engine} "{version}" is not in the compatibility matrix: {listed(known)}. Set version: "{right}"'


def spark_property_refusals(key: str, value: str, line: SparkLine) -> Iterator[str]:
    """Why a Spark property conflicts with the matrix or with the rest of the file; empty if it does not."""
    if key in _SPARK_OWNED:
        yield f'"{value}" conflicts with {_SPARK_OWNED[key]}, which sets it. Set it there'
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


def trino_property_refusal(key: str, release: TrinoRelease) -> str | None:
    """Why this release of Trino does not have the catalog property. None if it has it."""
    if key in _S3_SWITCHES and key != release.s3_switch:
        return f'"{key}" is not a property of Trino {release.version}. Write {release.s3_switch}'
    if key.startswith("hive.s3."):
        right = _TRINO_LEGACY_S3.get(key, key.removeprefix("hive."))
        return f'"{key}" belongs to a file system that Trino removed. Write {right}, with {release.s3_switch}: true'
    return None
