"""What Spark reads and writes beside Iceberg's tables: files at s3a:// and s3://, by Hadoop's S3A, and Delta tables.

https://hadoop.apache.org/docs/stable/hadoop-aws/tools/hadoop-aws/index.html, https://docs.delta.io/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from lakehouse.kinds.store import StoreEndpoint
from lakehouse.services.secrets import Pair
from lakehouse.services.service import Place
from lakehouse.spec.model import Source
from lakehouse.text.placeholders import Text
from lakehouse.text.profiles import Profile

_S3A = "spark.hadoop.fs.s3a"
_CLASSES = "org.apache.hadoop.fs.s3a"

# On an instance in AWS, whose role has the rights, and which has no keys.
_ROLE = f"{_CLASSES}.auth.IAMInstanceCredentialsProvider"
# Delta wants an extension of Spark's parser and Spark's own catalog for itself. A path can be read without either.
_DELTA = {
    "spark.databricks.delta.requiredSparkConfsCheck.enabled": "false",
    "spark.databricks.delta.snapshotPartitions": "2",  # by itself 50 tasks read the shortest log
}


def settings(place: Place, store: StoreEndpoint, sources: Mapping[str, Source]) -> dict[str, Text]:
    """Properties of Spark: the store of the stack for all buckets but those of ``sources``, each with its own store."""
    found: dict[str, Text] = {
        "spark.hadoop.fs.s3.impl": f"{_CLASSES}.S3AFileSystem",
        **(_with_keys(store) if store.internal else _by_role(store)),
        # By itself it tries an address that nobody answers for ten minutes.
        f"{_S3A}.attempts.maximum": "2",
        f"{_S3A}.retry.limit": "3",
        # By itself it would be a folder of /tmp. Each JVM of the cluster has this variable.
        f"{_S3A}.buffer.dir": "${env.SPARK_LOCAL_DIRS}/s3a",
        **_DELTA,
    }
    for bucket, source in sources.items():
        found |= {f"{_S3A}.bucket.{bucket}.{key}": value for key, value in _of(place, bucket, source)}
    return found


def _with_keys(store: StoreEndpoint) -> dict[str, Text]:
    return {
        f"{_S3A}.endpoint": store.internal,
        f"{_S3A}.endpoint.region": store.region,
        f"{_S3A}.path.style.access": "true",
        f"{_S3A}.aws.credentials.provider": f"{_CLASSES}.SimpleAWSCredentialsProvider",
        f"{_S3A}.access.key": store.access_key,
        f"{_S3A}.secret.key": store.secret_key,
    }


def _by_role(store: StoreEndpoint) -> dict[str, Text]:
    return {f"{_S3A}.endpoint.region": store.region, f"{_S3A}.aws.credentials.provider": _ROLE}


def _of(place: Place, bucket: str, source: Source) -> Iterator[tuple[str, Text]]:
    yield "endpoint", source.endpoint or f"https://s3.{source.region}.amazonaws.com"
    yield "endpoint.region", source.region
    yield "path.style.access", "true" if source.endpoint else "false"
    if source.credentials is None:  # services do not have the environment of the user, with its keys
        yield "aws.credentials.provider", f"{_CLASSES}.AnonymousAWSCredentialsProvider"
        return
    file = place.beside(str(Path(source.credentials).expanduser())).file
    keys = Pair.of(
        f"source-{bucket}",
        f"source-{bucket}-access-key",
        f"source-{bucket}-secret-key",
        "missing",  # until the file is there
        profile=Profile(file, source.profile, f"sources.{bucket}.credentials"),
    )
    yield "access.key", keys.name
    yield "secret.key", keys.value
