"""All checks on lakehouses that are not up: each test makes a fault, and that one is named."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from bootstrap.cli.main import app
from bootstrap.doctor import run
from bootstrap.doctor.checks import of_target
from bootstrap.doctor.store import Answer
from bootstrap.doctor.surroundings import Surroundings
from bootstrap.session.target import find
from lakehouse.errors import LakehouseError
from lakehouse.runtimes.runtime import Process
from lakehouse.spec import load
from lakehouse.spec.ports import ports
from tests.unit.bootstrap.doctor.conftest import NOW, PROJECT, Look
from tests.unit.bootstrap.doctor.docker_api import docker_api


@pytest.fixture
def no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker does not answer, whatever this machine has."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is memory, whatever else runs on this machine."""
    monkeypatch.setattr("bootstrap.doctor.probes.memory", lambda: (20_000, 24_000))


def on_rest(file: Path) -> None:
    """The same file with a catalog that stands on PostgreSQL."""
    file.write_text(re.sub(r"lake: nessie\}, ports: \{.*?\}", "lake: rest}", file.read_text()))


def test_a_lakehouse_that_was_never_deployed(look: Look, tmp_path: Path) -> None:
    found = look()
    errors = {name for name, each in found.items() if each.severity == "error"}
    assert errors == {"stack"}
    assert found["stack"].fix == "`lakehouse deploy`"
    behind = {name for name, each in found.items() if each.severity == "skipped"}
    assert {"service trino", "store", "keys", "buckets", "catalog lake", "trino: lake", "contents"} <= behind
    assert not (tmp_path / ".lakehouse").exists()  # doctor creates nothing, above all no secrets


@pytest.mark.parametrize(("name", "state"), [("lakehouse.yaml", ".lakehouse"), ("orders.yaml", ".lakehouse/orders")])
def test_the_secrets_of_just_this_file_are_kept_from_the_report(
    file: Path, name: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Path] = []
    monkeypatch.setattr("bootstrap.output.guard", kept.append)
    run.run(file.rename(file.with_name(name)), "local", Surroundings({}, lambda: NOW))
    assert kept == [file.parent / state / "local" / "secrets"]


def test_a_killed_stack_is_distinguished_from_a_destroyed_one(look: Look, tmp_path: Path) -> None:
    left = tmp_path / ".lakehouse" / "local" / "run" / "conf.d" / "trino.conf"
    left.parent.mkdir(parents=True)
    left.touch()
    assert "none of its services runs any more" in look()["stack"].found


def test_a_taken_port_is_an_error_before_anything_is_deployed(look: Look, file: Path) -> None:
    number = ports(load(file), "local")["trino"]
    with socket.create_server(("127.0.0.1", number)):
        found = look()
    assert f"port {number} (trino) is taken by" in found["ports"].found
    assert f"`kill {os.getpid()}`" in found["ports"].fix


