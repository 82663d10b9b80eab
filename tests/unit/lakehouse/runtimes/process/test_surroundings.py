"""The environment of a service's programs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lakehouse.runtimes import recording
from lakehouse.runtimes.process import archives
from lakehouse.runtimes.process.surroundings import environment, later
from lakehouse.runtimes.recording import VARIABLE
from lakehouse.runtimes.state import State
from lakehouse.services.service import Probe, Service


def service(java: int | None) -> Service:
    return Service(name="nessie", image="i", packages=(), command=("/java",), probe=Probe("tcp", 1), java=java)


def test_each_service_has_a_temporary_folder_of_its_own(tmp_path: Path) -> None:
    state = State(tmp_path / "a lakehouse")
    found = environment(service(25), state)
    assert found["TMPDIR"] == str(state.root / "tmp" / "nessie")
    assert found[VARIABLE] == f"'-Djava.io.tmpdir={state.root}/tmp/nessie'"
    assert VARIABLE not in environment(service(None), state)


def test_a_record_that_is_asked_for_stays(tmp_path: Path) -> None:
    recorded = Service(
        name="trino", image="i", packages=(), command=("/java",), probe=Probe("tcp", 1), java=25,
        environment=((VARIABLE, "-XX:Record"),),
    )  # fmt: skip
    assert environment(recorded, State(tmp_path))[VARIABLE].split() == [
        f"-Djava.io.tmpdir={tmp_path}/tmp/trino",
        "-XX:Record",
    ]


def test_an_archive_that_is_made_after_the_script_is_used_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "it's an archive.aot"
    monkeypatch.setattr(archives, "path", lambda service: archive)
    lines = f"export {VARIABLE}=-Dfirst\n{later(service(25))}\necho ${VARIABLE}"

    def said() -> str:
        return subprocess.run(["/bin/sh", "-ec", lines], capture_output=True, text=True, check=True).stdout.strip()

    assert said() == "-Dfirst"
    archive.write_text("archive")
    assert said().startswith("-Dfirst -XX:")
    assert said().endswith(recording.quoted(f"-XX:AOTCache={archive}"))
    assert later(service(25)) == "", "a script that is made now names it itself"


def test_a_program_without_an_archive_has_no_such_line() -> None:
    assert later(service(None)) == ""
