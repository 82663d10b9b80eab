"""What the steps of a deploy do about hosts that do not answer, and services that are where they were planned."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.packages.environment import ToolEnvironment
from lakehouse.runtimes import disk, generations, owner
from lakehouse.runtimes.generations import NOTHING
from lakehouse.runtimes.hosts import playbook, remembered, seen, steps, uploads
from lakehouse.runtimes.hosts.place import HostsPlace
from lakehouse.runtimes.hosts.remembered import HostMemory
from lakehouse.runtimes.hosts.runtime import Hosts
from lakehouse.runtimes.hosts.seen import HostSeen, Seen, UnitSeen
from lakehouse.runtimes.hosts.ssh import HostError, Ssh
from lakehouse.runtimes.hosts.steps import PlacedStack
from lakehouse.runtimes.hosts.uploads import Upload
from lakehouse.runtimes.incarnation import NONE, Incarnation, record
from lakehouse.runtimes.owner import Owner, OwnerClaim
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import File, Service
from tests.unit.lakehouse.runtimes.hosts.conftest import FACTS, deployed, renewed
from tests.unit.lakehouse.runtimes.hosts.test_variables import CLIENTS

CLAIM = OwnerClaim(Owner("demo", "prod", "id", "file", "folder"), deployed=True, catalogs=())


def there(host: str, *, ready: bool = True) -> UnitSeen:
    return UnitSeen(host, "active", "running", "success", 42, 1, 1, ready=ready, edited=False, missing=())


@pytest.fixture
def stack(placed: tuple[HostsPlace, tuple[Service, ...]], tmp_path: Path) -> PlacedStack:
    """A stack on the hosts a and b, both set up."""
    place, services = placed
    state = State(tmp_path)
    for name, each in place.hosts.items():
        remembered.keep(state, name, HostMemory(each, place.layout, NONE, ""))
    planned = {each.name: (each, Incarnation.new("digest")) for each in services}
    return PlacedStack(state, place, CLIENTS, planned, dict.fromkeys(place.hosts, NONE))


@pytest.fixture
def down(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The hosts that do not answer; all other parts of a preflight do nothing."""
    found: set[str] = set()

    def facts(_: Hosts, ssh: Ssh) -> dict[str, Any]:
        if ssh.name in found:
            raise HostError(f"Host {ssh.name} is not reached.")
        return FACTS

    def look(hosts: dict[str, Ssh], *_: object) -> Seen:
        return Seen(
            hosts={name: HostSeen("", ()) for name in hosts if name not in found},
            down={name: HostError("down") for name in hosts if name in found},
        )

    monkeypatch.setattr(Hosts, "facts", facts)
    monkeypatch.setattr(seen, "look", look)
    for module, names in ((owner, ("check", "mark")), (disk, ("check",)), (generations, ("make", "renew"))):
        for name in names:
            monkeypatch.setattr(module, name, lambda *_: None)
    monkeypatch.setattr(ToolEnvironment, "set_up", lambda _: None)
    monkeypatch.setattr(uploads, "made", lambda _: {})
    monkeypatch.setattr(steps, "written", lambda *_: b"")
    return found


def test_a_host_that_is_down_is_named_and_stops_nothing_on_others(
    stack: PlacedStack, down: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    down.add("b")
    steps.preflight(stack, CLAIM, NOTHING)
    assert capsys.readouterr().out == "Host b is not reached.\nThe other hosts go on.\n"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"owner": 'other lakehouse "demo", stack prod, of /jane/lakehouse.yaml, on laptop'},
            'Host a has a lakehouse "demo", stack prod, of /jane/lakehouse.yaml, on laptop, which is also demo-prod'
            " there. Choose another `name`, or another name for the stack; if it is this one, or gone for good, remove "
            "/var/lib/lakehouse/demo-prod/owner there.",
        ),
        ({"machine": "one"}, "Host b is the same machine as a. Remove one of the two from `hosts`."),
        ({"clock": -3600.4}, "Host a: its clock is 3600 s behind this machine's. Set one of the two"),
        ({"clock": 3600.4}, "Host a: its clock is 3600 s ahead of this machine's."),
        ({"free_mb": 100, "free_at": "/opt/lakehouse"}, "Host a: /opt/lakehouse has 100 MB free; 2048 MB are needed."),
    ],
)
def test_a_host_that_would_make_a_deploy_fail_stops_it_before_anything_is_touched(
    stack: PlacedStack, down: set[str], monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], message: str
) -> None:
    monkeypatch.setattr(Hosts, "facts", lambda *_: FACTS | changed)
    monkeypatch.setattr(Ssh, "python", None)
    with pytest.raises(LakehouseError, match=re.escape(message)):
        steps.preflight(stack, CLAIM, NOTHING)


