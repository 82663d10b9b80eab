from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from lakehouse.access.trino import trino_rules
from lakehouse.kinds.compose import services
from lakehouse.kinds.engines.trino_password import PASSWORD, RULES, USERS
from lakehouse.kinds.engines.trino_rules import OWNER
from lakehouse.runtimes import credentials, definitions
from lakehouse.services.service import Service
from lakehouse.spec import Engines, Lakehouse, Trino
from lakehouse.text.later import definition
from lakehouse.text.placeholders import Hashed, Issued, Secret, issued, parts
from tests.unit.lakehouse.services.place import Somewhere, as_text, default, local


def trino(lakehouse: Lakehouse) -> Service:
    found = services(lakehouse, local(lakehouse), Somewhere(lakehouse))
    return next(each for each in found if each.name == "trino")


def secure(**access: object) -> Lakehouse:
    """The project's own lakehouse, with a Trino that asks for passwords."""
    engines = Engines(trino=Trino(authentication="password"))
    lakehouse = default().model_copy(update={"engines": engines})
    return Lakehouse.model_validate({**lakehouse.model_dump(mode="json", exclude_unset=True), **access})


@pytest.fixture
def service() -> Service:
    return trino(secure())


def settings(service: Service, file: str) -> dict[str, str]:
    text = next(as_text(each.text) for each in service.files if each.path == file)
    return dict(line.split("=", 1) for line in text.splitlines())


def test_only_https_is_served_and_only_to_users(service: Service) -> None:
    config = settings(service, "config.properties")
    assert config["http-server.http.enabled"] == "false"
    assert "http-server.http.port" not in config
    assert config["http-server.https.port"] == str(service.ports[0].number)
    assert config["http-server.authentication.type"] == "PASSWORD"
    assert config["discovery.uri"] == f"https://trino.internal:{service.ports[0].number}"
    assert (service.ports[0].scheme, service.probe.kind, service.probe.trust) == ("https", "https", "authority.pem")
    paths = {each.path for each in service.files}
    for authenticator in config["password-authenticator.config-files"].split(","):
        own = settings(service, authenticator.removeprefix("/config/trino/"))
        assert own["file.password-file"].removeprefix("/config/trino/") in paths
    rules = settings(service, config["access-control.config-files"].removeprefix("/config/trino/"))
    assert (rules["security.config-file"], rules["security.refresh-period"]) == (f"/config/trino/{RULES}", "2s")


def test_the_certificate_is_valid_for_every_name_of_the_server(service: Service) -> None:
    (pem,) = (each for each in service.files if each.path == "server.pem")
    assert [each.part for each in issued(pem.text)] == ["key", "certificate"]
    (names,) = {each.names for each in issued(pem.text)}
    assert set(names) == {"trino.internal", "lakehouse.example", "localhost", "127.0.0.1"}


def test_no_secret_is_in_the_definition_and_each_is_made_and_restarts_it(service: Service) -> None:
    found = {part for file in service.files for part in parts(file.text) if not isinstance(part, str)}
    assert Hashed(PASSWORD) in found
    assert PASSWORD not in found, "Trino has only the hash"
    assert Secret("trino-internal") in found
    assert any(isinstance(each, Issued) for each in found)
    assert {"trino-password", "trino-internal", "trino-certificate"} <= credentials.names(service)
    assert credentials.known([service])["trino-password"].kind == "password"


def test_a_changed_grant_restarts_nothing() -> None:
    access = {
        "roles": {"reader": {"grants": {next(iter(default().catalogs)): ["read"]}}},
        "principals": {"bi": {"roles": ["reader"]}},
    }
    assert definition(trino(secure())) == definition(trino(secure(access=access)))


def test_a_catalog_with_a_filter_shows_no_statistics() -> None:
    catalog, (namespace, *_) = next((name, list(each.namespaces)) for name, each in default().catalogs.items())
    table = next(iter(default().catalogs[catalog].namespaces[namespace].tables))
    grant = {f"{catalog}.{namespace}.{table}": {"verbs": ["read"], "rows": "ticker = 'A'"}}
    access = {"roles": {"reader": {"grants": grant}}, "principals": {"bi": {"roles": ["reader"]}}}
    key = "iceberg.table-statistics-enabled"
    assert settings(trino(secure(access=access)), f"catalog/{catalog}.properties")[key] == "false"
    assert key not in settings(trino(secure()), f"catalog/{catalog}.properties")


def test_the_files_of_principals_are_written_once_and_start_with_the_owner_alone(service: Service) -> None:
    once = {each.path: as_text(each.text) for each in service.files if each.once}
    assert once.keys() == {USERS, RULES}
    assert once[USERS] == ""
    rules = json.loads(once[RULES])
    assert rules == trino_rules(secure(access={}), OWNER), (
        "those that the bootstrap writes for a file without principals"
    )
    allowing = [each for section in rules.values() for each in section if each.get("allow") not in ("none", None)]
    assert allowing
    assert {each.get("user", each.get("original_user")) for each in allowing} == {OWNER}
    raw = json.loads(json.dumps(asdict(service)))
    assert definitions.service(raw) == service


def test_it_needs_the_server_with_the_plugin(service: Service) -> None:
    assert service.packages == ("trino-full-476",)
    assert trino(default()).packages == ("trino-476",)
