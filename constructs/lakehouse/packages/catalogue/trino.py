"""Trino."""

from __future__ import annotations

from lakehouse.packages.catalogue.artifacts import jar, maven
from lakehouse.packages.package import Package

LOGIN_PLUGIN = "password-authenticators"  # the plugin's folder
EXCHANGE_PLUGIN, GROUPS_PLUGIN = "exchange-filesystem", "resource-group-managers"


#: The plugins of trino-full-476, besides the usual ones.
_MORE = (LOGIN_PLUGIN, "openlineage", EXCHANGE_PLUGIN, GROUPS_PLUGIN)

PACKAGES: tuple[Package, ...] = (
    Package(
        "trino-476",
        "476",
        "the newest Trino whose server comes without plugins, so that only those needed are downloaded",
        (
            maven(
                "io.trino:trino-server-core",
                "476",
                "trino-server-core-476.tar.gz",
                "0f388f9967c177ae70a47c099082fc95387f0c3cb96d8000d1d41fc3a5223158",
                194358953,
                lib="lib",
            ),
            maven(
                "io.trino:trino-iceberg",
                "476",
                "trino-iceberg-476.zip",
                "99edba5b491ed94d599aeb61e0794272d3569d8b563f3bb8569e8a49daa87b6c",
                345890737,
                top="plugin/iceberg",
            ),
            maven(
                "io.trino:trino-tpch",
                "476",
                "trino-tpch-476.zip",
                "d83467efe864b1e77013208c293835e197bc3135318c2895521c1efbb7f232bd",
                14562172,
                top="plugin/tpch",
            ),
            maven(
                "io.trino:trino-memory",
                "476",
                "trino-memory-476.zip",
                "bade81c52e2f7177a7b867aee1b10fae48fefda9c38f3ec6aeb006fdde5f0378",
                14380277,
                top="plugin/memory",
            ),
        ),
    ),
    Package(
        "trino-full-476",
        "476",
        "the same with the plugins for passwords, lineage, the exchange and resource groups: all but the last are only "
        "in the server with all plugins",
        (
            maven(
                "io.trino:trino-server",
                "476",
                "trino-server-476.tar.gz",
                "cfd5accde17e8ebd251eeeb78aed1f490e77bb3a164d95a0f454bf8a7c1cbd3f",
                821045832,
                lib="lib",
                **{f"plugin/{each}": f"plugin/{each}" for each in ("iceberg", "tpch", "memory", *_MORE)},
            ),
        ),
    ),
    jar(
        "trino-cli-476",
        "io.trino:trino-cli",
        "476",
        "fe4e9c7fb569cd67673afa1622945f6308e1e59bdb825419352b80887661757b",
        18634579,
        "the shell of `lakehouse shell`, of the server's version",
        classifier="executable",
    ),
    jar(
        "trino-jdbc-476",
        "io.trino:trino-jdbc",
        "476",
        "a3736d21609a5a317d2ce88b3835e312e9b6f41393c1d4b09f2ad6e7aeb3bb90",
        12766107,
        "the driver that `make matrix` tries, of the server's version",
    ),
)
