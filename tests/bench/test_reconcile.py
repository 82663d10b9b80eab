"""How fast the reconciler is, against two limits in the same run, and pyiceberg in turn.

The limits are load scripts that only send: one request for each table to the Iceberg REST endpoint, as any client
would, and exactly the requests that the reconciler sends. Rates depend on the machine and its load; the ratios are what
counts. LAKEHOUSE_BENCH_TABLES and LAKEHOUSE_BENCH_PLAN set the sizes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3
from pyiceberg.catalog import load_catalog

from bootstrap import catalogs
from bootstrap.catalogs.metadata_files import committed, next_location
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.reconciler.objects.table import TableCommit
from bootstrap.reconciler.plan import Plan
from bootstrap.remote.connections import CatalogConnection, Connections
from bootstrap.remote.objects import Objects
from lakehouse.spec import Lakehouse
from tests.behaviour.conftest import lakehouse
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import Servers, running

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

TABLES = int(os.environ.get("LAKEHOUSE_BENCH_TABLES", "1000"))
PLANNED = int(os.environ.get("LAKEHOUSE_BENCH_PLAN", "10000"))
NAMESPACES = 50
ROUNDS = 4  # bare and ours take turns, and each begins in turn, so that both have the same load
COLUMNS = {f"c{n}": ("long", "string", "double", "timestamptz", "int")[n % 5] for n in range(10)}
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running(tmp_path_factory.mktemp("bench")) as up:
        reconcile(lakehouse({}), up.connections())
        yield up


def spec(prefix: str, tables: int, *, wider: bool = False, namespaces: int = NAMESPACES) -> Lakehouse:
    """``tables`` tables of ten columns (``wider``: eleven) in all, spread over namespaces."""
    columns = {**COLUMNS, **({"extra": "string"} if wider else {})}
    table = {"columns": columns, "partition_by": ["day(c3)"], "sort_by": ["c0"]}
    share = tables // namespaces
    return lakehouse({f"{prefix}_{n}": {"tables": {f"t{t}": table for t in range(share)}} for n in range(namespaces)})


def requests_of(plan: Plan, servers: Servers) -> list[tuple[str, bytes]]:
    """The Iceberg REST requests of a plan's table steps, ready to be sent."""
    found = []
    for name, body in commits_of(plan).items():
        space, _, table = name.rpartition(".")
        url = f"{servers.catalog}/iceberg/v1/main%7Clake/namespaces/{space}/tables/{table}"
        found.append((url, json.dumps(body).encode()))
    return found


def commits_of(plan: Plan) -> dict[str, Mapping[str, Any]]:
    """The Iceberg commits of a plan's table steps, by table."""
    found = {}
    for step in plan.steps:
        if isinstance(step.change.body, TableCommit):
            found[step.change.name] = step.change.body.sent(step.change.op)
    return found


def bare(requests: list[tuple[str, bytes]], parallel: int = 8) -> float:
    """Requests per second of a load generator that only sends them."""
    pool = urllib3.PoolManager(maxsize=parallel, retries=False)

    def send(request: tuple[str, bytes]) -> int:
        url, body = request
        return pool.request("POST", url, body=body, headers={"Content-Type": "application/json"}).status

    began = time.perf_counter()
    with ThreadPoolExecutor(parallel) as threads:
        statuses = set(threads.map(send, requests))
    assert statuses == {200}
    return len(requests) / (time.perf_counter() - began)


@dataclass(frozen=True)
class Prepared:
    """The requests of a commit of several tables: files to read and to write, then one request."""

    reads: list[str]
    writes: dict[str, bytes]
    operations: list[dict[str, Any]]


def prepared(plan: Plan, connections: Connections, together: int = 32) -> list[Prepared]:
    """A plan's table steps with everything computed in advance."""
    catalog = catalogs.connect("lake", connections)
    assert isinstance(catalog, NessieCatalog)
    commits, files = commits_of(plan), catalog.commits.files
    there = catalog.facts(commits.keys(), lambda count, of: None).tables
    found = []
    for start in range(0, len(commits), together):
        names = list(commits)[start : start + together]
        contents, _ = catalog.commits.contents(names)
        batch = Prepared([], {}, [])
        for name in names:
            at = there[name].metadata_location if name in there else None
            metadata = committed(name, commits[name], files.read(at) if at else None, at)
            written = metadata.model_dump(mode="json", by_alias=True, exclude_none=True)
            location = next_location(at, metadata.location)
            batch.reads.extend([at] if at else [])
            batch.writes[location] = json.dumps({**written, "current-snapshot-id": -1}).encode()
            content = {"type": "ICEBERG_TABLE", "metadataLocation": location, "snapshotId": -1,
                       "schemaId": metadata.current_schema_id, "specId": 0, "sortOrderId": 1}  # fmt: skip
            content |= {"id": contents[name]["id"]} if name in contents else {}
            batch.operations.append({"type": "PUT", "key": {"elements": name.split(".")}, "content": content})
        found.append(batch)
    return found


