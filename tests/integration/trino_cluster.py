"""What a Trino with workers must do, wherever it runs: asked of a lakehouse that is up, with :data:`TRINO`."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from trino.exceptions import TrinoQueryError

from bootstrap.session import clients
from bootstrap.session.target import find
from tests.integration.deployment import Deployment, until

WORKERS = {"trino-worker-1", "trino-worker-2"}
BUCKET, PREFIX = "staging", "exchange"
TRINO = {
    "memory": "768m",
    "workers": 2,
    "retries": "task",
    "exchange": f"s3://{BUCKET}/{PREFIX}",
    "spill": "2g",
    "resource_groups": {"reports": {"users": ["report_*"], "concurrency": 1, "queue": 1, "memory": "50%"}},
    "catalogs": {"tpch": {"connector.name": "tpch"}},
}
# Two stages with an exchange between them. Each of the 1,500,000 orders has lines, so it has a group.
LONG = "SELECT count(*), sum(lines) FROM (SELECT orderkey, count(*) lines FROM ({}) GROUP BY orderkey)"
LINES = "SELECT orderkey FROM tpch.sf1.lineitem"
ENDLESS = "SELECT count(*) FROM tpch.sf1000.lineitem"

Rows = list[list[Any]]


def nodes(stack: Deployment) -> dict[str, bool]:
    """The servers that are active, and whether each coordinates."""
    rows = stack.trino("SELECT node_id, coordinator FROM system.runtime.nodes WHERE state = 'active'")
    return {str(name): bool(coordinates) for name, coordinates in rows}


def answers(stack: Deployment) -> bool:
    """Whether a query that needs the workers is answered: it may fail as long as one has just started."""
    try:
        return stack.trino("SELECT count(*) FROM tpch.tiny.orders") == [[15000]]
    except TrinoQueryError:
        return False


def until_complete(stack: Deployment) -> None:
    """Wait until all servers take part, and work."""
    until(lambda: nodes(stack) == {"trino": True, **dict.fromkeys(WORKERS, False)}, 120)
    until(lambda: answers(stack), 240)


def works_on_workers_only(stack: Deployment) -> None:
    # The answer is longer than what one page of a task holds, so that all tasks of it take part.
    stack.trino("CREATE TABLE lake.silver.lines AS SELECT * FROM tpch.tiny.lineitem")
    assert stack.trino("SELECT count(*) FROM lake.silver.lines") == [[60175]]
    tasks = (
        "FROM system.runtime.tasks t JOIN system.runtime.queries q USING (query_id) WHERE q.query LIKE 'CREATE TABLE%'"
    )
    worked = stack.trino(f"SELECT DISTINCT t.node_id {tasks} AND t.completed_splits > 0")
    assert {str(name) for (name,) in worked} & WORKERS, "no worker did anything"
    # With retries, the coordinator reads what was made of the rows from the exchange: the names of the files.
    read = stack.trino(f"SELECT DISTINCT t.node_id {tasks} AND t.raw_input_rows > 1000")
    assert {str(name) for (name,) in read} <= WORKERS, "others than workers read data"
    stack.trino("DROP TABLE lake.silver.lines")


@contextmanager
def asked(stack: Deployment, sql: str, user: str = "test") -> Iterator[Future[Rows]]:
    """The query, which runs meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(stack.trino, sql, user)


def queries(stack: Deployment, condition: str) -> dict[str, str]:
    """The states of queries by their ids."""
    rows = stack.trino(f"SELECT query_id, state FROM system.runtime.queries WHERE {condition}")
    return {str(name): str(state) for name, state in rows}


def a_query_outlives_a_worker(
    stack: Deployment, kill: Callable[[str], object], back: Callable[[], object] = lambda: None, times: int = 1
) -> None:
    """``kill`` ends a service without a warning. It is started again by itself, or by ``back`` after the query,
    however that ends.

    The query reads everything that many times: it has to last until the worker is seen at work.
    """
    until_complete(stack)
    with asked(stack, LONG.format(" UNION ALL ".join([LINES] * times))) as asking:
        until(lambda: (at_work(stack, "trino-worker-2") and kept(stack) > 0) or asking.done(), 120)
        assert not asking.done(), "it ended before the worker"
        try:
            kill("trino-worker-2")
            assert asking.result(600) == [[1500000, 6001215 * times]]
        finally:  # else all tests that follow fail too
            back()
    query, *_ = queries(stack, "query LIKE 'SELECT count(*), sum(lines)%' ORDER BY created DESC")
    assert failed_tasks(stack, query) > 0, "no task of it failed, so nothing ran again"
    until(lambda: kept(stack) == 0, 60)
    until_complete(stack)


def kept(stack: Deployment) -> int:
    """The number of objects in the exchange."""
    found = clients.s3(find(stack.file, "local")).list_objects_v2(Bucket=BUCKET, Prefix=f"{PREFIX}/")
    return int(found["KeyCount"])


def failed_tasks(stack: Deployment, query: str) -> int:
    return sum(status.get("state") == "FAILED" for status in _statuses(_shown(stack, f"/{query}")))


def at_work(stack: Deployment, worker: str) -> bool:
    """Whether a worker has a task of the long query. The coordinator is asked: a query for that would wait for its
    turn among the tasks, and the long one would end before it.
    """
    long = [each["queryId"] for each in _shown(stack) if each["query"].startswith("SELECT count(*), sum(lines)")]
    tasks = [status for query in long for status in _statuses(_shown(stack, f"/{query}"))]
    return any((each.get("nodeId"), each.get("state")) == (worker, "RUNNING") for each in tasks)


def _shown(stack: Deployment, query: str = "") -> Any:
    """What the coordinator's page shows of all queries, or of one."""
    address = f"http://{stack.local.place.external('trino')}/v1/query{query}"
    with urllib.request.urlopen(urllib.request.Request(address, headers={"X-Trino-User": "test"})) as answer:
        return json.load(answer)


def _statuses(part: Any) -> Iterator[dict[str, Any]]:
    """The states of tasks in what is shown of a query, wherever they are."""
    if isinstance(part, dict) and isinstance(part.get("taskStatus"), dict):
        yield part["taskStatus"]
    for inner in part if isinstance(part, list) else part.values() if isinstance(part, dict) else ():
        yield from _statuses(inner)


def a_group_makes_queries_wait(stack: Deployment) -> None:
    """One query runs, one waits, one is refused; those of others run."""
    of_group = "resource_group_id = ARRAY['reports'] AND state NOT IN ('FINISHED', 'FAILED')"
    with asked(stack, ENDLESS, "report_1") as first:
        until(lambda: len(queries(stack, of_group)) == 1, 120)
        (running,) = queries(stack, of_group)
        with asked(stack, "SELECT 1", "report_2") as second:
            until(lambda: "QUEUED" in queries(stack, of_group).values(), 120)
            with pytest.raises(TrinoQueryError, match="Too many queued queries"):
                stack.trino("SELECT 2", "report_3")
            assert stack.trino("SELECT 3") == [[3]], "others do not wait"
            assert "3" in stack.lakehouse("sql", "-e", "SELECT 3")
            assert not second.done()
            stack.trino(f"CALL system.runtime.kill_query(query_id => '{running}', message => 'enough')")
            assert second.result(120) == [[1]]
        with pytest.raises(TrinoQueryError, match="enough"):
            first.result(120)
