"""Class archives of containers: how a container finds its own, and when one counts as missing."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.packages import cached
from lakehouse.runtimes.docker import archives
from lakehouse.runtimes.docker.containers import command
from lakehouse.runtimes.docker.images import IMAGES
from lakehouse.services.service import Probe, Service

JARS = "/opt/iceberg.jar:/opt/spark/jars/*"
SPARK = Service(
    "spark-master", "spark-4.1", ("spark-4.1", "iceberg-aws-bundle-1.12.0"), ("java", "-cp", JARS, "org.apache.Master"),
    Probe("tcp", 1), java=21,
)  # fmt: skip
STORE = Service("s3proxy", "s3proxy-4.1.0", ("s3proxy-4.1.0",), ("java", "-jar", "/s3proxy"), Probe("tcp", 1), java=25)
IDS = {IMAGES["spark-4.1"].reference: "sha256:5ba", IMAGES["s3proxy-4.1.0"].reference: "sha256:53"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    stamp().parent.mkdir(parents=True)
    stamp().write_text("digest")
    return tmp_path / "cache" / "lakehouse" / "archives"


def stamp() -> Path:
    return cached.folder("iceberg-aws-bundle-1.12.0") / cached.STAMP


def path(service: Service) -> Path:
    found = archives.path(service, IDS[IMAGES[service.image].reference])
    assert found is not None
    return found


def make(service: Service, content: str = "classes") -> Path:
    archive = path(service)
    draft = archives.folder().parent / "draft"
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_text(content)
    assert archives.keep(draft, archive, service) == len(content)
    return archive


def options(service: Service, folder: Path, **variables: str) -> str:
    """The JVM's variable in a container of the service, which sees that folder as the one of the archives."""
    script, *rest = (word.replace(archives.TARGET, str(folder)) for word in command(service)[2:])
    said = ["sh", "-c", 'echo "$JAVA_TOOL_OPTIONS"']
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", script, *said], env={"JAVA_TOOL_OPTIONS": "", **variables}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert rest == list(service.command)
    assert done.stderr == ""
    return done.stdout.strip()


def test_an_archive_that_appears_changes_what_the_command_does_and_not_the_command() -> None:
    before = command(STORE)
    mine = {archives.IMAGE: "sha256:53"}
    assert options(STORE, archives.folder(), **mine) == ""
    archive = make(STORE)
    assert command(STORE) == before
    inside = f"{archives.TARGET}/{archive.parent.name}/53/classes"
    assert options(STORE, archives.folder(), **mine).endswith(f" -XX:AOTCache={inside}")
    assert options(STORE, archives.folder(), JAVA_TOOL_OPTIONS="-Da=b", **mine).startswith("-Da=b -XX:")


@pytest.mark.parametrize("variables", [{}, {archives.IMAGE: ""}, {archives.IMAGE: "sha256:another"}])
def test_a_container_of_another_image_or_of_none_gets_no_option(variables: dict[str, str]) -> None:
    make(STORE)
    script = command(STORE)[2].replace(archives.TARGET, str(archives.folder()))
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", "-c", 'echo "[$JAVA_TOOL_OPTIONS]"'], env=variables, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_what_a_service_removes_before_its_start_it_removes_with_an_archive_too(tmp_path: Path) -> None:
    make(STORE)
    (tmp_path / "left").touch()
    service = replace(STORE, forgets=(f"{tmp_path}/left",))
    assert options(service, archives.folder(), **{archives.IMAGE: "sha256:53"}) != ""
    assert not (tmp_path / "left").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"java": None},
        {"probe": Probe("end")},
        {"keeps_entrypoint": True},
        {"command": ("server", "-cp", "/x")},
        {"command": ("java", "Main")},
    ],
    ids=["no JVM", "a job, which runs once", "the image's own entry point", "another program", "no class path"],
)
def test_what_can_have_no_archive_keeps_its_command(change: dict[str, object]) -> None:
    service = replace(STORE, **change)  # type: ignore[arg-type]
    assert command(service) == service.command
    assert archives.missing([service], IDS) == {}


