"""`lakehouse doctor` on a lakehouse in containers: faults of Docker only. Each test leaves the lakehouse as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import runtime, sick
from tests.integration.deployment import Deployment, kept, until_well
from tests.integration.findings import behind, doctor, errors

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(scope="module", autouse=True)
def as_it_was(contained: Deployment) -> Iterator[None]:
    """Nothing is wrong before the first test and after the last one."""
    assert errors(doctor(contained, code=0)) == set()
    yield
    assert errors(doctor(contained, code=0)) == set()


def container(contained: Deployment, engine: DockerEngine, service: str) -> Any:
    return engine.client.containers.get(engine.seen(contained.local.state)[service].name)


@contextmanager
def well_again(contained: Deployment) -> Iterator[None]:
    """Afterwards all services are awaited."""
    try:
        yield
    finally:
        until_well(contained, sick)


def test_containers_that_are_well(contained: Deployment) -> None:
    found = doctor(contained, code=0)
    assert {"docker", "docker version", "docker memory", "docker disk", "images", "provider", "names"} <= found.keys()
    assert {found[name]["severity"] for name in ("docker", "images", "provider", "names", "keys")} == {"ok"}


def test_a_container_that_was_stopped(contained: Deployment, engine: DockerEngine) -> None:
    nessie = container(contained, engine, "nessie")
    with well_again(contained):
        nessie.stop(timeout=10)
        found = doctor(contained, code=1)
        nessie.start()
    assert errors(found) == {"service nessie"}
    assert "is exited" in found["service nessie"]["found"]
    assert "catalog lake" in behind(found, "service nessie")


def test_a_container_that_was_removed_and_whose_port_another_has(contained: Deployment, engine: DockerEngine) -> None:
    nessie = container(contained, engine, "nessie")
    image, stranger = nessie.image.id, f"{nessie.name}-stranger"
    nessie.remove(force=True)
    other = engine.client.containers.run(
        image, name=stranger, entrypoint=["sleep"], command=["600"], detach=True,
        ports={"80/tcp": ("127.0.0.1", contained.port("nessie"))},
    )  # fmt: skip
    try:
        found = doctor(contained, code=1)
    finally:
        other.remove(force=True)
        contained.deploy()
    assert errors(found) == {"ports"}
    assert f"container {stranger} publishes it" in found["ports"]["cause"]
    assert f"`docker stop {stranger}`" in found["ports"]["fix"]
    assert {"service nessie", "catalog lake"} <= behind(found, "ports")


def test_a_container_that_lost_the_network(contained: Deployment, engine: DockerEngine) -> None:
    network = engine.client.networks.get(runtime(contained).containers[0].network)
    nessie = container(contained, engine, "nessie")
    with well_again(contained):
        network.disconnect(nessie)
        found = doctor(contained, code=1)
        network.connect(nessie, aliases=["nessie"])
    assert errors(found) == {"names"}
    assert {"service nessie", "catalog lake"} <= behind(found, "names")
    assert f"{nessie.name} not in the network {network.name}" in found["names"]["found"]
    assert "`lakehouse --stack local deploy`" in found["names"]["fix"]


def test_a_name_that_containers_do_not_resolve(contained: Deployment, engine: DockerEngine) -> None:
    """It asks another name server than Docker's."""
    store = container(contained, engine, "s3proxy")
    before = store.exec_run(["cat", "/etc/resolv.conf"]).output.decode()

    def ask(lines: str) -> None:
        script = f"cat > /etc/resolv.conf <<'END'\n{lines}\nEND"
        assert store.exec_run(["sh", "-c", script], user="0:0").exit_code == 0

    ask("nameserver 127.0.0.1")
    try:
        found = doctor(contained, code=1)
    finally:
        ask(before)
    assert errors(found) == {"names"}
    assert f"{store.name} does not resolve" in found["names"]["found"]
    assert "nessie" in found["names"]["found"]


def test_a_limit_that_was_changed_by_hand(contained: Deployment, engine: DockerEngine) -> None:
    worker = container(contained, engine, "spark-worker-1")
    before = worker.attrs["HostConfig"]["Memory"]
    worker.update(mem_limit=before + (1 << 20), memswap_limit=2 * before + (2 << 20))
    try:
        found = doctor(contained, code=0)
    finally:
        worker.update(mem_limit=before, memswap_limit=2 * before)
    assert found["definitions"]["severity"] == "warning"
    assert "spark-worker-1 changed by hand" in found["definitions"]["found"]


def test_hosts_that_mean_something_else_in_a_container(contained: Deployment) -> None:
    nessie = contained.port("nessie")
    with kept(contained.file):
        to = {"other": {"connector.name": "iceberg", "iceberg.rest-catalog.uri": f"http://localhost:{nessie}/iceberg"}}
        contained.change("engines", "trino", "catalogs", to=to)
        loopback = doctor(contained, code=1)
        to["other"]["iceberg.rest-catalog.uri"] = "http://no-such-host.invalid/iceberg"
        contained.change("engines", "trino", "catalogs", to=to)
        unknown = doctor(contained, code=1)
        to["other"]["iceberg.rest-catalog.uri"] = "http://nessie:19120/iceberg"
        contained.change("engines", "trino", "catalogs", to=to)
        right = doctor(contained, code=0)
    assert errors(loopback) == errors(unknown) == {"hosts"}
    assert "the container itself" in loopback["hosts"]["cause"]
    assert "http://nessie:19120" in loopback["hosts"]["fix"]
    assert "does not resolve in the containers" in unknown["hosts"]["cause"]
    assert right["hosts"]["severity"] == "ok"
    assert right["trino: other"]["cause"] == "definitions"  # Trino does not have it yet


def test_keys_that_were_replaced(contained: Deployment) -> None:
    secret = contained.local.state.root / "secrets" / "store-secret-key"
    with kept(secret):
        secret.write_text("0" * 40)
        found = doctor(contained, code=1)
    assert errors(found) == {"keys"}
    assert "replaced after s3proxy" in found["keys"]["cause"]
