"""An instance of AWS that makes itself what its kind is: here without Ansible, AWS and systemd."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import botocore.session
import pytest
from botocore import xform_name

from lakehouse.runtimes.hosts import nodes, on_instance
from tests.unit.lakehouse.runtimes.hosts.test_nodes import ENGINES, made

TOLD = {"meta-data/local-ipv4": "10.20.1.7", "meta-data/instance-id": "i-0abc"}


class Instance:
    """What the instance does: calls of ``aws``, services that are emptied, and what Ansible found."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder
        self.node = made(ENGINES)[kind].description
        self.told = dict(TOLD)
        self.calls: list[tuple[str, ...]] = []
        self.emptied: list[str] = []
        self.found: dict[str, str] = {}
        self.variables: dict[str, Any] = {}
        self.code = 0

    def aws(self, *words: str) -> bytes:
        self.calls.append(words)
        if words[0] == "secretsmanager":
            return f"secret of {words[3]}\n".encode()
        if words[0] == "logs":
            return b""
        if words[-1] != "-":  # an archive
            Path(words[-1]).touch()
            return b""
        return json.dumps(self.node).encode() if "/nodes/" in words[3] else b"0123\n"

    def playbook(self, node: str) -> int:
        files = self.folder / "state" / "files"
        self.found = {str(each.relative_to(files)): each.read_text() for each in files.rglob("*") if each.is_file()}
        modes = {each.stat().st_mode & 0o777 for each in files.rglob("*") if each.is_file()}
        assert modes == {0o600}
        self.variables = json.loads((self.folder / "state" / "variables.json").read_text())
        return self.code


