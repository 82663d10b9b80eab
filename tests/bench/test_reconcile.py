"""How fast the reconciler is, against the limit in the same run: the same requests sent bare; and pyiceberg in turn.

Rates are of one machine under whatever load it had; the ratios are what counts. LAKEHOUSE_BENCH_TABLES and
LAKEHOUSE_BENCH_PLAN set the sizes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
from pyiceberg.catalog import load_catalog

from bootstrap.connections import Connections
from bootstrap.reconciler.plan import Plan
from bootstrap.reconciler.reconcile import make_plan, reconcile
from lakehouse.spec import Lakehouse
from tests.behaviour.conftest import lakehouse
from tests.behaviour.servers import REGION, Servers, running

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

TABLES = int(os.environ.get("LAKEHOUSE_BENCH_TABLES", "1000"))
PLANNED = int(os.environ.get("LAKEHOUSE_BENCH_PLAN", "10000"))
NAMESPACES = 50
ROUNDS = 4  # bare and ours take turns, and in turn begin, so that both meet the same load
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
    """The requests of a plan's table steps, ready to be sent."""
    found = []
    for step in plan.steps:
        if step.change.kind == "table":
            space, _, name = step.change.name.rpartition(".")
            body = dict(step.change.body)
            if step.change.op == "create":
                body["updates"] = [{"action": "assign-uuid", "uuid": str(uuid.uuid4())}, *body["updates"]]
            url = f"{servers.catalog}/iceberg/v1/main%7Clake/namespaces/{space}/tables/{name}"
            found.append((url, json.dumps(body).encode()))
    return found


def bare(requests: list[tuple[str, bytes]], parallel: int = 8) -> float:
    """Requests a second of a load generator that does nothing but send them."""
    pool = urllib3.PoolManager(maxsize=parallel, retries=False)

    def send(request: tuple[str, bytes]) -> int:
        url, body = request
        return pool.request("POST", url, body=body, headers={"Content-Type": "application/json"}).status

    began = time.perf_counter()
    with ThreadPoolExecutor(parallel) as threads:
        statuses = set(threads.map(send, requests))
    assert statuses == {200}
    return len(requests) / (time.perf_counter() - began)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def show(**figures: object) -> None:
    """One line a measurement, for docs/benchmarks.md."""
    print(json.dumps(figures))


def ours(wanted: Lakehouse, connections: Connections) -> float:
    seconds, outcome = timed(lambda: reconcile(wanted, connections))
    assert outcome.exit_code == 0, outcome.failed[:3]
    return len([done for done in outcome.done if done.address.startswith("table")]) / seconds


def test_create_plan_and_evolve(servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connections = servers.connections(tmp_path / "cache")
    share = TABLES // ROUNDS
    rates: dict[str, list[float]] = {"bare create": [], "create": [], "bare evolve": [], "evolve": []}
    for wider in (False, True):
        ours(spec("warm", 2 * NAMESPACES, wider=wider), connections)  # the server's compiler has seen it once
        for each in range(ROUNDS):
            key = "evolve" if wider else "create"
            for prefix in ("bare", "ours"):
                reconcile(spec(f"{prefix}{each}", share if wider else 0), connections)  # namespaces, and known facts
            ready = requests_of(make_plan(spec(f"bare{each}", share, wider=wider), connections), servers)
            for turn in (each % 2, 1 - each % 2):
                if turn:
                    rates[key].append(ours(spec(f"ours{each}", share, wider=wider), connections))
                else:
                    rates[f"bare {key}"].append(bare(ready))
    wanted = spec("ours0", share, wider=True)
    seconds = min(timed(lambda: make_plan(wanted, connections))[0] for _ in range(3))
    catalog = load_catalog("lake", **servers.pyiceberg())
    catalog.create_namespace("sequential")
    schema = catalog.load_table("ours0_0.t0").schema()
    few = min(100, TABLES)
    slow, _ = timed(lambda: [catalog.create_table(f"sequential.t{n}", schema) for n in range(few)])
    ratio = {key: sum(rates[key]) / sum(rates[f"bare {key}"]) for key in ("create", "evolve")}
    with capsys.disabled():
        for key, found in rates.items():
            show(what=key, per_second=[round(rate, 1) for rate in found])
        show(what="pyiceberg create, in sequence", per_second=round(few / slow, 1))
        show(what="ratio to bare", **{key: round(value, 2) for key, value in ratio.items()})
        show(what=f"no-op plan of {share} tables", seconds=round(seconds, 2))
    assert all(value >= 0.5 for value in ratio.values()), "far from the limit: something is wrong"


def test_a_plan_of_many_tables(servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connections = servers.connections(tmp_path / "cache")
    wanted = spec("many", PLANNED)
    reconcile(spec("many", 0), connections)
    reconcile(spec("many", NAMESPACES), connections)
    register(servers, PLANNED // NAMESPACES)
    given = {
        "connections": [
            servers.store,
            servers.access_key,
            servers.secret_key,
            servers.catalog,
            str(tmp_path / "cache"),
        ],
        "tables": PLANNED,
    }
    for name in ("cold", "warm", "warm"):
        process = subprocess.run(
            [sys.executable, "-m", "tests.bench.test_reconcile"],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'constructs'}"},
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=True,
        )
        with capsys.disabled():
            show(what=f"{name} no-op plan of {PLANNED} tables", **json.loads(process.stdout))
    assert wanted.catalogs["lake"].namespaces


def register(servers: Servers, per_namespace: int) -> None:
    """Copies of ``t0`` in every namespace, put into Nessie by the hundred: creating them one by one takes minutes."""
    pool = urllib3.PoolManager()
    store = boto3.client("s3", endpoint_url=servers.store, region_name=REGION, aws_access_key_id=servers.access_key,
                         aws_secret_access_key=servers.secret_key)  # fmt: skip
    for space in range(NAMESPACES):
        url = f"{servers.catalog}/iceberg/v1/main%7Clake/namespaces/many_{space}/tables/t0"
        metadata = pool.request("GET", url).json()["metadata"]
        metadata["properties"] = {}

        def put(number: int, metadata: Any = metadata, space: int = space) -> dict[str, Any]:
            key = f"lake/many_{space}/t{number}/metadata/00000-{uuid.uuid4()}.metadata.json"
            location = f"s3://warehouse/lake/many_{space}/t{number}"
            copy = {**metadata, "table-uuid": str(uuid.uuid4()), "location": location}
            store.put_object(Bucket="warehouse", Key=key, Body=json.dumps(copy).encode())
            content = {"type": "ICEBERG_TABLE", "metadataLocation": f"s3://warehouse/{key}", "snapshotId": -1,
                       "schemaId": 0, "specId": 0, "sortOrderId": 1}  # fmt: skip
            return {"type": "PUT", "key": {"elements": [f"many_{space}", f"t{number}"]}, "content": content}

        with ThreadPoolExecutor(8) as threads:
            operations = list(threads.map(put, range(1, per_namespace)))
        head = pool.request("GET", f"{servers.catalog}/api/v2/trees/main").json()["reference"]["hash"]
        body = {"commitMeta": {"message": "register"}, "operations": operations}
        answer = pool.request("POST", f"{servers.catalog}/api/v2/trees/main@{head}/history/commit", json=body)
        assert answer.status == 200, answer.data


def main() -> None:
    """One plan in a process of its own, for its memory."""
    given = json.load(sys.stdin)
    store, access, secret, catalog, cache = given["connections"]
    connections = Servers(store, catalog, access, secret).connections(Path(cache))
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
