"""Every kind of store, catalog, engine and platform service: one file per kind, one line in a registry here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from lakehouse.kinds.catalog import CatalogKind
from lakehouse.kinds.catalogs.glue import GLUE
from lakehouse.kinds.catalogs.hive import HIVE
from lakehouse.kinds.catalogs.nessie import NESSIE
from lakehouse.kinds.catalogs.polaris import POLARIS
from lakehouse.kinds.catalogs.rest import REST
from lakehouse.kinds.catalogs.s3tables import S3TABLES
from lakehouse.kinds.engine import EngineKind
from lakehouse.kinds.engines.spark import SPARK
from lakehouse.kinds.engines.trino import TRINO
from lakehouse.kinds.pipeline import PipelineKind
from lakehouse.kinds.pipelines.connect import CONNECT
from lakehouse.kinds.pipelines.seatunnel import SEATUNNEL
from lakehouse.kinds.platform import MonitorKind, PlatformKind
from lakehouse.kinds.platform.alertmanager import ALERTMANAGER
from lakehouse.kinds.platform.kafka import KAFKA
from lakehouse.kinds.platform.lakehouse_metrics import LAKEHOUSE_METRICS
from lakehouse.kinds.platform.lineage import LINEAGE
from lakehouse.kinds.platform.node_exporter import NODE_EXPORTER
from lakehouse.kinds.platform.postgres import POSTGRES
from lakehouse.kinds.platform.victoria_metrics import VICTORIA_METRICS
from lakehouse.kinds.platform.vmalert import VMALERT
from lakehouse.kinds.store import StoreKind
from lakehouse.kinds.stores import s3tables
from lakehouse.kinds.stores.aistor import AISTOR
from lakehouse.kinds.stores.minio import MINIO
from lakehouse.kinds.stores.rustfs import RUSTFS
from lakehouse.kinds.stores.s3 import S3
from lakehouse.kinds.stores.s3proxy import S3PROXY
from lakehouse.kinds.stores.seaweedfs import SEAWEEDFS
from lakehouse.spec.kinds import KindRules, Kinds, register

K = TypeVar("K", bound=KindRules)


def _by_word(kinds: Iterable[K]) -> Mapping[str, K]:
    return {kind.word: kind for kind in kinds}


# Messages suggest the first one that a runtime supports.
STORES: Mapping[str, StoreKind] = _by_word((S3PROXY, SEAWEEDFS, MINIO, RUSTFS, AISTOR, S3, s3tables.S3TABLES))
CATALOGS: Mapping[str, CatalogKind] = _by_word((NESSIE, REST, HIVE, POLARIS, GLUE, S3TABLES))
ENGINES: Mapping[str, EngineKind] = _by_word((SPARK, TRINO))
PLATFORM: Mapping[str, PlatformKind] = _by_word((POSTGRES, KAFKA))
PIPELINES: Mapping[str, PipelineKind] = _by_word((CONNECT, SEATUNNEL))
# Each watches those of the stack and those before it.
MONITORS: Mapping[str, MonitorKind] = _by_word(
    (NODE_EXPORTER, LAKEHOUSE_METRICS, ALERTMANAGER, VICTORIA_METRICS, VMALERT)
)
JOINERS: Mapping[str, KindRules] = _by_word((LINEAGE,))

register(Kinds(STORES, CATALOGS, ENGINES, PLATFORM, PIPELINES, MONITORS, JOINERS))
