"""What takes the lineage of engines, gives each table one name, and sends it on.

The module :mod:`lakehouse.runtimes.process.lineage` does it, with the names that are made here. On Docker it is a
process beside the containers, which call it at this machine's address on Docker's own bridge.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lakehouse.access.trino import catalog_of
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.services.service import NUMBERS, File, Numbers, Place, Port, Probe, Service
from lakehouse.spec.kinds import KindRules, Listener, Unsecured
from lakehouse.spec.stacks import LocalStack
from lakehouse.text.openlineage import GLUE, S3TABLES, DatasetName, DatasetNames
from lakehouse.text.placeholders import Secret

NAME = "lineage"
_SETTINGS, _KEY = "lineage.json", "key"
_TRINO = "trino"  # the name of Trino's service and port


@dataclass(frozen=True)
class Receiver:
    """To where engines send lineage, and the namespace of their jobs there."""

    url: str
    key: Secret
    jobs: str


def receiver(place: Place, jobs: str) -> Receiver:
    """The service, for engines of the same stack."""
    return Receiver(place.called(NAME).url("http"), place.secret("lineage-key"), jobs)


@dataclass(frozen=True)
class EngineNames:
    """The names of one table. Spark's is the one beside the table's folder."""

    spark: DatasetName
    trino: DatasetName
    published: DatasetName


def engine_names(names: DatasetNames, at: CatalogEndpoint, namespace: str, table: str) -> EngineNames:
    """How Spark, Trino and `lakehouse metadata` name a table of the catalog."""
    short = f"{namespace}.{table}"
    whole = f"{at.name}.{short}"
    links = of_spark(at)
    spark = whole if links.startswith(S3TABLES) else short
    if links.startswith(GLUE):
        spark = f"table/{short.replace('.', '/')}"
    return EngineNames(DatasetName(links, spark), DatasetName(names.trino, whole), names.table(at.name, short))


def of_spark(at: CatalogEndpoint) -> str:
    """The namespace of a catalog's tables in Spark's events; of those in AWS its beginning: region and account follow.

    It follows from the catalog's settings as openlineage-spark 1.53.0 reads them
    (io.openlineage.spark3.agent.lifecycle.plan.catalog.iceberg).
    """
    settings = at.kind.for_spark(at)
    if settings.get(".rest.signing-name") == "s3tables":
        return S3TABLES
    if str(settings.get(".catalog-impl", "")).endswith("GlueCatalog"):
        return GLUE
    address = str(settings[".uri"])
    # What has no `type` is Hive's for it, such as Nessie's own client.
    return address if settings.get(".type") == "rest" else f"hive://{urlsplit(address).netloc}"


def of_trino(address: str) -> str:
    """The namespace of Trino's datasets, given the address that its settings name, as its listener makes it."""
    return address.replace(urlsplit(address).scheme, "trino")


def names(catalogs: Sequence[CatalogEndpoint], trino: str, instance: str | None) -> DatasetNames:
    """The names of a stack's tables. ``trino`` is the address in Trino's settings, ``instance`` that of `metadata`."""
    links: dict[str, list[str]] = {}
    for each in catalogs:
        links.setdefault(of_spark(each), []).append(each.name)
    return DatasetNames(
        trino=of_trino(trino) if trino else "",
        catalogs={each.name: f"{instance}.{each.name}" if instance else each.name for each in catalogs},
        spark=links,
        branches={catalog_of(at.name, branch): (at.name, branch) for at in catalogs for branch in at.branches},
    )


def trino_address(place: Place) -> str:
    """The address by which Trino's datasets are named. It is never asked, and is the same with TLS and without."""
    return f"http://{place.host(_TRINO)}:{place.port(_TRINO)}"


def service(place: Place, stack: LocalStack, catalogs: Sequence[CatalogEndpoint], *, trino: bool) -> Service:
    """The service of a stack with `lineage`."""
    assert stack.lineage is not None
    beside = place.outside
    config, toolkit, to = beside.config(NAME), beside.toolkit(), stack.lineage
    runtime = "process" if beside is place else "docker"  # which also listens where containers call
    instance = stack.metadata.instance if stack.metadata else None
    content = {
        "address": beside.bind(),
        "port": beside.port(NAME),
        "names": asdict(names(catalogs, trino_address(place) if trino else "", instance)),
        "key": _KEY,
        **({"url": to.address} if to.address else {}),
        **({"file": place.named(to.file)} if to.file else {}),
        # The user's own file: a copy of the token would be one more to keep secret, and to renew.
        **({"token": place.named(str(Path(to.token).expanduser()))} if to.token else {}),
    }
    return Service(
        name=NAME,
        image="",
        packages=(),
        command=(
            *(toolkit.python, "-P", "-m", f"lakehouse.runtimes.{runtime}.lineage"),
            *(f"{config}/{_SETTINGS}", beside.data(NAME)),
        ),
        environment=toolkit.environment,
        files=(
            File(_SETTINGS, json.dumps(content, indent=1)),
            File(_KEY, receiver(place, "").key),
        ),
        data=(beside.data(NAME),),
        ports=(Port(NAME, beside.port(NAME), gives=NUMBERS, numbers=(Numbers("/metrics"),)),),
        probe=Probe("http", beside.port(NAME), "/health", expect="OK"),
        memory_mb=96,
    )


LINEAGE = KindRules(
    word=NAME,
    label="what joins the lineage of engines",
    on=("process", "docker"),
    listeners=(Listener(NAME, 5055, 5055),),
    unsecured=Unsecured("engines send it the texts of statements without TLS"),
)
