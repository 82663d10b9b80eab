"""The environment of a service's programs."""

from __future__ import annotations

from pathlib import Path

from lakehouse.runtimes.process import archives
from lakehouse.runtimes.process.surroundings import environment
from lakehouse.runtimes.state import State
from lakehouse.services.service import Probe, Service


def service(java: int | None) -> Service:
    return Service(name="nessie", image="i", packages=(), command=("/java",), probe=Probe("tcp", 1), java=java)


def test_each_service_has_a_temporary_folder_of_its_own(tmp_path: Path) -> None:
    state = State(tmp_path / "a lakehouse")
    found = environment(service(25), state)
    assert found["TMPDIR"] == str(state.root / "tmp" / "nessie")
    assert found[archives.VARIABLE] == f"'-Djava.io.tmpdir={state.root}/tmp/nessie'"
    assert archives.VARIABLE not in environment(service(None), state)


def test_a_record_that_is_asked_for_stays(tmp_path: Path) -> None:
    recorded = Service(
        name="trino", image="i", packages=(), command=("/java",), probe=Probe("tcp", 1), java=25,
        environment=((archives.VARIABLE, "-XX:Record"),),
    )  # fmt: skip
    assert environment(recorded, State(tmp_path))[archives.VARIABLE].split() == [
        f"-Djava.io.tmpdir={tmp_path}/tmp/trino",
        "-XX:Record",
    ]
