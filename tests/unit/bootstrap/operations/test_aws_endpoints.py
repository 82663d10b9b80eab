from __future__ import annotations

import pytest

from bootstrap.operations.aws_endpoints import endpoints
from bootstrap.session.aws_parts import AwsParts
from bootstrap.session.target import Target
from lakehouse.spec import load
from tests.aws_double import AwsDouble, Caller
from tests.synth.synthesised import AWS


@pytest.mark.parametrize(
    ("stack", "names"),
    [
        ("aws", ["glue", "iceberg-rest", "catalog-glue_catalog", "athena-etl", "spark-etl"]),
        ("clusters", ["glue", "iceberg-rest", "catalog-glue_catalog"]),
        ("tables", ["glue", "catalog-glue_catalog", "spark-etl"]),
    ],
)
def test_what_each_form_has(monkeypatch: pytest.MonkeyPatch, stack: str, names: list[str]) -> None:
    lakehouse = load(AWS)
    options = lakehouse.stacks[stack]
    region = getattr(options, "region", "")
    AwsDouble(monkeypatch, sts=Caller(f"employees-{stack}-etl-{region}"))
    found = endpoints(AwsParts.of(Target(AWS, lakehouse, stack)))
    assert [each.name for each in found] == names
    assert all(each.external == each.internal for each in found)
    assert f"glue.{region}.amazonaws.com" in found[0].external
