"""How long Trino's queries over 1 GB take: TPC-H at scale 1 in the lakehouse of lakehouses/003, without its pipelines.

Each round runs every query once, so that a busy minute of the machine is in all of them, and once more by a catalog
that keeps what it reads on the disk of Trino (`fs.cache.enabled`). LAKEHOUSE_BENCH_ROUNDS says how many rounds. The
first, which warms up the engine and the page cache, is not counted. Cold are the first queries of a Trino that was just
started again. Processor seconds are Trino's own: on a busy machine they say what a query costs, and the others how long
it waited.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median, quantiles

import psutil
import pytest

from tests.integration.deployment import Deployment, up

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

ROUNDS = int(os.environ.get("LAKEHOUSE_BENCH_ROUNDS", "20"))
STARTS = 3  # of Trino
CATALOGS = ("iceberg", "cached")
# https://www.tpc.org/tpch/: what dashboards ask, from a scan of one table to joins of four.
QUERIES = {
    "count of lineitem": "SELECT count(*) FROM lineitem",
    "Q6: a filter and a sum": """
        SELECT sum(l_extendedprice * l_discount) FROM lineitem
        WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01'
          AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24""",
    "Q1: sums and averages of nearly all rows": """
        SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice),
               sum(l_extendedprice * (1 - l_discount)), sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)),
               avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*)
        FROM lineitem WHERE l_shipdate <= DATE '1998-09-02' GROUP BY 1, 2 ORDER BY 1, 2""",
    "Q14: a join with part": """
        SELECT 100.00 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN l_extendedprice * (1 - l_discount) ELSE 0 END)
               / sum(l_extendedprice * (1 - l_discount))
        FROM lineitem, part
        WHERE l_partkey = p_partkey AND l_shipdate >= DATE '1995-09-01' AND l_shipdate < DATE '1995-10-01'""",
    "Q3: a join of three tables": """
        SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority
        FROM customer, orders, lineitem
        WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey AND l_orderkey = o_orderkey
          AND o_orderdate < DATE '1995-03-15' AND l_shipdate > DATE '1995-03-15'
        GROUP BY 1, 3, 4 ORDER BY revenue DESC, o_orderdate LIMIT 10""",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    local = ("stacks", "local")
    changes = {
        ("pipelines",): None,
        (*local, "monitoring"): False,
        (*local, "schedule"): None,
        ("engines", "trino", "memory"): "3g",
    }
    folder = tmp_path_factory.mktemp("queries") / "lake"
    made = Deployment.make(folder, changes, source="lakehouses/003-rest-postgres.yaml")
    with up(made):
        yield made


@dataclass
class Taken:
    """Seconds of a query, warm and as the first one of a Trino, and processor seconds."""

    warm: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)


def run(stack: Deployment, catalog: str, text: str) -> tuple[float, float]:
    """Seconds of a query until its last row is here, and Trino's processor seconds."""
    import trino

    with trino.dbapi.connect(  # type: ignore[no-untyped-call]
        host="127.0.0.1", port=stack.port("trino"), user="bench", catalog=catalog, schema="tpch"
    ) as connection:
        cursor = connection.cursor()
        began = time.monotonic()
        cursor.execute(text)
        assert cursor.fetchall()
        return time.monotonic() - began, cursor.stats["cpuTimeMillis"] / 1000


def make_cached(stack: Deployment) -> None:
    """A catalog of the same tables, with a cache of files."""
    there = (stack.local.state.config("trino") / "catalog/iceberg.properties").read_text()
    given = dict(line.split("=", 1) for line in there.splitlines() if "=" in line and not line.startswith("#"))
    cache = stack.local.state.data("trino") / "cache"
    given |= {"fs.cache.enabled": "true", "fs.cache.directories": str(cache), "fs.cache.max-sizes": "4GB"}
    cache.mkdir(parents=True, exist_ok=True)
    named = ", ".join(f"\"{key}\" = '{value}'" for key, value in given.items() if key != "connector.name")
    stack.trino(f"CREATE CATALOG cached USING iceberg WITH ({named})")


def test_queries_over_a_gigabyte(stack: Deployment) -> None:
    began = time.monotonic()
    stack.lakehouse("generate", "--dataset", "tpch", "--scale", "1")
    print(f"\n\nTPC-H at scale 1 written in {time.monotonic() - began:.0f} s")
    make_cached(stack)
    taken = {catalog: {name: Taken() for name in QUERIES} for catalog in CATALOGS}
    loads = []
    for nth in range(1 + ROUNDS):
        loads.append(psutil.getloadavg()[0])
        for name, text in QUERIES.items():
            for catalog in CATALOGS if nth % 2 else reversed(CATALOGS):
                seconds, cost = run(stack, catalog, text)
                if nth:
                    taken[catalog][name].warm.append(seconds)
                    taken[catalog][name].cost.append(cost)
    for _ in range(STARTS):
        for catalog in CATALOGS:
            stack.lakehouse("restart", "trino")
            for name, text in QUERIES.items():
                taken[catalog][name].cold.append(run(stack, catalog, text)[0])
    print(f"{ROUNDS} rounds on {os.cpu_count()} processors, load {min(loads):.1f} to {max(loads):.1f}")
    for catalog, found in taken.items():
        print(f"\n{catalog}\n\n| query | median s | 95th percentile s | processor s | cold s |\n|---|---|---|---|---|")
        for name, each in (*found.items(), ("all", together(found.values()))):
            cold = f"{median(each.cold):.2f}" + f" ({', '.join(f'{of:.2f}' for of in each.cold)})" * (name != "all")
            if name == "all":
                cold = f"{quantiles(each.cold, n=20)[-1]:.2f} at 95"
            slow = quantiles(each.warm, n=20)[-1]
            print(f"| {name} | {median(each.warm):.2f} | {slow:.2f} | {median(each.cost):.2f} | {cold} |")
    print()
    for name in QUERIES:
        pairs = [b / a for a, b in zip(*(taken[catalog][name].warm for catalog in CATALOGS), strict=True)]
        print(f"{name}: with the cache / without {median(pairs):.2f} x")


def together(every: Iterable[Taken]) -> Taken:
    """All of them as one query."""
    found = list(every)
    return Taken(*([one for each in found for one in getattr(each, part)] for part in ("warm", "cold", "cost")))