def test_services_with_one_class_path_in_one_image_share_an_archive() -> None:
    worker = replace(SPARK, name="spark-worker-1")
    other = replace(SPARK, name="spark-connect", command=("java", "-cp", f"/more.jar:{JARS}", "Connect"))
    missing = archives.missing([SPARK, STORE, worker, other], IDS)
    assert [[each.name for each in group] for group in missing.values()] == [
        ["spark-master", "spark-worker-1"],
        ["s3proxy"],
        ["spark-connect"],
    ]
    make(SPARK)
    assert [group[0].name for group in archives.missing([SPARK, STORE, worker], IDS).values()] == ["s3proxy"]


def test_an_image_that_docker_has_not_lacks_nothing() -> None:
    assert archives.missing([SPARK, STORE], {}) == {}


def test_an_image_that_was_built_again_has_no_archive() -> None:
    make(STORE)
    again = {IMAGES["s3proxy-4.1.0"].reference: "sha256:54"}
    assert archives.missing([STORE], IDS) == {}
    assert list(archives.missing([STORE], again).values()) == [(STORE,)]


def test_a_package_that_was_fetched_again_makes_the_archive_unfit_and_changes_no_definition() -> None:
    archive, before = make(SPARK), command(SPARK)
    os.utime(stamp(), ns=(1, 1))
    assert list(archives.missing([SPARK], IDS)) == [archive]
    assert command(SPARK) == before
    archives.use([SPARK], IDS)
    assert not archive.exists()


@pytest.mark.parametrize("damage", ["truncated", "another content", "no options", "no note", "no archive"])
def test_a_damaged_archive_is_missing_and_removed_before_a_container_starts(damage: str) -> None:
    archive = make(STORE)
    mine = {archives.IMAGE: "sha256:53"}
    assert options(STORE, archives.folder(), **mine) != ""
    if damage in ("truncated", "another content"):
        (archive / "classes").write_text("clas" if damage == "truncated" else "Classes")
        assert options(STORE, archives.folder(), **mine) == "", "nor used by a container that Docker starts again"
    else:
        (archive / {"no options": "options", "no note": "made.json", "no archive": "classes"}[damage]).unlink()
    assert list(archives.missing([STORE], IDS)) == [archive]
    assert list(archives.damaged([STORE], IDS)) == [archive]
    archives.use([STORE], IDS)
    assert not archive.exists()


def test_a_damage_that_left_size_and_time_is_found_by_reading() -> None:
    archive = make(STORE)
    assert archives.damaged([STORE, STORE], IDS) == {}
    seen = (archive / "classes").stat()
    (archive / "classes").write_text("Classes")
    os.utime(archive / "classes", ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert archives.missing([STORE], IDS) == {}
    assert archives.damaged([STORE], IDS) == {archive: f"{archive}/classes has another content"}


def test_a_use_is_noted_and_what_nobody_used_for_a_month_goes_with_the_next_one() -> None:
    old = make(STORE)
    month_ago = time.time() - 31 * 86_400
    os.utime(old, (month_ago, month_ago))
    archives.use([STORE], IDS)
    assert time.time() - old.stat().st_mtime < 60
    os.utime(old, (month_ago, month_ago))
    draft = archives.folder().parent / "draft"
    draft.write_text("classes")
    archives.keep(draft, old.with_name("54"), STORE)
    assert [each.name for each in old.parent.iterdir()] == ["54"]


def test_an_image_whose_java_cannot_record_is_not_tried_again(cache: Path) -> None:
    archives.note_impossible(path(STORE), "no HotSpot")
    assert archives.missing([STORE], IDS) == {}
    assert archives.damaged([STORE], IDS) == {}
    archives.use([STORE], IDS)
    assert options(STORE, archives.folder(), **{archives.IMAGE: "sha256:53"}) == ""
    assert [each.name for each in cache.iterdir()] == ["containers"], "nothing is left of the making"


def test_the_users_of_containers_can_read_an_archive() -> None:
    archive = make(STORE)
    assert {each.stat().st_mode & 0o777 for each in archive.iterdir()} == {0o644}
    assert {each.stat().st_mode & 0o777 for each in (archive, archive.parent, archive.parent.parent)} == {0o755}


def test_a_server_that_is_only_in_its_image_has_an_archive_by_its_own_name() -> None:
    server = replace(STORE, name="polaris", packages=())
    assert archives.name(server).startswith("polaris-")
    assert archives.name(server) != archives.name(replace(server, command=("java", "-jar", "/other.jar")))
