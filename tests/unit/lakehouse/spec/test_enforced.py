"""Where filters and masks hold: on a stack whose every service asks who a client is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse.spec import Lakehouse, SpecError, cautions, load
from lakehouse.spec.checks import check
from lakehouse.spec.enforced import openings, refusals, warnings

LOCAL: dict[str, Any] = {
    "runtime": "process",
    "store": "seaweedfs",
    "catalogs": {"lake": {"kind": "polaris", "home": "/opt/polaris"}},
}
CLOSED = {"trino": {"authentication": "password"}}
AWS = {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue"}}


def lakehouse(engines: dict[str, Any], enforce: str | None = None, **stacks: Any) -> Lakehouse:
    narrowed = {"verbs": ["read"], "rows": "a = 1"}
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}},
            "catalogs": {
                "lake": {
                    "location": "s3://warehouse/lake",
                    "namespaces": {"n": {"tables": {"t": {"columns": {"a": "long"}}}}},
                }
            },
            "access": {
                "roles": {"r": {"grants": {"lake.n.t": narrowed, "lake.n": ["read"]}}},
                **({"enforce": enforce} if enforce else {}),
            },
            "engines": engines,
            "stacks": stacks or {"local": LOCAL},
        }
    )


def said(file: Lakehouse) -> str:
    return " ".join(each.message for each in refusals(file))


@pytest.mark.parametrize(
    "stack",
    [LOCAL, {**LOCAL, "catalogs": {"lake": "s3tables"}}, {**LOCAL, "store": "s3proxy"}, {**LOCAL, "store": "minio"}],
)
def test_a_stack_whose_services_all_ask_enforces_a_filter(stack: dict[str, Any]) -> None:
    file = lakehouse(CLOSED, None, here=stack)
    assert list(refusals(file)) == []
    assert check(file) == [] or stack["catalogs"]["lake"] == "s3tables", "which needs a bucket of its own"


@pytest.mark.parametrize(
    ("engines", "stack", "why"),
    [
        ({}, LOCAL, "no engine of the file applies filters and masks"),
        ({"trino": {}}, LOCAL, "Trino lets everybody in, under any name"),
        ({**CLOSED, "spark": {"connect": {"token": True}}}, LOCAL, "Spark runs the jobs of everybody"),
        (CLOSED, {**LOCAL, "catalogs": {"lake": "nessie"}}, "server does what anybody on its network asks"),
        (CLOSED, {**LOCAL, "catalogs": {"lake": "rest"}}, "server does what anybody on its network asks"),
        (CLOSED, {**LOCAL, "catalogs": {"lake": "hive"}}, "server does what anybody on its network asks"),
        (
            CLOSED,
            {"runtime": "docker", "store": "aistor", "license": "l", "catalogs": {"lake": "s3tables"}},
            "AIStor was never started",
        ),
        ({"trino": {}}, {**AWS, "engines": "ec2"}, "Trino on its instances read all tables with one role"),
        ({"spark": {}, "trino": {}}, {**AWS, "engines": "ec2"}, "Spark and Trino on its instances"),
    ],
)
def test_one_open_way_is_enough_to_refuse_it(engines: dict[str, Any], stack: dict[str, Any], why: str) -> None:
    file = lakehouse(engines, None, here=stack)
    assert why in said(file)
    assert len(list(openings(file, file.stacks["here"], "lake"))) == 1, "and nothing else is open"
    assert [each.at for each in refusals(file)] == [("access", "roles", "r", "grants", "lake.n.t", "rows")]
    accepted = lakehouse(engines, "best-effort", here=stack)
    assert list(refusals(accepted)) == []
    assert [why in each.message for each in warnings(accepted)] == [True]
    assert list(warnings(file)) == []


def test_every_stack_that_does_not_enforce_it_is_named() -> None:
    one = {**LOCAL, "catalogs": {"lake": "nessie"}}
    text = said(lakehouse(CLOSED, None, one=one, two=LOCAL, three={**LOCAL, "catalogs": {"lake": "rest"}}))
    assert ("stacks.one" in text, "stacks.two" in text, "stacks.three" in text) == (True, False, True)


@pytest.mark.parametrize(("engines", "managed"), [({"spark": {}, "trino": {}}, "managed"), ({}, "ec2")])
@pytest.mark.parametrize("enforce", [None, "best-effort"])
def test_where_the_table_is_closed_in_aws_it_is_a_warning(
    engines: dict[str, Any], managed: str, enforce: str | None
) -> None:
    """Nothing there shows what a filter hides; so one file serves such a stack and one that applies the filter."""
    file = lakehouse(engines, enforce, aws={**AWS, "engines": managed})
    assert list(refusals(file)) == []
    (found,) = warnings(file)
    assert found.at == ("access", "roles", "r", "grants", "lake.n.t", "rows")
    assert (
        found.message
        == "stacks.aws applies no filters and masks, so the grant gives nothing there: its tables are closed"
    )


SECURE: dict[str, Any] = {"runtime": "process", "store": "seaweedfs", "secure": True, "catalogs": {"lake": "nessie"}}


def test_a_secure_nessie_asks_and_leaves_a_way_to_writers() -> None:
    assert said(lakehouse(CLOSED, None, here=SECURE)) == ""
    assert "does what anybody" in said(lakehouse(CLOSED, None, here={**SECURE, "secure": False}))
    for verb in ("write", "manage"):
        assert "the metadata of any other" in said(writing(other=OTHER, verb=verb, **SECURE))
    assert said(writing(other=OTHER, verb="read", **SECURE)) == ""
    assert said(writing(other=OTHER, to="lakes.n.t", **SECURE)) == ""


OTHER = {"columns": {"a": "long"}}
FAR = {**OTHER, "location": "s3://warehouse/lake/far"}


def writing(*, other: dict[str, Any], to: str = "lake.n.other", verb: str = "write", **stack: Any) -> Lakehouse:
    """A principal with a filter on one table who may also write to another table."""
    data = lakehouse(CLOSED, None, local={**LOCAL, **stack}).model_dump(mode="json", exclude_unset=True)
    data["catalogs"]["lake"]["namespaces"]["n"]["tables"]["other"] = other
    data["catalogs"]["lakes"] = {"location": "s3://warehouse/lakes", "namespaces": {"n": {"tables": {"t": OTHER}}}}
    del data["access"]["roles"]["r"]["grants"]["lake.n"]
    data["access"]["roles"]["w"] = {"grants": {to: [verb]}}
    data["access"]["principals"] = {"p": {"roles": ["r", "w"]}}
    data["stacks"]["local"]["catalogs"]["lakes"] = data["stacks"]["local"]["catalogs"]["lake"]
    return Lakehouse.model_validate(data)


def test_polaris_gives_a_writer_keys_for_any_folder_if_a_table_may_be_anywhere() -> None:
    for verb in ("write", "manage"):
        assert "point that table at any folder" in said(writing(other=FAR, verb=verb))
    renamed = {**OTHER, "renamed_from": "m.other"}
    assert "any folder" in said(writing(other=renamed)), "a table that was in another namespace has its files there"
    assert "any folder" in said(writing(other=FAR, to="lake.n.other", store="minio"))


@pytest.mark.parametrize(
    ("reason", "file"),
    [
        ("every table is in its namespace's folder", writing(other=OTHER)),
        ("it only reads", writing(other=FAR, verb="read")),
        ("it writes in another catalog", writing(other=FAR, to="lakes.n.t")),
        ("the store issues no keys", writing(other=FAR, store="s3proxy")),
        ("SeaweedFS' own tables give a principal nothing", writing(other=FAR, catalogs={"lake": "s3tables"})),
    ],
)
def test_and_none_otherwise(reason: str, file: Lakehouse) -> None:
    assert said(file) == "", reason


def test_properties_that_let_tables_be_anywhere_count_too() -> None:
    of_server = {
        **LOCAL["catalogs"]["lake"],
        "properties": {'polaris.features."ALLOW_UNSTRUCTURED_TABLE_LOCATION"': "true"},
    }
    assert "any folder" in said(writing(other=OTHER, catalogs={"lake": of_server}))
    file = writing(other=OTHER)
    file.catalogs["lake"].properties["polaris.config.allow.unstructured.table.location"] = "true"
    assert "any folder" in said(file)


def test_another_principal_may_write() -> None:
    file = writing(other=FAR)
    apart = {"p": {"roles": ["r"]}, "q": {"roles": ["w"]}}
    data = file.model_dump(mode="json", exclude_unset=True)
    data["access"]["principals"] = apart
    assert said(Lakehouse.model_validate(data)) == ""


def test_a_deployed_lakehouse_is_read_whatever_its_stacks_enforce(tmp_path: Path) -> None:
    """So that it can be exported and destroyed."""
    file = lakehouse({"trino": {}})
    file.access.roles["r"].grants.pop("lake.n")
    path = tmp_path / "lakehouse.yaml"
    path.write_text(yaml.safe_dump(file.model_dump(mode="json", exclude_unset=True)))
    assert load(path, engines=False) == file
    with pytest.raises(SpecError, match="lets everybody in"):
        load(path)


def test_what_is_accepted_is_a_warning_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "lakehouse.yaml"
    path.write_text("access:\n  roles:\n    r:\n      grants:\n        lake.n.t: {rows: a = 1}\n")
    found = cautions(path, lakehouse(CLOSED, "best-effort", two={**LOCAL, "catalogs": {"lake": "rest"}}))
    assert [line.partition(": stacks")[0] for line in found] == [f'{path}:5: access.roles.r.grants."lake.n.t".rows']


def test_a_plain_grant_is_never_refused() -> None:
    file = lakehouse({"spark": {}, "trino": {}})
    file.access.roles["r"].grants.pop("lake.n.t")
    assert list(refusals(file)) == []
