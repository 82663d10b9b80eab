"""Kafka and the engines of pipelines as containers: what is published, mounted, and known of secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lakehouse.kinds.compose import services
from lakehouse.runtimes.docker.containers import Container, Naming, containers
from lakehouse.runtimes.docker.place import DockerPlace
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service
from lakehouse.spec.ports import listeners
from tests.unit.lakehouse.kinds.pipelines.streaming import ORDERS, SHOP, lakehouse
from tests.unit.lakehouse.services.place import as_text, local

PIPELINES: dict[str, Any] = {"orders": ORDERS, "shop": SHOP, "more": {**ORDERS, "engine": "seatunnel"}}
# The number in the container is that of its kind, whatever the file says.
PORTS = {"kafka": 19092, "connect": 18083, "seatunnel": 18088}
PARTS = ("kafka", "connect", "seatunnel")


@pytest.fixture
def there(tmp_path: Path) -> Mapping[str, tuple[Service, Container]]:
    given = lakehouse(PIPELINES, runtime="docker", ports=PORTS)
    place = DockerPlace(listeners(given, local(given)), tmp_path)
    some = services(given, local(given), place)
    made = containers(some, Naming("demo-local", "demo-local-", "demo-local-"), State(tmp_path), place)
    return {service.name: (service, each) for service, each in zip(some, made, strict=True)}


def file(service: Service, path: str) -> dict[str, str]:
    [text] = [as_text(each.text) for each in service.files if each.path == path]
    return dict(line.split("=", 1) for line in text.splitlines())


def test_a_broker_tells_services_its_name_and_this_machine_its_published_port(there: Any) -> None:
    settings = file(there["kafka"][0], "server.properties")
    assert settings["listeners"] == "OUTER://0.0.0.0:9092,INNER://0.0.0.0:9094,CONTROLLER://127.0.0.1:9093"
    assert settings["advertised.listeners"] == "OUTER://127.0.0.1:19092,INNER://kafka:9094"
    assert file(there["connect"][0], "worker.properties")["bootstrap.servers"] == "kafka:9094"
    assert there["seatunnel"][0].command[-1] == "kafka:9094"


def test_only_what_users_need_is_published(there: Any) -> None:
    """Not the controller, which changes settings, nor SeaTunnel's cluster, which runs code."""
    ports = {name: there[name][1].ports for name in PARTS}
    assert ports == {"kafka": ((9092, 19092),), "connect": ((8083, 18083),), "seatunnel": ((8088, 18088),)}


def test_services_see_catalogs_and_the_store_by_their_names(there: Any) -> None:
    values = file(there["connect"][0], "values.properties")
    assert (values["lake.uri"], values["lake.s3.endpoint"]) == ("http://rest:8181", "http://s3proxy:9000")
    [job] = [as_text(each.text) for each in there["seatunnel"][0].files if each.path == "more.conf"]
    assert '"http://rest:8181"' in job


def test_what_they_keep_is_in_volumes_and_their_jars_cannot_be_changed(there: Any) -> None:
    for name in PARTS:
        service, container = there[name]
        assert container.volume.target == f"/data/{name}"
        mounted = [each.target for each in container.mounts if each.read_only]
        for each in dict(service.environment)["CLASSPATH"].split(":"):
            assert any(each == jar or each.startswith(f"{jar}/") for jar in mounted), each


def test_no_secret_is_in_what_docker_shows(there: Any) -> None:
    for name in PARTS:
        container = there[name][1]
        shown = str(replace(container, files=""))
        assert "secret:" not in shown
        assert "Secret" not in shown
    assert {"store", "pipeline-shop"} <= set(there["connect"][1].credentials)
