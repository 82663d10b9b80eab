from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.kinds import CATALOGS, STORES
from lakehouse.kinds.engines.spark_rules import LINES, SparkLine
from lakehouse.kinds.engines.trino_rules import RELEASES
from lakehouse.kinds.needed import Needed, needed
from lakehouse.packages import cached, catalogue, programs, set_up, terraform
from lakehouse.packages.catalogue import PACKAGES
from lakehouse.packages.package import Artifact, Package
from lakehouse.spec import load, support
from lakehouse.spec.engines import Engines, ResourceGroup, Spark, Trino
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.lineage import Lineage
from lakehouse.spec.monitoring import Monitoring
from lakehouse.spec.stacks import Secure
from offline.go import PACKAGE
from tests.unit.lakehouse.kinds.pipelines import streaming

ROOT = Path(__file__).parents[4]
ARTIFACTS = [artifact for package in PACKAGES for artifact in package.artifacts]


def _asked(spark: str = "4.1", trino: str = "476", **stack: Any) -> Needed:
    default = load(ROOT / "lakehouse.yaml")
    engines = default.engines.model_copy(update={"spark": Spark(version=spark), "trino": Trino(version=trino)})
    stacks = {"local": default.stacks["local"].model_copy(update=stack)}
    return needed(default.model_copy(update={"engines": engines, "stacks": stacks}))


def test_every_pin_is_used_and_every_package_that_is_asked_for_is_pinned() -> None:
    asked = [_asked(spark, trino) for spark in LINES for trino in RELEASES]
    asked += [_asked(store=KindEntry(kind=store)) for store in support.on(STORES, "process")]
    served = [each for each in support.on(CATALOGS, "process") if not CATALOGS[each].in_store]
    asked += [_asked(catalogs={"lake": CATALOGS[each].entry(kind=each)}) for each in served]
    default = load(ROOT / "lakehouse.yaml")
    secure = Engines(trino=Trino(authentication="password"))
    asked.append(needed(default.model_copy(update={"engines": secure})))
    grouped = Engines(trino=Trino(resource_groups={"all": ResourceGroup(concurrency=1)}))
    asked.append(needed(default.model_copy(update={"engines": grouped})))
    asked.append(_asked(secure=Secure(), catalogs={"lake": CATALOGS["rest"].entry(kind="rest")}))  # the proxy
    asked += [needed(streaming.lakehouse(catalogs={"lake": each})) for each in ("rest", "nessie")]
    asked.append(needed(streaming.lakehouse({"items": streaming.ITEMS})))
    bucket = {"engine": "seatunnel", "from": {"files": {"path": "s3://warehouse/in"}}, "to": "lake.raw.orders"}
    asked.append(needed(streaming.lakehouse({"files": bucket})))
    asked.append(_asked(monitoring=Monitoring()))
    asked.append(needed(streaming.lakehouse(monitoring=True)))  # metrics of Kafka
    asked += [_asked(spark, lineage=Lineage(file="events.jsonl")) for spark in LINES]
    names = {name for each in asked for name in each.packages} | {f"java-{n}" for each in asked for n in each.javas}
    names.add("trino-jdbc-476")  # asked for by tests/tools
    names.add("vmalert-tool-1.151.0")  # asked for by the tests of rules
    names |= {PACKAGE, terraform.PACKAGE}  # asked for by a build or a set-up, where this machine has no Go or Terraform
    names.discard("java-17")  # Spark 3.5's: the system's alone, as no wheel of it has all the modules
    assert names == {package.name for package in PACKAGES}


def test_a_store_is_asked_for_only_if_a_stack_has_it() -> None:
    assert "minio-2025-09-07" not in _asked().packages
    assert {"minio-2025-09-07", "nessie-0.99.0"} <= set(_asked(store=KindEntry(kind="minio")).packages)
    assert "s3proxy-4.1.0" not in _asked(store=KindEntry(kind="minio")).packages


@pytest.mark.parametrize("store", support.on(STORES, "docker"))
def test_containers_hold_what_their_image_is_named_by(store: str) -> None:
    asked = _asked(runtime="docker", store=KindEntry(kind=store), license="minio.license")
    assert asked.packages == (
        "iceberg-spark-runtime-4.1",
        "iceberg-aws-bundle-1.12.0",
        "hadoop-aws-3.4.2",
        "delta-spark-4.1",
        "trino-cli-476",
    )
    assert asked.javas == (25,)  # the shell's


