"""A Trino with workers, on processes: a store, a catalog, a coordinator and two workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attacks.attacked import assert_known
from tests.integration import trino_cluster as cluster
from tests.integration.deployment import Deployment, exposed, kill, until, up
from tests.unit.lakehouse.services.place import as_text

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    made = Deployment.make(
        tmp_path_factory.mktemp("workers") / "a lakehouse",
        {
            ("stacks",): {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "rest"}}},
            ("engines",): {"trino": cluster.TRINO},
        },
    )
    with up(made):
        yield made


def test_a_query_runs_on_workers_only(stack: Deployment) -> None:
    cluster.until_complete(stack)
    cluster.works_on_workers_only(stack)


def test_its_ports_give_what_is_known(stack: Deployment) -> None:
    assert_known(stack)


def test_the_secret_is_in_no_argument_and_not_in_terraforms_state(stack: Deployment) -> None:
    secret = stack.local.state.secret("trino-internal")
    for service in stack.local.services:
        assert secret not in " ".join((*service.command, *(as_text(each.text) for each in service.files)))
    assert exposed(stack) == []


def test_a_query_ends_although_one_of_its_workers_is_killed(stack: Deployment) -> None:
    cluster.a_query_outlives_a_worker(stack, lambda name: kill(stack, name))


def test_a_query_waits_in_its_group(stack: Deployment) -> None:
    cluster.a_group_makes_queries_wait(stack)


def test_spill_is_on(stack: Deployment) -> None:
    assert [row[1] for row in stack.trino("SHOW SESSION LIKE 'spill_enabled'")] == ["true"]


def test_a_worker_that_ended_is_started_again_and_takes_up_work(stack: Deployment) -> None:
    kill(stack, "trino-worker-1")
    until(lambda: cluster.answers(stack), 120)
    until(lambda: set(cluster.nodes(stack)) >= cluster.WORKERS, 120)
    assert "checks passed" in stack.lakehouse("verify")
    assert stack.planned() == set()
