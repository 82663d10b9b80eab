"""A Trino that asks for passwords, in containers: that its users and rules reach it there.

tests/kinds/test_trino_password.py has what does not depend on the runtime.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import DOCKER, exposed, up
from tests.containers.listening import assert_declared
from tests.integration.deployment import Deployment
from tests.integration.trino_users import denied, login, run, soon, status

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

BARS = "lake.silver.minute_aggs"


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    changes = {
        ("name",): f"it-password-{os.getpid()}",
        ("engines",): {"trino": {"memory": "1g", "authentication": "password"}},
        **DOCKER,
    }
    made = Deployment.make(tmp_path_factory.mktemp("password") / "a lakehouse", changes)
    made.fetch()
    yield from up(made, engine)


def test_users_log_in_and_may_do_what_their_roles_grant(stack: Deployment, engine: DockerEngine) -> None:
    assert "0" in stack.lakehouse("sql", "-e", f"SELECT count(*) FROM {BARS}")
    password, _ = login(stack, "bi")
    assert status(stack, auth=("bi", password)) == 200
    assert status(stack, auth=("bi", "wrong")) == status(stack) == 401
    assert run(stack, "bi", f"SELECT count(*) FROM {BARS}") == [[0]]
    assert denied(stack, "bi", f"DELETE FROM {BARS}")
    assert denied(stack, "bi", "SELECT * FROM lake.bronze.minute_aggs")
    assert "all answered as the file says" in stack.lakehouse("access", "test")
    assert_declared(stack, engine)
    assert exposed(stack, engine) == []


def test_a_changed_grant_and_a_new_password_restart_nothing(stack: Deployment, engine: DockerEngine) -> None:
    before = {name: each.pid for name, each in engine.seen(stack.local.state).items()}
    former = stack.change("access", "roles", "analyst", "grants", to={"lake": ["read"]})
    stack.lakehouse("apply")
    assert soon(lambda: not denied(stack, "bi", "SELECT * FROM lake.bronze.minute_aggs"))
    stack.file.write_text(former)
    stack.lakehouse("apply")
    assert soon(lambda: denied(stack, "bi", "SELECT * FROM lake.bronze.minute_aggs"))
    password, _ = login(stack, "bi")
    stack.lakehouse("access", "rotate", "bi")
    assert soon(lambda: status(stack, auth=("bi", password)) == 401)
    assert run(stack, "bi", "SELECT 1") == [[1]]
    assert {name: each.pid for name, each in engine.seen(stack.local.state).items()} == before
    assert stack.planned() == set()
