"""A stack on this machine as a picture: which service uses which, according to their settings, and for what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bootstrap.diagram import contents
from bootstrap.diagram.picture import Arrow, Group, Node, Picture, kept, known
from lakehouse.runtimes.local import Local
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.text.placeholders import parts

_OURS = "command lakehouse"
_TABLES, _FILES, _METADATA = "reads and commits tables", "reads and writes files", "metadata files"


def picture(lakehouse: Lakehouse, stack: str, local: Local) -> Picture:
    """The picture of a local stack."""
    said = lakehouse.stacks[stack]
    assert isinstance(said, LocalStack)
    services = {each.name: each for each in local.services}
    store = services[local.endpoints.store.service]
    servers = {each.name: services[each.service] for each in local.endpoints.catalogs if each.service}
    engines = [each for each in local.services if each not in (store, *servers.values())]
    catalogs = [
        contents.catalog(name, each, said.catalogs[name].kind, [_node(servers[name])] if name in servers else [])
        for name, each in lakehouse.catalogs.items()
    ]
    buckets = [Node(f"bucket {each}", (each, "bucket"), "store") for each in lakehouse.buckets]
    root = Group(
        "stack",
        f"{lakehouse.name}, stack {stack}, on this machine",
        kept(
            contents.principals(lakehouse),
            Group("sources", "Sources", tuple(_sources(lakehouse))),
            Group("engines", "Engines", tuple(_engines(engines))),
            Group("commands", "Commands", (Node(_OURS, ("lakehouse", "apply, ingest, maintain")),)),
            *catalogs,
            Group("store", f"{said.store} object store", (_node(store), *buckets)),
        ),
    )
    return Picture(
        root,
        known(
            root,
            (
                *contents.granted(lakehouse),
                *_asked(local, [each.name for each in servers.values()]),
                *(Arrow(_OURS, _id(each), _TABLES) for each in servers.values()),
                Arrow(_OURS, _id(store), _FILES),
                *(Arrow(f"source {each}", _OURS, "ingest") for each in lakehouse.sources),
                *(
                    Arrow(f"catalog {name}", f"bucket {bucket}", "location")
                    for name, several in contents.buckets(lakehouse).items()
                    for bucket in several
                ),
            ),
        ),
    )


def _sources(lakehouse: Lakehouse) -> Iterator[Node]:
    for name, source in lakehouse.sources.items():
        yield Node(f"source {name}", (name, source.endpoint or f"S3 in {source.region}"), "store")


def _engines(services: Sequence[Service]) -> Iterator[Node | Group]:
    """Services of one image form a cluster; its workers are one node."""
    for image in dict.fromkeys(each.image for each in services):
        several = [each for each in services if each.image == image]
        if len(several) == 1:
            yield _node(several[0])
        else:
            yield Group(f"cluster {image}", image, tuple(_members(several)))


def _members(services: Sequence[Service]) -> Iterator[Node]:
    for shown in dict.fromkeys(map(_id, services)):
        alike = [each.name for each in services if _id(each) == shown]
        yield Node(shown, (alike[0] if len(alike) == 1 else f"{len(alike)} x {shown.removeprefix('service ')}",))


def _node(service: Service) -> Node:
    return Node(_id(service), (service.name, service.image))


def _id(service: Service) -> str:
    """The same for all workers of a cluster."""
    return f"service {re.sub(r'-[0-9]+$', '', service.name)}"


def _asked(local: Local, catalogs: Sequence[str]) -> Iterator[Arrow]:
    """Arrows from each service to those whose address is in its settings."""
    images = [each.image for each in local.services]
    store = local.endpoints.store.service
    for source in local.services:
        text = "\n".join(_texts(source))
        for target in local.services:
            host = local.place.host(target.name)
            if source is target or not any(
                re.search(rf"//{re.escape(host)}:{port.number}\b", text) for port in target.ports
            ):
                continue
            # An executor reads and writes what its cluster's driver is configured with.
            alone = images.count(source.image) == 1 or source.image == target.image
            begin = _id(source) if alone else f"cluster {source.image}"
            if target.name in catalogs:
                yield Arrow(begin, _id(target), _TABLES)
            elif target.name == store:
                yield Arrow(begin, _id(target), _METADATA if source.name in catalogs else _FILES)
            else:
                yield Arrow(begin, _id(target))


def _texts(service: Service) -> Iterator[str]:
    yield from service.command
    yield from (value for _, value in service.environment)
    for file in service.files:
        yield from (part for part in parts(file.text) if isinstance(part, str))
