from __future__ import annotations

from lakehouse.kinds.compose import services
from lakehouse.spec import load
from tests.unit.lakehouse.services.place import PROJECT, Somewhere, local


def test_it_starts_no_jvms_that_read_its_memory() -> None:
    lakehouse = load(PROJECT / "lakehouse.yaml")
    found = services(lakehouse, local(lakehouse), Somewhere(lakehouse))
    (trino,) = (each for each in found if each.name == "trino")
    options = trino.command[: trino.command.index("-cp")]
    assert {"-Djdk.attach.allowAttachSelf=true", "-Djol.skipHotspotSAAttach=true"} <= set(options)
