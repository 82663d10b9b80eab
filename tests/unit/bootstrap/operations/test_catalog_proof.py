from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from pyiceberg.exceptions import CommitFailedException, ForbiddenError, NoSuchNamespaceError, OAuthError, RESTError

from bootstrap.operations import catalog_proof
from bootstrap.session import clients
from lakehouse.errors import LakehouseError
from lakehouse.kinds.catalogs.polaris import POLARIS
from lakehouse.kinds.catalogs.s3tables import S3TABLES
from lakehouse.spec import Lakehouse, Principal

TABLE = {"columns": {"id": "long", "email": "string"}}
VIEW = {"sql": {"trino": "SELECT 1 AS a"}, "columns": {"a": "int"}}
FILE: dict[str, Any] = {
    "name": "shop",
    "buckets": {"warehouse": {}, "tables": {}},
    "catalogs": {
        "lake": {
            "location": "s3://warehouse/lake",
            "namespaces": {"a": {"tables": {"t": TABLE, "masked": TABLE}, "views": {"v": VIEW}}},
        },
        "own": {"location": "s3://tables", "namespaces": {"a": {"tables": {"t": TABLE}}, "b": {}}},
        "other": {"location": "s3://warehouse/other", "namespaces": {"a": {"tables": {"t": TABLE}}}},
    },
    "access": {
        "roles": {
            "r": {
                "grants": {
                    "lake.a.t": ["write"],
                    "lake.a.masked": {"verbs": ["read"], "columns": {"email": "mask"}},
                    "other": ["manage"],
                    "own": ["manage"],
                }
            }
        },
        "principals": {"bi": {"roles": ["r"]}},
    },
    "stacks": {
        "local": {
            "runtime": "process",
            "store": "seaweedfs",
            "catalogs": {"lake": {"kind": "polaris"}, "other": "nessie", "own": "s3tables"},
        }
    },
}


class Files:
    """A table's files, of which the store allows these operations; ``there`` are the files that were written."""

    def __init__(self, may: set[str], there: set[str]) -> None:
        self.may, self.there = may, there

    def _opened(self, operation: str, path: str) -> Any:
        if operation not in self.may:
            raise OSError(f"When opening {path}: AWS Error ACCESS_DENIED during {operation} operation")
        return nullcontext(SimpleNamespace(read=lambda size: b"", write=lambda data: self.there.add(path)))

    def new_input(self, path: str) -> Any:
        return SimpleNamespace(open=lambda: self._opened("get", path))

    def new_output(self, path: str) -> Any:
        return SimpleNamespace(create=lambda overwrite: self._opened("put", path))

    def delete(self, path: str) -> None:
        self.there.discard(path)


class Client:
    """Allows the operations of that set, and answers like PyIceberg's client."""

    def __init__(self, may: set[str], files: set[str]) -> None:
        self.may, self.files, self.tables = may, files, set[tuple[str, ...]]()

    def _asked(self, operation: str) -> None:
        if operation not in self.may:
            raise ForbiddenError(operation)

    def list_tables(self, space: tuple[str, ...]) -> list[tuple[str, ...]]:
        self._asked("list")
        return [(*space, "t")]

    def load_table(self, name: tuple[str, ...]) -> Any:
        self._asked("load")
        return SimpleNamespace(
            io=Files(self.may, self.files),
            metadata_location="s3://w/t/metadata/1.json",
            properties={},
            location=lambda: "s3://w/t",
            scan=lambda limit: SimpleNamespace(to_arrow=lambda: self._asked("rows")),
        )

    def commit_table(self, table: Any, requirements: Any, updates: Any) -> None:
        assert requirements
        self._asked("commit")
        raise CommitFailedException

    def create_table_transaction(self, name: tuple[str, ...], schema: Any) -> None:
        self._asked("create")

    def create_table(self, name: tuple[str, ...], schema: Any) -> None:
        self._asked("create")
        self.tables.add(name)

    def drop_table(self, name: tuple[str, ...]) -> None:
        self._asked("drop")
        self.tables.discard(name)


@pytest.fixture
def lakehouse() -> Lakehouse:
    return Lakehouse.model_validate(FILE)


EVERYTHING = {"list", "load", "rows", "get", "put", "commit", "create", "drop"}


def outcomes(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch, may: Any, *, sts: bool = True, keys: bool = True
) -> tuple[dict[tuple[str, str], tuple[bool, bool]], list[dict[str, str]]]:
    """What is wanted and allowed by operation and place, and the settings of the principal's clients.

    ``sts``: the store lets Polaris give keys; ``keys``: the principal has its own for the store.
    """
    files: set[str] = set()
    owner, sent = Client(EVERYTHING, files), list[dict[str, str]]()

    def iceberg(target: Any, name: str, **instead: str) -> Any:
        if instead:
            sent.append(instead)
        if instead and isinstance(may, Exception):
            raise may
        return Client(may, files) if instead else owner

    monkeypatch.setattr(clients, "iceberg", iceberg)
    asked = catalog_proof.calls(lakehouse, "local")
    store = SimpleNamespace(sts=sts, internal="x", external="x")
    endpoints = [
        SimpleNamespace(name=name, kind=kind, store=store) for name, kind in (("lake", POLARIS), ("own", S3TABLES))
    ]
    servers: Any = SimpleNamespace(
        target=SimpleNamespace(local=SimpleNamespace(endpoints=SimpleNamespace(catalogs=endpoints))),
        users=SimpleNamespace(keys=SimpleNamespace(pair=lambda name: ("key", "word") if keys else None)),
        principals=SimpleNamespace(keys=SimpleNamespace(pair=lambda name: ("id", "word"))),
        name=lambda principal: f"shop-{principal}",
    )
    found: dict[tuple[str, str], tuple[bool, bool]] = {
        (each.call.operation, each.call.place): (each.wanted, each.allowed)
        for each in catalog_proof.outcomes(asked, servers)
    }
    assert (owner.tables, files) == (set(), set()), "nothing is left behind"
    return found, sent


