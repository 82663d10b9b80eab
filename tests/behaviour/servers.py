"""A store and a catalog for the suite: the project's own service definitions, as child processes on free ports."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from bootstrap.session import connect
from lakehouse import packages
from lakehouse.kinds import CATALOGS, STORES
from lakehouse.kinds.catalogs import glue
from lakehouse.kinds.compose import endpoints, services
from lakehouse.kinds.needed import needed
from lakehouse.kinds.platform.postgres import POSTGRES
from lakehouse.packages import catalogue
from lakehouse.runtimes import certificates
from lakehouse.runtimes.probe import Asked, ready
from lakehouse.runtimes.process import archives
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse, LocalStack, support
from lakehouse.spec import ports as named_ports
from lakehouse.spec.entries import KindEntry
from lakehouse.text.placeholders import filled, written
from offline.go import build
from tests import moto
from tests.polaris.home import home
from tests.ports import free

REGION = "us-east-1"
GLUE_REGION = "eu-west-1"  # another than the store's
KINDS = support.on(CATALOGS, "process")  # of catalogs
TABLES = "tables"  # the bucket of catalogs that the store serves


@dataclass(frozen=True)
class Servers:
    """The servers' addresses, and the keys of the store, which is of this ``kind``."""

    kind: str
    store: str
    catalog: str
    access_key: str
    secret_key: str
    catalogs: Mapping[str, CatalogConnection] = field(default_factory=dict)  # to `lake`, by the word of the kind
    clients: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # PyIceberg's settings, likewise
    ports: Mapping[str, int] = field(default_factory=dict)
    default: str = "nessie"  # the kind of catalog, unless a test chooses another
    started: Mapping[str, tuple[int, float]] = field(default_factory=dict)  # services: pid, seconds until ready

    def of(self, kind: str) -> Servers:
        """The same, with that kind of catalog as the default."""
        return replace(self, default=kind)

    def connections(self, cache: Path | None = None, *, kind: str = "", branch: str = "main") -> Connections:
        """Connections to the catalog ``lake`` of that kind; ``nessie-rest``: Nessie as any Iceberg REST catalog."""
        kind = kind or self.default
        if kind == "nessie-rest":
            catalog = CatalogConnection("rest", self.catalogs["nessie"].uri, "lake")
        else:
            catalog = replace(self.catalogs[kind], branch=branch)
        has_tables = CATALOGS[catalog.kind].in_store
        store = StoreConnection(self.store, REGION, self.access_key, self.secret_key, has_tables=has_tables)
        return Connections(store, {"lake": catalog}, cache)

    def pyiceberg(self) -> dict[str, str]:
        """Settings for pyiceberg's own client, which the suite uses as an independent witness."""
        if self.default != "nessie":
            return dict(self.clients[self.default])
        return {
            "type": "rest",
            "uri": f"{self.catalog}/iceberg",
            "warehouse": "lake",
            "header.X-Iceberg-Access-Delegation": "",
            "s3.endpoint": self.store,
            "s3.region": REGION,
            "s3.access-key-id": self.access_key,
            "s3.secret-access-key": self.secret_key,
        }


def kinds(store: str) -> list[str]:
    """The kinds of catalog that run over the store. Those that it serves are last: they need more of its ports."""
    over = [word for word in KINDS if STORES[store].has_tables or not CATALOGS[word].in_store]
    return sorted(over, key=lambda word: CATALOGS[word].in_store)


@contextmanager
def running(folder: Path, kind: str = "s3proxy", words: Collection[str] | None = None) -> Iterator[Servers]:
    """A store and each kind of catalog in ``words`` from the package cache, for as long as the context lasts.

    A package that is not in the cache is fetched or built. If that fails, the suite fails.
    """
    lakehouses = {word: bare(kind, word) for word in (kinds(kind) if words is None else words)}
    with ExitStack() as stack:
        if "polaris" in lakehouses:
            lakehouses["polaris"] = bare(kind, {"kind": "polaris", "home": str(home(folder))})
        if "glue" in lakehouses:
            url = stack.enter_context(moto.running())  # Glue's double; the files are in the store
            lakehouses["glue"] = bare(kind, {"kind": "glue", "region": GLUE_REGION, "endpoint": url})
        yield stack.enter_context(_started(folder, kind, lakehouses))


