"""What each kind of catalog costs: start, tables created and changed, a plan with nothing to do, answers under load.

The reconciler takes turns with three others, in one run and with as many threads: only the writes, computed beforehand
("bare"); the reads and the writes of the reconciler, of which nothing is computed ("sent"): that is equal work; and
pyiceberg's client ("pyiceberg"). What a turn has made is dropped after it, so that each turn finds the same catalog:
for a new table's folder the reconciler reads all tables, also those of others. The turns' namespaces exist beforehand.
A plan takes turns with loads of the same tables.

Rates depend on the machine and its load. The ratios count, above all those of processor time (of the client and of the
services together), which say on a busy machine what the rates would be on an idle one.
LAKEHOUSE_BENCH_KINDS, LAKEHOUSE_BENCH_TABLES and LAKEHOUSE_BENCH_PLAN choose the kinds and the sizes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any, NamedTuple

import psutil
import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.types import StringType

from bootstrap import catalogs
from bootstrap.catalogs.base import CommitsMany, LiveCatalog
from bootstrap.catalogs.located import LocatedCatalog
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.catalogs.rest import RestCatalog
from bootstrap.catalogs.s3tables import S3TablesCatalog
from bootstrap.remote.connections import Connections
from bootstrap.stores.folders import Folders
from lakehouse.kinds import CATALOGS
from lakehouse.kinds.stores import s3proxy, seaweedfs
from lakehouse.spec import Lakehouse
from tests.behaviour import conftest
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import KINDS, Servers, running
from tests.behaviour.servers import TABLES as TABLES_BUCKET
from tests.bench.test_reconcile import NAMESPACES, commits_of, ours, show, spec, timed

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

TABLES = int(os.environ.get("LAKEHOUSE_BENCH_TABLES", "1000"))
PLANNED = int(os.environ.get("LAKEHOUSE_BENCH_PLAN", "10000"))
CHOSEN = os.environ.get("LAKEHOUSE_BENCH_KINDS", ",".join(KINDS)).split(",")
ROUNDS = 2  # the second in the opposite order
PARALLEL = 8
CLIENTS, SECONDS = 16, 5.0  # of the test under load
WAYS = ("bare", "sent", "pyiceberg", "ours")
REFUSED = {("nessie", True, "pyiceberg")}  # Nessie 0.99 answers 400 to a schema change by pyiceberg


@pytest.fixture(scope="module", params=CHOSEN)
def servers(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Servers]:
    """A store and one kind of catalog; one that is a part of a store comes with SeaweedFS."""
    kind = str(request.param)
    with pytest.MonkeyPatch.context() as patch:
        if CATALOGS[kind].in_store:
            patch.setattr(conftest, "LOCATION", f"s3://{TABLES_BUCKET}")
        store = seaweedfs.NAME if CATALOGS[kind].in_store else s3proxy.NAME
        with running(tmp_path_factory.mktemp(kind), store, words=[kind]) as up:
            reconcile(spec("first", 0), up.connections(kind=kind))
            yield up.of(kind)


def resident(servers: Servers) -> dict[str, int]:
    """MiB of each service, its children included."""
    return {name: sum(each.memory_info().rss for each in _processes(pid)) // 2**20
            for name, (pid, _) in servers.started.items()}  # fmt: skip


def processor(servers: Servers) -> float:
    """Seconds of processor time that the services have taken so far."""
    times = [each.cpu_times() for pid, _ in servers.started.values() for each in _processes(pid)]
    return sum(each.user + each.system for each in times)


def _processes(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


class Cost(NamedTuple):
    """Of some work: seconds, and those of processor time, of this process and of the services."""

    seconds: float
    processor: float


def cost(servers: Servers, work: Callable[[], Any]) -> Cost:
    before = processor(servers) + time.process_time()
    seconds, _ = timed(work)
    return Cost(seconds, processor(servers) + time.process_time() - before)


def together(work: Callable[[Any], Any], items: Iterable[Any]) -> None:
    """Several threads take the items."""
    with ThreadPoolExecutor(PARALLEL) as threads:
        for _ in threads.map(work, items):
            pass


def bare(wanted: Lakehouse, connections: Connections) -> Callable[[], Any]:
    """Only the writes, computed beforehand."""
    commits = commits_of(make_plan(wanted, connections))
    catalog = catalogs.connect("lake", connections)
    return lambda: together(lambda name: catalog.commit_table(name, commits[name]), commits)


def sent(wanted: Lakehouse, connections: Connections, *, wider: bool) -> Callable[[], Any]:
    """The lists, loads and writes that the reconciler sends too, computed beforehand."""
    commits = commits_of(make_plan(wanted, replace(connections, cache=None)))
    catalog = catalogs.connect("lake", connections)
    folders = [update["location"] for commit in commits.values() for update in commit["updates"]
               if update["action"] == "set-location"]  # fmt: skip

    def send(names: Sequence[str]) -> None:
        if isinstance(catalog, CommitsMany):
            assert not catalog.commit_tables({name: commits[name] for name in names})
        else:
            catalog.commit_table(names[0], commits[names[0]])

    size = 32 if isinstance(catalog, CommitsMany) else 1
    names = list(commits)

    def work() -> None:
        catalog.facts(set(names) if wider else None, lambda *_: None)
        Folders(connections).look(folders)
        together(send, [names[at : at + size] for at in range(0, len(names), size)])

    return work


def pyiceberg(prefix: str, tables: int, servers: Servers, *, wider: bool) -> Callable[[], Any]:
    """The same by pyiceberg's client."""
    local = threading.local()

    def client() -> Catalog:
        if not hasattr(local, "catalog"):
            local.catalog = load_catalog("lake", **servers.pyiceberg())
        found: Catalog = local.catalog
        return found

    schema = client().load_table("first_0.t0").schema()

    def work(name: str) -> None:
        if wider:
            client().load_table(name).update_schema().add_column("extra", StringType()).commit()
        else:
            client().create_table(name, schema)

    return lambda: together(work, named(prefix, tables))


