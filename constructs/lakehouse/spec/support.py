"""What this release can deploy. The model accepts more; a release that can do more widens these tables alone."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import LocalStack
from lakehouse.text.words import listed

RUNTIMES = ("process", "docker")
STORES = {"process": ("s3proxy", "minio", "rustfs"), "docker": ("s3proxy", "minio", "rustfs", "aistor")}
CATALOGS = {"process": ("nessie",), "docker": ("nessie",)}
CONTAINER_ONLY = ("aistor",)  # stores whose server comes as an image alone
FORMAT_VERSIONS = (1, 2)  # what PyIceberg creates
TRINO_CONNECTORS = ("iceberg", "tpch", "memory")  # the plugins that are installed


def unsupported(lakehouse: Lakehouse) -> Iterator[Problem]:
    """What the file asks for and this release cannot deploy yet."""
    for name, stack in lakehouse.stacks.items():
        at: KeyPath = ("stacks", name)
        if isinstance(stack, LocalStack):
            yield from _local(at, stack)
    for catalog, content in lakehouse.catalogs.items():
        for namespace, inner in content.namespaces.items():
            for table, definition in inner.tables.items():
                if definition.format_version not in FORMAT_VERSIONS:
                    at = ("catalogs", catalog, "namespaces", namespace, "tables", table, "format_version")
                    yield _not_yet(at, "format_version", definition.format_version, FORMAT_VERSIONS)
    trino = lakehouse.engines.trino
    for name, properties in trino.catalogs.items() if trino else ():
        connector = properties.get("connector.name", "iceberg")
        if connector not in TRINO_CONNECTORS:
            at = ("engines", "trino", "catalogs", name, "connector.name")
            yield _not_yet(at, "connector.name", connector, TRINO_CONNECTORS)


def _local(at: KeyPath, stack: LocalStack) -> Iterator[Problem]:
    if stack.runtime not in RUNTIMES:
        yield _not_yet((*at, "runtime"), "runtime", stack.runtime, RUNTIMES)
        return
    if stack.store in CONTAINER_ONLY and stack.runtime == "process":
        message = f"store: {stack.store} comes as a container image alone, and runtime: process has no containers"
        yield Problem((*at, "store"), f"{message}; runtime: docker has")
    elif stack.store not in STORES[stack.runtime]:
        yield _not_yet((*at, "store"), "store", stack.store, STORES[stack.runtime], stack.runtime)
    for catalog, kind in stack.catalogs.items():
        if kind not in CATALOGS[stack.runtime]:
            yield _not_yet((*at, "catalogs", catalog), "catalog", kind, CATALOGS[stack.runtime], stack.runtime)


def _not_yet(at: KeyPath, key: str, value: object, supported: tuple[object, ...], runtime: str = "") -> Problem:
    where = f" on runtime: {runtime}" if runtime else ""
    return Problem(at, f"{key}: {value} is not there yet{where}; {key}: {listed(supported)} is")