def started(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> Instance:
    own = Instance(folder, kind)
    packages = {name: str(folder / "opt" / Path(at).name) for name, at in own.node["packages"].items()}
    own.node = {**own.node, "packages": packages}
    (folder / "units").mkdir()
    monkeypatch.setattr(on_instance, "STATE", folder / "state")
    monkeypatch.setattr(on_instance, "UNITS", folder / "units")
    monkeypatch.setattr(on_instance, "metadata", lambda path: own.told.get(path, ""))
    monkeypatch.setattr(on_instance, "_bytes", own.aws)
    monkeypatch.setattr(on_instance, "_playbook", own.playbook)
    monkeypatch.setattr(on_instance, "_watched", lambda prefix, region: None)
    monkeypatch.setattr(on_instance, "_ready", lambda services: 0)
    monkeypatch.setattr(on_instance, "empty", lambda service, patience: own.emptied.append(service["unit"]))
    return own


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    return started(tmp_path, monkeypatch, "trino-worker")


def test_the_marks_are_those_of_the_description() -> None:
    assert (on_instance.ADDRESS, on_instance.ID) == (nodes.ADDRESS, nodes.ID)


def test_ansible_finds_files_with_the_own_address_and_secrets(worker: Instance, tmp_path: Path) -> None:
    assert on_instance.configure("bucket", "nodes/x.json") == 0
    config = worker.found["trino-worker-1/config.properties"]
    assert "node.internal-address=10.20.1.7\n" in config
    assert "node.id=i-0abc\n" in config
    assert "internal-communication.shared-secret=secret of demo-aws/trino-internal\n" in config
    assert worker.variables["lakehouse_files"] == str(tmp_path / "state" / "files")
    assert not (tmp_path / "state" / "files").exists()  # with the secrets
    assert "secret of" not in (tmp_path / "state" / "node.json").read_text()
    assert "secret of" not in (tmp_path / "state" / "variables.json").read_text()


def test_a_package_is_fetched_once(worker: Instance, tmp_path: Path) -> None:
    on_instance.configure("bucket", "nodes/x.json")
    archives = [each["archive"] for each in worker.variables["lakehouse_packages"]]
    assert [Path(each).suffix for each in archives] == [".tar", ".tar"]
    assert {each["sha256"] for each in worker.variables["lakehouse_packages"]} == {"0123"}
    assert {each["name"] for each in worker.variables["lakehouse_packages"]} >= {"trino-476"}
    for each in worker.node["packages"].values():
        Path(each).parent.mkdir(exist_ok=True)
        Path(each).touch()
    worker.calls.clear()
    on_instance.configure("bucket", "nodes/x.json")
    assert [each for each in worker.calls if "/packages/" in each[3]] == []


@pytest.mark.parametrize(("line", "emptied"), [("# Made by Ansible: another", True), ("same", False)])
def test_only_what_changes_is_emptied(worker: Instance, tmp_path: Path, line: str, emptied: bool) -> None:
    [service] = worker.node["variables"]["lakehouse_services"]
    line = f"# Made by Ansible: {service['incarnation']}" if line == "same" else line
    (tmp_path / "units" / service["unit"]).write_text(f"{line}\n[Unit]\n")
    on_instance.configure("bucket", "nodes/x.json")
    assert worker.emptied == ([service["unit"]] if emptied else [])


def test_what_ansible_could_not_do_fails_the_association(worker: Instance, tmp_path: Path) -> None:
    worker.code = 2
    assert on_instance.configure("bucket", "nodes/x.json") == 2
    assert not (tmp_path / "state" / "node.json").exists()
    assert not (tmp_path / "state" / "files").exists()


@pytest.mark.parametrize(
    ("path", "value", "seconds"),
    [
        ("meta-data/spot/instance-action", '{"action": "terminate"}', 100),
        ("meta-data/autoscaling/target-lifecycle-state", "Terminated", 900),
        ("meta-data/autoscaling/target-lifecycle-state", "InService", 0),
    ],
)
def test_what_aws_takes_has_some_seconds(worker: Instance, path: str, value: str, seconds: int) -> None:
    worker.told[path] = value
    assert on_instance.leaving() == seconds


def test_a_worker_that_leaves_is_emptied_stopped_and_switched_off(
    worker: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_instance.configure("bucket", "nodes/x.json")
    did: list[tuple[str, ...]] = []

    def call(*words: str) -> str:
        did.append(words)
        return ""

    monkeypatch.setattr(on_instance, "_call", call)
    worker.told["meta-data/spot/instance-action"] = "{}"
    on_instance.watch()
    unit = worker.node["services"]["trino-worker-1"]["unit"]
    assert worker.emptied == [unit]
    assert did == [("systemctl", "stop", unit), ("systemctl", "poweroff")]


class _Engine(BaseHTTPRequestHandler):
    """Trino's answers to a statement, in three parts, and the page of Spark's master."""

    spark: ClassVar[dict[str, Any]] = {}

    def do_POST(self) -> None:
        self._answer({"nextUri": f"http://{self.headers['Host']}/1"})

    def do_GET(self) -> None:
        after = {"nextUri": f"http://{self.headers['Host']}/2", "data": [[6, 2]]}
        self._answer({"/1": after, "/2": {}}.get(self.path, self.spark))

    def _answer(self, content: dict[str, Any]) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Engine)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_trino_is_as_busy_as_it_has_queries_for_each_worker(port: int) -> None:
    assert on_instance.load({"load": "trino", "services": {"trino": {"port": port}}}) == 75.0


@pytest.mark.parametrize(
    ("page", "busy"),
    [
        ({"cores": 8, "coresused": 2, "activeapps": [{"state": "RUNNING"}]}, 25.0),
        ({"cores": 8, "coresused": 2, "activeapps": [{"state": "WAITING"}]}, 101.0),
        ({"cores": 0, "coresused": 0, "activeapps": []}, 0.0),
    ],
)
def test_spark_is_as_busy_as_its_cores(port: int, page: dict[str, Any], busy: float) -> None:
    _Engine.spark = page
    assert on_instance.load({"load": "spark", "services": {"spark-master": {"port": port}}}) == busy


def test_work_without_workers_is_more_than_full() -> None:
    assert on_instance.percent(3, 0) > 100
    assert on_instance.percent(0, 0) == 0


def test_each_call_to_aws_is_one_of_its_services(worker: Instance) -> None:
    """The words of the command are operations and parameters of botocore's models; `s3 cp` is the command's own."""
    on_instance.configure("bucket", "nodes/x.json")
    on_instance.report({**worker.node, "load": "trino"}, 12.34)
    session = botocore.session.get_session()
    seen = set()
    for service, operation, *words in worker.calls:
        if service == "s3":
            assert (operation, words[0]) == ("cp", "--only-show-errors")
            assert words[1].startswith("s3://bucket/")
            continue
        model: Any = session.get_service_model(service)
        [name] = [each for each in model.operation_names if xform_name(each, "-") == operation]
        known = {f"--{xform_name(each, '-')}" for each in model.operation_model(name).input_shape.members}
        given = {each for each in words if each.startswith("--")}
        assert given - {"--query", "--output"} <= known
        required = model.operation_model(name).input_shape.required_members
        assert {f"--{xform_name(each, '-')}" for each in required} <= given
        seen.add(operation)
    assert seen == {"get-secret-value", "create-log-stream", "put-log-events"}
    [event] = json.loads(worker.calls[-1][-1])
    assert json.loads(event["message"]) == {"engine": "trino", "load": 12.3}


class _Drained(BaseHTTPRequestHandler):
    """A worker of Trino that is drained at once."""

    def do_PUT(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'"DRAINED"')

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def test_a_worker_is_drained_as_on_hosts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Drained)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(on_instance, "_call", lambda *words: "7\n")
    service = made(ENGINES)["trino-worker"].description["services"]["trino-worker-1"]
    try:
        on_instance.empty({**service, "drain": {**service["drain"], "port": server.server_address[1]}}, 100)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert f"{service['unit']}: drained: True" in capsys.readouterr().out
