"""Services as containers: their definitions for Docker, and what counts as a difference."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from lakehouse.kinds.compose import services
from lakehouse.runtimes import certificates
from lakehouse.runtimes.docker import steps
from lakehouse.runtimes.docker.containers import (
    RESTART,
    Container,
    ContainerSeen,
    Naming,
    as_asked,
    check,
    containers,
    limit,
    read,
    write,
)
from lakehouse.runtimes.docker.place import DockerPlace
from lakehouse.runtimes.incarnation import NONE
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import Certificate
from lakehouse.services.service import File, Port, Probe, Service
from lakehouse.spec import Lakehouse, LocalStack, load
from lakehouse.spec.ports import listeners
from tests.unit.lakehouse.services.place import as_text

PROJECT = Path(__file__).parents[5]
NAMING = Naming("demo-local", "demo-local-", "demo-local-")


@pytest.fixture(scope="module")
def lakehouse() -> Lakehouse:
    return load(PROJECT / "lakehouse.yaml")


@pytest.fixture(scope="module")
def place(lakehouse: Lakehouse) -> DockerPlace:
    stack = lakehouse.stacks["local"]
    assert isinstance(stack, LocalStack)
    return DockerPlace(listeners(lakehouse, stack), PROJECT)


@pytest.fixture(scope="module")
def there(lakehouse: Lakehouse, place: DockerPlace) -> tuple[Service, ...]:
    stack = lakehouse.stacks["local"]
    assert isinstance(stack, LocalStack)
    return services(lakehouse, stack, place)


@pytest.fixture(scope="module")
def asked(there: tuple[Service, ...], place: DockerPlace) -> dict[str, Container]:
    found = containers(there, NAMING, State(Path("/state")), place)
    return {each.service: each for each in found}


def test_there_is_one_container_a_service(there: tuple[Service, ...], asked: dict[str, Container]) -> None:
    assert list(asked) == [each.name for each in there]
    assert asked["nessie"].name == "demo-local-nessie"
    assert asked["nessie"].volume.source == "demo-local-nessie"
    assert asked["trino"].image == "docker.io/trinodb/trino:476"


def test_ports_of_this_machine_are_the_files_and_those_inside_the_images(asked: dict[str, Container]) -> None:
    assert asked["trino"].ports == ((8080, 8085),)
    assert asked["spark-worker-2"].ports == ((7079, 7080), (8081, 8082))
    assert len({external for each in asked.values() for _, external in each.ports}) == sum(
        len(each.ports) for each in asked.values()
    )


def test_an_inner_port_is_not_published_and_asked_in_the_container(place: DockerPlace) -> None:
    ports = (Port("nessie", 19120), Port("nessie-management", 9000, inner=True))
    probe = Probe("http", 9000, "/q/health/ready", expect="UP")
    service = Service("nessie", "nessie-0.99.0", (), ("java",), probe, ports=ports)
    (container,) = containers([service], NAMING, State(Path("/state")), place)
    assert [inside for inside, _ in container.ports] == [19120]
    assert (container.probe.kind, container.probe.port) == ("exec", 0)
    assert ("CMD", *container.probe.command) == container.health.test
    assert container.probe.expect == "UP"


def test_of_a_secure_stack_the_proxy_publishes_what_is_behind_it(tmp_path: Path) -> None:
    file = tmp_path / "lakehouse.yaml"
    file.write_text(
        "name: demo\nbuckets: {warehouse: {}}\n"
        "catalogs: {lake: {location: s3://warehouse/lake}, orders: {location: s3://warehouse/orders}}\n"
        "engines: {spark: {workers: 2, connect: {token: true}}}\n"
        "stacks: {local: {runtime: docker, secure: true, store: seaweedfs, catalogs: {lake: rest, orders: rest}}}\n"
    )
    given = load(file)
    stack = given.stacks["local"]
    assert isinstance(stack, LocalStack)
    place = DockerPlace(listeners(given, stack), PROJECT, "/trust.pem")
    found = {each.service: each for each in containers(services(given, stack, place), NAMING, State(Path("/s")), place)}
    outside = {port for _, port in found["proxy"].ports}
    assert outside == {8181, 8182, 8080, 8081, 8082, 15002, 4040}
    assert found["proxy"].ports == tuple((port, port) for port, _ in found["proxy"].ports)
    assert [found[name].ports for name in ("rest", "rest-orders", "spark-connect")] == [(), (), ()]
    assert [inside for inside, _ in found["spark-worker-2"].ports] == [7079]
    [proxy] = [each for each in services(given, stack, place) if each.name == "proxy"]
    caddyfile = next(as_text(each.text) for each in proxy.files if each.path == "Caddyfile")
    upstreams = ("rest:8181", "rest-orders:8181", "spark-worker-2:8081")
    for upstream in ("h2c://spark-connect:15002", *(f"http://{each}" for each in upstreams)):
        assert f"reverse_proxy {upstream} {{" in caddyfile


def test_no_path_of_this_machine_is_in_a_command(asked: dict[str, Container]) -> None:
    for each in asked.values():
        words = " ".join((*each.command, *(value for _, value in each.environment)))
        assert str(Path.home()) not in words
        assert "/state" not in words
        assert "127.0.0.1" not in words, "what listens there is out of reach"


def test_jars_that_no_image_holds_are_mounted_where_the_commands_look(asked: dict[str, Container]) -> None:
    for name in ("spark-master", "spark-worker-1", "spark-connect"):
        mounted = {each.target for each in asked[name].mounts if each.read_only}
        assert len(mounted) == 5, "four packages, and the class archives"
        assert all(jar in " ".join(asked[name].command) for jar in mounted)
    assert [each.target for each in asked["trino"].mounts if each.read_only] == ["/opt/lakehouse/archives"]


def test_nothing_asked_for_holds_a_secret_but_the_files_count(there: tuple[Service, ...], place: DockerPlace) -> None:
    before = containers(there, NAMING, State(Path("/state")), place)
    assert "Secret(" not in str(before)
    changed = [replace(each, files=(*each.files, File("more", "x"))) for each in there]
    after = containers(changed, NAMING, State(Path("/state")), place)
    assert all(old.digest != new.digest for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize(
    "change",
    [
        {"memory_mb": 9999},
        {"stop_seconds": 99},
        {"environment": (("A", "b"),)},
        {"probe": Probe("http", 9000, "/other")},
        {"command": ("java", "-version")},
        {"calls_outside": True},
    ],
)
def test_the_digest_changes_with_everything(there: tuple[Service, ...], place: DockerPlace, change: Any) -> None:
    one = replace(there[0], **change)
    before, after = (containers([each], NAMING, State(Path("/s")), place)[0] for each in (there[0], one))
    assert before.digest != after.digest


def test_they_survive_json(tmp_path: Path, asked: dict[str, Container]) -> None:
    write(tmp_path, tuple(asked.values()))
    assert read(tmp_path / "containers.json") == tuple(asked.values())


def test_a_worker_has_room_for_its_executors(there: tuple[Service, ...]) -> None:
    worker = next(each for each in there if each.name == "spark-worker-1")
    offered = int(worker.command[worker.command.index("--memory") + 1].removesuffix("m"))
    assert limit(worker) > offered + 128


def seen(container: Container) -> ContainerSeen:
    return ContainerSeen(
        name=container.name,
        service=container.service,
        incarnation=NONE,
        status="running",
        health="healthy",
        pid=1,
        started=0.0,
        memory=container.memory_mb << 20,
        restart=RESTART,
        networks=(container.network,),
        mounts=tuple(each.target for each in container.mounts),
        test=container.health.test,
    )


@pytest.mark.parametrize(
    "by_hand",
    [
        {"memory": 1 << 30},
        {"restart": "no"},
        {"networks": ("bridge",)},
        {"mounts": ("/elsewhere",)},
        {"test": ("NONE",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_was_changed_by_hand_is_not_as_asked(asked: dict[str, Container], by_hand: Any) -> None:
    nessie = asked["nessie"]
    assert as_asked(nessie, seen(nessie))
    assert not as_asked(nessie, replace(seen(nessie), **by_hand))


def test_a_volume_that_the_image_declares_is_no_change(asked: dict[str, Container]) -> None:
    nessie = asked["nessie"]
    found = seen(nessie)
    assert as_asked(nessie, replace(found, mounts=(*found.mounts, "/declared")))


@contextmanager
def server(code: int, text: str, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Something that answers HTTP on a port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code if self.path == "/ready" else 404)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as found:
        if context is not None:
            found.socket = context.wrap_socket(found.socket, server_side=True)
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        try:
            yield found.server_port
        finally:
            found.shutdown()
            thread.join()


def run(test: tuple[str, ...], path: str | None = None) -> int:
    assert test[0] == "CMD"
    program = str(shutil.which(test[1]))
    environment = None if path is None else {"PATH": path}
    return subprocess.run(
        [program, *test[2:]], capture_output=True, timeout=20, check=False, env=environment
    ).returncode


@pytest.mark.parametrize("bash", [True, False], ids=["bash", "curl"])
@pytest.mark.parametrize(
    ("code", "text", "path", "well"),
    [
        (200, '{"starting":false}', "/ready", True),
        (200, '{"starting":true}', "/ready", False),
        (503, '{"starting":false}', "/ready", False),
        (200, '{"starting":false}', "/other", False),
    ],
)
def test_a_health_check_asks_what_the_probe_asks(bash: bool, code: int, text: str, path: str, well: bool) -> None:
    if not bash and shutil.which("curl") is None:
        pytest.skip("curl is not on this machine")
    with server(code, text) as port:
        probe = Probe("http", port, path, expect='"starting":false')
        assert (run(check(probe, bash=bash)) == 0) is well


@pytest.mark.parametrize("bash", [True, False], ids=["bash", "curl"])
@pytest.mark.parametrize(("code", "well"), [(200, True), (503, False)])
def test_an_answer_without_a_body_is_one(bash: bool, code: int, well: bool) -> None:
    if not bash and shutil.which("curl") is None:
        pytest.skip("curl is not on this machine")
    with server(code, "") as port:
        assert (run(check(Probe("http", port, "/ready"), bash=bash)) == 0) is well


def test_a_health_check_of_a_port(free_port: int) -> None:
    test = check(Probe("tcp", free_port), bash=True)
    assert run(test) != 0
    with socket.create_server(("127.0.0.1", free_port)):
        assert run(test) == 0


@pytest.mark.parametrize(("expect", "well"), [("", True), ('"starting":false', True), ("something else", False)])
def test_a_health_check_by_bash_wants_no_other_program(expect: str, well: bool) -> None:
    """MinIO's image has neither curl nor grep."""
    with server(200, 'begin\n{"starting":false}') as port:
        test = check(Probe("http", port, "/ready", expect=expect), bash=True)
        assert (run(test, path="/nowhere") == 0) is well