@contextmanager
def _started(folder: Path, kind: str, lakehouses: dict[str, Lakehouse]) -> Iterator[Servers]:
    state = State(folder / "state")
    state.prepare()
    names = list(dict.fromkeys(name for each in lakehouses.values() for name in named_ports(each, "local")))
    ports = dict(zip(names, free(len(names)), strict=True))
    place = ProcessPlace(state, ports)
    keys = {"store-access-key": "behaviour", "store-secret-key": secrets.token_urlsafe(24)}
    for name, key in keys.items():
        state.kept(name).parent.mkdir(mode=0o700, exist_ok=True)
        state.kept(name).write_text(key)
    for lake in lakehouses.values():
        asked = needed(lake)
        packages.set_up(asked.packages, asked.javas, progress=False, build=build)
    carried = {each.name: each for lake in lakehouses.values() for each in services(lake, local(lake), place)}
    reached = {word: endpoints(lake, local(lake), place).catalogs[0] for word, lake in lakehouses.items()}
    standing = [at for at in reached.values() if "postgres" in at.kind.needs]
    every = {at.service: KindEntry(kind=at.kind.word) for at in standing}
    if every:
        carried |= {each.name: each for each in POSTGRES.services(place, every)}
    certificates.issue(state, carried.values())
    for secret, value in zip((glue.KEYS.name, glue.KEYS.value), moto.KEYS, strict=True):
        write_private(state.root / "secrets" / secret.secret, value)
    with ExitStack() as stack:
        up: dict[str, tuple[Service, subprocess.Popen[bytes], float]] = {}
        after: dict[str, float] = {}

        def ready_now(name: str) -> None:
            service, process, begun = up[name]
            awaited(service, process, state)
            after.setdefault(name, time.monotonic() - begun)

        for each in carried.values():
            for need in each.needs:
                ready_now(need)
            up[each.name] = (each, stack.enter_context(started(each, state, keys)), time.monotonic())
        for name in up:
            ready_now(name)
        store, catalog = (f"http://127.0.0.1:{ports[name]}" if name in ports else "" for name in (kind, "nessie"))
        connections = {word: connect.catalog(at, state.value) for word, at in reached.items()}
        clients = {
            word: {
                key: filled(value, lambda name: keys.get(name) or state.secret(name))
                for key, value in at.kind.for_pyiceberg(at).items()
            }
            for word, at in reached.items()
            if at.kind.for_pyiceberg is not None
        }
        yield Servers(
            kind,
            store,
            catalog,
            keys["store-access-key"],
            keys["store-secret-key"],
            connections,
            clients,
            ports,
            started={name: (of[1].pid, after[name]) for name, of in up.items() if not of[0].is_job},
        )


def local(lakehouse: Lakehouse) -> LocalStack:
    there = lakehouse.stacks["local"]
    assert isinstance(there, LocalStack)
    return there


# What the file has no key for, of each kind: tests look whether it is in effect.
PROPERTIES = {
    "s3proxy": {"s3proxy.maximum-timeskew": 3600},
    "minio": {"MINIO_API_REQUESTS_MAX": 400},
    "nessie": {'quarkus.http.header."X-Lakehouse".value': "here"},
    "rest": {"clients": 8},
}


def _entry(kind: Any) -> Any:
    return {"kind": kind, "properties": PROPERTIES[kind]} if kind in PROPERTIES else kind


def bare(kind: str, catalog: Any = "nessie") -> Lakehouse:
    """A lakehouse without engines: a store of that kind, and a catalog."""
    store, carried = _entry(kind), _entry(catalog) if isinstance(catalog, str) else catalog
    in_store = isinstance(catalog, str) and CATALOGS[catalog].in_store
    return Lakehouse.model_validate(
        {
            "name": "behaviour",
            "buckets": {"warehouse": {}, TABLES: {}},
            "catalogs": {"lake": {"location": f"s3://{TABLES}" if in_store else "s3://warehouse/lake"}},
            "stacks": {"local": {"runtime": "process", "store": store, "catalogs": {"lake": carried}}},
        }
    )


def to_be_built(kind: str) -> list[str]:
    """What has to be built from source first for the store, which takes minutes; empty if it is built."""
    names = needed(bare(kind)).packages
    return [name for name in names if not catalogue.package(name).artifacts and not packages.is_present(name)]


@contextmanager
def started(service: Service, state: State, keys: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    config = state.config(service.name)
    for folder in (config, *map(Path, service.data)):
        folder.mkdir(parents=True, exist_ok=True)
    for file in service.files:
        path = config / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written(file.text, lambda name: keys.get(name) or state.secret(name)))
        path.chmod(0o600)  # as the runtimes do; a server may refuse a key that others can read
    environment = {**os.environ, **archives.environment(service), **dict(service.environment)}
    with state.log(service.name).open("wb") as log:
        process = subprocess.Popen(
            service.command,
            cwd=service.directory or config,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.Signals[f"SIG{service.stop_signal}"])
            try:
                process.wait(3)  # nobody reads its data again
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for left in service.leaves:
                Path(left).unlink(missing_ok=True)


def awaited(service: Service, process: subprocess.Popen[bytes], state: State) -> None:
    deadline = time.monotonic() + service.probe.patience
    asked = Asked(config=state.config(service.name))
    while not (process.poll() == 0 if service.is_job else ready(service.probe, asked)):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"{service.name} is not ready:\n{state.log(service.name).read_text()[-3000:]}")
        time.sleep(0.2)
