"""Spark without a cluster in a secure stack, as processes: tests/kinds/test_secure.py has one with a cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attacks.attacked import assert_known, assert_known_further
from tests.integration import alone
from tests.integration.deployment import ODD, Deployment, exposed, up

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    local = {"runtime": "process", "secure": True, "store": "seaweedfs", "catalogs": {"lake": "rest"}}
    made = Deployment.make(
        tmp_path_factory.mktemp("alone") / ODD,
        {
            ("stacks",): {"local": local},
            ("engines",): {
                "spark": {**alone.SPARK, "connect": {"token": True}},
                "trino": {"memory": "1g", "authentication": "password"},
            },
            ("catalogs", "lake", "namespaces"): alone.TABLES,
            ("access",): {},
        },
    )
    with up(made):
        yield made


def test_connect_and_a_batch_job_write_what_trino_reads(stack: Deployment) -> None:
    alone.assert_alone(stack)


def test_it_is_whole_and_nothing_is_left_to_do(stack: Deployment) -> None:
    alone.assert_whole(stack)


def test_each_port_gives_what_is_known_and_shown(stack: Deployment) -> None:
    assert {each.port.name for each in assert_known(stack, secure=True)} == set(stack.local.ports)
    assert_known_further(stack, secure=True)


def test_no_secret_is_where_others_may_read_it(stack: Deployment) -> None:
    assert exposed(stack) == []