def test_a_machine_in_place_of_another_is_refused_and_the_same_at_another_address_is_not(
    stack: PlacedStack, down: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the former would go on running, with its data, and nobody would know of it."""
    b = remembered.recall(stack.state, "b")
    assert b is not None
    former = b.host.model_copy(update={"address": "10.0.0.99"})
    remembered.keep(stack.state, "b", replace(b, host=former, incarnation=Incarnation.new("x")))
    with pytest.raises(
        LakehouseError, match=r"Host b was 10.0.0.99, port 22, and .* is another machine(.|\n)*remove .*/b"
    ):
        steps.preflight(stack, CLAIM, NOTHING)
    owner.write_mark(stack.state.root, CLAIM.owner)
    monkeypatch.setattr(Hosts, "facts", lambda *_: FACTS | {"owner": steps._owner(stack.state)})
    steps.preflight(stack, CLAIM, NOTHING)


@pytest.mark.parametrize(
    ("caller", "said"),
    [
        ("10.9.9.9", "Host a sees this machine as 10.9.9.9, which `clients` does not have: its firewall keeps it from"),
        ("10.1.2.3", ""),  # within a network of `clients`
        ("10.0.0.12", ""),  # a host
        ("fe80::1", ""),
        ("", ""),
    ],
)
def test_a_machine_that_the_firewall_would_not_let_in_is_told_so(
    stack: PlacedStack,
    down: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caller: str,
    said: str,
) -> None:
    monkeypatch.setattr(Hosts, "facts", lambda *_: FACTS | {"caller": caller})
    steps.preflight(stack, CLAIM, NOTHING)
    out = capsys.readouterr().out
    assert said in out if said else out == ""


@pytest.mark.parametrize(("free", "inodes"), [(100, None), (1 << 20, 10)])
def test_a_host_whose_disk_is_full_stops_a_deploy(
    stack: PlacedStack, down: set[str], monkeypatch: pytest.MonkeyPatch, free: int, inodes: int | None
) -> None:
    monkeypatch.setattr(Hosts, "facts", lambda *_: FACTS | {"free_mb": free, "free_inodes": inodes})
    with pytest.raises(LakehouseError, match=f"Host a: .* has {free} MB free.* are needed. Free space there"):
        steps.preflight(stack, CLAIM, NOTHING)


def test_a_new_host_that_does_not_answer_stops_a_deploy(stack: PlacedStack, down: set[str]) -> None:
    down.add("b")
    remembered.forget(stack.state, "b")
    with pytest.raises(LakehouseError, match="Host b is not reached"):
        steps.preflight(stack, CLAIM, NOTHING)


def test_a_deploy_stops_if_no_host_answers(stack: PlacedStack, down: set[str]) -> None:
    down |= {"a", "b"}
    with pytest.raises(LakehouseError, match="Host a is not reached.\nHost b is not reached"):
        steps.preflight(stack, CLAIM, NOTHING)


def test_a_store_that_was_last_on_a_host_that_is_down_is_not_started_elsewhere(
    stack: PlacedStack, down: set[str]
) -> None:
    down.add("b")
    remembered.came(stack.state, stack.planned["trino-worker-1"][0], "b")
    steps.preflight(stack, CLAIM, NOTHING)
    remembered.came(stack.state, stack.planned["s3proxy"][0], "b")
    with pytest.raises(LakehouseError, match="s3proxy is on host b, with its data, and the file has it on a"):
        steps.preflight(stack, CLAIM, NOTHING)


def test_a_former_host_that_is_down_says_how_to_go_on(
    stack: PlacedStack, down: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def python(ssh: Ssh, *_: object, **__: object) -> Any:
        raise HostError(f"Host {ssh.name} is not reached.")

    monkeypatch.setattr(Ssh, "python", python)
    a = remembered.recall(stack.state, "a")
    assert a is not None
    remembered.keep(stack.state, "former", a)
    with pytest.raises(LakehouseError, match=r"Host former is not reached.(.|\n)*gone for good, remove .*former"):
        steps.preflight(stack, CLAIM, NOTHING)
    remembered.path_of(stack.state, "former").unlink()
    steps.preflight(stack, CLAIM, NOTHING)


def test_a_destroy_clears_the_hosts_that_answer_and_says_how_to_go_on_without_the_other(
    stack: PlacedStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cleared: list[str] = []

    def python(ssh: Ssh, _: Path, given: dict[str, Any], **__: object) -> Any:
        if ssh.name == "a":
            raise HostError("Host a is not reached.")
        cleared.append(f"{given['do']} {ssh.name}")
        return {"left": []}

    monkeypatch.setattr(Ssh, "python", python)
    steps.service_down(stack, "nessie")
    assert capsys.readouterr().err == "nessie is not stopped. Host a is not reached.\n"
    with pytest.raises(HostError, match=r"Host a is not reached.\n.*still there. If it is gone for good, remove .*/a"):
        steps.clear(stack.state, stack.place.home)
    assert cleared == ["clear b"]
    remembered.path_of(stack.state, "a").unlink()
    steps.clear(stack.state, stack.place.home)


def test_a_worker_that_moves_is_drained_where_it_was(
    stack: PlacedStack, down: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []
    data: list[str] = []

    def python(ssh: Ssh, _: Path, given: dict[str, Any], **__: object) -> Any:
        asked.append((ssh.name, given["do"]))
        data.extend([given["data"]] if "data" in given else [])
        return {"empty": True}

    monkeypatch.setattr(Ssh, "python", python)
    remembered.came(stack.state, stack.planned["trino-worker-1"][0], "a")
    monkeypatch.setattr(
        seen, "look", lambda hosts, *_: Seen(units={"trino-worker-1": there("a")} if "a" in hosts else {})
    )
    steps.preflight(stack, CLAIM, NOTHING)
    assert asked == [("a", "drain"), ("a", "remove")]
    assert data == ["/var/lib/lakehouse/demo-prod/trino-worker-1"], "it can be made again"


def test_a_host_whose_set_up_was_interrupted_is_cleared(stack: PlacedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def python(ssh: Ssh, _: Path, given: dict[str, Any], **__: object) -> Any:
        asked.append((ssh.name, given["do"]))
        return {"left": []}

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Ssh, "python", python)
    monkeypatch.setattr(uploads, "made", lambda _: {})
    monkeypatch.setattr(playbook, "run", interrupted)
    for host in stack.hosts:
        remembered.forget(stack.state, host)
    with pytest.raises(KeyboardInterrupt):
        steps.host_up(stack, "b")
    steps.clear(stack.state, stack.place.home)
    assert asked == [("b", "repair"), ("b", "clear")]
    steps.clear(stack.state, stack.place.home)
    assert asked[2:] == []


@pytest.mark.parametrize("mirror", ["", "http://files.example/lake"])
def test_a_host_fetches_a_package_if_there_is_a_place_and_gets_it_otherwise(
    stack: PlacedStack, monkeypatch: pytest.MonkeyPatch, mirror: str
) -> None:
    monkeypatch.setattr(Ssh, "python", lambda *_, **__: {"firewall": ""})
    monkeypatch.setattr(uploads, "made", lambda _: {"java-21": Upload("java-21", "j-21", "/c/j+21 x.tar", "ab", "1")})
    monkeypatch.setattr(playbook, "run", lambda *_: None)
    steps.host_up(replace(stack, place=replace(stack.place, mirror=mirror)), "a")
    (found,) = json.loads(playbook.host_variables(stack.state, "a").read_text())["lakehouse_packages"]
    assert found["url"] == (f"{mirror}/j%2B21%20x.tar" if mirror else "")
    assert (found["archive"], found["sha256"]) == ("/c/j+21 x.tar", "ab")


def test_a_service_that_runs_as_planned_is_left_alone(stack: PlacedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[object] = []
    monkeypatch.setattr(playbook, "run", lambda *given: ran.append(given[1:3]))
    monkeypatch.setattr(steps, "written", lambda *_: b"")
    monkeypatch.setattr(seen, "look", lambda *_: Seen(units={"nessie": there("a")}))
    monkeypatch.setattr(Ssh, "python", lambda *_, **__: {"ready": True})
    incarnation = stack.incarnations["nessie"]
    record(stack.state, "nessie", incarnation)
    assert steps.service_up(stack, "nessie") == 0.0
    assert ran == []
    record(stack.state, "nessie", Incarnation.new("digest"))
    steps.service_up(stack, "nessie")
    assert ran == [(["a"], ["service"])]
    assert remembered.of_host(stack.state, "a") == ["nessie"]


def test_a_deploy_hands_renewed_certificates_to_what_goes_on(
    secure_stack: PlacedStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(secure_stack)
    did: list[tuple[str, ...]] = []
    monkeypatch.setattr(Hosts, "configure", lambda _, name, files: did.append((name, *(each.path for each in files))))
    monkeypatch.setattr(Hosts, "signal", lambda _, *words: did.append(words))
    units = {"trino": there("a"), "proxy-b": there("b"), "s3proxy": there("a")}
    monkeypatch.setattr(seen, "look", lambda *_: Seen(units=units))
    monkeypatch.setattr("lakehouse.runtimes.hosts.remembered.names", lambda _: ["a", "b"])
    steps.hand_over(secure_stack)
    assert did == []
    renewed(secure_stack, "trino", "proxy-b", "s3proxy", "nessie")
    steps.hand_over(secure_stack)
    assert did == [("proxy-b", "key.pem", "certificate.pem"), ("proxy-b", "USR1"), ("trino", "server.pem")]
    assert capsys.readouterr().out.splitlines() == [
        "proxy-b has a renewed certificate, and goes on",
        "trino has a renewed certificate, and goes on",
    ]


def test_a_deploy_keeps_what_the_bootstrap_wrote(secure_stack: PlacedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The passwords of Trino's users, and their rights."""
    service, _ = secure_stack.planned["trino"]
    once = File("access/users", "", once=True)
    planned = {**secure_stack.planned, "trino": (replace(service, files=(once, File("other", "new"))), NONE)}
    changed = replace(secure_stack, planned=planned)
    monkeypatch.setattr(playbook, "run", lambda *_: None)
    monkeypatch.setattr(seen, "look", lambda *_: Seen())
    monkeypatch.setattr(Ssh, "python", lambda *_, **__: {"ready": True})
    folder = secure_stack.state.config("trino")
    asked: list[dict[str, Any]] = []

    def python(_: Ssh, __: Path, given: dict[str, Any], **___: object) -> Any:
        asked.append(given)
        return {"ready": True}

    monkeypatch.setattr(Ssh, "python", python)
    write_private(secure_stack.state.written("trino"), "other\netc/catalog/former.properties")
    steps.service_up(changed, "trino")
    former = "/etc/lakehouse/demo-prod/trino/etc/catalog/former.properties"
    assert asked[0] == {"do": "drop", "files": [former]}, "else Trino would go on showing that catalog"
    assert (folder / once.path).read_text() == ""
    for path in (once.path, "other"):
        write_private(folder / path, "bi:hash")
    steps.service_up(changed, "trino")
    assert ((folder / once.path).read_text(), (folder / "other").read_text()) == ("bi:hash", "new")
