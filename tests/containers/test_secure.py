"""A secure stack in containers: that certificates, tokens and the cluster's secret reach the services there.

tests/kinds/test_secure.py has what does not depend on the runtime.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import requests

from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import DOCKER, exposed, up
from tests.containers.listening import assert_declared
from tests.integration.deployment import Deployment
from tests.integration.findings import doctor, errors

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ORDERS = "lake.bronze.orders"


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    local = {"runtime": "docker", "secure": True, "store": "seaweedfs", "catalogs": {"lake": "rest"}}
    changes = {
        ("name",): f"it-secure-{os.getpid()}",
        ("stacks",): {"local": local},
        ("engines",): {
            "spark": {"version": "4.1", "workers": 1, "cores": 2, "connect": {"token": True}},
            "trino": {"memory": "1g", "authentication": "password"},
        },
        ("catalogs", "lake", "namespaces"): {
            "bronze": {"tables": {"orders": {"columns": {"id": "long", "region": "string"}}}}
        },
        ("access",): {},
        **DOCKER,
    }
    made = Deployment.make(tmp_path_factory.mktemp("secure") / "a lakehouse", changes)
    made.fetch()
    yield from up(made, engine)


def test_engines_share_a_table_and_nothing_is_left_to_do(stack: Deployment) -> None:
    stack.lakehouse("sql", "--engine", "spark", "-e", f"INSERT INTO {ORDERS} VALUES (1, 'EU'), (2, 'US')")
    assert "2" in stack.lakehouse("sql", "--engine", "trino", "-e", f"SELECT count(*) FROM {ORDERS}")
    stack.lakehouse("verify")
    stack.lakehouse("plan", code=0)
    assert stack.planned() == set()
    assert not errors(doctor(stack, code=0))


def test_published_ports_have_tls_and_ask_for_a_token(stack: Deployment, engine: DockerEngine) -> None:
    assert_declared(stack, engine)
    assert exposed(stack, engine) == []
    address, token = f"127.0.0.1:{stack.port('rest')}/v1/config", stack.local.state.secret("rest-token")
    with requests.Session() as session:
        session.trust_env, session.verify = False, stack.local.place.trust
        assert session.get(f"http://{address}", timeout=30).status_code == 400
        assert session.get(f"https://{address}", timeout=30).status_code == 401
        right = session.get(f"https://{address}", timeout=30, headers={"Authorization": f"Bearer {token}"})
        assert right.status_code == 200
