from __future__ import annotations

import json

import pytest

from lakehouse.kinds.compose import services
from lakehouse.kinds.engines.trino_password import PASSWORD
from lakehouse.runtimes import credentials
from lakehouse.services.service import Service
from lakehouse.spec import Engines, Trino
from lakehouse.text.placeholders import Basic, issued
from tests.unit.lakehouse.services.place import Somewhere, as_text, default, local

SECRET = "internal-communication.shared-secret"


def built(trust: str = "", *, drains: bool = False, **trino: object) -> dict[str, Service]:
    """The servers of a Trino with these words in the file."""
    lakehouse = default().model_copy(update={"engines": Engines(trino=Trino.model_validate(trino))})
    found = services(lakehouse, local(lakehouse), Somewhere(lakehouse, trust, drains=drains))
    return {each.name: each for each in found if each.name.startswith("trino")}


def settings(service: Service, file: str = "config.properties") -> dict[str, str]:
    text = next(as_text(each.text) for each in service.files if each.path == file)
    return dict(line.split("=", 1) for line in text.splitlines())


def test_one_server_does_both() -> None:
    (only,) = built().values()
    config = settings(only)
    assert (config["coordinator"], config["node-scheduler.include-coordinator"]) == ("true", "true")
    assert SECRET not in config


@pytest.mark.parametrize("authentication", [None, "password"])
def test_workers_find_the_coordinator_and_all_know_one_secret(authentication: str | None) -> None:
    found = built(workers=2, authentication=authentication)
    assert list(found) == ["trino", "trino-worker-1", "trino-worker-2"]
    config = {name: settings(each) for name, each in found.items()}
    assert config["trino"]["node-scheduler.include-coordinator"] == "false"
    assert {each[SECRET] for each in config.values()} == {"<secret:trino-internal>"}
    uris = {each["discovery.uri"] for each in config.values()}
    assert uris == {f"http{'s' if authentication else ''}://trino.internal:{found['trino'].ports[0].number}"}
    assert len({each["node.id"] for each in config.values()}) == 3
    for name in ("trino-worker-1", "trino-worker-2"):
        assert config[name]["coordinator"] == "false"
        assert found[name].needs == ("trino",)
        assert config[name]["node.internal-address"] == f"{name}.internal"


def test_the_secret_is_in_files_only_and_a_rotation_restarts_all_servers() -> None:
    found = built(workers=1)
    assert all("trino-internal" in credentials.names(each) for each in found.values())
    assert not [word for each in found.values() for word in (*each.command, *dict(each.environment).values())
                if "internal" in word]  # fmt: skip


def test_a_worker_has_no_catalogs_and_its_port_is_for_other_servers() -> None:
    found = built(workers=1)["trino-worker-1"]
    assert [each.path for each in found.files] == ["config.properties", "log.properties"]
    (port,) = found.ports
    assert port.inner
    assert not port.label


def test_a_worker_of_a_trino_with_passwords_has_tls_and_lets_only_the_owner_in() -> None:
    found = built(workers=1, authentication="password")["trino-worker-1"]
    config = settings(found)
    assert (config["http-server.http.enabled"], config["http-server.https.enabled"]) == ("false", "true")
    assert config["http-server.https.port"] == str(found.ports[0].number)
    assert config["internal-communication.https.required"] == "true"
    assert config["password-authenticator.config-files"] == "/config/trino-worker-1/owner.properties"
    assert "access-control.config-files" not in config
    paths = {each.path for each in found.files}
    named = [value for value in config.values() if value.startswith("/config/trino-worker-1/")]
    assert {each.removeprefix("/config/trino-worker-1/") for each in named} <= paths
    pem = next(each for each in found.files if each.path == "server.pem")
    assert "trino-worker-1.internal" in issued(pem.text)[0].names
    assert (found.probe.kind, found.ports[0].scheme) == ("https", "https")


def test_a_worker_of_a_secure_stack_trusts_it() -> None:
    found = built("/trust", workers=1, authentication="password")["trino-worker-1"]
    assert "truststore.p12" in {each.path for each in found.files}
    assert "-Djavax.net.ssl.trustStore=/config/trino-worker-1/truststore.p12" in found.command


def test_the_owner_alone_drains_a_worker() -> None:
    found = built(workers=1, drains=True)["trino-worker-1"]
    assert settings(found)["access-control.config-files"] == "/config/trino-worker-1/access-control.properties"
    (rules,) = (json.loads(as_text(each.text)) for each in found.files if each.path == "rules.json")
    assert [each["user"] for each in rules["system_information"] if "write" in each["allow"]] == ["lakehouse"]
    assert found.drain is not None
    assert (found.drain.user, found.drain.port) == ("lakehouse", found.ports[0].number)
    assert str(found.ports[0].gives).startswith("its draining")


def test_a_worker_with_tls_is_drained_by_the_password_of_the_owner() -> None:
    found = built("/state/authority.pem", workers=1, drains=True, authentication="password")["trino-worker-1"]
    assert found.drain is not None
    assert (found.drain.trust in [file.path for file in found.files], found.drain.user) == (True, "")
    assert found.drain.shows == Basic(PASSWORD, "lakehouse")
    assert (found.ports[0].scheme, found.ports[0].gives) == ("https", _UP)


_UP = "its version, whether it is up, and its memory and load"


def test_only_workers_are_drained_and_only_where_services_are() -> None:
    assert built(workers=1, drains=True)["trino"].drain is None
    assert built(workers=1)["trino-worker-1"].drain is None
