from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

from lakehouse import kinds, packages
from lakehouse.errors import LakehouseError
from lakehouse.runtimes import owner, training
from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.process import archives, steps
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.services.service import Probe, Service
from lakehouse.spec import Lakehouse, load
from tests.unit.lakehouse.kinds import pretended
from tests.unit.lakehouse.kinds.platform import monitored

PROJECT = Path(__file__).parents[4]


@pytest.fixture
def lakehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lakehouse:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("lakehouse.runtimes.process.place.java", lambda feature: Path(f"/java-{feature}/bin/java"))
    return load(PROJECT / "lakehouse.yaml")


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[Path, tuple[Service, ...]]:
    """Archives that are reported as missing; one, unless the test changes it."""
    found: dict[Path, tuple[Service, ...]] = {tmp_path / "s3proxy.aot": (service("s3proxy"),)}
    monkeypatch.setattr(archives, "missing", lambda services: found)
    return found


def service(name: str, *needs: str) -> Service:
    return Service(name, "image", (), (name,), Probe("tcp", 1), java=25, needs=needs)


def names(waves: Iterable[list[Service]]) -> list[list[str]]:
    return [[each.name for each in wave] for wave in waves]


def test_services_start_after_those_that_they_need_and_in_parallel_with_others() -> None:
    services = [service("worker", "master"), service("store"), service("connect", "worker", "store"), service("master")]
    assert names(training._waves(services)) == [["store", "master"], ["worker"], ["connect"]]


@pytest.mark.parametrize("runtime", ["process", "docker"])
def test_what_watches_is_not_trained_on(lakehouse: Lakehouse, tmp_path: Path, runtime: str) -> None:
    """It has no class archives, and its ports are none of a lakehouse without it."""
    (tmp_path / "there").mkdir()
    watched = monitored.lakehouse(tmp_path / "there", runtime=runtime)
    local = training._separate(watched, "local", tmp_path)
    assert "trino" in local.ports
    assert not {each.name for each in local.everything} & {"victoria-metrics", "lakehouse-metrics"}


@pytest.mark.parametrize("runtime", ["process", "docker"])
def test_with_lineage_engines_are_trained_with_their_listeners_and_tell_nobody(
    lakehouse: Lakehouse, tmp_path: Path, runtime: str
) -> None:
    (tmp_path / "there").mkdir()
    to = {"url": "http://marquez.example.com:5000", "token": "marquez.key"}
    told = monitored.lakehouse(tmp_path / "there", False, runtime=runtime, lineage=to)
    own = locate(told, "local", tmp_path / "there" / "lakehouse.yaml")
    local = training._separate(told, "local", tmp_path)
    packages_of = {each.name: each.packages for each in own.services}
    assert "trino-full-476" in packages_of["trino"]
    assert {each.name: each.packages for each in local.services} == packages_of
    assert "marquez" not in (tmp_path / "lakehouse.yaml").read_text()