def test_what_is_built_is_pinned_where_it_is_built() -> None:
    for package in PACKAGES:
        if package.go:
            pins = (programs.MODULES / package.go / "go.mod").read_text()
            tool = programs.directive(package.go, "tool")
            module = re.escape(re.split("/(cmd|app)/", tool)[0])
            commit = f"0.0.0-{package.version.replace('-', '')}"
            released = rf"{module} v({re.escape(package.version)}|{commit}\d+-\w+) "
            assert re.search(released, pins)


def test_a_crate_is_not_built_by_a_set_up(cache: Path) -> None:
    with pytest.raises(LakehouseError, match=r"rustfs-1.0.1 is not in the cache.*--root '.*/builds/rustfs-1.0.1'"):
        set_up(["rustfs-1.0.1", "s3proxy-4.1.0"])
    program = cached.location("rustfs-1.0.1")
    program.parent.mkdir(parents=True)
    program.touch()
    set_up(["rustfs-1.0.1"])


@pytest.mark.parametrize("line", LINES.values(), ids=str)
def test_what_the_matrix_names_is_what_is_pinned(line: SparkLine) -> None:
    pinned = {f"{artifact.project}:{artifact.version}" for artifact in ARTIFACTS}
    wanted = {f"pyspark:{line.pyspark}", line.iceberg_runtime, line.aws_bundle} | ({line.connect} - {None})
    assert wanted <= pinned
    assert catalogue.package(f"iceberg-spark-runtime-{line.line}").version == line.iceberg
    assert catalogue.package(f"spark-{line.line}").version == line.pyspark
    assert catalogue.package(f"hadoop-aws-{line.hadoop}").version == line.hadoop


def test_nothing_is_pinned_twice() -> None:
    pins = {(artifact.file, artifact.sha256) for artifact in ARTIFACTS}  # several packages may have the same library
    for values in (
        [package.name for package in PACKAGES],
        [package.folder for package in PACKAGES],
        [file for file, _ in pins],
        [sha256 for _, sha256 in pins],
    ):
        assert [value for value, count in Counter(values).items() if count > 1] == []


@pytest.mark.parametrize("artifact", ARTIFACTS, ids=lambda artifact: artifact.file)
def test_a_pin_is_well_formed(artifact: Artifact) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", artifact.sha256)
    assert artifact.size > 1_000
    project = artifact.project.rpartition(":")[2]
    project = project.replace("-", "_") if artifact.file.endswith(".whl") else project
    assert artifact.file.startswith(f"{project}-{artifact.version}")
    assert (":" in artifact.project) == (artifact.kind == "maven")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_package_says_why_it_is_there(package: Package) -> None:
    assert package.reason
    assert sum(map(bool, (package.artifacts, package.go, package.crate))) == 1
    platforms = [artifact.platform for artifact in package.artifacts]
    assert set(platforms) == {""} or len(set(platforms)) == len(platforms)
    assert package.is_tree or len(package.artifacts) <= 1


def test_location_is_known_before_anything_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no"))
    packages = tmp_path / "no" / "lakehouse" / "packages"
    assert cached.location("trino-476") == packages / "trino-476"
    assert cached.location("s3proxy-4.1.0") == packages / "s3proxy-4.1.0" / "s3proxy-4.1.0-jar-with-dependencies.jar"
    assert not cached.is_present("trino-476")
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("value", [None, "", "relative/folder"])
def test_the_cache_is_in_the_home_folder_unless_xdg_says_otherwise(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert cached.root() == Path.home() / ".cache" / "lakehouse"


def test_an_unknown_package_is_named_with_those_there_are() -> None:
    with pytest.raises(LakehouseError, match=r"package 'trino-1': not in the catalogue .* has: .*trino-476"):
        cached.location("trino-1")


def test_a_platform_without_a_file_gets_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.packages.package.this_platform", lambda: "plan9-mips")
    with pytest.raises(LakehouseError, match=r"java-21: no file for plan9-mips; .*linux-x86_64. Install a Java 21"):
        catalogue.package("java-21").digest  # noqa: B018  # the property raises
    assert catalogue.package("trino-476").digest
