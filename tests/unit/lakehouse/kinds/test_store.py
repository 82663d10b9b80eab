"""Every kind of store as a service: one name, its ports, its keys only in files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import UsageError
from lakehouse.kinds import STORES
from lakehouse.kinds.compose import endpoints, services
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse, LocalStack, support
from lakehouse.spec.entries import KindEntry
from lakehouse.text.placeholders import Content, filled
from tests.unit.lakehouse.services.place import Somewhere, as_text, default, local

KINDS = support.on(STORES, "docker")
KEYS = ("<secret:store-access-key>", "<secret:store-secret-key>")


def of(kind: str) -> tuple[Lakehouse, LocalStack]:
    update: dict[str, Any] = {
        "store": KindEntry(kind=kind),
        "license": "own/minio.license" if kind == "aistor" else None,
    }
    lakehouse = default()
    stack = local(lakehouse).model_copy(update=update)
    return lakehouse.model_copy(update={"stacks": {"local": stack}}), stack


def built(kind: str) -> tuple[Service, ...]:
    lakehouse, stack = of(kind)
    return services(lakehouse, stack, Somewhere(lakehouse))


@pytest.mark.parametrize("kind", KINDS)
def test_the_store_comes_first_and_the_catalog_needs_it(kind: str) -> None:
    store, *others = built(kind)
    assert store.name == kind
    assert store.packages == (store.image,)
    assert next(each.needs for each in others if each.name == "nessie") == (kind,)
    assert not {each.name for each in others} & set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_endpoints_are_the_stores(kind: str) -> None:
    lakehouse, stack = of(kind)
    at = endpoints(lakehouse, stack, Somewhere(lakehouse))
    port = STORES[kind].listeners[0].number
    assert (at.store.service, at.store.internal) == (kind, f"http://{kind}.internal:{port}")
    assert at.store.external == f"http://lakehouse.example:{port + 10000}"
    assert all(each.store == at.store for each in at.catalogs)
    files = "".join(as_text(file.text) for each in built(kind) for file in each.files if each.name != kind)
    assert at.store.internal in files


@pytest.mark.parametrize("kind", KINDS)
def test_it_listens_where_the_place_says(kind: str) -> None:
    store = built(kind)[0]
    said = " ".join(
        (*store.command, *(value for _, value in store.environment), *(as_text(file.text) for file in store.files))
    )
    for port in store.ports:
        assert re.search(rf"[:=]{port.number}\b", said)
    assert (store.ports[0].name, store.ports[0].number) == (kind, store.probe.port)
    always = {each.name for each in STORES[kind].listeners if not each.catalog and not each.monitored}
    assert {port.name for port in store.ports} == always
    assert f"/data/{kind}" in said


@pytest.mark.parametrize("kind", KINDS)
def test_its_keys_are_only_in_files_of_its_configuration(kind: str) -> None:
    store = built(kind)[0]
    outside = " ".join((*store.command, *(word for pair in store.environment for word in pair)))
    assert "ecret(" not in outside
    inside = "".join(as_text(file.text) for file in store.files)
    assert all(key in inside for key in KEYS)
    # Each of those files is one that the store reads. SeaweedFS takes one of a fixed name from its working folder.
    named = [file.path for file in store.files if f"/config/{kind}/{file.path}" in outside + inside]
    assert {file.path for file in store.files} - set(named) <= {"security.toml"}


def test_aistor_gets_its_licence_as_a_file() -> None:
    store = built("aistor")[0]
    assert Content("/beside/own/minio.license") in [file.text for file in store.files]
    assert store.command[store.command.index("--license") + 1] == "/config/aistor/minio.license"


def test_a_file_next_to_lakehouse_yaml_is_read_if_it_is_needed(tmp_path: Path) -> None:
    place = ProcessPlace(State(tmp_path / "state"), {}, tmp_path)
    (tmp_path / "a licence").write_text("{{secret:no}} content\n")
    (tmp_path / "a licence").chmod(0o600)
    text = (place.beside("a licence"), "|", place.secret("key"))
    assert filled(text, lambda name: f"<{name}>") == "{{secret:no}} content\n|<key>"
    with pytest.raises(UsageError, match=r"/missing, which lakehouse\.yaml names, does not exist"):
        filled(place.beside("missing"), lambda name: name)
