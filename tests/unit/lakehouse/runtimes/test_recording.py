from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import recording
from lakehouse.services.service import Probe, Service

STORE = Service(
    "s3proxy", "image", (), ("/java", "-Xmx128m", "-jar", "/p/s3proxy.jar", "--properties", "/c/s3proxy.conf"),
    Probe("tcp", 1), java=25,
)  # fmt: skip
WORKER = Service(
    "spark-worker-1", "image", (), ("/java", "-cp", "/p/iceberg.jar:/p/spark/jars/*", "Worker"), Probe("tcp", 1),
    java=17, environment=(("SPARK_HOME", "/p"),),
)  # fmt: skip


def test_a_cache_is_recorded_only_by_the_service_itself(tmp_path: Path) -> None:
    service = STORE
    recorded = recording.recording(service, tmp_path)
    assert recorded.environment == service.environment  # a JVM that it starts must not write to the same file
    assert recorded.command[0] == service.command[0]
    assert recorded.command[-5:] == service.command[-5:]
    assert f"-XX:AOTConfiguration={tmp_path}/s3proxy.aotconf" in recorded.command
    assert recorded.stop_seconds > service.stop_seconds  # it writes when it ends


def test_class_lists_are_recorded_by_every_jvm_below_the_service(tmp_path: Path) -> None:
    service = WORKER
    recorded = recording.recording(service, tmp_path)
    assert recorded.command == service.command
    added = dict(recorded.environment)
    assert added.pop("JAVA_TOOL_OPTIONS").endswith(f"-XX:DumpLoadedClassList={tmp_path}/spark-worker-1.%p.classlist")
    assert added == dict(service.environment)


def test_lists_of_java_21_are_merged_without_their_numbers(tmp_path: Path) -> None:
    service = WORKER
    one = "java/lang/Object id: 0\nloaded/Elsewhere id: 1 super: 0 source: /a.jar\n@lambda-proxy A run\n"
    (tmp_path / f"{service.name}.1.classlist").write_text(one)
    (tmp_path / f"{service.name}.2.classlist").write_text("java/lang/String id: 0\njava/lang/Object id: 1\nhalf a li")
    merged = recording.record([service], tmp_path).read_text()
    assert merged.splitlines() == ["java/lang/Object", "@lambda-proxy A run", "java/lang/String"]


def test_a_cache_is_made_on_the_class_path_of_its_service() -> None:
    command = recording.making([STORE], Path("/r/s3proxy.aotconf"), Path("/r/new"))
    assert command[0] == "/java"
    assert command[-5:] == (
        "-XX:AOTMode=create", "-XX:AOTConfiguration=/r/s3proxy.aotconf", "-XX:AOTCache=/r/new", "-cp", "/p/s3proxy.jar",
    )  # fmt: skip


def test_services_that_share_an_archive_have_one_class_path() -> None:
    other = replace(WORKER, name="spark-connect", command=("/java", "-cp", "/p/iceberg.jar", "Connect"))
    assert "-Xshare:dump" in recording.making([WORKER, WORKER], Path("/r/list"), Path("/r/new"))
    with pytest.raises(LakehouseError, match="spark-worker-1.*spark-connect.*class path"):
        recording.making([WORKER, other], Path("/r/list"), Path("/r/new"))


def test_a_command_without_a_class_path_has_no_archive() -> None:
    with pytest.raises(LakehouseError, match="neither -cp nor -jar"):
        recording.class_path(replace(STORE, command=("/java", "Main")))
