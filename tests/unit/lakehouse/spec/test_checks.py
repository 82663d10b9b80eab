"""Rules between values: here what they accept; the bad files show what they refuse."""

import subprocess
import sys
from typing import Any

import pytest

from lakehouse.spec.checks import check
from lakehouse.spec.model import Lakehouse


def lakehouse(**more: Any) -> Lakehouse:
    columns = {"a": {"type": "string", "required": True}, "B": "long", "place": "struct<city: string>"}
    tables = {"t": {"columns": columns, **more.pop("table", {})}}
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"one": {}},
            "catalogs": {
                "lake": {
                    "location": "s3://one/lake",
                    "properties": more.pop("properties", {}),
                    "namespaces": {"n": {}, "n.m": {"tables": tables}},
                }
            },
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
            **more,
        }
    )


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"access": {"roles": {"r": {"grants": {"lake": ["manage"], "lake.n": ["read"], "lake.n.m.t": ["write"]}}}}},
        {"table": {"identifier": ["a"], "partition_by": ["place.city", "bucket(4, B)"], "sort_by": ["B desc"]}},
        {"table": {"partition_by": ["truncate(4, a)", "a"]}},
        {"table": {"properties": {"write.format.default": "parquet"}}},
        {"properties": {"client.credentials-provider": "com.example.Provider", "token-exchange-enabled": "false"}},
        {"engines": {"spark": {"version": "3.5", "properties": {"spark.sql.shuffle.partitions": "8"}}}},
        {"engines": {"spark": {"version": "4.0", "connect": {"token": True}}}},
        {"engines": {"spark": {"version": "3.5", "connect": False}}},
        {"engines": {"trino": {"catalogs": {"tpch": {"connector.name": "tpch"}}}}},
        {"engines": {"trino": {"catalogs": {"x": {"connector.name": "iceberg", "s3.aws-secret-key": "${ENV:KEY}"}}}}},
    ],
)
def test_right_ones_have_no_problem(more: dict[str, Any]) -> None:
    assert check(lakehouse(**more)) == []


@pytest.mark.parametrize(
    "key", ["s3.secret-access-key", "s3.session-token", "connection-password", "client_secret", "s3.aws-secret-key"]
)
def test_secrets_are_refused_and_not_repeated(key: str) -> None:
    (problem,) = check(lakehouse(properties={key: "hunter2"}))
    assert problem.at == ("catalogs", "lake", "properties", key)
    assert "hunter2" not in problem.message


def test_engines_and_catalog_clients_are_not_imported() -> None:
    """Every synth imports the spec, so it must not import modules that take seconds."""
    slow = ["pyiceberg", "pyarrow", "pyspark", "trino", "boto3", "cdktf", "requests", "typer"]
    code = f"import sys, lakehouse.spec; print(sorted(set({slow}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_token_wants_a_spark_that_knows_it() -> None:
    (problem,) = check(lakehouse(engines={"spark": {"version": "3.5", "connect": {"token": True}}}))
    assert problem.at == ("engines", "spark", "connect", "token")
    assert 'Set version: "4.0" or "4.1"' in problem.message


@pytest.mark.parametrize("connect", [True, False, {"token": True}])
def test_connect_is_dumped_as_it_was_written(connect: Any) -> None:
    whole = lakehouse(engines={"spark": {"connect": connect}})
    dumped = whole.model_dump(mode="json")
    assert dumped["engines"]["spark"]["connect"] == connect
    assert Lakehouse.model_validate(dumped) == whole
