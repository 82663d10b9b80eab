"""Where filters and masks hold: on a stack whose every service asks who a client is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakehouse.spec import Lakehouse, cautions
from lakehouse.spec.checks import check
from lakehouse.spec.enforced import openings, refusals, warnings

LOCAL = {"runtime": "process", "store": "seaweedfs", "catalogs": {"lake": {"kind": "polaris", "home": "/opt/polaris"}}}
CLOSED = {"trino": {"authentication": "password"}}


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
        (CLOSED, {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue"}}, "no engine there"),
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
    aws = {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue"}}
    text = said(lakehouse(CLOSED, None, one=aws, two=LOCAL, three={**LOCAL, "catalogs": {"lake": "rest"}}))
    assert ("stacks.one" in text, "stacks.two" in text, "stacks.three" in text) == (True, False, True)


def test_what_is_accepted_is_a_warning_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "lakehouse.yaml"
    path.write_text("access:\n  roles:\n    r:\n      grants:\n        lake.n.t: {rows: a = 1}\n")
    found = cautions(path, lakehouse(CLOSED, "best-effort", two={**LOCAL, "catalogs": {"lake": "rest"}}))
    assert [line.partition(": stacks")[0] for line in found] == [f'{path}:5: access.roles.r.grants."lake.n.t".rows']


def test_a_plain_grant_is_never_refused() -> None:
    file = lakehouse({"spark": {}, "trino": {}})
    file.access.roles["r"].grants.pop("lake.n.t")
    assert list(refusals(file)) == []
