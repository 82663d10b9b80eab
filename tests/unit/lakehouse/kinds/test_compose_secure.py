"""Every kind that may be in a secure stack: TLS on each port that has a way to, and what its clients trust."""

from __future__ import annotations

import re

import pytest

from lakehouse.kinds import CATALOGS, STORES
from lakehouse.kinds.catalogs.polaris import PolarisEntry
from lakehouse.kinds.compose import endpoints, services
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse, LocalStack, support
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.stacks import Secure
from lakehouse.text.placeholders import issued
from tests.unit.lakehouse.services.place import Somewhere, as_text, default, local

TRUST = "/state/certificates/authority/certificate.pem"
SECURED = [word for word in support.on(STORES, "docker") if (lack := STORES[word].unsecured) is None or lack.accept]


def of(kind: str) -> tuple[Lakehouse, LocalStack]:
    lakehouse = default()
    update = {"store": KindEntry(kind=kind), "secure": Secure()}
    stack = local(lakehouse).model_copy(update=update)
    return lakehouse.model_copy(update={"stacks": {"local": stack}}), stack


def built(kind: str) -> tuple[Service, ...]:
    lakehouse, stack = of(kind)
    return services(lakehouse, stack, Somewhere(lakehouse, TRUST))


@pytest.mark.parametrize("kind", SECURED)
def test_users_reach_the_store_by_tls_and_know_whom_to_trust(kind: str) -> None:
    lakehouse, stack = of(kind)
    at = endpoints(lakehouse, stack, Somewhere(lakehouse, TRUST))
    assert at.store.internal.startswith(f"https://{kind}.internal:")
    assert at.store.external.startswith("https://lakehouse.example:")
    assert (at.store.trust, at.catalogs[0].trust) == (TRUST, TRUST)
    assert at.store.for_trino("switch")["s3.endpoint"] == at.store.internal
    assert at.store.for_spark()[".s3.endpoint"] == at.store.internal
    assert at.store.for_pyiceberg()["s3.endpoint"] == at.store.external


@pytest.mark.parametrize("kind", SECURED)
def test_all_ports_of_the_store_have_tls(kind: str) -> None:
    store = built(kind)[0]
    assert all(port.encrypted for port in store.ports)
    text = " ".join((*store.command, *(value for _, value in store.environment)))
    text += "".join(as_text(file.text) for file in (*store.files, *(store.reading or ())) if file.path.endswith("conf"))
    assert not re.search(rf"http://[^ ]*:{store.ports[0].number}\b", text)


@pytest.mark.parametrize("kind", SECURED)
def test_the_certificate_of_the_store_is_for_its_names_inside_and_outside(kind: str) -> None:
    store = built(kind)[0]
    names = {each.names for file in store.files for each in issued(file.text) if each.certificate == kind}
    assert names == {(f"{kind}.internal", "lakehouse.example", "localhost", "127.0.0.1")}
    if store.probe.kind != "tcp":
        assert (store.probe.kind, store.probe.trust) != ("http", "")
        assert store.probe.trust in [file.path for file in store.files]


def test_java_trusts_the_authority_and_the_public_roots() -> None:
    trino = next(each for each in built("s3proxy") if each.name == "trino")
    assert "-Djavax.net.ssl.trustStore=/config/trino/truststore.p12" in trino.command
    assert "-Djavax.net.ssl.trustStoreType=PKCS12" in trino.command
    store = next(file.text for file in trino.files if file.path == "truststore.p12")
    assert [each.certificate for each in issued(store)] == ["authority"]


@pytest.mark.parametrize("catalog", [word for word in support.on(CATALOGS, "docker") if not CATALOGS[word].unsecured])
@pytest.mark.parametrize("kind", SECURED)
def test_a_switch_to_secure_and_back_finds_the_same_data(kind: str, catalog: str) -> None:
    """Who keeps data, in which folder, under which name of a catalog, and which locations its configuration says.

    A port's number or scheme in one of these would lose the tables of a stack that becomes secure. How a database is
    reached (after the `?` of its address) may differ.
    """
    found = []
    entry = (PolarisEntry if catalog == "polaris" else KindEntry)(kind=catalog)
    for secure, trust in ((None, ""), (Secure(), TRUST), (None, "")):
        lakehouse = default()
        update = {"store": KindEntry(kind=kind), "catalogs": {"lake": entry}, "secure": secure}
        stack = local(lakehouse).model_copy(update=update)
        lakehouse = lakehouse.model_copy(update={"stacks": {"local": stack}})
        place = Somewhere(lakehouse, trust)
        made = services(lakehouse, stack, place)
        [at] = endpoints(lakehouse, stack, place).catalogs
        texts = [as_text(file.text) for each in made for file in each.files]
        texts += [as_text(value) for each in made for _, value in each.environment]
        said = {line for text in texts for line in re.findall(r"s3://[^\s\"',]+|jdbc:[^\s\"',?]+", text)}
        found.append(({each.name: each.data for each in made if each.data}, at.warehouse, said))
    assert found[0] == found[2]
    (folders, name, said), (secured, *same) = found[0], found[1]
    assert {**folders, "proxy": ("/data/proxy",)} == {**secured, "proxy": ("/data/proxy",)}, "which keeps no rows"
    assert same == [name, said]
    assert {kind, "postgres" if catalog != "nessie" else catalog} <= folders.keys()
    assert not any("lakehouse.example" in line or "http" in line for line in said)
