"""Spark's Thrift server as a service."""

from __future__ import annotations

from lakehouse.kinds.compose import services
from lakehouse.services.service import Service
from lakehouse.spec.ports import ports
from tests.unit.lakehouse.services.place import Somewhere, as_text, default, local


def built(*, thrift: bool) -> tuple[dict[str, Service], dict[str, int]]:
    engine = default().engines.spark
    assert engine is not None
    engines = default().engines.model_copy(update={"spark": engine.model_copy(update={"thrift": thrift})})
    given = default().model_copy(update={"engines": engines})
    return {each.name: each for each in services(given, local(given), Somewhere(given))}, ports(given, "local")


def test_it_is_off_until_the_file_asks_for_it() -> None:
    found, numbers = built(thrift=False)
    assert "spark-thrift" not in found.keys() | numbers.keys()
    found, numbers = built(thrift=True)
    assert (numbers["spark-thrift"], found["spark-thrift"].ports[0].number) == (10000, 10000)


def test_it_listens_where_the_place_says_and_takes_no_cores_of_the_cluster() -> None:
    service = built(thrift=True)[0]["spark-thrift"]
    assert "hive.server2.thrift.bind.host=0.0.0.0" in service.command
    assert "hive.server2.thrift.port=10000" in service.command
    settings = as_text(service.files[0].text)
    assert "spark.master=local[2]\n" in settings
    assert "spark.driver.host=spark-thrift.internal\n" in settings
    assert "spark.sql.catalog.lake=" in settings
    assert (service.needs, service.memory_mb) == (("nessie",), 1424)


def test_its_keys_are_in_its_file_only() -> None:
    service = built(thrift=True)[0]["spark-thrift"]
    assert "<secret:store-secret-key>" in as_text(service.files[0].text)
    assert "secret" not in f"{service.command} {service.environment}"
