"""The contents of the file at their places in AWS."""

from __future__ import annotations

import pytest

from bootstrap.session import aws
from bootstrap.session.aws import in_aws
from lakehouse.access.names import names
from lakehouse.errors import LakehouseError
from lakehouse.spec import Lakehouse

FILE = {
    "name": "demo",
    "buckets": {"warehouse": {}, "other": {}},
    "catalogs": {
        "lake": {
            "location": "s3://warehouse/lake",
            "namespaces": {
                "a": {
                    "tables": {
                        "here": {"columns": {"id": "long"}},
                        "there": {"columns": {"id": "long"}, "location": "s3://other/of/its/own"},
                    }
                }
            },
        }
    },
    "stacks": {"aws": {"region": "us-gov-west-1", "store": "s3", "catalogs": {"lake": "glue"}}},
}


def test_places_are_those_of_the_stack_and_everything_else_is_the_same() -> None:
    lakehouse = Lakehouse.model_validate(FILE)
    located = in_aws(lakehouse, names(lakehouse, "aws", "123456789012"))
    catalog = located.catalogs["lake"]
    assert catalog.location == "s3://demo-aws-warehouse-123456789012-us-gov-west-1/lake"
    tables = catalog.namespaces["a"].tables
    assert tables["here"].location is None
    assert tables["there"].location == "s3://demo-aws-other-123456789012-us-gov-west-1/of/its/own"
    assert tables["there"].columns == lakehouse.catalogs["lake"].namespaces["a"].tables["there"].columns
    assert located.buckets == {}, "they are Terraform's"
    assert lakehouse.catalogs["lake"].location == "s3://warehouse/lake", "the file's own model stays as it is"


def test_path_properties_and_a_namespaces_location_are_those_of_the_stack_too() -> None:
    table = {"columns": {"id": "long"}, "properties": {"write.data.path": "s3://other/t", "gc.enabled": True}}
    spaces = {"a": {"properties": {"location": "s3://other/a"}, "tables": {"t": table}}}
    catalogs = {"lake": {"location": "s3://warehouse/lake", "namespaces": spaces}}
    lakehouse = Lakehouse.model_validate({**FILE, "catalogs": catalogs})
    space = in_aws(lakehouse, names(lakehouse, "aws", "123456789012")).catalogs["lake"].namespaces["a"]
    bucket = "s3://demo-aws-other-123456789012-us-gov-west-1"
    assert space.properties == {"location": f"{bucket}/a"}
    assert space.tables["t"].properties == {"write.data.path": f"{bucket}/t", "gc.enabled": "true"}


def test_who_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    """It is not AWS's own address if the shell names another, and `lakehouse deploy` does not help."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nothing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port}")
    with pytest.raises(LakehouseError) as caught:
        aws.identity("eu-west-1", "aws")
    assert str(caught.value) == (
        f"AWS at http://127.0.0.1:{free_port}/ cannot be reached (EndpointConnectionError). Look at the network, "
        "at the region, and at AWS_ENDPOINT_URL if it is set"
    )
