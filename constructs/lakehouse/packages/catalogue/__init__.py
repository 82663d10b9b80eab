"""The catalogue of pins: every file that a lakehouse is made of, with its registry, its version and its SHA-256.

It contains only data, in a file for each family. A :class:`Package` is what the rest of the project uses by name. It
consists of one or more :class:`Artifact`, the files as the registries hold them. The kinds of engine
(`lakehouse.kinds.engines`) say which versions go together; the catalogue says what exactly those versions are.
"""

from __future__ import annotations

from lakehouse.errors import LakehouseError
from lakehouse.packages.catalogue import catalogs, languages, platform, spark, stores, streams, tools, trino
from lakehouse.packages.package import Package

PACKAGES: tuple[Package, ...] = (
    *stores.PACKAGES,
    *catalogs.PACKAGES,
    *platform.PACKAGES,
    *streams.PACKAGES,
    *trino.PACKAGES,
    *spark.PACKAGES,
    *languages.PACKAGES,
    *tools.PACKAGES,
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
            f"package {name!r}: not in the catalogue (constructs/lakehouse/packages/catalogue), which has: "
            + ", ".join(sorted(_BY_NAME))
        ) from None