def test_a_command_is_its_own_health_check() -> None:
    assert check(Probe("exec", command=("pg_isready", "-q")), bash=True) == ("CMD", "pg_isready", "-q")


@pytest.mark.parametrize("bash", [True, False], ids=["bash", "curl"])
def test_a_health_check_by_https(tmp_path: Path, bash: bool) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not on this machine")
    state, certificate = State(tmp_path / "it's"), Certificate.of("web", "web")
    files = (File("key.pem", certificate.key), File("authority.pem", certificate.authority))
    probe = Probe("https", 1, "/ready", expect="'well'", trust="authority.pem")
    service = Service("web", "image", (), ("web",), probe, files=(*files, File("chain.pem", certificate.chain)))
    certificates.issue(state, [service])
    steps.write(state, "web", service.files)
    config = state.config("web")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config / "chain.pem", config / "key.pem")
    with server(200, "all is 'well'", context) as port:
        asked = replace(probe, port=port)
        assert run(check(asked, str(config), bash=bash)) == 0
        assert run(check(replace(asked, expect="ill"), str(config), bash=bash)) != 0
        assert run(check(replace(asked, trust=""), str(config), bash=bash)) != 0
        assert run(check(replace(asked, path="/other"), str(config), bash=bash)) != 0
    assert run(check(asked, str(config), bash=bash)) != 0


def test_a_health_check_by_https_without_curl_asks_for_the_port(free_port: int) -> None:
    test = check(Probe("https", free_port), "/config", bash=True)
    assert run(test, path="/nowhere") != 0
    with socket.create_server(("127.0.0.1", free_port)):
        assert run(test, path="/nowhere") == 0
