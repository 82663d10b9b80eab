"""The services of a lakehouse, in the order of their needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from lakehouse.kinds import CATALOGS, ENGINES, MONITORS, PIPELINES, PLATFORM, STORES
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.pipeline import PipelineKind
from lakehouse.kinds.platform import PlatformKind, Watched, lineage, postgres, proxy
from lakehouse.kinds.store import StoreEndpoint
from lakehouse.services.secrets import STORE
from lakehouse.services.service import Place, Service, scheme
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.ports import servers

REGION = "us-east-1"  # what S3 clients sign with; a local store has no regions


@dataclass(frozen=True)
class Endpoints:
    """The addresses of the store and the catalogs. Catalogs come in the order of the file."""

    store: StoreEndpoint
    catalogs: tuple[CatalogEndpoint, ...]


def endpoints(lakehouse: Lakehouse, stack: LocalStack, place: Place) -> Endpoints:
    """The endpoints that the services of a local stack have at this place."""
    word = stack.store.kind  # also the name of the store's service and of its port
    at = StoreEndpoint(
        service=word,
        internal=f"{scheme(place)}://{place.host(word)}:{place.port(word)}",
        external=place.external(word).url(scheme(place)),
        region=REGION,
        access_key=STORE.name,
        secret_key=STORE.value,
        sts=STORES[word].can.sts,
        trust=place.trust,
    )
    named = servers(lakehouse, stack)
    return Endpoints(at, tuple(_catalog(lakehouse, stack, place, at, *each) for each in named.items()))


def _catalog(
    lakehouse: Lakehouse, stack: LocalStack, place: Place, store: StoreEndpoint, name: str, server: str
) -> CatalogEndpoint:
    spec, entry = lakehouse.catalogs[name], stack.catalogs[name]
    kind = CATALOGS[entry.kind]
    if kind.in_store:
        tables = STORES[store.service].tables
        assert tables is not None  # lakehouse.spec.table_buckets checks it
        (internal, external), server, warehouse = tables(place), store.service, spec.location.bucket
    else:
        internal, external = kind.bases(place, server, entry)
        warehouse = spec.location if kind.located else entry.warehouse_of(name)
    return CatalogEndpoint(
        name=name,
        kind=kind,
        service=server if kind.services is not None or kind.in_store else "",
        internal=internal,
        external=external,
        warehouse=warehouse,
        location=spec.location,
        store=store,
        branches=tuple(spec.branches),
        entry=entry,
        rules=kind.rules(lakehouse, name) if place.secure else {},
        warehouses=STORES[store.service].warehouses if kind.in_store else "",
    )


def receiver(lakehouse: Lakehouse, stack: LocalStack, place: Place) -> lineage.Receiver | None:
    """To where the engines of a stack send lineage; None: to nobody. Their jobs have the lakehouse's name."""
    return lineage.receiver(place, lakehouse.name) if stack.lineage is not None else None


def services(lakehouse: Lakehouse, stack: LocalStack, place: Place) -> tuple[Service, ...]:
    """The services of a local stack, each after those that it needs."""
    at = endpoints(lakehouse, stack, place)
    found: list[Service] = []
    if (store := STORES[stack.store.kind].service) is not None:
        found.append(store(place, stack))
    found += _platform(stack, place, at)
    found += _proxies(lakehouse, place, at)
    for each in at.catalogs:
        carried = each.kind.services
        if carried is not None and each.service not in {service.name for service in found}:
            found += carried(place, each, stack.catalogs[each.name])
    to = receiver(lakehouse, stack, place)
    for engine in ENGINES.values():
        some = engine.services(place, lakehouse, at.catalogs, to)
        some = some if to is None else tuple(replace(each, calls_outside=True) for each in some)
        found += some if stack.monitoring is None else map(engine.measured, some)
    if to is not None:
        found.append(lineage.service(place, stack, at.catalogs, trino=lakehouse.engines.trino is not None))
    found += _pipelines(lakehouse, stack, place, at, {each.name for each in found})
    if stack.monitoring is not None:
        outside = place.outside
        found = found if outside is place else list(map(_published, found))
        roles, databases = _roles(stack, at, found), _wanted(stack, at).get(postgres.WORD, {})
        for monitor in MONITORS.values():
            watched = Watched(stack.monitoring, tuple(found), roles, stack.schedule is not None, databases)
            found.append(monitor.service(outside, watched))
    return tuple(found)


def _published(service: Service) -> Service:
    """The service with all its metrics on this machine too, where they are read."""
    return replace(service, ports=tuple(replace(each, inner=each.inner and not each.numbers) for each in service.ports))


def _pipelines(
    lakehouse: Lakehouse, stack: LocalStack, place: Place, at: Endpoints, there: set[str]
) -> Iterator[Service]:
    """The services of the pipelines, with the platform services that they need and that are not ``there``."""
    engines = [PIPELINES[word] for word in lakehouse.pipeline_engines]
    needs = dict.fromkeys(need for engine in engines for need in engine.needs if need not in there)
    for need in needs:
        yield from _measured(PLATFORM[need], stack, place, PLATFORM[need].services(place, {}))
    for engine in engines:
        yield from _measured(engine, stack, place, engine.services(place, lakehouse, at.catalogs))


def _measured(
    kind: PlatformKind | PipelineKind, stack: LocalStack, place: Place, some: Iterable[Service]
) -> Iterable[Service]:
    """Services of a kind as the stack has them: with their metrics if it has `monitoring`."""
    return some if stack.monitoring is None else (kind.measured(place, each) for each in some)


def _roles(stack: LocalStack, at: Endpoints, services: Sequence[Service]) -> dict[str, str]:
    """What the store, the catalogs' servers, the engines and pipelines' workers are. Others belong to the platform."""
    engines = [each.name for each in services if each.name.partition("-")[0] in ENGINES]
    return {
        **dict.fromkeys(engines, "engine"),
        **dict.fromkeys((each.name for each in services if each.name in PIPELINES), "pipeline"),
        **dict.fromkeys((each.service for each in at.catalogs), "catalog"),
        stack.store.kind: "store",
    }


def _platform(stack: LocalStack, place: Place, at: Endpoints) -> list[Service]:
    """The platform services that the catalogs need, one of each for all catalogs."""
    wanted = _wanted(stack, at)
    some = [(PLATFORM[word], PLATFORM[word].services(place, entries)) for word, entries in wanted.items()]
    return [service for kind, own in some for service in _measured(kind, stack, place, own)]


def _wanted(stack: LocalStack, at: Endpoints) -> dict[str, dict[str, KindEntry]]:
    """The kinds of platform service that the catalogs need -> the servers that do -> the entries of their catalogs."""
    wanted: dict[str, dict[str, KindEntry]] = {}
    for each in at.catalogs:
        for need in each.kind.needs:  # if catalogs share a server, the entry of the first counts
            wanted.setdefault(need, {}).setdefault(each.service, stack.catalogs[each.name])
    return wanted


def _proxies(lakehouse: Lakehouse, place: Place, at: Endpoints) -> tuple[Service, ...]:
    """The proxies, if services of a secure stack are behind one."""
    if not place.secure:
        return ()
    routes = [route for each in at.catalogs for route in each.kind.routes(place, each)]
    routes += [route for engine in ENGINES.values() for route in engine.routes(place, lakehouse)]
    return proxy.services(place, routes)
