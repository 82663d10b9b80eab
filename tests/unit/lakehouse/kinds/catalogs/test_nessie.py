"""Nessie in a secure stack: TLS, tokens, and no port beside."""

from __future__ import annotations

from lakehouse.kinds.catalogs.nessie import CONFIG, NESSIE, server
from lakehouse.kinds.compose import endpoints
from lakehouse.services.service import Service
from lakehouse.spec.entries import KindEntry
from lakehouse.text.placeholders import secrets
from tests.unit.lakehouse.services.place import Somewhere, as_text, default, local

AUTHORITY = "/state/authority.pem"
OPEN, SECURE = (
    endpoints(default(), local(default()), Somewhere(default(), trust)).catalogs[0] for trust in ("", AUTHORITY)
)


def built(trust: str) -> Service:
    at = SECURE if trust else OPEN
    [found] = server(Somewhere(default(), trust), at, KindEntry(kind="nessie"))
    return found


def settings(service: Service) -> list[str]:
    return as_text(service.files[0].text).splitlines()


def test_its_only_port_has_tls_and_asks_for_a_token() -> None:
    service = built(AUTHORITY)
    found = settings(service)
    assert [(port.name, port.scheme) for port in service.ports] == [("nessie", "https")]
    for line in (
        "quarkus.http.ssl-port=19120",
        "quarkus.http.insecure-requests=disabled",
        "quarkus.management.host-enabled=false",
        "nessie.server.authentication.enabled=true",
        "quarkus.oidc.public-key=<secret:nessie-tokens.pub>",
        "quarkus.oidc.token.issuer=lakehouse",
    ):
        assert line in found
    # The API's description and the pages of its user interface would answer without a token.
    assert f"nessie.server.authentication.anonymous-paths={CONFIG}" in found
    assert "nessie.server.authentication.anonymous-path-prefixes=" in found
    assert (service.probe.kind, service.probe.path, service.probe.trust) == ("https", CONFIG, "authority.pem")
    assert any(word.startswith("-Djavax.net.ssl.trustStore=") for word in service.command), "for the store"


def test_without_it_nothing_of_that_is_there() -> None:
    service = built("")
    assert len(service.files) == 1
    assert not [line for line in settings(service) if "ssl" in line or "oidc" in line or "authentication" in line]
    assert [port.name for port in service.ports] == ["nessie", "nessie-management"]
    assert NESSIE.token(OPEN) is None


def test_each_client_shows_a_token_of_its_own() -> None:
    spark, trino = NESSIE.for_spark(SECURE), NESSIE.for_trino(SECURE, "fs.native-s3.enabled", "main")
    assert spark[".uri"] == "https://nessie.internal:19120/api/v2"
    assert spark[".authentication.type"] == "BEARER"
    assert trino["iceberg.nessie-catalog.authentication.type"] == "BEARER"
    assert NESSIE.for_pyiceberg is not None
    shown = (
        spark[".authentication.token"],
        trino["iceberg.nessie-catalog.authentication.token"],
        NESSIE.for_pyiceberg(SECURE)["token"],
    )
    found = [each for text in shown for each in secrets(text)]
    assert [each.subject for each in found] == ["lakehouse/spark", "lakehouse/trino", "lakehouse"]
    assert len({each.secret for each in found}) == 3
    assert found[2] == NESSIE.token(SECURE)
    assert not [key for key in (*NESSIE.for_spark(OPEN), *NESSIE.for_trino(OPEN, "s3", "main")) if "authentic" in key]
    assert "token" not in NESSIE.for_pyiceberg(OPEN)


def test_a_deploy_makes_the_token_of_the_toolkit_too() -> None:
    """Only what a service's files name is made, and replaced with the key."""
    named = {each.secret for file in built(AUTHORITY).files for each in secrets(file.text)}
    own = NESSIE.token(SECURE)
    assert own is not None
    assert own.secret in named
