"""A lakehouse that an earlier release deployed is taken over: a service restarts only if its definition changed.

``former.json`` has the digests of the definitions as they were deployed. Whoever changes one on purpose writes the new
digest there, and says in docs/decisions.md that the next deploy restarts that service.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lakehouse.kinds.compose import services
from lakehouse.runtimes.incarnation import digest
from lakehouse.services.service import LOOPBACK, Address
from lakehouse.spec import load
from lakehouse.text.later import definition
from tests.unit.lakehouse.services.place import PROJECT, Somewhere, local

FORMER = json.loads(Path(__file__).with_name("former.json").read_text())


class Here(Somewhere):
    """Where the digests were taken."""

    def external(self, port: str) -> Address:
        return Address(LOOPBACK, super().external(port).port)


def written(file: str) -> str:
    """The file of that name, or the project's own with another store, and maybe another kind of catalog."""
    if not file.startswith("store: "):
        return (PROJECT / file).read_text()
    former, catalogs = "store: s3proxy", ", catalogs: {lake: nessie}"
    return (PROJECT / "lakehouse.yaml").read_text().replace(former + (catalogs if "catalogs" in file else ""), file)


@pytest.mark.parametrize("file", FORMER)
def test_a_service_that_is_defined_as_before_does_not_restart(file: str, tmp_path: Path) -> None:
    path = tmp_path / "lakehouse.yaml"
    path.write_text(written(file))
    lakehouse = load(path)
    found = services(lakehouse, local(lakehouse), Here(lakehouse))
    assert {each.name: digest(definition(each)) for each in found} == FORMER[file]
