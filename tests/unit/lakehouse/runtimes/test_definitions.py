"""Services survive JSON, and new fields do not change their digests."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from lakehouse.runtimes import definitions
from lakehouse.runtimes.incarnation import Incarnation, digest
from lakehouse.services.certificate import Certificate
from lakehouse.services.service import Drain, File, Port, Probe, Service
from lakehouse.text.later import definition
from lakehouse.text.placeholders import Binary, Secret

SERVICE = Service(
    "web",
    "image",
    ("package",),
    ("run", "it"),
    Probe("http", 80, "/ready", "UP"),
    (Port("web", 80),),
    environment=(("A", "b"),),
    files=(File("web.conf", ("key=", Secret("key"))),),
    data=("/data/web",),
)


def test_a_service_of_an_earlier_version_keeps_its_digest() -> None:
    assert digest(definition(SERVICE)) == "ffc99c46ec31"
    assert digest(definition(replace(SERVICE, probe=replace(SERVICE.probe, trust="ca.pem")))) != "ffc99c46ec31"


def test_services_survive_json(tmp_path: Path) -> None:
    certificate = Certificate.of("web", "web")
    files = (File("key.pem", certificate.key), File("store", Binary.of(b"\0\xff")))
    newer = replace(
        SERVICE,
        name="newer",
        files=files,
        probe=Probe("exec", command=("is", "ready")),
        forgets=("/a/b*",),
        drain=Drain("web", 80, "/state", done="EMPTY", put="EMPTY"),
    )
    some = {each.name: Incarnation.new("d") for each in (SERVICE, newer)}
    definitions.write(tmp_path, (SERVICE, newer), some)
    read = definitions.read(tmp_path / definitions.FILE)
    assert read == {each.name: (each, some[each.name]) for each in (SERVICE, newer)}


def test_a_definition_of_an_earlier_version_is_read() -> None:
    """The disk's watcher keeps the store's definition across versions."""
    raw = json.loads(json.dumps(asdict(SERVICE)))
    for key in ("trust", "command"):
        del raw["probe"][key]
    del raw["forgets"], raw["drain"]
    assert definitions.service(raw) == SERVICE
