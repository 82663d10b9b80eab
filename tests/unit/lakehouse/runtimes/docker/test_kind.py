"""What watches a stack on Docker: processes outside of containers, which reach them as users do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bootstrap.operations.endpoints import of_stack
from lakehouse.runtimes import definitions
from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.locate import locate
from lakehouse.services.service import Service
from tests.unit.lakehouse.kinds.platform.monitored import PIPELINES, content, lakehouse

ENGINES = {"spark": {"workers": 1}, "trino": {"workers": 1, "memory": "2g"}}
CATALOGS = {"lake": {"kind": "rest", "database": "tables", "user": "writer"}}
MONITORS = ["node-exporter", "lakehouse-metrics", "alertmanager", "victoria-metrics", "vmalert"]


@pytest.fixture
def local(tmp_path: Path) -> Local:
    changes: dict[str, Any] = {"runtime": "docker", "store": "seaweedfs", "catalogs": CATALOGS, "engines": ENGINES}
    return locate(lakehouse(tmp_path, **changes), "local", tmp_path / "lakehouse.yaml")


def one(local: Local, name: str) -> Service:
    return next(each for each in local.services if each.name == name)


def test_what_watches_is_no_container_and_all_else_is(local: Local) -> None:
    assert isinstance(local.runtime, Containers)
    assert [each.name for each in local.runtime.outside] == MONITORS
    inside = [each.service for each in local.runtime.containers]
    assert [*inside, *MONITORS] == [each.name for each in local.everything]


def test_metrics_are_read_at_the_published_ports(local: Local) -> None:
    jobs = content(one(local, "victoria-metrics"), "read.yaml")["scrape_configs"]
    at = {each["job_name"]: each["static_configs"][0]["targets"] for each in jobs}
    assert isinstance(local.runtime, Containers)
    outer = {number for each in local.runtime.containers for _, number in each.ports} | {
        port.number for each in local.runtime.outside for port in each.ports
    }
    assert {"seaweedfs", "spark-master", "spark-worker-1", "spark-connect", "trino", "trino-worker-1"} < at.keys()
    assert at["trino"] == [f"127.0.0.1:{local.ports['trino']}"]
    assert local.ports["trino"] != one(local, "trino").ports[0].number, "inside it has another number"
    for [target] in at.values():
        host, _, number = target.partition(":")
        assert (host, int(number) in outer) == ("127.0.0.1", True), target


def test_a_port_with_metrics_is_published_although_only_other_services_need_it(tmp_path: Path, local: Local) -> None:
    changes: dict[str, Any] = {"runtime": "docker", "store": "seaweedfs", "catalogs": CATALOGS, "engines": ENGINES}
    without = locate(lakehouse(tmp_path, False, **changes), "local", tmp_path / "lakehouse.yaml")
    assert [one(each, "trino-worker-1").ports[0].inner for each in (without, local)] == [True, False]


def test_services_and_databases_are_asked_at_the_published_ports(local: Local) -> None:
    said = content(one(local, "lakehouse-metrics"), "watched.json")
    assert said["address"] == "127.0.0.1"
    asked = {each["name"]: (each["host"], each["probe"]["port"]) for each in said["services"]}
    assert asked.keys() == {each.name for each in local.services} - set(MONITORS[1:])
    assert asked["trino"] == ("127.0.0.1", local.ports["trino"])
    assert asked["trino-worker-1"] == ("127.0.0.1", local.ports["trino-worker-1"])
    [database] = said["databases"]
    assert (database["host"], database["port"]) == ("127.0.0.1", local.ports["postgres"])


def test_pipelines_are_asked_at_the_published_ports(tmp_path: Path) -> None:
    there = lakehouse(tmp_path, runtime="docker", pipelines=PIPELINES, engines={})
    made = locate(there, "local", tmp_path / "lakehouse.yaml")
    said = content(one(made, "lakehouse-metrics"), "watched.json")
    assert said["looks"].keys() == {"tables", "pipelines"}
    asked = {each["name"]: (each["host"], each["probe"]["port"]) for each in said["services"]}
    for name in ("kafka", "connect"):
        assert asked[name] == ("127.0.0.1", made.ports[name])


def test_what_watches_listens_only_on_the_loopback_address_and_has_its_files_in_the_state_folder(local: Local) -> None:
    for name in MONITORS:
        service = one(local, name)
        words = " ".join((*service.command, *(str(each.text) for each in service.files)))
        assert "0.0.0.0" not in words
        assert f"/etc/{name}" not in words
        assert {port.number for port in service.ports} == {local.ports[port.name] for port in service.ports}
    assert f"{local.state.config('vmalert')}/rules.yaml" in " ".join(one(local, "vmalert").command)


def test_others_reach_it_as_users_do(local: Local) -> None:
    at = {each.service: each for each in of_stack(local)}
    assert at["victoria-metrics"].internal == at["victoria-metrics"].external
    assert at["trino"].internal != at["trino"].external


def test_what_a_step_reads_has_both(local: Local, tmp_path: Path) -> None:
    definitions.write(tmp_path, local.everything, {each.name: Incarnation("d", "1") for each in local.everything})
    read = definitions.read(tmp_path / definitions.FILE)
    assert [name for name, (each, _) in read.items() if each.outside] == MONITORS