def named(prefix: str, tables: int) -> list[str]:
    """The names of the tables of :func:`spec`."""
    return [f"{prefix}_{n}.t{t}" for n in range(NAMESPACES) for t in range(tables // NAMESPACES)]


def clear(prefix: str, connections: Connections) -> None:
    """Drop what a turn has made. The files stay if the catalog lets them: no other turn has the same folders."""
    catalog = catalogs.connect("lake", connections)
    there = catalog.facts(None, lambda *_: None)
    purge = isinstance(catalog, S3TablesCatalog)
    tables = [name for name in there.tables if name.startswith(f"{prefix}_")]
    together(lambda name: catalog.drop_table(name, there.tables[name].uuid, purge=purge), tables)
    for name in there.namespaces:
        if name.startswith(f"{prefix}_"):
            catalog.drop_namespace(name)


def test_tables_are_created_and_changed(servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connections = servers.connections(tmp_path / "cache")
    kind, share = servers.default, max(TABLES // ROUNDS // NAMESPACES, 1) * NAMESPACES
    begun = {name: round(seconds, 1) for name, (_, seconds) in servers.started.items()}
    with capsys.disabled():
        show(kind=kind, what="ready", seconds=begun, mib=resident(servers))
    ours(spec("first", NAMESPACES), connections)
    costs: dict[bool, dict[str, list[Cost]]] = {False: {}, True: {}}
    for each in range(ROUNDS):
        for way in WAYS if each % 2 == 0 else reversed(WAYS):
            prefix = f"{way}{each}"
            reconcile(spec(prefix, 0), connections)
            for wider, found in costs.items():
                if (kind, wider, way) not in REFUSED:
                    work = prepared(way, prefix, share, servers, connections, wider=wider)
                    found.setdefault(way, []).append(cost(servers, work))
            clear(prefix, connections)
    with capsys.disabled():
        for wider, found in costs.items():
            compare(kind, "evolve" if wider else "create", share, found)
        show(kind=kind, what="memory afterwards", mib=resident(servers))


def prepared(
    way: str, prefix: str, tables: int, servers: Servers, connections: Connections, *, wider: bool
) -> Callable[[], Any]:
    """The work of a turn."""
    wanted = spec(prefix, tables, wider=wider)
    if way == "bare":
        return bare(wanted, connections)
    if way == "sent":
        return sent(wanted, connections, wider=wider)
    if way == "pyiceberg":
        return pyiceberg(prefix, tables, servers, wider=wider)
    return lambda: ours(wanted, connections)


def compare(kind: str, what: str, tables: int, costs: Mapping[str, Sequence[Cost]]) -> None:
    """Show the cost of each way, and that of ours as a ratio: more than 1 if ours is faster."""
    seconds, cpu = ({way: sum(of[part] for of in found) for way, found in costs.items()} for part in range(2))
    show(kind=kind, what=what, tables=tables, rounds=ROUNDS, load=round(os.getloadavg()[0], 1),
         per_second={way: [round(tables / of.seconds) for of in found] for way, found in costs.items()},
         cpu_ms={way: [round(1000 * of.processor / tables, 1) for of in found] for way, found in costs.items()},
         ours_to={way: round(of / seconds["ours"], 2) for way, of in seconds.items() if way != "ours"},
         ours_to_by_cpu={way: round(of / cpu["ours"], 2) for way, of in cpu.items() if way != "ours"})  # fmt: skip


def test_a_plan_with_nothing_to_do(servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted, names = spec("many", PLANNED), named("many", PLANNED)
    assert reconcile(wanted, servers.connections(tmp_path / "cache")).exit_code == 0
    read = reader(catalogs.connect("lake", servers.connections()))
    together(read, names[:1000])  # so that the server's JVM is warm
    costs: dict[str, list[Cost]] = {}

    def plan(cache: str) -> None:
        assert make_plan(wanted, servers.connections(tmp_path / cache)).steps == ()

    for each in range(ROUNDS):
        ways: dict[str, Callable[[], None]] = {
            "bare": partial(together, read, names),
            "ours": partial(plan, f"cache{each}"),
        }
        for way in ways if each % 2 == 0 else reversed(ways):
            costs.setdefault(way, []).append(cost(servers, ways[way]))
    again = cost(servers, lambda: plan("cache0"))
    with capsys.disabled():
        compare(servers.default, "no-op plan", PLANNED, costs)
        show(kind=servers.default, what="no-op plan again, facts kept", seconds=round(again.seconds, 2),
             cpu_seconds=round(again.processor, 2))  # fmt: skip


def reader(catalog: LiveCatalog) -> Callable[[str], Any]:
    """Reads one table as the reconciler does: its metadata file if the catalog lists addresses, else by a request."""
    if isinstance(catalog, NessieCatalog | LocatedCatalog):
        files, at = catalog.files if isinstance(catalog, LocatedCatalog) else catalog.commits.files, catalog.locations()
        return lambda name: files.read(at[name])
    assert isinstance(catalog, RestCatalog)
    return lambda name: catalog.http.get(catalog._table_path(name), snapshots="refs")


def test_answers_under_load(servers: Servers, capsys: pytest.CaptureFixture[str]) -> None:
    """The 95th percentile, requests a second, and the services' processor time for a request."""
    connections = servers.connections()
    catalog = catalogs.connect("lake", connections)
    if not isinstance(catalog, RestCatalog):
        pytest.skip("its clients do not speak Iceberg REST")
    ours(spec("load", 1000, namespaces=1), connections)
    paths = {
        "get a namespace": [catalog._namespace_path("load_0")],
        "list 1,000 tables": [f"{catalog._namespace_path('load_0')}/tables"],
        "load a table": [catalog._table_path(f"load_0.t{n}") for n in range(1000)],
    }
    for what, asked in paths.items():
        took: list[float] = []
        until = time.monotonic() + SECONDS

        def client(number: int, asked: list[str] = asked, took: list[float] = took, until: float = until) -> None:
            while (began := time.monotonic()) < until:
                catalog.http.get(asked[(number + len(took)) % len(asked)])
                took.append(time.monotonic() - began)

        before = processor(servers)
        with ThreadPoolExecutor(CLIENTS) as threads:
            list(threads.map(client, range(CLIENTS)))
        cpu = processor(servers) - before
        slowest, each = 1000 * quantiles(took, n=20)[-1], 1000 * cpu / len(took)
        with capsys.disabled():
            show(kind=servers.default, what=what, clients=CLIENTS, per_second=round(len(took) / SECONDS),
                 p95_ms=round(slowest), server_cpu_ms=round(each, 2))  # fmt: skip
