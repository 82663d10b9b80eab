from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse.spec import Principal
from lakehouse.spec.checks import check
from lakehouse.spec.existing import warnings
from tests.unit.bootstrap.reconciler.simulation import lakehouse


def problems(principals: dict[str, Any], store: str = "s3proxy") -> list[tuple[str, str]]:
    stacks = {"local": {"runtime": "process", "store": store, "catalogs": {"lake": "nessie"}}}
    found = check(lakehouse({}, access={"principals": principals}, stacks=stacks))
    return [(".".join(map(str, each.at[2:])), each.message.partition(":")[0]) for each in found]


def of(**servers: str) -> dict[str, Any]:
    return {"existing": servers}


@pytest.mark.parametrize(
    ("principals", "at"),
    [
        ({"a": of(polaris="x"), "b": of(polaris="y"), "c": {}}, []),
        ({"a": of(polaris="x"), "b": of(polaris="x")}, ["b.existing.polaris"]),
        ({"a": {}, "b": of(polaris="unit-a")}, ["b.existing.polaris"]),
        ({"b": of(polaris="root")}, ["b.existing.polaris"]),
        ({"b": of(polaris="unit-b")}, ["b.existing.polaris"]),
        ({"a": of(store="x"), "b": of(polaris="x"), "c": of(store="y", polaris="y")}, []),
        ({"a": of(store="x"), "b": of(store="x")}, ["b.existing.store"]),
        ({"a": {}, "b": of(store="unit-a")}, ["b.existing.store"]),
        ({"b": of(store="lakehouse")}, ["b.existing.store"]),
        ({"a": {}, "b": of(store="root")}, []),
        ({"b": of(store="unit-b")}, ["b.existing.store"]),
    ],
)
def test_one_name_is_one_principal_and_root_is_none(principals: dict[str, Any], at: list[str]) -> None:
    assert [where for where, _ in problems(principals)] == at


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"existing": {}}, "it is empty: name a principal as in {polaris: NAME} or {store: NAME}"),
        ({"existing": {"polaris": ""}}, "at least 1 character"),
        ({"existing": {"polaris": "x"}, "deletable": True}, "`deletable` is for principals that the toolkit makes"),
    ],
)
def test_what_an_existing_principal_cannot_be_is_refused(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Principal.model_validate(entry)


def test_a_principal_of_others_is_at_the_servers_that_it_names() -> None:
    one = Principal.model_validate(of(polaris="x"))
    assert [server for server in ("store", "polaris", "trino") if one.is_known_to(server)] == ["polaris"]  # type: ignore[arg-type]
    both = Principal.model_validate(of(polaris="x", store="y"))
    assert [server for server in ("store", "polaris", "trino") if both.is_known_to(server)] == ["store", "polaris"]  # type: ignore[arg-type]
    assert (one.named("store"), both.named("store"), both.named("polaris"), Principal().named("store")) == (
        "",
        "y",
        "x",
        "",
    )
    assert all(Principal().is_known_to(server) for server in ("store", "polaris", "trino"))  # type: ignore[arg-type]


def test_what_nobody_takes_away_in_aws_is_said() -> None:
    stacks = {"aws": {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue"}, "engines": "managed"}}
    said = [lakehouse({}, access={"grants": word}, stacks=stacks) for word in ("additive", "authoritative")]
    assert [[problem.at for problem in warnings(each)] for each in said] == [[], [("access", "grants")]]
