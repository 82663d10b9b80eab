from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import owner, renewal
from lakehouse.runtimes.findings import CheckContext, Finding
from lakehouse.runtimes.hosts import remembered, seen
from lakehouse.runtimes.hosts.place import HostsPlace
from lakehouse.runtimes.hosts.remembered import HostMemory
from lakehouse.runtimes.hosts.runtime import Hosts
from lakehouse.runtimes.hosts.seen import HostSeen, Seen, UnitSeen
from lakehouse.runtimes.hosts.ssh import HostError, Ssh
from lakehouse.runtimes.hosts.steps import PlacedStack
from lakehouse.runtimes.incarnation import NONE
from lakehouse.runtimes.owner import Owner
from lakehouse.runtimes.state import State
from lakehouse.services.service import File, Service
from lakehouse.text.placeholders import issued
from tests.unit.lakehouse.runtimes.hosts.conftest import FACTS, deployed, renewed


def test_services_of_a_host_that_is_down_are_unreachable(
    placed: tuple[HostsPlace, tuple[Service, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, services = placed
    state = State(tmp_path)
    remembered.keep(state, "a", HostMemory(place.hosts["a"], place.layout, NONE, ""))
    trino = UnitSeen("a", "active", "running", "success", 42, 1, 1, ready=True, edited=False, missing=())
    monkeypatch.setattr(seen, "look", lambda *_: Seen(units={"trino": trino}, down={"b": HostError("down")}))
    runtime = Hosts(state, place, services, {})
    found = runtime.processes()
    assert found.keys() == {each.name for each in services if place.on(each.name) == "b"} | {"trino"}
    assert {each.state for name, each in found.items() if name != "trino"} == {"UNREACHABLE"}
    assert (found["trino"].state, found["trino-worker-1"].note) == ("RUNNING", "host b does not answer")
    assert {name for name, well in runtime.healthy().items() if well} == {"trino"}


class _Here(Ssh):
    """A "host" that loses what programs write to standard error, and knows no other users and folders."""

    def command(self, *words: str) -> list[str]:
        at = words.index("runuser")
        return ["sh", "-c", 'exec "$@" 2>/dev/null', "sh", *words[:at], "env", *words[words.index("-C") + 2 :]]


def test_what_a_program_writes_is_one_stream_already_on_the_host(
    placed: tuple[HostsPlace, tuple[Service, ...]], tmp_path: Path
) -> None:
    """SSH carries two, and a line of one may overtake a line of the other."""
    place, services = placed
    here = _Here("a", place.hosts["a"], tmp_path, tmp_path / "known_hosts")
    runtime = Hosts(State(tmp_path), place, services, {"a": here, "b": here})
    command = ["sh", "-c", 'echo "$WORD"; echo then >&2; echo last']
    assert runtime.run("trino", command, {"WORD": "a first"}).communicate()[0].split("\n") == [
        "a first",
        "then",
        "last",
        "",
    ]
    assert runtime.run("trino", command, {"WORD": "x"}, split=True).communicate() == ("x\nlast\n", "")


def test_bytes_reach_a_host_before_the_copy_of_this_machine(
    secure_stack: PlacedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str, object]] = []

    def run(ssh: Ssh, *words: str, given: object = "", **_: object) -> None:
        sent.append((ssh.name, words[-1], given))

    monkeypatch.setattr(Ssh, "run", run)
    [file] = [each for each in secure_stack.planned["s3proxy"][0].files if issued(each.text)]
    secure_stack.runtime.configure("s3proxy", [file])
    copy = secure_stack.state.config("s3proxy") / file.path
    assert sent == [("a", f"/etc/lakehouse/demo-prod/s3proxy/{file.path}", copy.read_bytes())]

    def down(*_: object, **__: object) -> str:
        raise HostError("down")

    monkeypatch.setattr(Ssh, "run", down)
    with pytest.raises(HostError):
        secure_stack.runtime.configure("s3proxy", [File("later", "text")])
    assert not (secure_stack.state.config("s3proxy") / "later").exists()


def test_doctor_names_hosts_with_former_certificates(secure_stack: PlacedStack) -> None:
    deployed(secure_stack)
    assert _finding(secure_stack).severity == "ok"
    renewed(secure_stack, "trino-worker-1", "s3proxy")
    found = _finding(secure_stack)
    assert found.severity == "warning"
    assert "a former one: s3proxy on a, trino-worker-1 on b" in found.found
    assert renewal.outdated(secure_stack.state, secure_stack.planned["nessie"][0]) == ()


def _finding(stack: PlacedStack) -> Finding:
    check = next(
        each
        for each in stack.runtime.checks(CheckContext("prod", Path(), {}, "", {}))
        if each.name == "certificates on hosts"
    )
    return check.look()


@pytest.mark.parametrize(
    ("free_mb", "inodes", "severity", "said"),
    [
        (9000, None, "ok", "a: 8000 MiB of memory, 9000 MB free"),
        (1900, 90_000, "warning", "a: /var/lib/lakehouse/demo-prod has 1900 MB free and room for 90000 more files"),
        (0, None, "error", "a: /var/lib/lakehouse/demo-prod has 0 MB free"),
        (9000, 10, "error", "a: /var/lib/lakehouse/demo-prod has 9000 MB free and room for 10 more files"),
    ],
)
def test_a_host_whose_disk_is_full_is_named(
    placed: tuple[HostsPlace, tuple[Service, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    free_mb: int,
    inodes: int | None,
    severity: str,
    said: str,
) -> None:
    place, services = placed
    facts = FACTS | {"memory_mb": 8000, "free_mb": free_mb, "free_inodes": inodes}
    monkeypatch.setattr(Hosts, "facts", lambda *_: facts)
    runtime = Hosts(State(tmp_path), place, services, {})
    found = runtime._answers(Ssh("a", place.hosts["a"], tmp_path, tmp_path / "known_hosts"))
    assert (found.severity, found.found) == (severity, said)
    if severity != "ok":
        assert "restart" not in found.fix, "S3Proxy takes writes again by itself"
        stuck = [replace(each, stuck_when_full=True) for each in services if place.on(each.name) == "a"][:1]
        runtime = Hosts(State(tmp_path), place, tuple(stuck), {})
        found = runtime._answers(Ssh("a", place.hosts["a"], tmp_path, tmp_path / "known_hosts"))
        assert f"then `lakehouse restart {stuck[0].name}`: until then it refuses writes" in found.fix


def test_hosts_that_do_not_fit_are_named_also_those_that_were_never_set_up(
    placed: tuple[HostsPlace, tuple[Service, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, services = placed
    number = next(each for each in services if place.on(each.name) == "a").ports[0].number
    taken = {str(number): "nginx (pid 7)"}
    small = FACTS | {"lacks": ["nft"], "memory_mb": 100, "taken": taken}
    state = State(tmp_path / "state")
    here = {name: Ssh(name, each, tmp_path, state.root / "known_hosts") for name, each in place.hosts.items()}
    asked: list[str] = []

    def look(hosts: dict[str, Ssh], *_: object) -> Seen:
        asked.extend(hosts)
        assert not [each for each in hosts.values() if state.root in each.known_hosts.parents], "a plan keeps nothing"
        return Seen(down={name: HostError(f"Host {name} is not reached.") for name in hosts})

    monkeypatch.setattr(seen, "look", look)
    runtime = Hosts(state, place, services, here)
    found = runtime.unfit(Seen(hosts={"a": HostSeen("", (), small)}), [IPv4Network("10.9.0.0/16")])
    assert asked == ["b"]
    assert found[:2] == ["Host b is not reached.", "Host a lacks nft. Install that there, or name another host."]
    assert found[2].startswith("Host a: ")
    assert "only 100 MiB of memory" in found[2]
    assert found[3].startswith(f"Host a: port {number} (")
    assert found[3].endswith(") is taken by nginx (pid 7). Stop that, or choose another number under `ports`.")
    assert found[4].startswith("Host a sees this machine as 10.0.0.1, which `clients` does not have: its firewall ")
    assert len(found) == 5


def test_who_has_a_port_of_a_service_is_asked_on_its_host(
    placed: tuple[HostsPlace, tuple[Service, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, services = placed
    wanted, other = (next(each for each in services if place.on(each.name) == name) for name in ("a", "b"))
    port = wanted.ports[0]

    def python(ssh: Ssh, _: Path, asked: dict[str, Any]) -> Any:
        if ssh.name == "b":
            raise HostError("down")
        assert (asked["do"], asked["ports"]) == ("taken", {wanted.name: [port.number]}), "nothing that takes time"
        return {"taken": {str(port.number): "nginx (pid 7)"}}

    monkeypatch.setattr(Ssh, "python", python)
    here = {name: Ssh(name, each, tmp_path, tmp_path / "known_hosts") for name, each in place.hosts.items()}
    runtime = Hosts(State(tmp_path), place, services, here)
    (found,) = runtime.holders({wanted.name: [port], other.name: other.ports})
    said = f"on a, port {port.number} ({port.name}) is taken by nginx (pid 7)"
    assert (found.port, found.number, found.sentence, found.pid) == (port.name, port.number, said, None)
    assert runtime.holders({}) == []


def test_data_of_another_lakehouse_of_the_same_name_is_not_removed(
    placed: tuple[HostsPlace, tuple[Service, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, services = placed
    asked: list[str] = []

    def python(ssh: Ssh, _: Path, given: dict[str, Any], **__: object) -> Any:
        asked.append(f"{given['do']} {ssh.name}")
        return {"bytes": 7, "owner": "mine, as I say" if ssh.name == "a" else "other lakehouse"}

    def run(ssh: Ssh, *words: str, **__: object) -> str:
        asked.append(f"{words[0]} {ssh.name}")
        if fails:
            raise HostError("Host a: `rm` failed: Device or resource busy.")
        return ""

    fails = False
    monkeypatch.setattr(Ssh, "python", python)
    monkeypatch.setattr(Ssh, "run", run)
    owner.write_mark(tmp_path, Owner("demo", "prod", "mine,", "file", "folder"))
    here = {name: Ssh(name, each, tmp_path, tmp_path / "known_hosts") for name, each in place.hosts.items()}
    runtime = Hosts(State(tmp_path), place, services, here)
    assert runtime.volumes() == ["a:/var/lib/lakehouse/demo-prod"]
    asked.clear()
    assert runtime.remove_data() == 7
    assert sorted(asked) == ["rm a", "size a", "size b"]
    fails = True
    with pytest.raises(HostError, match="Device or resource busy"):
        runtime.remove_data()


def test_a_service_that_is_not_installed_is_not_started_again(
    placed: tuple[HostsPlace, tuple[Service, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, services = placed
    monkeypatch.setattr(seen, "look", lambda *_: Seen())
    here = {name: Ssh(name, each, tmp_path, tmp_path / "known_hosts") for name, each in place.hosts.items()}
    with pytest.raises(LakehouseError, match="nessie is not installed on host a. `lakehouse deploy` does that."):
        Hosts(State(tmp_path), place, services, here).restart(next(each for each in services if each.name == "nessie"))