def test_calls_are_made_in_catalogs_that_ask_who_somebody_is_and_not_on_views(lakehouse: Lakehouse) -> None:
    asked = catalog_proof.calls(lakehouse, "local")
    assert {(each.operation, each.name) for each in asked if each.catalog == "lake"} == {
        *((operation, "") for operation in ("list", "create", "drop")),
        *((operation, table) for operation in ("load", "read", "write") for table in ("t", "masked")),
    }
    assert {each.catalog for each in asked} == {"lake", "own"}


def test_a_principal_of_others_is_asked_only_where_it_is(lakehouse: Lakehouse) -> None:
    member = Principal.model_validate({"roles": ["r"], "existing": {"polaris": "x"}})
    access = lakehouse.access.model_copy(update={"principals": {"bi": member}})
    asked = catalog_proof.calls(lakehouse.model_copy(update={"access": access}), "local")
    assert {each.catalog for each in asked} == {"lake"}


@pytest.mark.parametrize("masked", [True, False])
def test_a_table_with_a_mask_and_tables_of_the_store_are_closed(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch, masked: bool
) -> None:
    """What a server then allows is found."""
    found, sent = outcomes(lakehouse, monkeypatch, {"load", "rows", "get", "put", "commit"} if masked else set())
    assert {call: wanted for call, (wanted, _) in found.items() if wanted} == dict.fromkeys(
        [(operation, "lake.a.t") for operation in ("load", "read", "write")], True
    )
    seen = {call for call, (_, allowed) in found.items() if allowed}
    places = ("lake.a.t", "lake.a.masked", "own.a.t")
    assert seen == {(call, on) for on in places for call in ("load", "read", "write")} if masked else seen == set()
    store = {"client.access-key-id": "key", "client.secret-access-key": "word"}
    own = {"s3.access-key-id": "key", "s3.secret-access-key": "word"}
    assert sent == [{"credential": "id:word"}, {**store, **own}], "never the keys of the toolkit"


@pytest.mark.parametrize(
    ("may", "allowed"),
    [
        ({"load", "rows", "commit"}, {"load"}),  # without keys for files
        ({"load", "get", "commit", "put"}, {"load", "write"}),  # the catalog refuses the rows
        ({"load", "rows", "get", "put"}, {"load", "read"}),  # the commit
        ({"load", "rows", "get", "commit"}, {"load", "read"}),  # the files of a write
        (EVERYTHING, {"load", "read", "write"}),
    ],
)
def test_rows_are_read_and_written_only_with_the_catalog_and_the_files(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch, may: set[str], allowed: set[str]
) -> None:
    found, _ = outcomes(lakehouse, monkeypatch, may)
    assert {call for (call, on), (_, let) in found.items() if on == "lake.a.t" and let} == allowed


@pytest.mark.parametrize("part", ["commit", "put"])
def test_half_of_a_write_is_too_much_for_who_may_not_write(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    found, _ = outcomes(lakehouse, monkeypatch, {"load", part})
    assert found["write", "lake.a.masked"] == (False, True)
    assert found["write", "lake.a.t"] == (True, False)


def test_without_keys_for_files_no_rows_are_asked_for(lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Polaris nor the store gives any. Then what may be written is a commit."""
    found, sent = outcomes(lakehouse, monkeypatch, {"load", "commit"}, sts=False, keys=False)
    assert ("read", "lake.a.t") not in found
    assert found["write", "lake.a.t"] == (True, True)
    assert sent == [{"credential": "id:word", "s3.access-key-id": "", "s3.secret-access-key": ""}]
    found, sent = outcomes(lakehouse, monkeypatch, {"load", "rows", "get"}, sts=False)
    assert found["read", "lake.a.t"] == (True, True), "with its own"
    assert sent[0] == {"credential": "id:word", "s3.access-key-id": "key", "s3.secret-access-key": "word"}


@pytest.mark.parametrize("error", [NoSuchNamespaceError("a"), RESTError("InternalServerError: not authorized"), None])
def test_what_the_server_hides_is_denied(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    """As SeaweedFS does with its tables."""

    def hidden(self: Client, space: tuple[str, ...]) -> list[str]:
        if "list" not in self.may and space == ("b",) and error is not None:
            raise error
        if "list" not in self.may and space != ("b",):
            raise ForbiddenError(".".join(space))
        return []

    monkeypatch.setattr(Client, "list_tables", hidden)
    found, _ = outcomes(lakehouse, monkeypatch, EVERYTHING - {"list"})
    assert found["list", "own.b"] == (False, False)


def test_a_principal_that_the_server_does_not_know_may_do_nothing(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = outcomes(lakehouse, monkeypatch, OAuthError("unknown"))
    assert {allowed for _, allowed in found.values()} == {False}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RESTError("the disk is full"), "catalog lake answered neither yes nor no to list: the disk is full"),
        (NoSuchNamespaceError("gone"), "gone"),
        (OSError("no route"), "The store answered neither yes nor no to list: no route"),
    ],
)
def test_an_answer_that_is_neither_yes_nor_no_is_an_error(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def broken(self: Client, space: tuple[str, ...]) -> None:
        raise error

    monkeypatch.setattr(Client, "list_tables", broken)
    with pytest.raises((LakehouseError, NoSuchNamespaceError), match=message):
        outcomes(lakehouse, monkeypatch, EVERYTHING)
