"""Each port of each kind is attacked somewhere, and docs/security.md says what works."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from bootstrap.operations.doors import doors
from lakehouse.kinds import STORES
from lakehouse.kinds.compose import services
from lakehouse.services.service import LOOPBACK, Port
from lakehouse.spec import load
from tests.attacks import scan
from tests.attacks.asks import ANYBODY, ASKS, named, table
from tests.attacks.attacked import Found, surprises
from tests.unit.lakehouse.services.place import Somewhere, local

PAGE = Path(__file__).parents[2] / "docs" / "security.md"

#: Every kind that a secure stack may have, but for its store.
SECURE = """
name: secure
buckets: {warehouse: {}}
catalogs: {one: {location: s3://warehouse/1}, two: {location: s3://warehouse/2}, three: {location: s3://warehouse/3}}
engines: {spark: {workers: 1, cores: 2, connect: {token: true}}, trino: {workers: 1, authentication: password}}
stacks:
  local: {runtime: docker, secure: {accept: [ACCEPT]}, store: STORE, catalogs: {one: nessie, two: rest, three: polaris}}
"""


def stores() -> dict[str, str]:
    """The stores that a secure stack may have, each with the word by which a file accepts its weakness, if it has one.

    What no file can accept is refused, and leaves nothing open.
    """
    lacks = {word: kind.unsecured for word, kind in STORES.items()}
    return {word: lack.accept if lack else "" for word, lack in lacks.items() if lack is None or lack.accept}


def exceptions(folder: Path) -> Iterator[str]:
    """What a secure stack leaves open, as the page shows it."""
    yield "| port | without a login | TLS |"
    yield "|---|---|---|"
    found: dict[str, None] = {}
    for store, accepted in sorted(stores().items(), reverse=True):
        (folder / "lakehouse.yaml").write_text(SECURE.replace("STORE", store).replace("ACCEPT", accepted))
        lakehouse = load(folder / "lakehouse.yaml")
        place = Somewhere(lakehouse, "/trust")
        for each in doors(services(lakehouse, local(lakehouse), place), place):
            name = each.port.replace("worker-1", "worker-N")
            found[f"| `{name}` | {each.gives or 'nothing'} | {'yes' if each.tls else 'no'} |"] = None
    yield from found


def test_the_page_has_the_exceptions_of_a_secure_stack(tmp_path: Path) -> None:
    assert "\n".join(exceptions(tmp_path)) in PAGE.read_text()


@pytest.mark.parametrize("tls", [False, True])
def test_a_port_that_does_not_answer_is_not_taken_for_a_closed_one(tls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "SECONDS", 0.1)
    asked = ASKS["postgres" if tls else "minio"][0]
    with socket.create_server((LOOPBACK, 0)) as server:
        number = server.getsockname()[1]
        found = scan.answered(number, asdict(asked), tls=tls)
    assert found == scan.HUNG
    assert scan.answered(number, asdict(asked), tls=tls) == scan.NOTHING, "it is closed now"
    port = Port("minio", number, "https", gives="")
    for plain, encrypted in ((scan.HUNG, scan.NOTHING), (scan.NOTHING, scan.HUNG)):
        assert surprises([Found(port, ANYBODY, asked, plain, encrypted)], secure=True)
    assert not surprises([Found(port, ANYBODY, asked, scan.NOTHING, scan.NOTHING)], secure=True)


def test_a_server_without_tls_may_wait_for_the_rest_of_a_greeting() -> None:
    [asked] = ASKS["kafka-metrics"]
    port = Port("kafka-metrics", 1, gives="its numbers")
    assert not surprises([Found(port, ANYBODY, asked, "answered", scan.HUNG)], secure=False)
    encrypted = replace(port, scheme="https")
    assert surprises([Found(encrypted, ANYBODY, asked, "answered", scan.HUNG)], secure=False)


def test_something_is_tried_at_each_port_of_each_kind() -> None:
    assert [name for _, name in named() if name not in ASKS and not name.startswith("aistor")] == []


def test_nothing_is_tried_at_ports_that_no_kind_has() -> None:
    assert sorted(ASKS.keys() - {name for _, name in named()} - {"rest-plain"}) == []


def test_the_page_says_what_works() -> None:
    assert "\n".join(table()) in PAGE.read_text()
