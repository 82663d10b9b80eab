"""What is found before a container is created; Docker is a double."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import certificates
from lakehouse.runtimes.docker import supervised
from lakehouse.runtimes.docker.containers import Container, ContainerSeen, Mount, Naming, containers
from lakehouse.runtimes.docker.observed import explained
from lakehouse.runtimes.docker.place import DockerPlace
from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.docker.steps import await_ready, prepare, run_job, write
from lakehouse.runtimes.findings import PortHolder
from lakehouse.runtimes.generations import NOTHING, Planned
from lakehouse.runtimes.incarnation import NONE, Incarnation, record, recorded
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.runtime import Process
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import Certificate
from lakehouse.services.service import File, Port, Probe
from tests.unit.lakehouse.runtimes.docker.pretended import OUTSIDE, Pretended, Stack, make, running, with_outside


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return make(tmp_path)


def test_where_nothing_is_wrong_files_and_volumes_are_made(stack: Stack) -> None:
    engine = Pretended()
    stack.prepare(engine)
    assert engine.made == ["demo-local-s3proxy", "demo-local-nessie"]
    assert list(stack.state.config("nessie").iterdir())


def test_what_an_interrupted_deploy_made_and_terraform_does_not_know_is_removed(stack: Stack) -> None:
    store, catalog = stack.containers
    there = {each.service: running(each, "1") for each in stack.containers}
    for known, removed in (
        (frozenset({store.name, catalog.name}), []),
        (frozenset({store.name}), ["nessie"]),
        (frozenset(), ["s3proxy", "nessie"]),
        (None, []),
    ):
        engine = Pretended(there=there)
        stack.prepare(engine, {name: each.incarnation for name, each in there.items()}, known)
        assert engine.removed == removed


@pytest.mark.parametrize(("status", "taken"), [("running", ["nessie HUP"]), ("exited", [])])
def test_a_renewed_certificate_goes_to_a_container_that_runs(stack: Stack, status: str, taken: list[str]) -> None:
    stack.prepare(Pretended())  # the folder is the lakehouse's from then on
    own = Certificate.of("nessie", "nessie")
    store, catalog = stack.services
    services = (store, replace(catalog, files=(File("key.pem", own.key),), renewal="HUP"))
    certificates.issue(stack.state, services)
    write(stack.state, "nessie", services[1].files)
    certificates.make(stack.state, own.chain)
    engine = Pretended(there={"nessie": replace(running(stack.containers[1], "1"), status=status)})
    runtime = _Signalled(stack.state, stack.containers, engine)
    known = {"nessie": Incarnation("d", "1")}
    prepare(stack.state, services, stack.containers, engine, stack.claim, known, runtime=runtime)
    assert runtime.signals == taken
    key = stack.state.config("nessie") / "key.pem"
    assert key.read_text() == stack.state.secret(own.key.kept), "one that does not run finds it at its start"


@dataclass(frozen=True)
class _Signalled(Containers):
    """It notes what it would send."""

    signals: list[str] = field(default_factory=list)

    def signal(self, service: str, name: str) -> None:
        self.signals.append(f"{service} {name}")


def test_a_volume_of_others_is_never_to_be_removed(stack: Stack, tmp_path: Path) -> None:
    gone, there = str(tmp_path / "gone"), str(tmp_path)
    for owner, word in (
        (gone, "move it back"),
        (there, f"belongs to the lakehouse in {there}"),
        ("", "data of others"),
    ):
        with pytest.raises(LakehouseError, match=word) as failure:
            stack.prepare(Pretended({("volume", "demo-local-nessie"): owner}))
        assert "another `name`" in str(failure.value)
        assert "volume rm" not in str(failure.value)


def test_a_container_of_others_may_be_removed(stack: Stack) -> None:
    with pytest.raises(LakehouseError, match="was not created by a lakehouse.*docker container rm demo-local-nessie"):
        stack.prepare(Pretended({("container", "demo-local-nessie"): ""}))


def test_a_package_that_is_not_there_is_found(stack: Stack, tmp_path: Path) -> None:
    jar = Mount(str(tmp_path / "iceberg.jar"), "/opt/lakehouse/iceberg.jar", read_only=True)
    stack.containers = tuple(replace(each, mounts=(*each.mounts, jar)) for each in stack.containers)
    with pytest.raises(LakehouseError, match="iceberg.jar. `make setup` fetches what is missing"):
        stack.prepare(Pretended())


def test_a_taken_port_is_named_with_the_container_that_publishes_it(stack: Stack) -> None:
    number = stack.containers[1].ports[1][1]
    with socket.create_server(("127.0.0.1", number)), pytest.raises(LakehouseError) as failure:
        stack.prepare(Pretended(published=frozenset({number})))
    assert f"ort {number} (nessie-management) is taken by" in str(failure.value)
    assert "(container another)" in str(failure.value)


@pytest.mark.parametrize("full", ["state", "docker"])
def test_a_full_disk_is_found(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: str) -> None:
    (docker := tmp_path / "docker").mkdir()
    place = docker if full == "docker" else stack.state.root
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: SimpleNamespace(free=(10 if path == place else 10_000) << 20)
    )
    engine = Pretended(root=docker)
    with pytest.raises(LakehouseError, match=f"{place} has 10 MB free; 512 MB are needed"):
        stack.prepare(engine)
    assert engine.made == []


def test_only_what_is_made_again_is_removed_and_only_once_all_checks_have_passed(stack: Stack) -> None:
    store, catalog = stack.containers
    engine = Pretended(there={each.service: running(each, "1") for each in stack.containers})
    engine.there["trino"] = replace(running(store, "1"), service="trino", ports=frozenset())
    planned = {"s3proxy": Incarnation("d", "1"), "nessie": Incarnation("d", "2")}
    jar = Mount("/gone/iceberg.jar", "/opt/lakehouse/iceberg.jar", read_only=True)
    whole, stack.containers = stack.containers, (store, replace(catalog, mounts=(*catalog.mounts, jar)))
    with pytest.raises(LakehouseError, match="iceberg.jar"):
        stack.prepare(engine, planned)
    assert engine.removed == []
    stack.containers = whole
    stack.prepare(engine, planned)
    assert sorted(engine.removed) == ["nessie", "trino"], "and what the file no longer names"


def test_a_new_port_of_a_running_service_is_looked_at(stack: Stack) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        number = stranger.getsockname()[1]
        engine = Pretended(there={each.service: running(each, "1") for each in stack.containers})
        engine.publisher = lambda port: None  # type: ignore[method-assign]
        store, catalog = stack.containers
        moved = replace(store, ports=((store.ports[0][0], number),))
        stack.containers = (moved, catalog)
        with pytest.raises(LakehouseError, match=f"ort {number} \\(s3proxy\\) is taken by"):
            stack.prepare(engine)
    assert engine.removed == []


def test_two_services_may_swap_their_ports(stack: Stack) -> None:
    store, catalog = stack.containers
    with ExitStack() as held:  # by their containers
        for number in (store.ports[0][1], catalog.ports[0][1]):
            server = held.enter_context(socket.socket())
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", number))
            server.listen()
        engine = Pretended(there={each.service: running(each, "1") for each in stack.containers})
        swapped = (
            replace(store, ports=((store.ports[0][0], catalog.ports[0][1]),)),
            replace(catalog, ports=((catalog.ports[0][0], store.ports[0][1]), *catalog.ports[1:])),
        )
        stack.containers = swapped
        stack.prepare(engine, {"s3proxy": Incarnation("e", "2"), "nessie": Incarnation("e", "2")})
    assert sorted(engine.removed) == ["nessie", "s3proxy"]


def test_a_volume_with_our_id_is_ours_wherever_the_project_was_moved(stack: Stack) -> None:
    name = "demo-local-nessie"
    engine = Pretended({("volume", name): "/moved/away"}, ids={name: stack.claim.owner.id})
    stack.prepare(engine)
    with pytest.raises(LakehouseError, match="holds data of the lakehouse in /moved/away"):
        stack.prepare(Pretended({("volume", name): "/moved/away"}, ids={name: "another"}))


def test_a_state_folder_of_others_is_refused_before_anything_is_written(stack: Stack) -> None:
    stack.state.root.mkdir(parents=True)
    (stack.state.root / "thesis.txt").write_text("years of work")
    engine = Pretended()
    with pytest.raises(LakehouseError, match="no lakehouse created it"):
        stack.prepare(engine)
    assert engine.made == []
    assert [each.name for each in stack.state.root.iterdir()] == ["thesis.txt"]


@dataclass
class Running(Pretended):
    """A Docker in which a job ends with that code, and says something."""

    code: int | None = 0
    ran: list[str] = field(default_factory=list)

    def run(self, asked: Container, labels: Mapping[str, str], *, lowest: bool = False) -> tuple[int | None, str]:
        self.ran.append(asked.service)
        return self.code, "line one\nthe reason\n"


def a_job(stack: Stack) -> Container:
    service = replace(stack.services[0], name="schema", ports=(), probe=Probe("end", patience=7))
    local = DockerPlace({}, Path())
    return containers([service], Naming("net", "v-", "c-"), stack.state, local)[0]


def test_a_job_is_run_once_for_each_incarnation(stack: Stack) -> None:
    job, engine = a_job(stack), Running()
    assert (job.is_job, job.ports, job.health.test) == (True, (), ("NONE",))
    run_job(stack.state, engine, job, Incarnation("d", "1"))
    assert run_job(stack.state, engine, job, Incarnation("d", "1")) == 0.0
    run_job(stack.state, engine, job, Incarnation("e", "2"))
    assert engine.ran == ["schema", "schema"]
    log = Containers(stack.state, (job,), engine).log("schema", 1)
    assert log == "the reason\n"
    assert Containers(stack.state, (job,), Pretended()).healthy() == {}


@pytest.mark.parametrize(("code", "what"), [(3, "ended with code 3"), (None, "did not end within 7 s")])
def test_a_job_that_fails_is_reported_with_the_end_of_its_log(stack: Stack, code: int | None, what: str) -> None:
    with pytest.raises(LakehouseError, match=rf"(?s)The job schema {what}.*the reason"):
        run_job(stack.state, Running(code=code), a_job(stack), Incarnation("d", "1"))
    assert recorded(stack.state, "schema") == NONE


def test_what_runs_as_another_definition_or_with_other_credentials_is_changed(stack: Stack) -> None:
    def changed(container: Container, incarnation: Incarnation, planned: Planned = NOTHING) -> list[str]:
        there = {container.service: replace(running(container, "1"), incarnation=incarnation)}
        return [*Containers(stack.state, (container,), Pretended(there=there)).changed(planned)]

    store = stack.containers[0]
    assert store.credentials == ("store",)
    assert changed(store, Incarnation(store.digest, "1")) == []
    assert changed(store, Incarnation(store.digest, "1"), Planned({"store": 1})) == ["s3proxy"]
    assert changed(replace(store, memory_mb=7), Incarnation(store.digest, "1")) == ["s3proxy"]


def test_what_a_service_forgets_is_removed_before_it_starts(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "left_behind").touch()
    only = replace(stack.services[0], command=("/bin/ls", str(tmp_path)), ports=(), probe=Probe("end"))
    service = replace(only, forgets=(f"{tmp_path}/left_*",))
    (asked,) = containers([service], Naming("n", "v-", "c-"), stack.state, DockerPlace({}, Path()))
    assert asked.entrypoint == ("/bin/sh",)
    listed = subprocess.run(asked.command, capture_output=True, check=True, text=True).stdout.split()
    assert "left_behind" not in listed
    assert "lakehouse.yaml" in listed


def test_the_entry_point_of_an_image_gets_the_arguments_only(stack: Stack) -> None:
    service = replace(stack.services[0], command=("program", "-a", "b"), ports=(), probe=Probe("end"))
    own, kept = containers(
        [service, replace(service, keeps_entrypoint=True)],
        Naming("n", "v-", "c-"),
        stack.state,
        DockerPlace({}, Path()),
    )
    assert (own.entrypoint, own.command[1:]) == (("program",), ("-a", "b"))
    assert (kept.entrypoint, kept.command[1:]) == (None, ("-a", "b"))
    assert own.digest != kept.digest


def test_what_doctor_asks_the_runtime(stack: Stack) -> None:
    store, catalog = stack.containers
    there = {
        "s3proxy": replace(running(store, "1"), networks=("elsewhere",)),
        "nessie": replace(running(catalog, "1"), status="exited", networks=("elsewhere",)),
    }
    asked = Containers(stack.state, stack.containers, Pretended(there=there, published=frozenset()))
    assert asked.apart
    assert asked.unreachable() == ["s3proxy"], "what does not run has no network"
    assert asked.edited() == ["s3proxy", "nessie"], "their limits are not those asked for"
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        number = stranger.getsockname()[1]
        wanted = {"s3proxy": [Port("s3proxy", number)], "nessie": [Port("nessie", number)]}
        (holder,) = asked.holders(wanted)
    assert (holder.port, holder.pid) == ("nessie", os.getpid()), "those of what runs are its own"


@pytest.mark.parametrize(("program", "container"), [("docker-proxy", "another"), ("python3", "")])
def test_a_port_that_docker_holds_is_explained_by_its_container(program: str, container: str) -> None:
    engine = Pretended({("container", "another"): "/other/.lakehouse/local"}, published=frozenset({80}))
    found = explained(engine, PortHolder("web", 80, "taken", 7, program))
    assert (found.container, found.lakehouse) == (container, "/other/.lakehouse/local" if container else "")


def test_a_container_that_answers_is_ready_and_docker_is_not_asked(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        probe = Probe("tcp", port=server.getsockname()[1])
        await_ready(Pretended(), replace(stack.containers[0], probe=probe))


@dataclass
class Failing(Pretended):
    """A Docker with one container, which does not answer."""

    one: ContainerSeen | None = None

    def look(self, name: str) -> ContainerSeen | None:
        return self.one

    def log(self, name: str, lines: int) -> str:
        return "line one\nthe reason\n"


@pytest.mark.parametrize(
    ("changes", "patience", "word"),
    [
        ({"status": "exited", "health": ""}, 300, "(?s)is exited.*the reason"),
        ({"health": "unhealthy"}, 300, "(?s)is unhealthy.*the reason"),
        ({"health": "starting"}, 0, "(?s)is starting.*the reason"),
        (None, 300, "something removed it"),
    ],
)
def test_a_container_that_does_not_get_ready_is_reported(
    stack: Stack, free_port: int, changes: dict[str, str] | None, patience: int, word: str
) -> None:
    store = replace(stack.containers[0], probe=Probe("tcp", port=free_port, patience=patience))
    seen = None if changes is None else replace(running(store, "1"), **changes)  # type: ignore[arg-type]
    with pytest.raises(LakehouseError, match=word):
        await_ready(Failing(one=seen), store)


def test_what_docker_calls_healthy_is_ready_although_its_port_is_on_another_machine(
    stack: Stack, free_port: int
) -> None:
    store = replace(stack.containers[0], probe=Probe("tcp", port=free_port))
    await_ready(Failing(one=running(store, "1")), store)


def test_a_file_that_others_change_later_is_written_once(tmp_path: Path) -> None:
    state, files = State(tmp_path), (File("users", "first", once=True), File("plain", "first"))
    write(state, "web", files)
    for name in ("users", "plain"):
        (state.config("web") / name).write_text("later")
    write(state, "web", files)
    found = {path.name: path.read_text() for path in state.config("web").iterdir()}
    assert found == {"users": "later", "plain": "first"}


# what runs outside of containers


def test_the_preflight_writes_no_files_of_what_runs_outside(stack: Stack) -> None:
    """The files that a container mounts may be read by every user; those of a process may not."""
    with_outside(stack, replace(OUTSIDE, files=(File("hook.url", "http://hook"),))).prepare(Pretended())
    assert not stack.state.config("watcher").exists()


def test_the_preflight_finds_a_taken_port_and_a_missing_program(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = replace(OUTSIDE, ports=(Port("watcher", stranger.getsockname()[1]),))
        with pytest.raises(LakehouseError, match=r"Port \d+ \(watcher\) is taken"):
            with_outside(stack, taken).prepare(Pretended())
    with pytest.raises(LakehouseError, match="Missing: /nowhere/watcher"):
        with_outside(stack, replace(OUTSIDE, command=("/nowhere/watcher",))).prepare(Pretended())


def test_the_preflight_stops_what_starts_again_and_what_the_file_no_longer_names(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[str] = []
    there = {name: Process(name, "RUNNING", 1, 1, "") for name in ("watcher", "stays", "former")}
    monkeypatch.setattr(Supervisor, "processes", lambda self: there)
    monkeypatch.setattr(Supervisor, "remove", lambda self, name: stopped.append(name))
    stack.prepare(Pretended())  # the folder is the lakehouse's from then on
    stopped.clear()
    for name in there:
        record(stack.state, name, Incarnation("d", "1"))
    planned = {"watcher": Incarnation("d", "2"), "stays": Incarnation("d", "1")}
    with_outside(stack, OUTSIDE, replace(OUTSIDE, name="stays")).prepare(Pretended(), planned)
    assert sorted(stopped) == ["former", "watcher"]


@pytest.mark.parametrize("left", [True, False])
def test_without_monitoring_the_preflight_ends_the_supervisor(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, left: bool
) -> None:
    ended: list[State] = []
    monkeypatch.setattr(supervised, "left", lambda state: [object()] if left else [])
    monkeypatch.setattr(supervised, "down", ended.append)
    stack.prepare(Pretended())
    assert ended == ([stack.state] if left else [])
