"""Spark, and the jars beside it on its class path."""

from __future__ import annotations

from lakehouse.packages.catalogue.artifacts import jar, kept
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
    Package(
        "hadoop-aws-3.3.4",
        "3.3.4",
        "s3a:// in Spark 3.5, whose Hadoop has this version; with the parts of the first AWS SDK that it needs, as its "
        "bundle has 280 MB",
        (
            kept(
                "org.apache.hadoop:hadoop-aws",
                "3.3.4",
                "53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a",
                962685,
            ),
            kept(
                "com.amazonaws:aws-java-sdk-core",
                "1.12.262",
                "06fed99f929c389e168278c1b111aaf1afb270d07202fbbce92e73d1e4279678",
                1045128,
            ),
            kept(
                "com.amazonaws:aws-java-sdk-s3",
                "1.12.262",
                "a0cb7580178bc0d4d3558295a5bb890008478da8a6b3241989c71238b0ed3be5",
                1256738,
            ),
            kept(
                "com.amazonaws:aws-java-sdk-dynamodb",
                "1.12.262",
                "7af4ba06d0d9b3c2ab435089caecd0567810d203aa285f7aa72861f1964d442e",
                1997350,
            ),
        ),
    ),
    Package(
        "hadoop-aws-3.4.1",
        "3.4.1",
        "s3a:// in Spark 4.0, whose Hadoop has this version, and in Hive Metastore",
        (
            kept(
                "org.apache.hadoop:hadoop-aws",
                "3.4.1",
                "01334a07e179cae2b7e251f24857f11e3759108c9d6a79dcbe362a4295227da2",
                865554,
            ),
            # Not in Iceberg's bundle; of the version of its AWS SDK.
            kept(
                "software.amazon.awssdk:s3-transfer-manager",
                "2.44.4",
                "dbcad736b19f6eb8471f9edf027d9fffe994228f25f415894efd01fd80cb6c02",
                256301,
            ),
        ),
    ),
    Package(
        "hadoop-aws-3.4.2",
        "3.4.2",
        "s3a:// in Spark 4.1, whose Hadoop has this version",
        (
            kept(
                "org.apache.hadoop:hadoop-aws",
                "3.4.2",
                "d2d24e6b715b5656b9d238bf13b6682a07e2004dd36aad74a73aeb854319f4d9",
                936997,
            ),
            # Not in Iceberg's bundle; of the version of its AWS SDK. S3A needs the older of its two HTTP clients.
            kept(
                "software.amazon.awssdk:s3-transfer-manager",
                "2.54.17",
                "7bef0ea4efd5e0860bab63e08317040951edb51b72a5be734284c28b8324ab87",
                282942,
            ),
            kept(
                "software.amazon.awssdk:apache-client",
                "2.54.17",
                "0b00ae3d55c3d1213ca47b5651dc4c2a0080fc9b6192dde3d53c3da6c1811bcb",
                77826,
            ),
        ),
    ),
    Package(
        "delta-spark-3.5",
        "3.3.2",
        "tables of Delta Lake in Spark 3.5",
        (
            kept(
                "io.delta:delta-spark_2.12",
                "3.3.2",
                "4e92085d5d794cf949c50bb665b91384857cad58680c2d0bfc9c7ad353e98e85",
                7120414,
            ),
            kept(
                "io.delta:delta-storage",
                "3.3.2",
                "c096975a2ca97ccc9b4005aa5cce16c9ac3903139d340da6665b66ace67d7c36",
                32229,
            ),
        ),
    ),
    Package(
        "delta-spark-4.0",
        "4.0.1",
        "tables of Delta Lake in Spark 4.0",
        (
            kept(
                "io.delta:delta-spark_2.13",
                "4.0.1",
                "a1e76860b19fe1e6b205a4ea7a9099a2f9575d39bb71d49b3e679b299d0efb91",
                7731162,
            ),
            kept(
                "io.delta:delta-storage",
                "4.0.1",
                "ecc42c5aaa51c423312d9e4e48aa4a12b34740bf2c37de0e8f279277ec3d12e4",
                78832,
            ),
        ),
    ),
    Package(
        "delta-spark-4.1",
        "4.4.0",
        "tables of Delta Lake in Spark 4.1",
        (
            kept(
                "io.delta:delta-spark_4.1_2.13",
                "4.4.0",
                "75a9400986853c061f5109f012547de2545a5759e5e752e5ef633dabe16a4f10",
                9471929,
            ),
            kept(
                "io.delta:delta-storage",
                "4.4.0",
                "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc",
                113863,
            ),
        ),
    ),
    jar(
        "openlineage-spark-2.12",
        "io.openlineage:openlineage-spark_2.12",
        "1.53.0",
        "9fe28ee2e5b2cb535cd51b6572394bddeb684bf0c58650a698cf7724ce62d94d",
        43037167,
        "the listener for OpenLineage in Spark 3.5, for stacks with `lineage`",
    ),
    jar(
        "openlineage-spark-2.13",
        "io.openlineage:openlineage-spark_2.13",
        "1.53.0",
        "5d84b0ae7e72909b5aae7ed87df878bf06b28d9ac3005765c3529d0a66dbae6f",
        43037532,
        "the listener for OpenLineage in Spark 4, for stacks with `lineage`",
    ),
)
