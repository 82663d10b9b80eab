from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, uses
from lakehouse.runtimes import recording
from lakehouse.runtimes.process import archives
from lakehouse.services.service import Probe, Service

# Stands in for the JVM that makes an archive: writes its arguments into the file that it should make.
_JAVA = """\
#!/bin/sh
for word; do
  case $word in
    -XX:SharedArchiveFile=*|-XX:AOTCache=*) out=${word#*=} ;;
    -XX:SharedClassListFile=*|-XX:AOTConfiguration=*) record=${word#*=} ;;
  esac
done
[ -s "$record" ] || { echo "no record $record"; exit 1; }
{ printf '%s\\n' "$@"; echo "tool options: $JAVA_TOOL_OPTIONS"; cat "$record"; } > "$out"
"""
_BROKEN = "#!/bin/sh\necho 'SIGSEGV (0xb) at pc=0x0'\nexit 134\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("s3proxy-4.1.0", "spark-4.1", "iceberg-aws-bundle-1.12.0"):
        stamp(name)
    return tmp_path / "cache" / "lakehouse"


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    return folder


def stamp(name: str, text: str = "digest") -> Path:
    path = cached.folder(name) / cached.STAMP
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def java(folder: Path, script: str = _JAVA, release: str = 'JAVA_VERSION="1"') -> str:
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    (folder / "release").write_text(release)
    executable = folder / "bin" / "java"
    executable.write_text(script)
    executable.chmod(0o755)
    return str(executable)


def store_service(home: Path, script: str = _JAVA) -> Service:
    command = (java(home, script), "-Xmx128m", "-jar", "/p/s3proxy.jar", "--properties", "/c/s3proxy.conf")
    return Service("s3proxy", "image", ("s3proxy-4.1.0",), command, Probe("tcp", 1), java=25)


def worker(home: Path, name: str = "spark-worker-1", classpath: str = "/p/iceberg.jar:/p/spark/jars/*") -> Service:
    command = (java(home), "-cp", classpath, "org.apache.spark.deploy.worker.Worker", "spark://127.0.0.1:7077")
    packages = ("spark-4.1", "iceberg-aws-bundle-1.12.0")
    return Service(name, "image", packages, command, Probe("tcp", 1), java=17, environment=(("SPARK_HOME", "/p"),))


def make(service: Service) -> Path:
    """A file at the path of the service's archive."""
    archive = archives.path(service)
    assert archive is not None
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_text("archive")
    return archive


def test_archives_are_in_the_users_cache_and_say_whose_they_are(tmp_path: Path, cache: Path) -> None:
    aot, cds = archives.path(store_service(tmp_path / "25")), archives.path(worker(tmp_path / "17"))
    assert aot is not None
    assert cds is not None
    assert aot.parent == cds.parent == cache / "archives"
    assert aot.name.startswith("s3proxy-4.1.0-java-25-")
    assert aot.suffix == ".aot"
    assert cds.name.startswith("spark-4.1-java-17-")
    assert cds.suffix == ".jsa"


def test_a_service_that_is_no_java_has_no_archive(tmp_path: Path, records: Path) -> None:
    service = replace(store_service(tmp_path), java=None)
    assert archives.path(service) is None
    assert archives.environment(service) == {}
    assert archives.missing([service]) == {}
    assert recording.recording(service, records) == service


def test_a_package_that_is_not_there_makes_no_archive_and_no_error(tmp_path: Path) -> None:
    (cached.folder("s3proxy-4.1.0") / cached.STAMP).unlink()
    assert archives.path(store_service(tmp_path)) is None
    assert archives.path(replace(store_service(tmp_path), packages=("no such package",))) is None


def test_services_with_the_same_class_path_share_an_archive(tmp_path: Path) -> None:
    one, two = worker(tmp_path), worker(tmp_path, "spark-worker-2")
    other = store_service(tmp_path)
    missing = archives.missing([one, other, two])
    assert [[each.name for each in group] for group in missing.values()] == [
        ["spark-worker-1", "spark-worker-2"],
        ["s3proxy"],
    ]


