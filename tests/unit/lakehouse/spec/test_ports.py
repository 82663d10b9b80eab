"""Ports of a stack: defaults, overrides, and taken numbers."""

from typing import Any

import pytest

from lakehouse.spec import ports
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.ports import moved


def lakehouse(catalogs: tuple[str, ...] = ("lake",), engines: dict[str, Any] | None = None, **stack: Any) -> Lakehouse:
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"one": {}},
            "catalogs": {name: {"location": f"s3://one/{name}"} for name in catalogs},
            "engines": engines or {},
            "stacks": {
                "local": {
                    "runtime": "process",
                    "store": "s3proxy",
                    "catalogs": dict.fromkeys(catalogs, "nessie"),
                    **stack,
                },
                "aws": {"region": "eu-west-1", "store": "s3", "catalogs": dict.fromkeys(catalogs, "glue")},
            },
        }
    )


def test_defaults() -> None:
    assert ports(lakehouse(engines={"spark": {"workers": 2}, "trino": {}}), "local") == {
        "s3proxy": 9000,
        "nessie": 19120,
        "nessie-management": 19000,
        "spark-master": 7077,
        "spark-master-ui": 8080,
        "spark-connect": 15002,
        "spark-connect-ui": 4040,
        "trino": 8085,
        "spark-worker-1": 7079,
        "spark-worker-1-ui": 8081,
        "spark-worker-2": 7080,
        "spark-worker-2-ui": 8082,
    }


@pytest.mark.parametrize("store", ["minio", "rustfs", "aistor"])
def test_stores_with_a_console_have_two(store: str) -> None:
    found = ports(lakehouse(store=store), "local")
    assert found == {store: 9000, f"{store}-console": 9001, "nessie": 19120, "nessie-management": 19000}


def test_second_nessie_has_its_own() -> None:
    found = ports(lakehouse(("lake", "mart")), "local")
    assert found["nessie-mart"] == 19121
    assert found["nessie-management-mart"] == 19001


def test_without_connect_and_engines() -> None:
    assert "spark-connect" not in ports(lakehouse(engines={"spark": {"connect": False}}), "local")
    assert set(ports(lakehouse(), "local")) == {"s3proxy", "nessie", "nessie-management"}


def test_without_a_cluster_only_connect_has_any() -> None:
    found = set(ports(lakehouse(engines={"spark": {"cluster": False}}), "local"))
    assert {each for each in found if each.startswith("spark")} == {"spark-connect", "spark-connect-ui"}


def test_aws_has_none() -> None:
    assert ports(lakehouse(), "aws") == {}


@pytest.mark.parametrize(
    "override", [{}, {"trino": 8081}, {"s3proxy": 19120}, {"spark-worker-2": 7077}, {"nessie": 8086, "trino": 9000}]
)
def test_overrides_hold_and_no_two_are_equal(override: dict[str, int]) -> None:
    found = ports(lakehouse(engines={"spark": {"workers": 9}, "trino": {}}, ports=override), "local")
    assert len(set(found.values())) == len(found)
    assert override.items() <= found.items()


@pytest.mark.parametrize(
    ("override", "warned"),
    [
        ({}, {}),
        ({"trino": 8090}, {}),
        ({"trino": 9000, "s3proxy": 9001}, {}),
        ({"trino": 9000}, {"trino": "trino has 9000, which s3proxy has otherwise, so s3proxy moves to 9001"}),
        ({"s3proxy": 19120}, {"s3proxy": "s3proxy has 19120, which nessie has otherwise, so nessie moves to 19121"}),
        (
            {"trino": 7079},
            {
                "trino": "trino has 7079, which spark-worker-1 has otherwise, so spark-worker-1 moves to 7080",
                "": "spark-worker-1 has 7080, which spark-worker-2 has otherwise, so spark-worker-2 moves to 7081",
            },
        ),
    ],
)
def test_a_port_that_moves_because_of_the_file_is_a_warning(override: dict[str, int], warned: dict[str, str]) -> None:
    found = list(moved(lakehouse(engines={"spark": {"workers": 2}, "trino": {}}, ports=override)))
    said = {str(each.at[3]) if len(each.at) > 3 else "": each.message.partition(". ")[0] for each in found}
    assert said == warned
    assert all(each.at[:3] == ("stacks", "local", "ports") for each in found)


def test_a_port_that_gets_its_usual_number_back_is_no_warning() -> None:
    every = {"spark": {"workers": 9}, "trino": {}}
    assert ports(lakehouse(engines=every), "local")["spark-worker-5-ui"] == 8086  # Trino has 8085
    assert list(moved(lakehouse(engines=every, ports={"trino": 9999}))) == []
