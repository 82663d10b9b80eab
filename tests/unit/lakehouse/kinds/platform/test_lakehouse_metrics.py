"""The toolkit's own metrics: which services are asked."""

from __future__ import annotations

from pathlib import Path

from lakehouse.kinds.platform.lakehouse_metrics import NAME, WATCHED
from tests.unit.lakehouse.kinds.platform.monitored import PIPELINES, built, content


def test_each_service_is_asked_by_its_own_probe(tmp_path: Path) -> None:
    service = built(tmp_path, {"tables_minutes": 3})[NAME]
    said = content(service, WATCHED)
    asked = {each["name"]: each for each in said["services"]}
    assert list(asked) == [
        *("s3proxy", "nessie", "spark-master", "spark-worker-1", "spark-worker-2", "spark-connect", "trino"),
        "node-exporter",
    ]
    assert {name: each["role"] for name, each in asked.items() if each["role"] != "engine"} == {
        "s3proxy": "store",
        "nessie": "catalog",
        "node-exporter": "platform",
    }
    assert asked["nessie"]["host"] == "nessie.internal"
    assert asked["nessie"]["probe"]["path"] == "/q/health/ready"
    assert (said["looks"], said["seconds"]) == ({"tables": 180}, 5)
    assert service.needs == tuple(asked), "a deploy that starts them is no outage"
    assert service.command[:2] == ("/python", "-P")
    assert dict(service.environment) == {"PYTHONPATH": "/toolkit"}


def test_pipelines_are_looked_at_where_there_are_some(tmp_path: Path) -> None:
    said = content(built(tmp_path, pipelines=PIPELINES, catalogs={"lake": "rest"})[NAME], WATCHED)
    assert said["looks"] == {"tables": 600, "pipelines": 60}
    assert {each["name"]: each["role"] for each in said["services"]}["connect"] == "pipeline"


def test_databases_are_asked_as_their_own_users(tmp_path: Path) -> None:
    catalogs = {"lake": {"kind": "rest", "database": "tables", "user": "writer"}}
    [asked] = content(built(tmp_path, catalogs=catalogs)[NAME], WATCHED)["databases"]
    assert asked == {
        "host": "postgres.internal", "port": 5432, "name": "tables", "user": "writer", "secret": "postgres-rest",
    }  # fmt: skip
    assert "databases" not in content(built(tmp_path)[NAME], WATCHED)


def test_it_looks_at_a_schedule_only_if_there_is_one(tmp_path: Path) -> None:
    assert "scheduled" not in content(built(tmp_path)[NAME], WATCHED)
    assert content(built(tmp_path, schedule={"drift": "0 * * * *"})[NAME], WATCHED)["scheduled"]
