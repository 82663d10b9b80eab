"""Renewed certificates reach services that run: the files that differ, and then a signal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from lakehouse.runtimes import certificates, generations, renewal, tokens
from lakehouse.runtimes.runtime import Process, Runtime
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.certificate import AUTHORITY, Certificate, Given
from lakehouse.services.service import File, Probe, Service
from lakehouse.text.placeholders import Secret, written

OWN = Certificate.of("web", "web.internal")
PEM = (File("key.pem", OWN.key), File("certificate.pem", OWN.chain), File("authority.pem", OWN.authority))
STORE = (File("server.p12", OWN.keystore),)


class Recorded:
    """What a runtime is asked for."""

    def __init__(self, state: State, *running: str) -> None:
        self.state = state
        self.running = running
        self.asked: list[tuple[str, str]] = []

    def processes(self) -> dict[str, Process]:
        return {name: Process(name, "RUNNING", 7, 60, "") for name in self.running}

    def restart(self, service: Service) -> float:
        self.asked.append((service.name, "restart"))
        return 1.5

    def configure(self, service: str, files: Any) -> None:
        for each in files:
            write_private(self.state.config(service) / each.path, written(each.text, self.state.secret))
            self.asked.append((service, each.path))

    def signal(self, service: str, name: str) -> None:
        self.asked.append((service, name))


def web(word: Any = "", files: tuple[File, ...] = PEM) -> Service:
    return Service("web", "", (), ("web",), Probe("tcp", 1), files=files, renewal=word)


def made(tmp_path: Path, service: Service) -> State:
    """A state folder in which the service has been started."""
    state = State(tmp_path)
    certificates.issue(state, [service])
    for each in service.files:
        write_private(state.config("web") / each.path, written(each.text, state.secret))
    return state


@pytest.mark.parametrize("files", [PEM, STORE])
def test_only_a_renewed_certificate_makes_files_outdated(tmp_path: Path, files: tuple[File, ...]) -> None:
    service = web(files=files)
    state = made(tmp_path, service)
    assert renewal.outdated(state, service) == ()
    certificates.make(state, OWN.chain)
    assert {each.path for each in renewal.outdated(state, service)} == {each.path for each in files} - {"authority.pem"}


@pytest.mark.parametrize(("word", "signals"), [("itself", []), ("HUP", [("web", "HUP")]), ("USR1", [("web", "USR1")])])
def test_it_is_written_once_and_then_signalled(tmp_path: Path, word: str, signals: list[tuple[str, str]]) -> None:
    service = web(word)
    state = made(tmp_path, service)
    runtime = Recorded(state)
    certificates.make(state, OWN.chain)
    assert renewal.hand_over(state, [service], cast("Runtime", runtime)) == ["web"]
    assert runtime.asked == [("web", "key.pem"), ("web", "certificate.pem"), *signals]
    assert renewal.hand_over(state, [service], cast("Runtime", runtime)) == []


def test_one_that_only_a_restart_renews_is_left_to_it(tmp_path: Path) -> None:
    state = made(tmp_path, web())
    certificates.make(state, OWN.chain)
    assert renewal.hand_over(state, [web()], cast("Runtime", Recorded(state))) == []


def test_a_renewed_certificate_restarts_only_what_cannot_take_it(tmp_path: Path) -> None:
    takes, restarts = web("HUP"), replace(web(), name="other")
    assert generations.used(takes) == ("authority-certificate",)
    assert generations.used(restarts) == ("authority-certificate", "web-certificate")
    planned = generations.Planned({"web-certificate": 1})
    state = State(tmp_path)
    assert generations.handed_over(state, [takes, restarts], planned) == ("web",)
    assert generations.handed_over(state, [takes], generations.Planned({f"{AUTHORITY}-certificate": 1})) == ()


TAKES = web("HUP")
OTHER = Certificate.of("stiff", "stiff.internal")
STIFF = Service("stiff", "", (), ("stiff",), Probe("tcp", 2), files=(File("k", OTHER.key), File("c", OTHER.chain)))
FOLLOWS = Service("follows", "", (), ("follows",), Probe("tcp", 3), restarts_with=("stiff",))
ALL = (TAKES, STIFF, FOLLOWS)
NAMES = {"web-certificate", "stiff-certificate"}
NONE = renewal.Renewals((), (), (), ())


@pytest.fixture
def several(tmp_path: Path) -> State:
    state = State(tmp_path)
    certificates.issue(state, ALL)
    for service in ALL:
        for each in service.files:
            write_private(state.config(service.name) / each.path, written(each.text, state.secret))
    return state


def ending(state: State, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Have these certificates end soon."""
    paths = [certificates._folder(state, name) / "certificate.pem" for name in names]
    former = {path: path.read_bytes() for path in paths}
    monkeypatch.setattr(certificates, "_lasts", lambda path: path.read_bytes() != former.get(path))


