"""What each kind of catalog costs: start, tables created and changed, a plan with nothing to do, answers under load.

The reconciler takes turns with two others, in one run: the kind's own requests for the same tables, computed
beforehand ("bare"), and pyiceberg's client ("pyiceberg"), both with as many threads. Rates depend on the machine and
its load; the ratios and the processor time of a request are what counts. LAKEHOUSE_BENCH_KINDS,
LAKEHOUSE_BENCH_TABLES and LAKEHOUSE_BENCH_PLAN choose the kinds and the sizes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil
import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.types import StringType

from bootstrap import catalogs
from bootstrap.catalogs.base import LiveCatalog
from bootstrap.catalogs.rest import RestCatalog
from bootstrap.remote.connections import Connections
from lakehouse.spec import Lakehouse
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import KINDS, Servers, running
from tests.bench.test_reconcile import NAMESPACES, bare_loads, commits_of, ours, show, spec, timed

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

TABLES = int(os.environ.get("LAKEHOUSE_BENCH_TABLES", "1000"))
PLANNED = int(os.environ.get("LAKEHOUSE_BENCH_PLAN", "10000"))
CHOSEN = os.environ.get("LAKEHOUSE_BENCH_KINDS", ",".join(KINDS)).split(",")
ROUNDS = 3  # each way begins once
PARALLEL = 8
CLIENTS, SECONDS = 16, 5.0  # of the test under load
WAYS = ("bare", "pyiceberg", "ours")
REFUSED = {("nessie", True, "pyiceberg")}  # Nessie 0.99 answers 400 to a schema change by pyiceberg


@pytest.fixture(scope="module", params=CHOSEN)
def servers(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Servers]:
    """A store and one kind of catalog."""
    kind = str(request.param)
    with running(tmp_path_factory.mktemp(kind), words=[kind]) as up:
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


def together(work: Callable[[Any], Any], items: Sequence[Any]) -> float:
    """Items per second, by several threads."""
    with ThreadPoolExecutor(PARALLEL) as threads:
        seconds, _ = timed(lambda: list(threads.map(work, items)))
    return len(items) / seconds


def bare(wanted: Lakehouse, connections: Connections) -> float:
    """Tables per second of the kind's own requests, made beforehand and sent one for each table."""
    commits = commits_of(make_plan(wanted, connections))
    catalog = catalogs.connect("lake", connections)
    return together(lambda name: catalog.commit_table(name, commits[name]), list(commits))


def pyiceberg(prefix: str, tables: int, servers: Servers, *, wider: bool) -> float:
    """Tables per second of pyiceberg's client."""
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

    names = [f"{prefix}_{n}.t{t}" for n in range(NAMESPACES) for t in range(tables // NAMESPACES)]
    return together(work, names)


def test_tables_are_created_and_changed(servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connections = servers.connections(tmp_path / "cache")
    kind, share = servers.default, max(TABLES // ROUNDS // NAMESPACES, 1) * NAMESPACES
    begun = {name: round(seconds, 1) for name, (_, seconds) in servers.started.items()}
    with capsys.disabled():
        show(kind=kind, what="ready", seconds=begun, mib=resident(servers))
    ours(spec("first", NAMESPACES), connections)
    for wider in (False, True):
        ways = tuple(way for way in WAYS if (kind, wider, way) not in REFUSED)
        rates: dict[str, list[float]] = {way: [] for way in ways}
        for each in range(ROUNDS):
            for way in (*ways[each:], *ways[:each]):
                prefix = f"{way}{each}"
                reconcile(spec(prefix, share if wider else 0), connections)  # namespaces, and known facts
                wanted = spec(prefix, share, wider=wider)
                if way == "bare":
                    rates[way].append(bare(wanted, connections))
                elif way == "pyiceberg":
                    rates[way].append(pyiceberg(prefix, share, servers, wider=wider))
                else:
                    rates[way].append(ours(wanted, connections))
        total = {way: sum(found) for way, found in rates.items()}
        with capsys.disabled():
            show(kind=kind, what="evolve" if wider else "create", tables=share * ROUNDS,
                 **{way: [round(rate, 1) for rate in found] for way, found in rates.items()},
                 **{f"to_{way}": round(total["ours"] / total[way], 2) for way in ways if way != "ours"})  # fmt: skip


def test_a_plan_with_nothing_to_do(servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connections = servers.connections(tmp_path / "cache")
    wanted = spec("many", PLANNED)
    assert reconcile(wanted, connections).exit_code == 0
    catalog = catalogs.connect("lake", connections)
    names = [f"many_{n}.t{t}" for n in range(NAMESPACES) for t in range(PLANNED // NAMESPACES)]
    found: list[float] = []
    for cache in ("cold", "cold", "warm"):
        fresh = servers.connections(tmp_path / ("cache" if cache == "warm" else f"cache{len(found)}"))
        seconds, plan = timed(lambda fresh=fresh: make_plan(wanted, fresh))  # type: ignore[misc]
        assert plan.steps == ()
        found.append(seconds)
    rate = bare_loads(names[:1000], reader(catalog))
    with capsys.disabled():
        show(kind=servers.default, what="no-op plan", tables=PLANNED, first=round(min(found[:2]), 2),
             again=round(found[2], 2), bare_loads_per_second=round(rate, 1))  # fmt: skip


def reader(catalog: LiveCatalog) -> Callable[[str], Any]:
    """Reads one table, by the kind's own request."""
    return lambda name: catalog.facts({name}, lambda *_: None) if not isinstance(catalog, RestCatalog) else (
        catalog.http.get(catalog._table_path(name), snapshots="refs"))  # fmt: skip


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
