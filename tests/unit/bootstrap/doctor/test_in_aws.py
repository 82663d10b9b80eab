from __future__ import annotations

import pytest

from bootstrap.doctor import in_aws
from bootstrap.doctor.findings import examine
from bootstrap.doctor.surroundings import Surroundings
from bootstrap.session import lake_formation
from bootstrap.session.aws_parts import AwsPart, AwsParts
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError
from lakehouse.runtimes.findings import Finding
from lakehouse.spec import load
from tests.aws_double import AwsDouble
from tests.synth.synthesised import AWS


def findings() -> dict[str, Finding]:
    made = in_aws.of_target(Target(AWS, load(AWS), "aws"), Surroundings({}, lambda: 0.0))
    return {each.check: each.finding for each in examine(made)}


def test_without_credentials_the_rest_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(target: Target) -> AwsParts:
        raise LakehouseError("there are no credentials for it")

    monkeypatch.setattr(AwsParts, "of", refused)
    found = findings()
    assert (found["credentials"].severity, found["credentials"].found) == ("error", "there are no credentials for it")
    assert {found[name].severity for name in ("buckets", "databases", "athena", "spark")} == {"skipped"}


@pytest.mark.parametrize(
    ("part", "check", "severity"),
    [
        (AwsPart("bucket", "b", "there"), "buckets", "ok"),
        (AwsPart("bucket", "b", "missing"), "buckets", "error"),
        (AwsPart("Athena workgroup", "g", "DISABLED"), "athena", "error"),
        (AwsPart("EMR application", "a", "missing"), "spark", "error"),
        (AwsPart("EMR application", "a", "STOPPED"), "spark", "ok"),
        (AwsPart("instances", "i", "Success"), "instances", "ok"),
        (AwsPart("instances", "i", "Failed (Failed 1, Success 2)"), "instances", "error"),
        (AwsPart("Glue database", "d", "not shown to you"), "databases", "warning"),
    ],
)
def test_what_a_state_means(monkeypatch: pytest.MonkeyPatch, part: AwsPart, check: str, severity: str) -> None:
    AwsDouble(monkeypatch)
    monkeypatch.setattr(AwsParts, "parts", lambda self: iter([part]))
    assert findings()[check].severity == severity


@pytest.mark.parametrize(
    ("iam", "severity", "found"),
    [
        (True, "ok", "IAM decides"),
        (False, "warning", "Lake Formation decides"),
        (None, "ok", "not shown to you"),
    ],
)
def test_who_decides_about_new_databases(
    monkeypatch: pytest.MonkeyPatch, iam: bool | None, severity: str, found: str
) -> None:
    AwsDouble(monkeypatch)
    monkeypatch.setattr(AwsParts, "parts", lambda self: iter([]))
    monkeypatch.setattr(lake_formation, "only_iam", lambda region, account: iam)
    said = findings()["lake formation"]
    assert said.severity == severity
    assert found in said.found
