"""What is read of each service, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lakehouse.kinds.platform.victoria_metrics import NAME
from lakehouse.text.later import definition
from tests.unit.lakehouse.kinds.platform.monitored import built, content, text


def jobs(folder: Path, **changes: Any) -> dict[str, dict[str, Any]]:
    read = content(built(folder, **changes)[NAME], "read.yaml")
    return {each["job_name"]: each for each in read["scrape_configs"]}


def test_every_service_with_metrics_is_read(tmp_path: Path) -> None:
    found = jobs(tmp_path)
    assert list(found) == [
        *("nessie", "spark-master", "spark-worker-1", "spark-worker-2", "spark-connect", "spark-connect-2", "trino"),
        *("node-exporter", "lakehouse-metrics", "alertmanager", NAME, "vmalert"),
    ]
    assert found["nessie"]["metrics_path"] == "/q/metrics"
    assert found["nessie"]["static_configs"] == [{"targets": ["nessie.internal:19000"]}]
    assert found["trino"]["basic_auth"] == {"username": "lakehouse"}, "without a user Trino answers 401"
    assert "tls_config" not in found["trino"]


def test_a_store_gets_a_port_for_its_metrics_only_if_it_is_monitored(tmp_path: Path) -> None:
    assert "seaweedfs" in jobs(tmp_path, store="seaweedfs")
    seaweedfs = built(tmp_path, False, store="seaweedfs")["seaweedfs"]
    assert not any("metrics" in word.lower() for word in seaweedfs.command)


def test_a_password_is_in_a_file_of_its_own_and_tls_is_checked(tmp_path: Path) -> None:
    engines = {"trino": {"authentication": "password"}}
    service = built(tmp_path, engines=engines)[NAME]
    trino = jobs(tmp_path, engines=engines)["trino"]
    assert trino["scheme"] == "https"
    assert trino["tls_config"] == {"ca_file": f"/config/{NAME}/authority.pem"}
    assert trino["basic_auth"] == {"username": "lakehouse", "password_file": f"/config/{NAME}/trino.password"}
    assert text(service, "trino.password") == "<secret:trino-password>"
    assert "authority" in text(service, "authority.pem")
    assert not any("secret" in word for word in service.command)


def test_the_file_says_how_often_and_how_long(tmp_path: Path) -> None:
    service = built(tmp_path, {"interval_seconds": 5, "keep_days": 400})[NAME]
    assert content(service, "read.yaml")["global"] == {"scrape_interval": "5s"}
    assert "-retentionPeriod=400d" in service.command


def test_monitoring_changes_no_other_service_but_spark_and_no_other_port(tmp_path: Path) -> None:
    without, with_it = built(tmp_path, False), built(tmp_path)
    assert list(with_it)[: len(without)] == list(without)
    changed = {name for name in without if definition(with_it[name]) != definition(without[name])}
    assert changed == {"spark-master", "spark-worker-1", "spark-worker-2", "spark-connect"}
    numbers = {name: [port.number for port in each.ports] for name, each in without.items()}
    assert {name: [port.number for port in with_it[name].ports] for name in without} == numbers


def test_minio_gives_its_metrics_to_everybody_only_if_it_is_monitored(tmp_path: Path) -> None:
    assert jobs(tmp_path, store="minio")["minio"]["metrics_path"] == "/minio/v2/metrics/cluster"
    line = "MINIO_PROMETHEUS_AUTH_TYPE=public"
    assert line in text(built(tmp_path, store="minio")["minio"], "minio.env")
    assert line not in text(built(tmp_path, False, store="minio")["minio"], "minio.env")


def test_each_comes_after_its_needs(tmp_path: Path) -> None:
    seen: set[str] = set()
    for each in built(tmp_path).values():
        assert seen.issuperset(each.needs)
        seen.add(each.name)