def test_the_lakehouse_trained_on_is_the_same_but_empty_elsewhere_and_on_free_ports(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    local = training._separate(lakehouse, "local", tmp_path)
    assert local.state.root.is_relative_to(tmp_path)
    there = load(tmp_path / "lakehouse.yaml")
    assert there.engines == lakehouse.engines
    assert there.catalogs.keys() == lakehouse.catalogs.keys()
    assert not any(each.namespaces for each in there.catalogs.values())
    numbers = [port.number for each in local.services for port in each.ports]
    assert len(numbers) == len(set(numbers))
    for number in numbers:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", number))


def test_a_second_lakehouse_of_containers_has_names_of_its_own(lakehouse: Lakehouse, tmp_path: Path) -> None:
    path = tmp_path / "lakehouse.yaml"
    path.write_text((PROJECT / "lakehouse.yaml").read_text().replace("runtime: process", "runtime: docker"))
    boxes = load(path)
    seen: set[str] = set()
    for turn in ("one", "two"):
        (tmp_path / turn).mkdir()
        runtime = training._separate(boxes, "local", tmp_path / turn).runtime
        assert isinstance(runtime, Containers)
        for each in runtime.containers:
            assert each.name.startswith("archives-")
            names = {each.name, each.volume.source}
            assert not names & seen, "they are all on one Docker, and so are those of a killed attempt"
            seen |= names


def test_where_nothing_has_archives_nothing_is_asked() -> None:
    assert training.way("hosts") is None


def test_where_all_archives_are_there_nothing_is_started(
    lakehouse: Lakehouse,
    lacking: dict[Path, tuple[Service, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lacking.clear()
    monkeypatch.setattr(training, "_running", None)
    training.train(lakehouse, "local", PROJECT / "lakehouse.yaml")
    assert capsys.readouterr() == ("", "")


def test_a_job_has_no_archive_because_it_runs_once(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert isinstance(kinds.CATALOGS, dict)
    monkeypatch.setitem(kinds.CATALOGS, pretended.WORD, pretended.PRETENDED)
    path = tmp_path / "lakehouse.yaml"
    path.write_text((PROJECT / "lakehouse.yaml").read_text().replace("{lake: nessie}", "{lake: pretended}"))
    asked: list[str] = []
    monkeypatch.setattr(archives, "missing", lambda services: asked.extend(each.name for each in services))
    training.train(load(path), "local", path)
    assert "pretended" in asked
    assert not [name for name in asked if name.endswith("-job")]


@pytest.mark.usefixtures("lacking")
def test_a_lakehouse_that_does_not_come_up_is_reported_and_stopped(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stopped: list[object] = []

    def fail(*_: object) -> float:
        raise LakehouseError("trino is not ready")

    for step in ("preflight", "supervisor_up"):
        monkeypatch.setattr(steps, step, lambda *_: None)
    monkeypatch.setattr(steps, "service_up", fail)
    monkeypatch.setattr(steps, "supervisor_down", stopped.append)
    training.train(lakehouse, "local", PROJECT / "lakehouse.yaml")
    assert "starts more slowly: trino is not ready" in capsys.readouterr().err
    assert len(stopped) == 1
    assert list((tmp_path / "cache" / "lakehouse" / "archives").iterdir()) == []


@pytest.mark.usefixtures("lacking")
def test_a_second_lakehouse_whose_priority_cannot_be_lowered_is_stopped(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[object] = []

    class Background(training.Teller):
        in_background = True

    def gone(_: object) -> int:
        raise psutil.NoSuchProcess(1)

    for step in ("preflight", "supervisor_up"):
        monkeypatch.setattr(steps, step, lambda *_: None)
    monkeypatch.setattr(Supervisor, "pid", lambda _: 1)
    monkeypatch.setattr("lakehouse.runtimes.priority.lowest_session", gone)
    monkeypatch.setattr(steps, "supervisor_down", stopped.append)
    training.train(lakehouse, "local", PROJECT / "lakehouse.yaml", Background())
    assert len(stopped) == 1


def test_in_the_background_a_service_has_an_hour_to_start_and_an_hour_to_write_its_record(
    lakehouse: Lakehouse, lacking: dict[Path, tuple[Service, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking[Path("spark.aot")] = (service("spark-master"),)
    started: list[Service] = []

    class Background(training.Teller):
        in_background = True

    def up(_: object, service: Service, *__: object) -> float:
        started.append(service)
        return 0.0

    def fail(*_: object) -> None:
        raise LakehouseError("enough")

    asked = {each.name: each for each in locate(lakehouse, "local", PROJECT / "lakehouse.yaml").services}
    killed: list[Path] = []
    for step in ("preflight", "supervisor_up", "supervisor_down"):
        monkeypatch.setattr(steps, step, lambda *_: None)
    monkeypatch.setattr(Supervisor, "pid", lambda _: 1)
    monkeypatch.setattr("lakehouse.runtimes.priority.lowest_session", lambda _: None)
    monkeypatch.setattr(steps, "service_up", up)
    monkeypatch.setattr(training, "_work", fail)
    monkeypatch.setattr("lakehouse.runtimes.processes.kill_below", killed.append)
    training.train(lakehouse, "local", PROJECT / "lakehouse.yaml", Background())
    assert {each.probe.patience for each in started} == {3600}
    stops = {each.name: each.stop_seconds for each in started}
    assert stops == {name: asked[name].stop_seconds for name in stops} | {"s3proxy": 3600, "spark-master": 3600}
    assert len(stops) > len(lacking), "one that writes no record stops as ever"
    assert [each.name for each in killed] == ["training"], "a record that nobody needs keeps nobody waiting for an hour"


def test_an_archive_that_cannot_be_made_does_not_keep_the_others_from_being_made(
    lakehouse: Lakehouse,
    lacking: dict[Path, tuple[Service, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    lacking[tmp_path / "trino.aot"] = (service("trino"),)

    def create(archive: Path, *_: object) -> None:
        if archive.stem == "s3proxy":
            raise LakehouseError("the JVM crashed")
        archive.write_text("archive")

    def work(file: Path, told: training.Teller) -> None:
        local = locate(load(file), "training", file)
        owner.check(local.state, local.claim)  # the commands that it runs check the same
        assert owner.read(local.state.root) == local.claim.owner

    for step in ("supervisor_up", "service_up", "service_down", "supervisor_down"):
        monkeypatch.setattr(steps, step, lambda *_: 0.0)
    monkeypatch.setattr(steps, "_packages", lambda _: [])
    monkeypatch.setattr(packages, "missing", lambda _: [])
    monkeypatch.setattr(training, "_work", work)
    monkeypatch.setattr(archives, "create", create)
    training.train(lakehouse, "local", PROJECT / "lakehouse.yaml")
    said = capsys.readouterr().err
    assert "s3proxy: not prepared, so it starts more slowly: the JVM crashed" in said
    assert "trino: 0 MB" in said


def test_a_damaged_archive_is_made_again(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    archive = tmp_path / "s3proxy.aot"
    archive.touch()
    trained: list[str] = []
    monkeypatch.setattr(training, "train", lambda lakehouse, stack, path: trained.append(stack))
    monkeypatch.setattr(archives, "damaged", lambda services: {archive: f"{archive} has another content"})
    training.repair(lakehouse, PROJECT / "lakehouse.yaml")
    assert (trained, archive.exists()) == (["local"], False)
    assert capsys.readouterr().err == f"{archive} has another content: rebuilding it\n"
    monkeypatch.setattr(archives, "damaged", lambda services: {})
    training.repair(lakehouse, PROJECT / "lakehouse.yaml")
    assert trained == ["local"]


def test_a_killed_training_leaves_nothing_to_the_next(
    lakehouse: Lakehouse,
    lacking: dict[Path, tuple[Service, ...]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    left = tmp_path / "cache" / "lakehouse" / "archives" / ".training-killed"
    (left / "records").mkdir(parents=True)
    asked: list[Path] = []

    def below(folder: Path) -> tuple[()]:
        asked.append(folder)
        return ()

    monkeypatch.setattr("lakehouse.runtimes.processes.below", below)
    monkeypatch.setattr(training, "_train", lambda *_: None)
    training.train(lakehouse, "local", PROJECT / "lakehouse.yaml")
    assert asked == [left]
    assert not left.exists()


def test_only_one_process_trains_and_the_other_finds_it_done(
    lakehouse: Lakehouse, lacking: dict[Path, tuple[Service, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, done = threading.Event(), threading.Event()
    told: list[str] = []

    class Told(training.Teller):
        def say(self, text: str) -> None:
            told.append(text)
            waiting.set()

    def train(*_: object) -> None:
        other.start()
        assert waiting.wait(20)
        lacking.clear()

    def second() -> None:
        training.train(lakehouse, "local", PROJECT / "lakehouse.yaml", Told())
        done.set()

    other = threading.Thread(target=second)
    monkeypatch.setattr(training, "_train", train)
    training.train(lakehouse, "local", PROJECT / "lakehouse.yaml")
    assert done.wait(20)
    assert told == ["waiting for another process that prepares faster starts"]