def test_an_archive_that_is_there_is_not_missing(tmp_path: Path) -> None:
    service, other = store_service(tmp_path), worker(tmp_path)
    make(service)
    assert list(archives.missing([service, other]).values()) == [(other,)]


def test_another_build_of_java_wants_another_archive(tmp_path: Path) -> None:
    service = store_service(tmp_path)
    before = archives.path(service)
    (tmp_path / "release").write_text('JAVA_VERSION="2"')
    assert archives.path(service) != before


@pytest.mark.parametrize("change", ["content", "time"])
def test_a_package_that_was_fetched_again_wants_another_archive(tmp_path: Path, change: str) -> None:
    service = worker(tmp_path)
    before = archives.path(service)
    path = cached.folder("iceberg-aws-bundle-1.12.0") / cached.STAMP
    if change == "content":
        seen = path.stat()
        path.write_text("another")
        os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    else:
        os.utime(path, ns=(1, 1))
    assert archives.path(service) != before


def test_without_an_archive_nothing_is_added(tmp_path: Path) -> None:
    assert archives.environment(store_service(tmp_path)) == {}


def test_with_an_archive_the_jvm_gets_its_option(tmp_path: Path) -> None:
    aot, cds = store_service(tmp_path), worker(tmp_path)
    cache, shared = make(aot), make(cds)
    assert archives.environment(aot)["JAVA_TOOL_OPTIONS"].split()[-1] == f"-XX:AOTCache={cache}"
    assert archives.environment(cds)["JAVA_TOOL_OPTIONS"].split()[-1] == f"-XX:SharedArchiveFile={shared}"


def test_white_space_in_a_path_does_not_split_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a cache"))
    stamp("s3proxy-4.1.0")
    service = store_service(tmp_path)
    archive = make(service)
    assert archives.environment(service)["JAVA_TOOL_OPTIONS"].endswith(f" '-XX:AOTCache={archive}'")


