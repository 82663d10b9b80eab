from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker import archives, training
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.services.service import Probe, Service

TEMURIN = """\
openjdk version "25.0.2" 2026-01-20
OpenJDK Runtime Environment Temurin-25.0.2+10 (build 25.0.2+10)
OpenJDK 64-Bit Server VM Temurin-25.0.2+10 (build 25.0.2+10, mixed mode, sharing)
"""
ORACLE = """\
java version "24" 2025-03-18
Java(TM) SE Runtime Environment (build 24+36-3646)
Java HotSpot(TM) 64-Bit Server VM (build 24+36-3646, mixed mode, sharing)
"""
OPENJ9 = """\
openjdk version "21.0.4" 2024-07-16 LTS
IBM Semeru Runtime Open Edition 21.0.4.1 (build 21.0.4+7-LTS)
Eclipse OpenJ9 VM 21.0.4.1 (build openj9-0.46.1, JRE 21 Linux amd64-64-Bit)
"""
OLD = """\
openjdk version "11.0.24" 2024-07-16
OpenJDK 64-Bit Server VM Temurin-11.0.24+8 (build 11.0.24+8, mixed mode)
"""
STORE = Service("s3proxy", "s3proxy-4.1.0", ("s3proxy-4.1.0",), ("java", "-jar", "/s3proxy"), Probe("tcp", 1), java=25)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize(("said", "number"), [(TEMURIN, 25), (ORACLE, 24)])
def test_java_is_asked_for_its_number(said: str, number: int) -> None:
    assert training.java(said) == number


@pytest.mark.parametrize(
    ("said", "why"), [(OPENJ9, "no HotSpot: Eclipse OpenJ9"), (OLD, "is 11, and 17 or newer"), ("", "nothing")]
)
def test_a_java_that_cannot_record_is_refused_in_words(said: str, why: str) -> None:
    with pytest.raises(LakehouseError, match=why):
        training.java(said)


@pytest.mark.parametrize(("said", "java"), [(TEMURIN, 25), (TEMURIN.replace("25.0.2", "21.0.8"), 21)])
def test_the_images_own_java_decides_how_it_records(
    said: str, java: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(DockerEngine, "output", lambda *_: said)
    found = training.possible({tmp_path: (STORE,)}, pytest.fail)
    assert [each.java for each in found[tmp_path]] == [java]
    recorded = training.recording(found[tmp_path][0], tmp_path)
    where = recorded.command if java == 25 else recorded.environment
    assert "/opt/lakehouse/records/s3proxy" in str(where), "the folder as the container sees it"


def test_an_image_that_cannot_record_is_skipped_with_its_reason_and_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def output(_: object, reference: str, command: Sequence[str], labels: object) -> str:
        raise LakehouseError("exec: java: not found")

    monkeypatch.setattr(DockerEngine, "output", output)
    told: list[str] = []
    ids = {"docker.io/andrewgaul/s3proxy:4.1.0": "sha256:53"}
    lacking = archives.missing([STORE], ids)
    assert training.possible(lacking, told.append) == {}
    assert told == [
        "  docker.io/andrewgaul/s3proxy:4.1.0 makes no class archive, so it starts more slowly: exec: java: not found"
    ]
    assert archives.missing([STORE], ids) == {}
