"""In an account that gives new databases to Lake Formation, the stack's own are given to IAM: on moto's account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from moto import mock_aws

from bootstrap.session import aws, lake_formation
from lakehouse.access.names import Names, names
from lakehouse.errors import LakehouseError
from lakehouse.spec import Lakehouse
from tests.aws_double import refusal

REGION, ACCOUNT = "eu-west-1", "123456789012"
LAKEHOUSE = Lakehouse.model_validate(
    {
        "name": "demo",
        "buckets": {"warehouse": {}},
        "catalogs": {"lake": {"location": "s3://warehouse/lake", "namespaces": {"sales": {}, "stock": {}}}},
        "stacks": {
            "aws": {"region": REGION, "store": "s3", "catalogs": {"lake": "glue"}, "backend": {"bucket": "b-b"}}
        },
    }
)


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    for key in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "LAKEHOUSE_AWS_ACCOUNT"):
        monkeypatch.delenv(key, raising=False)
    with mock_aws():
        yield


@pytest.fixture
def own() -> Names:
    return names(LAKEHOUSE, "aws", ACCOUNT)


@pytest.fixture
def shut() -> Any:
    """The account after an administrator has made Lake Formation the default."""
    client = boto3.client("lakeformation", region_name=REGION)
    client.put_data_lake_settings(
        DataLakeSettings={"CreateDatabaseDefaultPermissions": [], "CreateTableDefaultPermissions": []}
    )
    return client


def _granted(client: Any) -> list[tuple[str, str, list[str]]]:
    return [
        (each["Principal"]["DataLakePrincipalIdentifier"], each["Resource"]["Database"]["Name"], each["Permissions"])
        for each in client.list_permissions()["PrincipalResourcePermissions"]
    ]


def test_an_ordinary_account_is_left(own: Names) -> None:
    assert lake_formation.only_iam(REGION, ACCOUNT) is True
    assert lake_formation.give_to_iam(LAKEHOUSE, own) == ()
    assert list(lake_formation.said(own)) == []
    assert _granted(boto3.client("lakeformation", region_name=REGION)) == []


def test_the_databases_are_given_once_and_nothing_else(own: Names, shut: Any) -> None:
    assert lake_formation.give_to_iam(LAKEHOUSE, own) == ["sales", "stock"]
    assert sorted(_granted(shut)) == [("IAM_ALLOWED_PRINCIPALS", each, ["ALL"]) for each in ("sales", "stock")]
    assert lake_formation.give_to_iam(LAKEHOUSE, own) == []
    assert shut.get_data_lake_settings()["DataLakeSettings"]["CreateDatabaseDefaultPermissions"] == []


def test_it_is_said_who_may_deploy(own: Names, shut: Any) -> None:
    [line] = lake_formation.said(own)
    assert line.startswith(f"Lake Formation decides about new databases of account {ACCOUNT}: who deploys must be")


def _refuse(monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    ask = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: Any, name: str, arguments: Any) -> Any:
        if name == operation:
            raise refusal(name, "AccessDeniedException", "no")
        return ask(client, name, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


def test_who_may_not_grant_is_told_who_may(own: Names, shut: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _refuse(monkeypatch, "GrantPermissions")
    with pytest.raises(LakehouseError, match=r"sales cannot be given to IAM.*grant-permissions.*--region eu-west-1"):
        lake_formation.give_to_iam(LAKEHOUSE, own)


def test_who_may_not_know_changes_nothing(own: Names, shut: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _refuse(monkeypatch, "GetDataLakeSettings")
    assert lake_formation.only_iam(REGION, ACCOUNT) is None
    assert lake_formation.give_to_iam(LAKEHOUSE, own) == ()
    assert list(lake_formation.said(own)) == []


def test_its_refusal_is_explained() -> None:
    from bootstrap.catalogs.glue import typed
    from bootstrap.remote.errors import Refused

    said = refusal("CreateTable", "AccessDeniedException", "Insufficient Lake Formation permission(s) on sales")
    said.response["ResponseMetadata"] = {"HTTPStatusCode": 400}  # type: ignore[typeddict-item]
    with pytest.raises(Refused, match="gives the stack's databases to IAM"), typed("lake", "glue"):
        raise said
    assert "403" in aws.DENIED