@pytest.mark.parametrize(
    ("changed", "said"), [([], "has been starting for 65 s"), (["trino"], "is running, and not ready as the file")]
)
def test_a_service_is_waited_for_only_if_it_runs_as_the_file_defines_it(
    changed: list[str], said: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = "lakehouse.runtimes.process.runtime.Processes"
    target = find(file, "local")
    names = [each.name for each in target.local.services]
    running = {name: Process(name, "RUNNING", 1, 65, "") for name in names}
    monkeypatch.setattr(f"{of}.processes", lambda self: running)
    monkeypatch.setattr(f"{of}.healthy", lambda self: {name: name != "trino" for name in names})
    monkeypatch.setattr(f"{of}.changed", lambda self, planned: changed)
    monkeypatch.setattr(f"{of}.holders", lambda self, wanted: [])
    monkeypatch.setattr("bootstrap.doctor.probes.log", lambda local, name: [])
    [check] = [each for each in of_target(target, Surroundings({}, lambda: NOW)) if each.name == "service trino"]
    assert said in check.look().found


def test_what_the_shell_has(look: Look) -> None:
    found = look(http_proxy="http://proxy:3128", AWS_PROFILE="work", TERRAFORM_BINARY_NAME="no-such-terraform")
    assert found["terraform"].severity == "error"
    assert found["proxy"].severity == found["aws variables"].severity == "warning"


def test_packages_that_are_not_there(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootstrap.doctor.probes.is_present", lambda name: name != "trino-476")
    found = look()
    assert found["packages"].severity == "error"
    assert "trino-476" in found["packages"].found
    assert found["packages"].fix == "`make setup`"


def test_class_archives_that_changed_are_named(look: Look, no_docker: None, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {Path("/cache/archives/trino.aot"): "/cache/archives/trino.aot has changed since it was fetched"}
    monkeypatch.setattr("lakehouse.runtimes.process.archives.damaged", lambda services: said)
    found = look()["archives"]
    assert (found.severity, found.found) == ("error", *said.values())
    assert look("boxes")["archives"].severity == "skipped", "without Docker nobody knows which of them it has"


def test_a_machine_that_refuses_root_a_user_namespace(look: Look, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "postgres: does not run as root, and this machine refuses a user namespace (EPERM)"
    monkeypatch.setattr("lakehouse.runtimes.process.namespaces.refusal", lambda services: said)
    assert "user namespace" not in look(), "Nessie needs none"
    on_rest(file)
    found = look()["user namespace"]
    assert (found.severity, found.found) == ("error", said)
    assert "deploy as an ordinary user" in found.fix


def test_no_java_that_fits(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    def java(feature: int) -> Path:
        raise LakehouseError(f"Java {feature}: none that fits")

    for place in ("bootstrap.doctor.probes", "lakehouse.runtimes.process.place"):
        monkeypatch.setattr(f"{place}.java", java)
    found = look()
    assert "no Java 25" in found["java"].found
    assert found["stack"].found == "not checked until `java` is fixed"


def test_locations_that_overlap_in_the_file(look: Look, file: Path) -> None:
    text = file.read_text()
    file.write_text(text.replace("catalogs:\n", "catalogs:\n  dim: {location: s3://warehouse/lake/dim}\n", 1))
    found = look()
    assert "lakehouse.yaml:" in found["file"].found
    assert "locations must not overlap" in found["file"].found
    assert "deletes them" in found["file"].cause
    assert found["stack"].found == "not checked until `file` is fixed"
    assert found["terraform"].severity == "ok"


def test_two_catalogs_in_one_folder(look: Look, file: Path) -> None:
    text = file.read_text()
    text = text.replace("catalogs:\n", "catalogs:\n  sales: {location: s3://warehouse/lake}\n", 1)
    file.write_text(text.replace("{lake: nessie}", "{lake: nessie, sales: nessie}"))
    found = look()
    assert "catalogs.sales.location" in found["file"].found
    assert "locations must not overlap" in found["file"].found
    assert "`lakehouse validate`" in found["file"].fix


@pytest.mark.parametrize("there", [False, True])
def test_a_licence_that_is_missing(look: Look, file: Path, no_docker: None, there: bool) -> None:
    text = file.read_text().replace("runtime: docker, store: s3proxy", "runtime: docker, store: aistor")
    file.write_text(re.sub(r"ports: \{[^{}]*\}\}\n*$", "license: minio.license}\n", text))
    if there:
        (file.parent / "minio.license").write_text("a licence")
    found = look("boxes")["file"]
    assert found.severity == ("ok" if there else "error")
    if not there:
        assert "stacks.boxes.license" in found.found
        assert f"{file.parent / 'minio.license'} does not exist" in found.found
        assert "SUBNET" in found.found


def test_a_store_whose_licence_the_file_does_not_name(look: Look, file: Path, no_docker: None) -> None:
    file.write_text(file.read_text().replace("runtime: docker, store: s3proxy", "runtime: docker, store: aistor"))
    found = look("boxes")["file"]
    assert found.severity == "error"
    assert '"license" is missing: AIStor does not start without its licence' in found.found


def test_services_larger_than_the_machine(look: Look, file: Path) -> None:
    file.write_text(file.read_text().replace('trino: {version: "476", memory: 1g}', "trino: {memory: 900g}"))
    found = look()
    assert found["memory"].severity == "error"
    assert "larger than this machine's memory" in found["memory"].cause


def test_a_docker_host_that_names_nothing(look: Look, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    host = f"tcp://127.0.0.1:{free_port}"
    monkeypatch.setenv("DOCKER_HOST", host)
    found = look("boxes", DOCKER_HOST=host)
    assert (found["docker"].severity, found["docker"].fix) == ("error", "`unset DOCKER_HOST`")
    assert host in found["docker"].found
    assert found["stack"].found == "not checked until `docker` is fixed"
    assert "docker" not in look("local", DOCKER_HOST=host)  # processes need none


def test_a_docker_that_is_too_old(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    with docker_api("19.03.15") as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        found = look("boxes", DOCKER_HOST=host)
    assert found["docker"].severity == "ok"
    assert found["docker version"].severity == "error"
    assert "19.03.15" in found["docker version"].found
    assert found["images"].found == "not checked until `docker version` is fixed"


def test_a_docker_without_images_and_with_little_memory(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    with docker_api("20.10.24", memory_mb=2000) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        found = look("boxes", DOCKER_HOST=host)
    assert found["docker version"].severity == "ok"
    assert "Docker has 2000 MiB" in found["docker memory"].found
    assert found["images"].severity == "error"
    assert "docker.io/trinodb/trino:476" in found["images"].found
    assert "`make images`" in found["images"].fix
    assert found["stack"].fix == "`lakehouse deploy`"


def test_images_that_a_registry_has(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    with docker_api("28.2.2", offered=True) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        found = look("boxes", DOCKER_HOST=host)
    assert found["images"].severity == "warning"
    assert found["docker memory"].severity == found["docker disk"].severity == "ok"


def test_a_provider_that_nobody_has(look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    settings = tmp_path / "terraformrc"
    settings.write_text(f'provider_installation {{ filesystem_mirror {{ path = "{tmp_path}/empty" }} }}\n')
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(settings))
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    found = look("boxes")["provider"]
    assert (found.severity, found.fix) == ("error", "`make providers`")
    assert "kreuzwerker/docker" in found.found
    installed = tmp_path / "cdktf.out/stacks/boxes/.terraform/providers/registry/kreuzwerker/docker/4.6.1/linux_amd64"
    installed.mkdir(parents=True)
    (installed / "terraform-provider-docker").touch()
    assert look("boxes")["provider"].severity == "ok"


def doctor(*words: str, expect: int) -> None:
    with pytest.raises(SystemExit) as ended:
        app(list(words), prog_name="lakehouse")
    assert ended.value.code == expect


def test_the_command(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doctor("-f", str(file), "-s", "local", "doctor", expect=1)
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert any(line.split()[:3] == ["terraform", "ok", "Terraform"] for line in lines)
    at = next(n for n, line in enumerate(lines) if line.startswith("stack "))
    assert lines[at].split(None, 2)[1:] == ["ERROR", "is not up"]
    assert lines[at + 1].strip().startswith("cause")
    assert lines[at + 2].split(None, 1) == ["fix", "`lakehouse --stack local deploy`"]
    assert "Not checked until `stack` is fixed: definitions," in shown.out
    assert "Fix the first one first" in lines[-1]
    assert "\x1b" not in shown.out + shown.err


def test_the_command_as_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doctor("-f", str(file), "-s", "local", "doctor", "--json", expect=1)
    reported = json.loads(capsys.readouterr().out)
    assert (reported["stack"], reported["ok"]) == ("local", False)
    assert {tuple(each) for each in reported["checks"]} == {("check", "severity", "found", "cause", "fix")}
    assert [each["check"] for each in reported["checks"] if each["severity"] == "error"] == ["stack"]


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doctor("-f", str(tmp_path / "none.yaml"), "doctor", expect=1)
    assert "there is no such file" in capsys.readouterr().out


def test_a_stack_that_the_file_lacks(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doctor("-f", str(file), "-s", "nowhere", "doctor", expect=2)
    said = capsys.readouterr().err
    assert 'there is no stack "nowhere" that runs on machines of yours. Choose one with --stack: local, boxes.' in said


def test_the_documentation_names_every_check(look: Look, file: Path, no_docker: None) -> None:
    text = (PROJECT / "docs" / "troubleshooting.md").read_text()
    general = {
        "service": "service NAME",
        "catalog": "catalog NAME",
        "database": "database of NAME",
        "trino:": "trino: NAME",
    }
    looked = look("local") | look("boxes")
    on_rest(file)
    looked |= look("local")
    file.write_text(file.read_text().replace("store: s3proxy", "store: seaweedfs"))  # it has certificates
    looked |= look("local")
    made = {general.get(name.partition(" ")[0], name) for name in looked}
    assert {name for name in made if f"`{name}`" not in text} == set()
    cells = (row.split("|")[2] for row in text.splitlines() if row.startswith("| "))
    assert {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)} == made


def test_each_problem_of_the_reference_systems_has_its_test() -> None:
    text = (PROJECT / "docs" / "troubleshooting.md").read_text()
    rows = re.findall(r"^\| 00\d: .*", text, re.MULTILINE)
    assert {row[2:5] for row in rows} == {"000", "001", "002", "003", "004"}
    for row in rows:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        assert named, row
        for path, test in named:
            assert f"\ndef {test}(" in (PROJECT / "tests" / path).read_text(), (path, test)


def test_a_catalog_behind_the_proxy_is_asked_with_its_token_and_none_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lakehouse.yaml"
    file.write_text(
        "name: demo\nbuckets: {warehouse: {}}\ncatalogs: {lake: {location: s3://warehouse/lake}}\nengines: {}\n"
        "stacks: {local: {runtime: process, secure: true, store: seaweedfs, catalogs: {lake: rest}}}\n"
    )
    asked: list[tuple[str, Mapping[str, str]]] = []

    def ask(url: str, proof: Mapping[str, str] | None = None, *, trust: str = "") -> Answer:
        asked.append((url, proof or {}))
        return Answer(401)

    monkeypatch.setattr("bootstrap.doctor.probes.ask", ask)
    target = find(file, None)
    checks = {each.name: each for each in of_target(target, Surroundings({}, lambda: NOW))}
    checks["catalog lake"].look()
    assert not target.located.state.root.exists()
    target.located.state.keep("rest-token", "tiger")
    for name in ("catalog lake", "database of lake"):
        checks[name].look()
    assert [dict(proof) for _, proof in asked] == [{}, *[{"Authorization": "Bearer tiger"}] * 2]
