"""How long Trino's queries over 1 GB take: TPC-H at scale 1 in the lakehouse of lakehouses/003, without its pipelines.

Each round runs every query once, so that a busy minute of the machine is in all of them. LAKEHOUSE_BENCH_ROUNDS says
how many. The first round, which warms up the engine and the page cache, is shown by itself and not counted. Processor
seconds are Trino's own: on a busy machine they say what a query costs, and the others how long it waited.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from statistics import median, quantiles

import psutil
import pytest

from tests.integration.deployment import Deployment, up

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

ROUNDS = int(os.environ.get("LAKEHOUSE_BENCH_ROUNDS", "20"))
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


def test_queries_over_a_gigabyte(stack: Deployment) -> None:
    import trino

    began = time.monotonic()
    stack.lakehouse("generate", "--dataset", "tpch", "--scale", "1")
    print(f"\n\nTPC-H at scale 1 written in {time.monotonic() - began:.0f} s")
    connection = trino.dbapi.connect(  # type: ignore[no-untyped-call]
        host="127.0.0.1", port=stack.port("trino"), user="bench", catalog="iceberg", schema="tpch"
    )
    taken: dict[str, list[float]] = {name: [] for name in QUERIES}
    cost: dict[str, list[float]] = {name: [] for name in QUERIES}
    loads = []
    for _ in range(1 + ROUNDS):
        loads.append(psutil.getloadavg()[0])
        for name, text in QUERIES.items():
            began = time.monotonic()
            cursor = connection.cursor()
            cursor.execute(text)
            assert cursor.fetchall()
            taken[name].append(time.monotonic() - began)
            cost[name].append(cursor.stats["cpuTimeMillis"] / 1000)
    print(f"{ROUNDS} rounds on {os.cpu_count()} processors, load {min(loads):.1f} to {max(loads):.1f}\n")
    print("| query | first s | median s | 95th percentile s | processor s, median |\n|---|---|---|---|---|")
    for name, (first, *rest) in taken.items():
        spent = median(cost[name][1:])
        print(f"| {name} | {first:.2f} | {median(rest):.2f} | {quantiles(rest, n=20)[-1]:.2f} | {spent:.2f} |")
    every = [each for _, *rest in taken.values() for each in rest]
    print(f"| all | | {median(every):.2f} | {quantiles(every, n=20)[-1]:.2f} | |")