def test_a_cache_is_made_from_the_record(tmp_path: Path, records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:AOTCache=another")
    service = store_service(tmp_path)
    (records / "s3proxy.aotconf").write_text("what was loaded\n")
    archive = archives.path(service)
    assert archive is not None
    archives.create(archive, [service], records)
    said = archive.read_text().splitlines()
    assert "-XX:AOTMode=create" in said
    assert said[said.index("-cp") + 1] == "/p/s3proxy.jar"
    assert said[-2:] == ["tool options: ", "what was loaded"]
    assert archives.environment(service)
    assert [each.name for each in archive.parent.iterdir()] == [archive.name]
    assert [each.name for each in records.iterdir()] == ["s3proxy.aotconf"]


def test_an_archive_of_class_lists_is_made_from_all_of_them(tmp_path: Path, records: Path) -> None:
    services = [worker(tmp_path, "spark-master"), worker(tmp_path)]
    (records / "spark-master.10.classlist").write_text("java/lang/Object\norg/Master\n")
    (records / "spark-worker-1.11.classlist").write_text("java/lang/Object\norg/Worker\n")
    (records / "spark-worker-1.12.classlist").write_text("java/lang/Object\norg/Executor\norg/Exec")  # was killed
    archive = archives.path(services[0])
    assert archive is not None
    archives.create(archive, services, records)
    said = archive.read_text().splitlines()
    assert "-Xshare:dump" in said
    assert said[-4:] == ["java/lang/Object", "org/Master", "org/Worker", "org/Executor"]


def test_the_class_path_of_an_archive_is_the_one_that_all_of_its_services_have(tmp_path: Path, records: Path) -> None:
    services = [worker(tmp_path, "spark-worker-1"), worker(tmp_path, "spark-connect", "/p/iceberg.jar")]
    (records / "spark-connect.1.classlist").write_text("java/lang/Object\n")
    archive = archives.path(services[0])
    assert archive is not None
    with pytest.raises(LakehouseError, match="spark-worker-1.*spark-connect.*class path"):
        archives.create(archive, services, records)


@pytest.mark.parametrize(("days", "stays"), [(29, True), (31, False)])
def test_an_archive_that_another_lakehouse_uses_stays(
    tmp_path: Path, records: Path, *, days: float, stays: bool
) -> None:
    service, other = store_service(tmp_path), worker(tmp_path)
    old, unrelated = make(service), make(other)
    for each in (old, unrelated):
        os.utime(each, (0, time.time() - days * 86_400))
    stamp("s3proxy-4.1.0", "another")
    (records / "s3proxy.aotconf").write_text("what was loaded\n")
    archive = archives.path(service)
    assert archive is not None
    assert archive != old
    archives.create(archive, [service], records)
    assert archive.is_file()
    assert old.exists() == stays
    assert unrelated.is_file()


def test_a_start_is_a_use_of_the_archive(tmp_path: Path) -> None:
    service = store_service(tmp_path)
    archive = make(service)
    os.utime(archive, (0, 0))
    assert archives.environment(service)
    assert not uses.is_over(archive)


@pytest.mark.parametrize(
    ("script", "record", "expected"),
    [(_JAVA, "", "s3proxy recorded nothing"), (_BROKEN, "what was loaded\n", "made no s3proxy.*SIGSEGV")],
)
def test_an_archive_that_cannot_be_made_leaves_nothing_behind(
    tmp_path: Path, records: Path, script: str, record: str, expected: str
) -> None:
    service = store_service(tmp_path, script)
    if record:
        (records / "s3proxy.aotconf").write_text(record)
    archive = archives.path(service)
    assert archive is not None
    with pytest.raises(LakehouseError, match=expected):
        archives.create(archive, [service], records)
    assert list(archive.parent.iterdir()) == []
    assert archives.environment(service) == {}


def test_a_java_that_is_gone_is_an_error_and_not_a_traceback(tmp_path: Path, records: Path) -> None:
    service = store_service(tmp_path)
    (records / "s3proxy.aotconf").write_text("what was loaded\n")
    archive = archives.path(service)
    assert archive is not None
    Path(service.command[0]).unlink()
    with pytest.raises(LakehouseError, match="No such file"):
        archives.create(archive, [service], records)


def test_an_archive_that_was_cut_short_is_made_again(tmp_path: Path, records: Path) -> None:
    service = store_service(tmp_path)
    (records / "s3proxy.aotconf").write_text("what was loaded\n")
    archive = archives.path(service)
    assert archive is not None
    archives.create(archive, [service], records)
    assert archives.missing([service]) == {}
    archive.write_bytes(archive.read_bytes()[:10])
    assert archives.environment(service) == {}
    assert archives.missing([service]) == {archive: (service,)}
    archives.create(archive, [service], records)
    assert archives.environment(service)


def test_an_archive_that_changed_in_place_is_found_when_it_is_read(tmp_path: Path, records: Path) -> None:
    service = store_service(tmp_path)
    (records / "s3proxy.aotconf").write_text("what was loaded\n")
    archive = archives.path(service)
    assert archive is not None
    archives.create(archive, [service], records)
    assert archives.damaged([service]) == {}
    content = archive.read_bytes()
    archive.write_bytes(content[:-1] + b"X")
    assert archives.missing([service]) == {}, "its size is right, and no start reads it"
    assert archives.damaged([service, service]) == {archive: f"{archive} has changed since it was fetched"}
    archive.write_bytes(content[:-1])
    assert "bytes" in archives.damaged([service])[archive]
    archives.remove(archive)
    assert archives.damaged([service]) == {}
    assert archives.missing([service])


@pytest.mark.parametrize("note", [None, "7"])
def test_an_archive_of_an_earlier_version_is_taken_as_it_is(tmp_path: Path, cache: Path, note: str | None) -> None:
    service = store_service(tmp_path)
    archive = make(service)
    if note is not None:
        (cache / "noted").mkdir()
        (cache / "noted" / f"{archive.name}.size").write_text(note)
    assert archives.damaged([service]) == {}
    assert archives.missing([service]) == {}
