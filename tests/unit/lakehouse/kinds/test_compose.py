"""The services of a lakehouse: which ones, in which order, with which configuration."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lakehouse.kinds.compose import endpoints, services
from lakehouse.kinds.engines.spark_rules import LINES
from lakehouse.packages.catalogue import PACKAGES
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse, load
from tests.unit.lakehouse.services.place import PROJECT, Somewhere, as_text, default, local


def changed(tmp_path: Path, *changes: tuple[str, Any]) -> Lakehouse:
    """The default file with the values at dotted paths replaced."""
    yaml = YAML()
    content = yaml.load((PROJECT / "lakehouse.yaml").read_text())
    for path, value in changes:
        *parents, last = path.split(".")
        place = content
        for key in parents:
            place = place[key]
        place[last] = value
    file = tmp_path / "lakehouse.yaml"
    with file.open("w") as out:
        yaml.dump(content, out)
    return load(file)


def by_name(lakehouse: Lakehouse) -> dict[str, Service]:
    return {each.name: each for each in services(lakehouse, local(lakehouse), Somewhere(lakehouse))}


def settings(service: Service, file: str) -> dict[str, str]:
    text = next(as_text(each.text) for each in service.files if each.path == file)
    return dict(line.split("=", 1) for line in text.splitlines())


def test_the_default_lakehouse() -> None:
    assert list(by_name(default())) == [
        *("s3proxy", "nessie", "spark-master", "spark-worker-1", "spark-worker-2", "spark-connect", "trino"),
    ]


@pytest.mark.parametrize("version", LINES)
def test_sparks_pages_and_ports_take_nothing_without_a_key(tmp_path: Path, version: str) -> None:
    found = by_name(changed(tmp_path, ("engines.spark.version", version)))
    for name in ("spark-master", "spark-worker-1"):
        closed = settings(found[name], "spark.conf")
        assert closed["spark.master.rest.enabled"] == "false"
        assert closed["spark.ui.killEnabled"] == "false"
        assert closed["spark.master.ui.decommission.allow.mode"] == "DENY"
    assert settings(found["spark-connect"], "spark-defaults.conf")["spark.ui.killEnabled"] == "false"


def test_each_service_comes_after_its_needs() -> None:
    seen: set[str] = set()
    for each in services(default(), local(default()), Somewhere(default())):
        assert seen.issuperset(each.needs)
        assert seen.issuperset(each.restarts_with)
        seen.add(each.name)


def test_every_package_is_in_the_catalogue() -> None:
    known = {package.name for package in PACKAGES}
    assert {name for each in by_name(default()).values() for name in each.packages} <= known


@pytest.mark.parametrize("line", LINES)
def test_every_spark_line_has_its_packages(tmp_path: Path, line: str) -> None:
    lakehouse = changed(tmp_path, ("engines.spark.version", line))
    connect = by_name(lakehouse)["spark-connect"]
    assert set(connect.packages) <= {package.name for package in PACKAGES}
    assert f"iceberg-aws-bundle-{LINES[line].iceberg}" in connect.packages
    assert any("spark-connect" in name for name in connect.packages) == (LINES[line].connect is not None)
    assert dict(connect.environment)["SPARK_SCALA_VERSION"] == LINES[line].scala


def test_no_port_is_used_twice() -> None:
    numbers = [port.number for each in by_name(default()).values() for port in each.ports]
    assert len(numbers) == len(set(numbers)) >= 12


def test_secrets_are_placeholders_and_only_in_files() -> None:
    for each in by_name(default()).values():
        outside = [*each.command, *(value for pair in each.environment for value in pair)]
        assert not any("secret" in word for word in outside)
    trino = settings(by_name(default())["trino"], "catalog/lake.properties")
    assert trino["s3.aws-secret-key"] == "<secret:store-secret-key>"


def test_services_use_internal_addresses() -> None:
    text = "\n".join(as_text(file.text) for each in by_name(default()).values() for file in each.files)
    text = re.sub(r"external-endpoint=\S+", "", text)  # what Nessie tells its clients
    assert "127.0.0.1" not in text
    assert "http://s3proxy.internal:9000" in text
    assert "http://nessie.internal:19120/api/v2" in text


def test_endpoints_are_pairs() -> None:
    at = endpoints(default(), local(default()), Somewhere(default()))
    assert (at.store.internal, at.store.external) == ("http://s3proxy.internal:9000", "http://lakehouse.example:19000")
    (lake,) = at.catalogs
    assert (lake.internal, lake.external) == ("http://nessie.internal:19120", "http://lakehouse.example:29120")


def test_two_catalogs_are_two_servers(tmp_path: Path) -> None:
    lakehouse = changed(
        tmp_path,
        ("catalogs.other", {"location": "s3://warehouse/other"}),
        ("stacks.local.catalogs.other", "nessie"),
    )
    found = by_name(lakehouse)
    assert settings(found["nessie"], "config/application.properties")["nessie.catalog.default-warehouse"] == "lake"
    other = settings(found["nessie-other"], "config/application.properties")
    assert other["nessie.catalog.warehouses.other.location"] == "s3://warehouse/other"
    spark = settings(found["spark-connect"], "spark-defaults.conf")
    assert spark["spark.sql.catalog.lake.uri"] != spark["spark.sql.catalog.other.uri"]
    assert spark["spark.sql.defaultCatalog"] == "lake"


@pytest.mark.parametrize("engine", ["spark", "trino"])
def test_an_engine_that_is_left_out_is_not_there(tmp_path: Path, engine: str) -> None:
    other = {"spark": "trino", "trino": "spark"}[engine]
    found = by_name(changed(tmp_path, ("engines", {other: {}})))
    assert not any(name.startswith(engine) for name in found)
    assert any(name.startswith(other) for name in found)


def test_spark_without_connect(tmp_path: Path) -> None:
    assert "spark-connect" not in by_name(changed(tmp_path, ("engines.spark.connect", False)))


def test_sizes_come_from_the_file(tmp_path: Path) -> None:
    found = by_name(
        changed(
            tmp_path,
            ("engines.spark", {"memory": "2g", "driver_memory": "3g", "workers": 3, "cores": 4}),
            ("engines.trino.memory", "1500m"),
        )
    )
    assert "-Xmx3072m" in found["spark-connect"].command
    assert "-Xmx1500m" in found["trino"].command
    spark = settings(found["spark-connect"], "spark-defaults.conf")
    assert spark["spark.executor.memory"] == "2048m"
    assert spark["spark.executor.cores"] == spark["spark.cores.max"] == "4"
    command = found["spark-worker-3"].command
    assert command[command.index("--cores") + 1] == "4"


def test_properties_of_the_file_win(tmp_path: Path) -> None:
    lakehouse = changed(
        tmp_path,
        ("engines.spark.properties", {"spark.sql.shuffle.partitions": "64"}),
        ("engines.trino.catalogs", {"tpch": {"connector.name": "tpch"}}),
    )
    found = by_name(lakehouse)
    assert settings(found["spark-connect"], "spark-defaults.conf")["spark.sql.shuffle.partitions"] == "64"
    assert settings(found["trino"], "catalog/tpch.properties") == {"connector.name": "tpch"}


def test_a_branch_of_the_file_is_a_catalog_of_trino(tmp_path: Path) -> None:
    lakehouse = changed(tmp_path, ("catalogs.lake.branches", {"etl": {}, "team/Next": {}}))
    found = by_name(lakehouse)["trino"]
    main = settings(found, "catalog/lake.properties")
    for name, branch in (("lake_etl", "etl"), ("lake_team_next", "team/Next")):
        assert settings(found, f"catalog/{name}.properties") == {**main, "iceberg.nessie-catalog.ref": branch}


def test_one_class_path_for_every_jvm_of_the_cluster() -> None:
    found = by_name(default())
    paths = {each.command[each.command.index("-cp") + 1] for name, each in found.items() if name.startswith("spark")}
    assert len(paths) == 1
    (path,) = paths
    assert path.startswith("/packages/iceberg-spark-runtime-4.1:")
    assert settings(found["spark-connect"], "spark-defaults.conf")["spark.executor.extraClassPath"] == path


def test_connect_asks_for_a_token_by_word(tmp_path: Path) -> None:
    key = "spark.connect.authenticate.token"
    found = by_name(changed(tmp_path, ("engines.spark.connect", {"token": True})))
    assert settings(found["spark-connect"], "spark-defaults.conf")[key] == "<secret:spark-connect-token>"
    assert key not in settings(by_name(default())["spark-connect"], "spark-defaults.conf")
    assert "spark-connect" not in by_name(changed(tmp_path, ("engines.spark.connect", False)))
