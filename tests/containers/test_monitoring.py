"""Monitored lakehouses in containers: what watches them are processes beside, which read all that is published.

tests/kinds/test_monitoring.py asks the same of a lakehouse of processes. The tests of a lakehouse follow one another.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import psutil
import pytest

from bootstrap.remote.s3 import client
from bootstrap.session.connect import store
from lakehouse.runtimes import processes
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.spec import load, ports
from tests.containers.conftest import DOCKER, exposed, runtime, sick
from tests.containers.conftest import up as in_containers
from tests.containers.listening import assert_declared
from tests.integration.deployment import Deployment, until, until_well
from tests.kinds.monitored import (
    MONITORING,
    MONITORS,
    OF_SPARK,
    SPARK,
    Hook,
    asked,
    hook,
    until_every_metric_is_there,
    until_no_panel_is_empty,
    until_nothing_is_down,
    until_read,
)

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1800)]

WATCHERS = {*MONITORS, "victoria-metrics"}
AT = ("stacks", "local", "monitoring")


@pytest.fixture(scope="module")
def alerts() -> Iterator[Hook]:
    with hook() as found:
        yield found


def up(deployment: Deployment, engine: DockerEngine, alerts: Hook) -> Iterator[Deployment]:
    """It, deployed; destroyed afterwards, which leaves neither a container nor a process."""
    alerts.write(deployment.folder / "hook.url")
    deployment.fetch()
    yield from in_containers(deployment, engine)
    assert watching(deployment) == [], "destroy leaves nothing"


def watching(deployment: Deployment) -> list[psutil.Process]:
    return list(processes.belonging(deployment.local.state))


def pids(deployment: Deployment, names: Sequence[str]) -> list[int]:
    there = runtime(deployment).processes()
    return [there[name].pid if name in there else 0 for name in names]


def without_monitoring(deployment: Deployment) -> str:
    """Remove it from the file, with its ports. Returns the file as it was."""
    before = deployment.file.read_text()
    named = ports(load(deployment.file), "local").items()
    others = {name: number for name, number in named if name not in (*WATCHERS, "seaweedfs-metrics")}
    deployment.edit(before, {AT: False, ("stacks", "local", "ports"): others})
    return before


@pytest.fixture
def second(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory, alerts: Hook) -> Iterator[Deployment]:
    """The other kinds that have metrics. It is destroyed by a file that no longer says `monitoring`."""
    changes: dict[tuple[str, ...], Any] = {
        **DOCKER,
        ("name",): f"it-second-{os.getpid()}",
        ("stacks", "local", "store"): "minio",
        ("stacks", "local", "catalogs"): {"lake": "rest"},
        AT: MONITORING,
        ("engines",): {"trino": {"memory": "800m"}},
    }
    made = Deployment.make(tmp_path_factory.mktemp("second") / "a lakehouse", changes)
    for found in up(made, engine, alerts):
        yield found
        without_monitoring(made)


def test_minio_and_postgresql_are_read_and_monitoring_goes_and_comes(second: Deployment) -> None:
    inside = [each.service for each in runtime(second).containers if not each.is_job]
    assert set(inside) == {"minio", "postgres", "rest", "trino"}
    until_read(second, {"minio", "trino", *MONITORS}, set(inside))
    assert len(asked(second, "lakehouse_database_up == 1")) == 1
    with pytest.raises(Exception, match="NotImplemented"):  # MinIO counts answers of 5xx only after the first, this 501
        client(store(second.local)).get_public_access_block(Bucket="warehouse")
    until_every_metric_is_there(second, frozenset({"lakehouse_certificate_end_timestamp_seconds"}))  # no TLS
    until_no_panel_is_empty(second, "trino")
    assert second.planned() == set()
    before, with_it = pids(second, inside), without_monitoring(second)
    second.deploy()
    assert watching(second) == []
    assert second.planned() == set()
    same = {name for name, old, new in zip(inside, before, pids(second, inside), strict=True) if old == new}
    assert same == {"postgres", "rest", "trino"}, "MinIO had a setting for its metrics"
    second.file.write_text(with_it)
    second.deploy()
    assert second.planned() == set()
    until_read(second, {"minio", "trino", *MONITORS}, set(inside))


@pytest.fixture(scope="module")
def monitored(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory, alerts: Hook) -> Iterator[Deployment]:
    changes: dict[tuple[str, ...], Any] = {
        **DOCKER,
        ("name",): f"it-watched-{os.getpid()}",
        ("stacks", "local", "store"): "seaweedfs",
        AT: MONITORING,
        ("engines", "spark"): SPARK,
        ("engines", "trino"): {"memory": "800m", "workers": 1},
    }
    yield from up(Deployment.make(tmp_path_factory.mktemp("watched") / "a lakehouse", changes), engine, alerts)


def test_every_service_is_read(monitored: Deployment) -> None:
    inside = {each.service for each in runtime(monitored).containers}
    assert inside == {
        *("seaweedfs", "nessie", "spark-master", "spark-worker-1", "spark-connect", "trino", "trino-worker-1")
    }
    until_read(monitored, {"seaweedfs", "nessie", "trino", "trino-worker-1", *OF_SPARK, *MONITORS}, inside)
    assert "healthy" in monitored.lakehouse("status")
    assert "/vmui/" in monitored.lakehouse("endpoints")
    assert re.search(r"service vmalert +ok", monitored.lakehouse("doctor"))
    assert monitored.planned() == set()


def test_every_metric_of_the_rules_is_there(monitored: Deployment) -> None:
    until_every_metric_is_there(monitored)


def test_every_panel_shows_something(monitored: Deployment) -> None:
    until_no_panel_is_empty(monitored)


def test_nothing_listens_beyond_this_machine_and_no_secret_is_seen(monitored: Deployment, engine: DockerEngine) -> None:
    assert_declared(monitored, engine)
    assert {name for name in WATCHERS if pids(monitored, [name]) == [0]} == set()
    listening: set[tuple[str, int]] = set()
    words: list[str] = []
    for each in watching(monitored):
        with suppress(psutil.NoSuchProcess):  # the program that looks at the tables comes and goes
            sockets = [at for at in each.net_connections("tcp") if at.status == psutil.CONN_LISTEN]
            listening |= {(at.laddr.ip, at.laddr.port) for at in sockets}
            words += [*each.cmdline(), *each.environ().values()]
    assert listening == {("127.0.0.1", monitored.port(name)) for name in WATCHERS}
    assert exposed(monitored, engine) == []
    secrets = {path.read_text() for path in (monitored.local.state.root / "secrets").iterdir()}
    assert words
    assert not [word for word in words if any(secret in word for secret in secrets)]
    files = monitored.local.state.config("alertmanager").iterdir()
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}, "other than those that a container reads"


def test_a_killed_service_is_told_and_so_is_its_return(monitored: Deployment, alerts: Hook) -> None:
    until_nothing_is_down(monitored)
    alerts.forget()
    os.kill(runtime(monitored).processes()["trino"].pid, signal.SIGKILL)  # Docker starts it again
    until(lambda: alerts.has("firing", "ServiceDown", service="trino"), 120)
    until(lambda: alerts.has("resolved", "ServiceDown", service="trino"), 300)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_stopped_container_is_told_until_a_deploy(
    monitored: Deployment, engine: DockerEngine, alerts: Hook, how: str
) -> None:
    until_well(monitored, sick)
    until_nothing_is_down(monitored)
    alerts.forget()
    called = next(each.name for each in runtime(monitored).containers if each.service == "nessie")
    getattr(engine.client.containers.get(called), how)()
    until(lambda: alerts.has("firing", "ServiceDown", service="nessie"), 120)
    assert "nessie" in monitored.lakehouse("doctor", code=None)
    assert monitored.planned() == {"preflight", "nessie", "bootstrap"}, "nothing that watches starts again"
    monitored.deploy()
    until(lambda: alerts.has("resolved", "ServiceDown", service="nessie"), 120)
    assert monitored.planned() == set()


def test_what_watches_comes_back_if_it_is_killed(monitored: Deployment) -> None:
    [before] = pids(monitored, ["victoria-metrics"])
    os.kill(before, signal.SIGKILL)
    until(lambda: pids(monitored, ["victoria-metrics"]) not in ([0], [before]), 60)
    until(lambda: runtime(monitored).healthy()["victoria-metrics"], 60)
    until_nothing_is_down(monitored)
    supervisors = [each for each in watching(monitored) if "supervisord" in " ".join(each.cmdline())]
    assert len(supervisors) == 1
    for each in watching(monitored):
        each.kill()
    assert monitored.planned() == {"preflight", "supervisor", *WATCHERS}
    monitored.deploy()
    assert monitored.planned() == set()
    until_nothing_is_down(monitored)


def test_a_changed_setting_restarts_one_and_no_container(monitored: Deployment) -> None:
    names = [each.service for each in runtime(monitored).containers]
    before = pids(monitored, names)
    monitored.change(*AT, to={**MONITORING, "down_seconds": 5})
    assert monitored.planned() - {"preflight"} == {"vmalert"}
    monitored.deploy()
    assert pids(monitored, names) == before
    assert monitored.planned() == set()
