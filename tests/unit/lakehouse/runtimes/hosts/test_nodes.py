"""What instances of AWS run, as it lies in the bucket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lakehouse.access.names import names
from lakehouse.errors import UsageError
from lakehouse.runtimes.hosts import nodes
from lakehouse.runtimes.hosts.nodes import ADDRESS, ID, InstanceKind
from lakehouse.spec import Lakehouse

AWS = {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue"}, "engines": "ec2"}
ENGINES: dict[str, Any] = {"trino": {"memory": "2g"}, "spark": {"workers": 2, "memory": "1g"}}
ACCOUNT = "123456789012"


def read(engines: dict[str, Any]) -> Lakehouse:
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}},
            "catalogs": {"lake": {"location": "s3://warehouse/lake"}},
            "engines": engines,
            "stacks": {"aws": AWS},
        }
    )


def made(engines: dict[str, Any]) -> dict[str, InstanceKind]:
    lakehouse = read(engines)
    return nodes.nodes(lakehouse, names(lakehouse, "aws", ACCOUNT))


def text(node: InstanceKind, service: str, file: str) -> str:
    return "".join(part if isinstance(part, str) else "SECRET" for part in node.description["files"][service][file])


def test_each_kind_has_its_services_and_packages() -> None:
    found = made(ENGINES)
    assert {name: [*each.description["services"]] for name, each in found.items()} == {
        "trino-coordinator": ["trino"],
        "trino-worker": ["trino-worker-1"],
        "spark-master": ["spark-master", "spark-connect"],
        "spark-worker": ["spark-worker-1"],
    }
    assert found["trino-worker"].packages == ("java-25", "trino-476")
    assert made({"trino": {}}).keys() == {"trino-coordinator", "trino-worker"}
    assert found["spark-worker"].memory_mb > 2 * 1024
    spark = {name: each.description for name, each in made({"spark": {}}).items()}
    assert {name: each.description for name, each in made({"spark": {"cluster": False}}).items()} == spark


def test_engines_use_glue_and_s3_with_the_role_of_the_instance() -> None:
    found = made(ENGINES)
    catalog = text(found["trino-coordinator"], "trino", "catalog/lake.properties")
    assert "iceberg.catalog.type=glue\n" in catalog
    assert f"default-warehouse-dir=s3://demo-aws-warehouse-{ACCOUNT}-eu-west-1/lake\n" in catalog
    spark = text(found["spark-master"], "spark-connect", "spark-defaults.conf")
    assert "spark.sql.catalog.lake.catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog\n" in spark
    assert "spark.sql.catalog.lake.io-impl=org.apache.iceberg.aws.s3.S3FileIO\n" in spark
    assert "credentials.provider=org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider\n" in spark
    for each in (catalog, spark):
        assert "access-key" not in each.replace("access[.-]?key", "")
        assert "access.key" not in each
        assert "endpoint=" not in each


def test_a_worker_has_marks_for_what_only_it_knows() -> None:
    found = made(ENGINES)
    config = text(found["trino-worker"], "trino-worker-1", "config.properties")
    assert f"node.id={ID}\n" in config
    assert f"node.internal-address={ADDRESS}\n" in config
    assert "discovery.uri=http://trino.demo-aws.internal:8080\n" in config
    [service] = found["spark-worker"].description["variables"]["lakehouse_services"]
    assert f'"--host" "{ADDRESS}"' in service["command"]
    assert '"spark://spark.demo-aws.internal:7077"' in service["command"]


def test_secrets_are_named_and_not_there() -> None:
    found = made(ENGINES)
    assert nodes.secrets(found.values()) == ["spark-authenticate", "trino-internal"]
    parts = found["trino-worker"].description["files"]["trino-worker-1"]["config.properties"]
    assert {"secret": "trino-internal"} in parts
    for service in ("spark-master", "spark-connect"):
        file = "spark.conf" if service == "spark-master" else "spark-defaults.conf"
        assert "spark.authenticate.secret=SECRET\n" in text(found["spark-master"], service, file)
    assert nodes.secrets(made({"trino": {}}).values()) == ["trino-internal"]


def test_workers_are_drained_by_what_the_runtime_of_hosts_has() -> None:
    found = made(ENGINES)
    drain = found["trino-worker"].description["services"]["trino-worker-1"]["drain"]
    assert (drain["put"], drain["done"]) == ('"DRAINING"', '"DRAINED"')
    assert found["spark-worker"].description["services"]["spark-worker-1"]["drain"]["signal"] == "PWR"
    assert found["trino-coordinator"].description["services"]["trino"]["drain"] is None


def test_the_key_says_whether_an_instance_would_change() -> None:
    lakehouse = read(ENGINES)
    former = nodes.planned(lakehouse, "aws")
    assert nodes.planned(read(ENGINES), "aws") == former
    now = nodes.planned(read({**ENGINES, "trino": {"memory": "3g"}}), "aws")
    assert [name for name in former if former[name].key != now[name].key] == ["trino-coordinator", "trino-worker"]
    assert nodes.digest_of(former) != nodes.digest_of(now)
    assert "000000000000" in json.dumps(former["trino-coordinator"].description)


def test_a_description_can_be_written() -> None:
    for each in made(ENGINES).values():
        assert json.loads(json.dumps(each.description)) == each.description


@pytest.mark.parametrize("mark", [ADDRESS, ID])
def test_a_file_with_a_mark_is_refused(mark: str) -> None:
    with pytest.raises(UsageError, match="stand for an instance"):
        made({"trino": {"properties": {"query.client.timeout": mark}}})
