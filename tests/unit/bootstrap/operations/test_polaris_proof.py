from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pyiceberg.exceptions import CommitFailedException, ForbiddenError, OAuthError, RESTError

from bootstrap.operations import polaris_proof
from bootstrap.session import clients
from lakehouse.errors import LakehouseError
from lakehouse.spec import Lakehouse

TABLE = {"columns": {"id": "long", "email": "string"}}
VIEW = {"sql": {"trino": "SELECT 1 AS a"}, "columns": {"a": "int"}}
FILE: dict[str, Any] = {
    "name": "shop",
    "buckets": {"warehouse": {}},
    "catalogs": {
        "lake": {
            "location": "s3://warehouse/lake",
            "namespaces": {"a": {"tables": {"t": TABLE, "masked": TABLE}, "views": {"v": VIEW}}},
        },
        "other": {"location": "s3://warehouse/other", "namespaces": {"a": {"tables": {"t": TABLE}}}},
    },
    "access": {
        "roles": {
            "r": {
                "grants": {
                    "lake.a.t": ["write"],
                    "lake.a.masked": {"verbs": ["read"], "columns": {"email": "mask"}},
                    "other": ["manage"],
                }
            }
        },
        "principals": {"bi": {"roles": ["r"]}},
    },
    "stacks": {
        "local": {"runtime": "process", "store": "minio", "catalogs": {"lake": {"kind": "polaris"}, "other": "nessie"}}
    },
}


class Client:
    """Allows the operations of that set, and answers like PyIceberg's client."""

    def __init__(self, may: set[str]) -> None:
        self.may, self.tables = may, set[tuple[str, ...]]()

    def _asked(self, operation: str) -> None:
        if operation not in self.may:
            raise ForbiddenError(operation)

    def list_tables(self, space: tuple[str, ...]) -> None:
        self._asked("list")

    def load_table(self, name: tuple[str, ...]) -> str:
        self._asked("load")
        return ".".join(name)

    def commit_table(self, table: str, requirements: Any, updates: Any) -> None:
        assert requirements
        self._asked("write")
        raise CommitFailedException

    def create_table_transaction(self, name: tuple[str, ...], schema: Any) -> None:
        self._asked("create")

    def create_table(self, name: tuple[str, ...], schema: Any) -> None:
        self.tables.add(name)

    def drop_table(self, name: tuple[str, ...]) -> None:
        self._asked("drop")
        self.tables.discard(name)


@pytest.fixture
def lakehouse() -> Lakehouse:
    return Lakehouse.model_validate(FILE)


def outcomes(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch, principal: Any
) -> tuple[dict[tuple[str, str], tuple[bool, bool]], Client]:
    """What is wanted and allowed by operation and place, and the owner's client."""
    owner = Client({"list", "load", "write", "create", "drop"})

    def iceberg(target: Any, name: str, **instead: str) -> Any:
        if instead and isinstance(principal, Exception):
            raise principal
        return principal if instead else owner

    monkeypatch.setattr(clients, "iceberg", iceberg)
    asked = polaris_proof.calls(lakehouse, "local")
    found = polaris_proof.outcomes(asked, SimpleNamespace(), lambda name: ("id", "word"))  # type: ignore[arg-type]
    return {(each.call.operation, each.call.place): (each.wanted, each.allowed) for each in found}, owner


def test_calls_are_made_in_catalogs_of_polaris_and_not_on_views(lakehouse: Lakehouse) -> None:
    asked = polaris_proof.calls(lakehouse, "local")
    assert {(each.operation, each.name) for each in asked} == {
        *((operation, "") for operation in ("list", "create", "drop")),
        *((operation, table) for operation in ("load", "write") for table in ("t", "masked")),
    }
    assert {each.catalog for each in asked} == {"lake"}


def test_a_table_with_a_mask_is_closed_in_the_catalog(lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    found, owner = outcomes(lakehouse, monkeypatch, Client({"load", "write"}))
    assert found == {
        ("list", "lake.a"): (False, False),
        ("create", "lake.a"): (False, False),
        ("drop", "lake.a"): (False, False),
        ("load", "lake.a.t"): (True, True),
        ("write", "lake.a.t"): (True, True),
        ("load", "lake.a.masked"): (False, True),
        ("write", "lake.a.masked"): (False, True),
    }
    assert owner.tables == set(), "nothing is left behind"


def test_a_principal_that_the_server_does_not_know_may_do_nothing(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = outcomes(lakehouse, monkeypatch, OAuthError("unknown"))
    assert {allowed for _, allowed in found.values()} == {False}


def test_an_answer_that_is_neither_yes_nor_no_is_an_error(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Client):
        def list_tables(self, space: tuple[str, ...]) -> None:
            raise RESTError("the disk is full")

    with pytest.raises(LakehouseError, match="neither yes nor no to list: the disk is full"):
        outcomes(lakehouse, monkeypatch, Broken(set()))
