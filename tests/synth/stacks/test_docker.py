"""The local stack on Docker as Terraform sees it: really synthesised, without a Docker that answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lakehouse import project
from lakehouse.runtimes.docker import containers

PROJECT = Path(__file__).parents[3]
STREAMS = """
name: demo
buckets: {warehouse: {}}
catalogs: {lake: {namespaces: {raw: {tables: {t: {columns: {id: long}}}}}, location: "s3://warehouse/lake"}}
pipelines: {t: {from: {topic: t}, to: lake.raw.t}}
stacks: {local: {runtime: docker, store: s3proxy, catalogs: {lake: rest}}}
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synth(tmp_path_factory.mktemp("a synth"))


def synth(folder: Path, text: str = "", *, further: str = "", **variables: str) -> Path:
    """Synthesise a file, or the default lakehouse on Docker, in that folder. Returns the stack's folder."""
    default = (PROJECT / "lakehouse.yaml").read_text().replace("runtime: process", f"runtime: docker{further}")
    (folder / "lakehouse.yaml").write_text(text or default)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LAKEHOUSE")} | variables
    done = subprocess.run(
        [sys.executable, str(PROJECT / "main.py")],
        cwd=folder,
        env={**environment, "DOCKER_HOST": "unix:///nowhere/docker.sock"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "cdktf.out" / "stacks" / "local"


@pytest.fixture(scope="module")
def synthesised(stack: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((stack / "cdk.tf.json").read_text())
    return found


def name(address: str) -> str:
    return re.sub(r"^docker_(.*)_[0-9A-F]{8}$", r"\1", address.rpartition(".")[2])


def resources(stack: Path) -> dict[str, dict[str, Any]]:
    """The resources of a synthesised stack: type -> name -> what is asked for."""
    found = json.loads((stack / "cdk.tf.json").read_text())["resource"]
    return {of: {name(key): each for key, each in some.items()} for of, some in found.items()}


@pytest.fixture(scope="module")
def asked(synthesised: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name(key): each for key, each in synthesised["resource"]["docker_container"].items()}


def test_the_provider_may_be_newer_than_the_bindings(synthesised: dict[str, Any]) -> None:
    wanted = synthesised["terraform"]["required_providers"]["docker"]
    assert wanted == {"source": "kreuzwerker/docker", "version": ">= 3.6, < 5"}


def test_each_service_is_a_container_after_those_it_needs(asked: dict[str, dict[str, Any]]) -> None:
    needs = {service: {name(need) for need in each["depends_on"]} for service, each in asked.items()}
    assert needs["s3proxy"] == {"network"}
    assert needs["nessie"] == {"network", "s3proxy"}
    assert needs["spark-worker-2"] == {"network", "spark-master"}
    assert needs["trino"] == {"network"}, "what is not needed is not waited for"


def test_the_bootstrap_comes_last(synthesised: dict[str, Any]) -> None:
    data = {name(key): each for key, each in synthesised["resource"]["terraform_data"].items()}
    assert set(data) == {"preflight", "network", "bootstrap"}
    assert {name(each) for each in data["bootstrap"]["depends_on"]} == {"s3proxy", "nessie"}


def test_a_step_makes_the_network_and_removes_it_after_all_containers(synthesised: dict[str, Any]) -> None:
    assert "docker_network" not in synthesised["resource"], "the provider waits two seconds whenever it reads one"
    assert "removed" not in synthesised, "an older Terraform does not know it"
    data = {name(key): each for key, each in synthesised["resource"]["terraform_data"].items()}
    steps = [step["local-exec"] for step in data["network"]["provisioner"]]
    assert [(step.get("when"), "network-down" in step["command"]) for step in steps] == [
        (None, False),
        ("destroy", True),
    ]
    assert {name(each) for each in data["network"]["depends_on"]} == {"preflight"}


def test_a_network_of_a_former_release_leaves_terraforms_state_and_is_not_destroyed(tmp_path: Path) -> None:
    former = {"type": "docker_network", "name": "docker_network_1", "instances": [{"attributes": {"name": "demo"}}]}
    (tmp_path / "terraform.local.tfstate").write_text(json.dumps({"version": 4, "resources": [former]}))
    content = json.loads((synth(tmp_path) / "cdk.tf.json").read_text())
    assert content["removed"] == [{"from": "docker_network.docker_network_1", "lifecycle": {"destroy": False}}]


def test_what_watches_starts_after_its_supervisor_and_what_it_watches(tmp_path: Path) -> None:
    found = resources(synth(tmp_path, further=", monitoring: true"))
    data = found["terraform_data"]
    needs = {each: {name(need) for need in data[each]["depends_on"]} for each in data}
    assert needs["supervisor"] == {"preflight"}
    assert needs["node-exporter"] == {"supervisor"}
    assert {"supervisor", "s3proxy", "trino", "node-exporter"} < needs["lakehouse-metrics"]
    assert not found["docker_container"].keys() & data.keys()
    for each in ("supervisor", "vmalert"):
        steps = [step["local-exec"] for step in data[each]["provisioner"]]
        assert [step.get("when") for step in steps] == [None, "destroy"], "a destroy stops it"
        assert all("lakehouse.runtimes.docker" in step["command"] for step in steps)


def test_a_destroy_ends_what_watches_although_the_file_no_longer_names_it(tmp_path: Path) -> None:
    state = tmp_path.resolve() / ".lakehouse" / "local"
    with subprocess.Popen(["sleep", "60"], env={**os.environ, "LAKEHOUSE_STATE": str(state)}) as left:
        try:
            data = [resources(synth(tmp_path, **each))["terraform_data"] for each in ({}, {project.DESTROYING: "yes"})]
        finally:
            left.kill()
    assert ["supervisor" in each for each in data] == [False, True]


def test_what_one_expects_of_a_container(asked: dict[str, dict[str, Any]]) -> None:
    for service, each in asked.items():
        assert each["name"] == f"demo-local-{service}"
        assert each["restart"] == "unless-stopped"
        assert each["memory"] == each["memory_swap"]
        assert each["log_opts"] == {"max-size": "10m", "max-file": "3"}
        assert {port["ip"] for port in each["ports"]} == {"127.0.0.1"}
        assert [network["aliases"] for network in each["networks_advanced"]] == [[service]]
        assert each["healthcheck"]["test"][0] == "CMD"
        assert "ready" in each["provisioner"][0]["local-exec"]["command"]
        assert not each.get("upload"), "its content would be in the state"


def test_times_are_written_as_docker_writes_them(asked: dict[str, dict[str, Any]]) -> None:
    """Any other notation would be a change in every plan."""
    assert {each["healthcheck"]["start_period"] for each in asked.values()} == {"5m0s"}
    assert {each["healthcheck"]["interval"] for each in asked.values()} == {"10s"}


def test_volumes_are_not_terraforms(synthesised: dict[str, Any], asked: dict[str, dict[str, Any]]) -> None:
    assert "docker_volume" not in synthesised["resource"]
    volumes = [mount["source"] for each in asked.values() for mount in each["mounts"] if mount["type"] == "volume"]
    assert sorted(volumes) == sorted(f"demo-local-{service}" for service in asked)


def test_images_are_pulled_once_and_kept(synthesised: dict[str, Any]) -> None:
    images = list(synthesised["resource"]["docker_image"].values())
    assert len(images) == len({each["name"] for each in images}) == 4
    assert all(each["keep_locally"] for each in images)


def test_two_releases_of_an_image_are_two(tmp_path: Path) -> None:
    """The REST catalog runs on Java 25, Kafka and Connect on 21. Which of them comes first keeps its name."""
    found = json.loads((synth(tmp_path, STREAMS) / "cdk.tf.json").read_text())["resource"]
    images = {name(key): each["name"].rpartition("/")[2] for key, each in found["docker_image"].items()}
    assert images["image-eclipse-temurin"] == "eclipse-temurin:25-jre"
    assert images["image-eclipse-temurin-21-jre"] == "eclipse-temurin:21-jre"
    assert {"kafka", "connect"} <= {name(key) for key in found["docker_container"]}


def test_nothing_synthesised_holds_a_secret(stack: Path) -> None:
    """A synth creates no secret either: the state folder does not exist before a deploy."""
    assert not (stack.parents[2] / ".lakehouse").exists()
    assert '"secret":' not in (stack / "cdk.tf.json").read_text()
    assert '"secret":' not in (stack / "containers.json").read_text()


def test_a_label_says_what_was_asked_for(stack: Path, asked: dict[str, dict[str, Any]]) -> None:
    for each in containers.read(stack / containers.FILE):
        labels = {label["label"]: label["value"] for label in asked[each.service]["labels"]}
        assert labels["lakehouse.incarnation"].startswith(f"{each.digest}-")
        assert labels["lakehouse.service"] == each.service


def test_with_lineage_engines_alone_know_this_machine_and_what_they_call_runs_beside_them(tmp_path: Path) -> None:
    found = resources(synth(tmp_path, further=", lineage: {file: lineage.jsonl}"))
    hosts = {key: each.get("host") for key, each in found["docker_container"].items()}
    here = [{"host": "host.docker.internal", "ip": "host-gateway"}]
    engines = {"spark-master", "spark-worker-1", "spark-worker-2", "spark-connect", "trino"}
    assert hosts == {**dict.fromkeys(engines, here), "s3proxy": None, "nessie": None}
    assert {"lineage", "supervisor"} <= found["terraform_data"].keys()
    services = json.loads((tmp_path / "cdktf.out/stacks/local/services.json").read_text())
    [lineage] = [each["service"] for each in services if each["service"]["name"] == "lineage"]
    assert "lakehouse.runtimes.docker.lineage" in lineage["command"]