def bare_batches(batches: list[Prepared], servers: Servers, connections: Connections, parallel: int = 8) -> float:
    """Tables per second of a load generator that sends what the reconciler sends, and computes nothing."""
    objects, pool = Objects(connections), urllib3.PoolManager(maxsize=parallel, retries=False)
    tree = f"{servers.catalog}/api/v2/trees/main"

    def send(batch: Prepared) -> int:
        keys = [operation["key"] for operation in batch.operations]
        head = pool.request("POST", f"{tree}/contents", json={"requestedKeys": keys}).json()["effectiveReference"]
        for location in batch.reads:
            objects.read(location)
        for location, data in batch.writes.items():
            objects.write(location, data)
        body = {"commitMeta": {"message": "bare"}, "operations": batch.operations}
        return pool.request("POST", f"{tree}@{head['hash']}/history/commit", json=body).status

    began = time.perf_counter()
    with ThreadPoolExecutor(parallel) as threads:
        statuses = set(threads.map(send, batches))
    assert statuses == {200}
    return sum(len(batch.operations) for batch in batches) / (time.perf_counter() - began)


def bare_loads(requests: list[str], read: Callable[[str], Any], parallel: int = 8) -> float:
    """Loads per second."""
    began = time.perf_counter()
    with ThreadPoolExecutor(parallel) as threads:
        for _ in threads.map(read, requests):
            pass
    return len(requests) / (time.perf_counter() - began)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def show(**figures: object) -> None:
    """One line for each measurement, for docs/benchmarks.md."""
    print(json.dumps(figures))


def ours(wanted: Lakehouse, connections: Connections) -> float:
    seconds, outcome = timed(lambda: reconcile(wanted, connections))
    assert outcome.exit_code == 0, outcome.failed[:3]
    return len([done for done in outcome.done if done.address.startswith("table")]) / seconds


WAYS = ("bare", "sent", "ours")  # Iceberg REST, one request a table; our own requests; the reconciler