def renewed(state: State, runtime: Recorded, given: Given | None = None, **how: bool) -> renewal.Renewals:
    return renewal.renew(state, ALL, cast("Runtime", runtime), given, **how)


def test_what_is_not_due_stays(several: State) -> None:
    runtime = Recorded(several, "web", "stiff")
    assert renewed(several, runtime) == NONE
    assert runtime.asked == []


def test_without_a_restart_only_what_can_be_taken_is_renewed(several: State, monkeypatch: pytest.MonkeyPatch) -> None:
    ending(several, monkeypatch, "web", "stiff")
    runtime = Recorded(several, "web", "stiff")
    found = renewed(several, runtime)
    assert found == renewal.Renewals(("web-certificate",), ("stiff-certificate",), ("web",), ())
    assert runtime.asked == [("web", "key.pem"), ("web", "certificate.pem"), ("web", "HUP")]
    assert renewed(several, runtime) == replace(NONE, left=("stiff-certificate",)), "again: only that is due"


def test_with_a_restart_all_are_renewed_and_what_follows_restarts(
    several: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending(several, monkeypatch, "web", "stiff")
    runtime = Recorded(several, "web", "stiff", "follows")
    found = renewed(several, runtime, restarting=True)
    assert (set(found.renewed), found.left, found.waiting) == (NAMES, (), (STIFF,))
    runtime.asked.clear()
    assert renewed(several, runtime) == replace(NONE, waiting=(STIFF,)), "cut off before the restart: it still waits"
    took = renewal.restart(several, ALL, found.waiting, cast("Runtime", runtime))
    assert took == {"stiff": 1.5, "follows": 1.5}
    assert runtime.asked == [("stiff", "k"), ("stiff", "c"), ("stiff", "restart"), ("follows", "restart")]
    assert renewed(several, runtime) == NONE


def test_all_may_be_renewed_before_they_are_due(several: State) -> None:
    before = {name: certificates._folder(several, name).joinpath("key.pem").read_text() for name in ("web", "stiff")}
    found = renewed(several, Recorded(several, "web", "stiff"), everything=True)
    assert (found.renewed, found.left) == (("web-certificate",), ())
    for name, former in before.items():
        now = certificates._folder(several, name).joinpath("key.pem").read_text()
        assert (now != former) == (name == "web")


def test_what_does_not_run_gets_its_files_at_its_next_start(several: State, monkeypatch: pytest.MonkeyPatch) -> None:
    ending(several, monkeypatch, "web", "stiff")
    runtime = Recorded(several)
    found = renewed(several, runtime)
    assert (set(found.renewed), found.left, found.taken, found.waiting) == (NAMES, (), (), ())
    assert runtime.asked == []


def test_an_authority_that_is_due_leaves_everything_to_a_deploy(
    several: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = several.secret(OWN.authority.kept)
    ending(several, monkeypatch, AUTHORITY)
    found = renewed(several, Recorded(several, "web", "stiff"), everything=True, restarting=True)
    assert found.renewed == ()
    assert set(found.left) == {*NAMES, "authority-certificate"}
    assert several.secret(OWN.authority.kept) == former


def test_keys_that_sign_tokens_are_left_to_a_deploy(several: State, monkeypatch: pytest.MonkeyPatch) -> None:
    token = Secret("owner.jwt", "token", "nessie-tokens", subject="owner")
    nessie = Service("nessie", "", (), ("nessie",), Probe("tcp", 4), files=(File("t", token),))
    tokens.make(several, "nessie-tokens")
    monkeypatch.setattr(tokens, "due", lambda state, name: True)
    found = renewal.renew(several, (nessie,), cast("Runtime", Recorded(several, "nessie")), restarting=True)
    assert found == replace(NONE, left=("nessie-tokens",))


def test_a_file_that_a_service_was_started_without_is_not_outdated(several: State) -> None:
    (several.config("stiff") / "c").unlink()
    assert renewal.outdated(several, STIFF) == ()
