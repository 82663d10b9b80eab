"""Iceberg's REST server as a service, and its clients' settings."""

from __future__ import annotations

from lakehouse.kinds.catalogs.rest import REST, server
from lakehouse.kinds.compose import endpoints, services
from lakehouse.spec import LocalStack
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.model import Lakehouse
from tests.unit.lakehouse.services.place import Somewhere, as_text, default, local


def lakehouse(*catalogs: str) -> tuple[Lakehouse, LocalStack]:
    """The default lakehouse with these catalogs, each of kind rest."""
    stack = local(default()).model_copy(update={"catalogs": {name: KindEntry(kind="rest") for name in catalogs}})
    places = {name: default().catalogs["lake"] for name in catalogs}
    return default().model_copy(update={"catalogs": places, "stacks": {"local": stack}}), stack


def test_the_server_listens_where_the_place_says_and_has_its_own_database() -> None:
    given, stack = lakehouse("lake", "other")
    place = Somewhere(given)
    found = {each.name: each for each in services(given, stack, place)}
    assert list(found)[:4] == ["s3proxy", "postgres", "rest", "rest-other"]
    settings = {each.path: as_text(each.text) for each in found["rest-other"].files}["catalog.properties"]
    assert "server.host=0.0.0.0\nserver.port=8182\n" in settings
    assert "uri=jdbc:postgresql://postgres.internal:5432/rest-other\n" in settings
    assert "jdbc.password=<secret:postgres-rest-other>\n" in settings
    assert "password" not in str(found["rest-other"].environment) + str(found["rest-other"].command)
    assert found["rest-other"].needs == ("s3proxy", "postgres")


def test_it_knows_the_names_by_which_clients_ask() -> None:
    given, stack = lakehouse("lake")
    found = {each.name: each for each in services(given, stack, Somewhere(given))}
    settings = as_text(found["rest"].files[1].text)
    assert "server.hosts=localhost,rest.internal,lakehouse.example\n" in settings
    assert "server.token" not in settings


def test_what_the_file_has_no_key_for_is_written_as_it_stands() -> None:
    given, stack = lakehouse("lake")
    place = Somewhere(given)
    [at] = endpoints(given, stack, place).catalogs
    [service] = server(place, at, KindEntry(kind="rest", properties={"clients": "8"}))
    assert "clients=8\n" in as_text(service.files[1].text)


def test_clients_reach_it_without_a_path_and_see_nested_namespaces() -> None:
    given, stack = lakehouse("lake")
    [at] = endpoints(given, stack, Somewhere(given)).catalogs
    assert REST.for_spark(at)[".uri"] == "http://rest.internal:8181"
    trino = REST.for_trino(at, "fs.native-s3.enabled", "main")
    assert trino["iceberg.rest-catalog.uri"] == "http://rest.internal:8181"
    assert trino["iceberg.rest-catalog.nested-namespace-enabled"] == "true"
    assert trino["fs.native-s3.enabled"] == "true"
    assert REST.for_pyiceberg is not None
    assert REST.for_pyiceberg(at)["uri"] == "http://lakehouse.example:18181"
