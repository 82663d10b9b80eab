"""A Trino with workers, on processes: a store, a catalog, a coordinator and two workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from trino.exceptions import TrinoQueryError

from tests.attacks.attacked import assert_known
from tests.integration.deployment import Deployment, kill, until, up
from tests.unit.lakehouse.services.place import as_text

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1200)]

WORKERS = {"trino-worker-1", "trino-worker-2"}
TABLE = {"columns": {"id": "long", "region": "string"}}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    made = Deployment.make(
        tmp_path_factory.mktemp("workers") / "a lakehouse",
        {
            ("stacks",): {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "rest"}}},
            ("engines",): {"trino": {"memory": "768m", "workers": 2, "catalogs": {"tpch": {"connector.name": "tpch"}}}},
            ("catalogs", "lake", "namespaces"): {"silver": {"tables": {"orders": TABLE}}},
        },
    )
    with up(made):
        yield made


def nodes(stack: Deployment) -> dict[str, bool]:
    """The servers that are active, and whether each coordinates."""
    rows = stack.trino("SELECT node_id, coordinator FROM system.runtime.nodes WHERE state = 'active'")
    return {str(name): bool(coordinates) for name, coordinates in rows}


def test_a_query_runs_on_workers_only(stack: Deployment) -> None:
    until(lambda: nodes(stack) == {"trino": True, **dict.fromkeys(WORKERS, False)}, 60)
    # The answer is longer than what one page of a task holds, so that all tasks of it take part.
    stack.trino("CREATE TABLE lake.silver.lines AS SELECT * FROM tpch.tiny.lineitem")
    assert stack.trino("SELECT count(*) FROM lake.silver.lines") == [[60175]]
    tasks = (
        "FROM system.runtime.tasks t JOIN system.runtime.queries q USING (query_id) WHERE q.query LIKE 'CREATE TABLE%'"
    )
    worked = stack.trino(f"SELECT DISTINCT t.node_id {tasks} AND t.completed_splits > 0")
    assert {str(name) for (name,) in worked} & WORKERS, "no worker did anything"
    # All data of it were read by workers.
    read = stack.trino(f"SELECT DISTINCT t.node_id {tasks} AND t.raw_input_bytes > 0")
    assert {str(name) for (name,) in read} <= WORKERS
    stack.trino("DROP TABLE lake.silver.lines")


def test_its_ports_give_what_is_known(stack: Deployment) -> None:
    assert_known(stack)


def test_the_secret_is_in_no_argument_and_not_in_terraforms_state(stack: Deployment) -> None:
    secret = stack.local.state.secret("trino-internal")
    for service in stack.local.services:
        assert secret not in " ".join((*service.command, *(as_text(each.text) for each in service.files)))
    for path in (*stack.folder.glob("terraform*"), *(stack.folder / "cdktf.out").rglob("*.json")):
        assert secret not in path.read_text(errors="replace")


def answers(stack: Deployment) -> bool:
    """Whether a query that needs both workers is answered. It fails as long as a former one is taken for running."""
    try:
        return stack.trino("SELECT count(*) FROM tpch.tiny.orders") == [[15000]]
    except TrinoQueryError:
        return False


def test_a_worker_that_ended_is_started_again_and_takes_up_work(stack: Deployment) -> None:
    kill(stack, "trino-worker-1")
    until(lambda: answers(stack), 120)
    until(lambda: set(nodes(stack)) >= WORKERS, 120)
