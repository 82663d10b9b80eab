"""The registries: what every kind must define."""

from __future__ import annotations

import re

import pytest

from lakehouse import kinds
from lakehouse.kinds.catalog import CatalogKind
from lakehouse.kinds.compose import endpoints, services
from lakehouse.kinds.engine import EngineKind
from lakehouse.kinds.store import StoreKind
from lakehouse.runtimes.docker.images import IMAGES
from lakehouse.services.service import Service
from lakehouse.spec import Engines, LocalStack
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import KindRules, Kinds, known
from lakehouse.spec.ports import listeners
from tests.unit.lakehouse.services.place import Somewhere, default, local

EVERY = [*kinds.STORES.values(), *kinds.CATALOGS.values(), *kinds.ENGINES.values(), *kinds.PLATFORM.values()]
STORES = [kind for kind in kinds.STORES.values() if kind.service is not None]
CATALOGS = [kind for kind in kinds.CATALOGS.values() if kind.services is not None]


def word(kind: KindRules) -> str:
    return kind.word


def stack(store: KindEntry | None = None, catalog: KindEntry | None = None) -> LocalStack:
    """The default file's stack on Docker, which has every kind, with these."""
    update = {
        "runtime": "docker",
        "license": "a.license",
        **({"store": store} if store else {}),
        **({"catalogs": {"lake": catalog}} if catalog else {}),
    }
    return local(default()).model_copy(update=update)


def built(there: LocalStack) -> tuple[Service, ...]:
    lakehouse = default().model_copy(update={"stacks": {"local": there}})
    return services(lakehouse, there, Somewhere(lakehouse))


def test_the_registered_kinds_are_those() -> None:
    assert known() == Kinds(
        kinds.STORES, kinds.CATALOGS, kinds.ENGINES, kinds.PLATFORM, kinds.PIPELINES, kinds.MONITORS, kinds.JOINERS
    )


@pytest.mark.parametrize("kind", STORES, ids=word)
def test_a_store_has_the_ports_it_says(kind: StoreKind) -> None:
    there = stack(store=KindEntry(kind=kind.word))
    service = built(there)[0]
    always = [each.name for each in kind.listeners if not each.catalog and not each.monitored]
    assert [port.name for port in service.ports] == always
    assert service.name == kind.listeners[0].name == kind.word
    assert service.image in IMAGES
    assert service.reading is not None


@pytest.mark.parametrize("kind", CATALOGS, ids=word)
def test_a_catalog_has_the_ports_it_says_and_answers_every_client(kind: CatalogKind) -> None:
    there = stack(catalog=kind.entry(kind=kind.word))
    lakehouse = default().model_copy(update={"stacks": {"local": there}})
    [at] = endpoints(lakehouse, there, Somewhere(lakehouse)).catalogs
    server = next(each for each in built(there) if each.name == at.service)
    assert {port.name for port in server.ports} == {each.name for each in kind.listeners}
    assert at.kind is kind
    assert "" in kind.for_spark(at)  # the class of Spark's catalog
    assert kind.for_trino(at, "switch", "main")["connector.name"] == "iceberg"
    assert kind.for_pyiceberg is not None
    assert all(each.path[:1] in ("", "/") for each in kind.addresses(at))


@pytest.mark.parametrize("catalog", CATALOGS, ids=word)
@pytest.mark.parametrize("store", STORES, ids=word)
def test_each_port_says_what_it_gives_without_a_login(store: StoreKind, catalog: CatalogKind) -> None:
    """A new kind has to say it: `lakehouse access` shows it, and the port scans of the tests compare it."""
    for each in built(stack(KindEntry(kind=store.word), catalog.entry(kind=catalog.word))):
        assert [port.name for port in each.ports if port.gives is None] == []
        assert each.further is None or each.further.gives is not None


@pytest.mark.parametrize("kind", [each for each in EVERY if each.further is not None], ids=word)
def test_properties_are_written_into_the_configuration(kind: KindRules) -> None:
    assert kind.further is not None
    key, _, value = kind.further.example.partition(": ")
    assert re.fullmatch(kind.further.key, key)
    entry = kind.entry(kind=kind.word, properties={key: value})
    there = stack(store=entry) if kind.word in kinds.STORES else stack(catalog=entry)
    if kind.word in kinds.ENGINES:
        there = stack()
    engines = default().engines
    assert engines.trino is not None
    trino = engines.trino.model_copy(update={"properties": {key: value}} if kind.word == "trino" else {})
    lakehouse = default().model_copy(
        update={"stacks": {"local": there}, "engines": engines.model_copy(update={"trino": trino})}
    )
    service = next(each for each in services(lakehouse, there, Somewhere(lakehouse)) if each.name == kind.word)
    written = [str(file.text) for file in (*service.files, *(service.reading or ()))] + [str(service.environment)]
    assert any(key in text and value in text for text in written)
    assert kind.word not in kinds.STORES or not service.reading or key in str(service.reading), "it is kept when full"


@pytest.mark.parametrize("kind", kinds.ENGINES.values(), ids=word)
def test_the_versions_of_an_engine_have_the_one_that_is_the_default(kind: EngineKind) -> None:
    engines = Engines.model_validate({kind.word: {}})
    assert getattr(engines, kind.word).version in kind.versions


def test_ports_of_different_kinds_are_counted_by_kind() -> None:
    """A second catalog has ``KIND-CATALOG`` if the first is of its kind, and the kind's plain name if it is not."""
    lakehouse = default()
    location = lakehouse.catalogs["lake"]
    lakehouse = lakehouse.model_copy(update={"catalogs": {"other": location, "lake": location, "third": location}})
    there = stack().model_copy(
        update={"catalogs": {name: KindEntry(kind="nessie") for name in ("lake", "third")}}  # other is elsewhere
    )
    named = listeners(lakehouse, there)
    assert (named["nessie"].number, named["nessie-third"].number) == (19120, 19121)
    assert "nessie-lake" not in named
    assert "nessie-management-third" in named
