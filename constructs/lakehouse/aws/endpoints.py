"""Endpoints of the catalogs and the store of a stack in AWS, for the kinds' settings of engines. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lakehouse.access.names import Names
from lakehouse.kinds import CATALOGS, STORES
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.engines import spark_cluster, trino
from lakehouse.kinds.engines.trino_rules import RELEASES
from lakehouse.kinds.store import StoreEndpoint
from lakehouse.spec import Lakehouse
from lakehouse.text.placeholders import Text, secrets


@dataclass(frozen=True)
class AwsAddress:
    """The address and keys of a replacement for AWS, such as a double in tests."""

    url: str
    access_key: str
    secret_key: str


def endpoints(lakehouse: Lakehouse, names: Names, address: AwsAddress | None = None) -> tuple[CatalogEndpoint, ...]:
    """The catalogs of the stack of ``names``, in the order of the file."""
    stack = lakehouse.stacks[names.stack]
    url = address.url if address else ""
    keys = (address.access_key, address.secret_key) if address else ("", "")
    store = StoreEndpoint("", url, url, names.region, *keys)
    return tuple(
        CatalogEndpoint(
            name=name,
            kind=CATALOGS[STORES[stack.store.kind].catalog or stack.catalogs[name].kind],
            service="",
            internal=url,
            external=url,
            warehouse=names.arn("s3tables", f"bucket/{names.table_bucket(_bucket(catalog.location))}"),
            location=names.location(catalog.location),
            store=store,
        )
        for name, catalog in lakehouse.catalogs.items()
    )


def for_spark(lakehouse: Lakehouse, names: Names, address: AwsAddress | None = None) -> dict[str, str]:
    """Spark's properties: Iceberg's extensions, and those of each catalog."""
    return _plain({**spark_cluster.EXTENSIONS, **spark_cluster.of_catalogs(endpoints(lakehouse, names, address))})


def for_trino(lakehouse: Lakehouse, names: Names, address: AwsAddress | None = None) -> dict[str, dict[str, str]]:
    """Properties of Trino's catalogs, by name."""
    engine = lakehouse.engines.trino
    assert engine is not None
    found = trino.of_catalogs(endpoints(lakehouse, names, address), RELEASES[engine.version].s3_switch)
    return {name: _plain(settings) for name, settings in found.items()}


def _plain(settings: Mapping[str, Text]) -> dict[str, str]:
    """The settings as text. They have no placeholders, because in AWS the settings contain no keys."""
    assert not any(secrets(value) for value in settings.values())
    return {key: str(value) for key, value in settings.items()}


def _bucket(location: str) -> str:
    return location.removeprefix("s3://").partition("/")[0]