def test_create_plan_and_evolve(servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connections = servers.connections(tmp_path / "cache")
    share = TABLES // ROUNDS
    rates: dict[str, dict[str, list[float]]] = {}
    for wider in (False, True):
        found: dict[str, list[float]] = {way: [] for way in WAYS}
        rates["evolve" if wider else "create"] = found
        ours(spec("warm", 2 * NAMESPACES, wider=wider), connections)  # so that the server's JVM is warm
        for each in range(ROUNDS):
            for way in WAYS:
                reconcile(spec(f"{way}{each}", share if wider else 0), connections)  # namespaces, and known facts
            plans = {way: make_plan(spec(f"{way}{each}", share, wider=wider), connections) for way in WAYS}
            rest, batches = requests_of(plans["bare"], servers), prepared(plans["sent"], connections)
            for way in (*WAYS[each % 3 :], *WAYS[: each % 3]):
                if way == "ours":
                    found[way].append(ours(spec(f"ours{each}", share, wider=wider), connections))
                elif way == "bare":
                    found[way].append(bare(rest))
                else:
                    found[way].append(bare_batches(batches, servers, connections))
    wanted = spec("ours0", share, wider=True)
    seconds = min(timed(lambda: make_plan(wanted, connections))[0] for _ in range(3))
    few = min(100, TABLES)
    slow = sequential(servers, few)
    with capsys.disabled():
        for key, found in rates.items():
            for way, each_rate in found.items():
                show(what=f"{key}, {way}", per_second=[round(rate, 1) for rate in each_rate])
            total = {way: sum(found[way]) for way in WAYS}
            show(what=f"{key}, ratios", to_bare=round(total["ours"] / total["bare"], 2),
                 to_sent=round(total["ours"] / total["sent"], 2))  # fmt: skip
        show(what="pyiceberg create, in sequence", per_second=round(few / slow, 1))
        show(what=f"no-op plan of {share} tables", seconds=round(seconds, 2))


def sequential(servers: Servers, count: int) -> float:
    """Seconds that pyiceberg takes for the creation of that many tables, one after the other."""
    catalog = load_catalog("lake", **servers.pyiceberg())
    catalog.create_namespace("sequential")
    schema = catalog.load_table("ours0_0.t0").schema()
    return timed(lambda: [catalog.create_table(f"sequential.t{n}", schema) for n in range(count)])[0]


def test_cost_is_linear(servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connections = servers.connections(tmp_path / "cache")
    ours(spec("heat", 2 * NAMESPACES), connections)
    for tables in (TABLES // 4, TABLES // 2, TABLES):
        reconcile(spec(f"l{tables}", 0), connections)
        began = time.process_time()
        created = ours(spec(f"l{tables}", tables), connections)
        make_plan(spec(f"l{tables}", tables), connections)
        evolved = ours(spec(f"l{tables}", tables, wider=True), connections)
        cpu = (time.process_time() - began) / tables
        with capsys.disabled():
            show(what=f"{tables} tables", created_per_second=round(created, 1), evolved_per_second=round(evolved, 1),
                 cpu_ms_a_table=round(1000 * cpu, 2))  # fmt: skip


def test_a_plan_of_many_tables(servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connections = servers.connections(tmp_path / "cache")
    reconcile(spec("many", 0), connections)
    reconcile(spec("many", NAMESPACES), connections)
    register(servers, PLANNED // NAMESPACES)
    catalog = catalogs.connect("lake", connections)
    assert isinstance(catalog, NessieCatalog)
    files = [e["content"]["metadataLocation"] for e in catalog.entries() if e["name"]["elements"][0][:5] == "many_"
             and e["type"] == "ICEBERG_TABLE"]  # fmt: skip
    tables = [f"{servers.catalog}/iceberg/v1/main%7Clake/namespaces/many_{n}/tables/t{t}"
              for n in range(NAMESPACES) for t in range(1, 41)]  # fmt: skip
    pool, objects = urllib3.PoolManager(maxsize=8, retries=False), Objects(connections)
    for size in (PLANNED // 10, PLANNED):
        for name in ("cold", "warm", "warm"):
            cache = tmp_path / f"cache-{size}"
            with capsys.disabled():
                show(what=f"{name} no-op plan of {size} tables", **planned(servers, cache, size))
    with capsys.disabled():
        show(what="bare reads of metadata files", per_second=round(bare_loads(files, objects.read), 1))
        for turn in ("first", "second"):
            rate = bare_loads(tables, lambda url: pool.request("GET", url).data)
            show(what=f"bare loads by Iceberg REST, {turn} time", of=len(tables), per_second=round(rate, 1))


def planned(servers: Servers, cache: Path, tables: int) -> dict[str, Any]:
    """Figures of one plan in a separate process, to measure its memory."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.bench.test_reconcile"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'constructs'}"},
        input=json.dumps({"servers": asdict(servers), "cache": str(cache), "tables": tables}),
        capture_output=True,
        text=True,
        check=True,
    )
    figures: dict[str, Any] = json.loads(process.stdout)
    assert figures["steps"] == 0
    return figures


def register(servers: Servers, per_namespace: int) -> None:
    """Put copies of ``t0`` into every namespace, a hundred at a time: creating them one by one takes minutes."""
    pool, objects = urllib3.PoolManager(), Objects(servers.connections())
    for space in range(NAMESPACES):
        url = f"{servers.catalog}/iceberg/v1/main%7Clake/namespaces/many_{space}/tables/t0"
        metadata = pool.request("GET", url).json()["metadata"]
        metadata["properties"] = {}

        def put(number: int, metadata: Any = metadata, space: int = space) -> dict[str, Any]:
            location = f"s3://warehouse/lake/many_{space}/t{number}"
            copy = {**metadata, "table-uuid": str(uuid.uuid4()), "location": location}
            file = next_location(None, location)
            objects.write(file, json.dumps(copy).encode())
            content = {"type": "ICEBERG_TABLE", "metadataLocation": file, "snapshotId": -1,
                       "schemaId": 0, "specId": 0, "sortOrderId": 1}  # fmt: skip
            return {"type": "PUT", "key": {"elements": [f"many_{space}", f"t{number}"]}, "content": content}

        with ThreadPoolExecutor(8) as threads:
            operations = list(threads.map(put, range(1, per_namespace)))
        head = pool.request("GET", f"{servers.catalog}/api/v2/trees/main").json()["reference"]["hash"]
        body = {"commitMeta": {"message": "register"}, "operations": operations}
        answer = pool.request("POST", f"{servers.catalog}/api/v2/trees/main@{head}/history/commit", json=body)
        assert answer.status == 200, answer.data


def main() -> None:
    given = json.load(sys.stdin)
    catalogs_of = {word: CatalogConnection(**each) for word, each in given["servers"].pop("catalogs").items()}
    connections = Servers(**given["servers"], catalogs=catalogs_of).connections(Path(given["cache"]))
    wanted = spec("many", given["tables"])
    before = time.process_time()
    seconds, plan = timed(lambda: make_plan(wanted, connections))
    show(
        seconds=round(seconds, 2),
        cpu=round(time.process_time() - before, 2),
        steps=len(plan.steps),
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


if __name__ == "__main__":
    main()
