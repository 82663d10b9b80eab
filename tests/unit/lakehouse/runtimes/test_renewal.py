"""Renewed certificates reach services that run: the files that differ, and then a signal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from lakehouse.runtimes import certificates, generations, renewal
from lakehouse.runtimes.runtime import Runtime
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.certificate import AUTHORITY, Certificate
from lakehouse.services.service import File, Probe, Service
from lakehouse.text.placeholders import written

OWN = Certificate.of("web", "web.internal")
PEM = (File("key.pem", OWN.key), File("certificate.pem", OWN.chain), File("authority.pem", OWN.authority))
STORE = (File("server.p12", OWN.keystore),)


class Recorded:
    """What a runtime is asked for."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.asked: list[tuple[str, str]] = []

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
    certificates.make(state, "web", OWN.names)
    assert {each.path for each in renewal.outdated(state, service)} == {each.path for each in files} - {"authority.pem"}


@pytest.mark.parametrize(("word", "signals"), [("itself", []), ("HUP", [("web", "HUP")]), ("USR1", [("web", "USR1")])])
def test_it_is_written_once_and_then_signalled(tmp_path: Path, word: str, signals: list[tuple[str, str]]) -> None:
    service = web(word)
    state = made(tmp_path, service)
    runtime = Recorded(state)
    certificates.make(state, "web", OWN.names)
    assert renewal.hand_over(state, [service], cast("Runtime", runtime)) == ["web"]
    assert runtime.asked == [("web", "key.pem"), ("web", "certificate.pem"), *signals]
    assert renewal.hand_over(state, [service], cast("Runtime", runtime)) == []


def test_one_that_only_a_restart_renews_is_left_to_it(tmp_path: Path) -> None:
    state = made(tmp_path, web())
    certificates.make(state, "web", OWN.names)
    assert renewal.hand_over(state, [web()], cast("Runtime", Recorded(state))) == []


def test_a_renewed_certificate_restarts_only_what_cannot_take_it(tmp_path: Path) -> None:
    takes, restarts = web("HUP"), replace(web(), name="other")
    assert generations.used(takes) == ("authority-certificate",)
    assert generations.used(restarts) == ("authority-certificate", "web-certificate")
    planned = generations.Planned({"web-certificate": 1})
    state = State(tmp_path)
    assert generations.handed_over(state, [takes, restarts], planned) == ("web",)
    assert generations.handed_over(state, [takes], generations.Planned({f"{AUTHORITY}-certificate": 1})) == ()
