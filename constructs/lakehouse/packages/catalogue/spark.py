"""Spark, and the jars beside it on its class path."""

from __future__ import annotations

from lakehouse.packages.catalogue.artifacts import jar
from lakehouse.packages.package import Artifact, Package


def _spark(line: str, version: str, sha256: str, size: int, reason: str) -> Package:
    """SPARK_HOME from PyPI's source distribution, which contains all of Spark under ``deps``."""
    top = f"pyspark-{version}"
    rules = tuple((f"{top}/deps/{folder}", folder) for folder in ("jars", "bin", "sbin"))
    rules += ((f"{top}/pyspark", "python/pyspark"), (f"{top}/lib", "python/lib"))  # lib: py4j, for batch jobs in Python
    artifact = Artifact("pypi", "pyspark", version, f"{top}.tar.gz", sha256, size, rules)
    return Package(f"spark-{line}", version, reason, (artifact,))


PACKAGES: tuple[Package, ...] = (
    _spark(
        "3.5",
        "3.5.9",
        "ea27adc39ddac9413b8951e45aa748cbed6c785971b81386efc41938f6243d93",
        317858593,
        "the line with Scala 2.12, for those who still need it",
    ),
    _spark(
        "4.0",
        "4.0.5",
        "a0d44b0e7faf0458ad83b7aa664e7ed8b96beed8a55d66ce3b0dfac2309dfca6",
        434376598,
        "the first line with Scala 2.13 and Connect in the distribution",
    ),
    _spark(
        "4.1",
        "4.1.4",
        "bcbd5e18690cf79d438e97210ad06fb8d451a251bb77becc2b0418868d2acd73",
        455589214,
        "the newest line that has an Iceberg runtime: the default",
    ),
    jar(
        "spark-connect-3.5",
        "org.apache.spark:spark-connect_2.12",
        "3.5.7",
        "15366e21273a874c760b51fa00743a2acb8fa78642cc35d7a076a3ade0c5eef6",
        14147901,
        "Spark 3.5's distribution has no Connect server; 3.5.7 is the newest of the line on Maven",
    ),
    jar(
        "iceberg-spark-runtime-3.5",
        "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12",
        "1.12.0",
        "8dd8c90e54ed1a20f2461309d047a255ee56382eb7c0a46162b27a4936fd86dc",
        48252525,
        "Iceberg in Spark 3.5",
    ),
    jar(
        "iceberg-spark-runtime-4.0",
        "org.apache.iceberg:iceberg-spark-runtime-4.0_2.13",
        "1.11.0",
        "63c3b812549dc232c1920865ff42436df8604a9bbacd693930985c06bd97e6dc",
        47926285,
        "Iceberg in Spark 4.0; 1.12 is not released for this line",
    ),
    jar(
        "iceberg-spark-runtime-4.1",
        "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13",
        "1.12.0",
        "3123c3798af642dd537230923548e013ef41cc28b6626e5225808cf5670a0f82",
        48309426,
        "Iceberg in Spark 4.1",
    ),
    jar(
        "iceberg-aws-bundle-1.11.0",
        "org.apache.iceberg:iceberg-aws-bundle",
        "1.11.0",
        "38f01da7e96850cdd05e6616d758b77b43314b712a8808e3f9a824d56976162f",
        63613165,
        "S3FileIO and the AWS SDK, for the runtimes of the same version",
    ),
    jar(
        "iceberg-aws-bundle-1.12.0",
        "org.apache.iceberg:iceberg-aws-bundle",
        "1.12.0",
        "dd7e49ffa4ac9b215bed846581991259e3aec9bb2fa08d6cec029c46cd66d957",
        69034612,
        "S3FileIO and the AWS SDK, for the runtimes of the same version",
    ),
)
