"""Doubles of services of AWS, in this process. Each request and each answer is checked against botocore's own model.

What a double answers beyond its form is what its docstring says, and was never compared with AWS.
"""
# ruff: noqa: N803 - arguments have AWS's names

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

ACCOUNT = "123456789012"


class AwsDouble:
    """The account, as a caller sees it. ``services`` answer the calls: a method for each, named as boto3 names it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **services: object) -> None:
        self.services = {"sts": Caller(), "lakeformation": OnlyIam(), **services}
        self.calls: list[tuple[str, str, Mapping[str, Any]]] = []  # service, operation, arguments
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "nothing")
        double = self

        def call(client: Any, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
            return double.call(client, operation, arguments)

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    def call(self, client: Any, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        model = client.meta.service_model.operation_model(operation)
        validate_parameters(dict(arguments), model.input_shape)
        service = client.meta.service_model.service_name
        self.calls.append((service, operation, arguments))
        answer = getattr(self.services[service.replace("-", "_")], _method(client, operation))(**arguments)
        if model.output_shape is not None:
            validate_parameters(dict(answer), model.output_shape)
        return dict(answer)

    def called(self, service: str, operation: str) -> list[Mapping[str, Any]]:
        """The arguments of each call of the operation."""
        return [arguments for at, name, arguments in self.calls if (at, name) == (service, operation)]


def _method(client: Any, operation: str) -> str:
    return next(str(name) for name, each in client.meta.method_to_api_mapping.items() if each == operation)


def refusal(operation: str, code: str, message: str) -> ClientError:
    """What boto3 raises for an error of the service."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class Caller:
    """STS, for a caller who has assumed a role, or for a user."""

    def __init__(self, role: str = "") -> None:
        self.arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/me" if role else f"arn:aws:iam::{ACCOUNT}:user/me"

    def get_caller_identity(self) -> Mapping[str, Any]:
        return {"Account": ACCOUNT, "Arn": self.arn, "UserId": "me"}


class OnlyIam:
    """Lake Formation in an account where IAM decides, as in each new one."""

    def get_data_lake_settings(self, *, CatalogId: str) -> Mapping[str, Any]:
        default = {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}
        return {"DataLakeSettings": {"CreateDatabaseDefaultPermissions": [default]}}


class Objects:
    """S3's objects, without permissions."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: object) -> Mapping[str, Any]:
        self.kept[f"s3://{Bucket}/{Key}"] = Body
        return {}


class Parts:
    """Buckets, databases, workgroups and table buckets: all are there, except for what a test names."""

    def __init__(self) -> None:
        self.missing: set[str] = set()
        self.denied: set[str] = set()
        self.broken: set[str] = set()
        self.associations: list[Mapping[str, Any]] = []

    def list_associations(self, *, AssociationFilterList: list[Mapping[str, str]]) -> Mapping[str, Any]:
        [asked] = AssociationFilterList
        return self._answer("ListAssociations", asked["value"], "404", {"Associations": self.associations})

    def head_bucket(self, *, Bucket: str) -> Mapping[str, Any]:
        return self._answer("HeadBucket", Bucket, "404", {}, denied="403")

    def get_database(self, *, Name: str) -> Mapping[str, Any]:
        return self._answer("GetDatabase", Name, "EntityNotFoundException", {"Database": {"Name": Name}})

    def get_work_group(self, *, WorkGroup: str) -> Mapping[str, Any]:
        found = {"WorkGroup": {"Name": WorkGroup, "State": "ENABLED"}}
        return self._answer("GetWorkGroup", WorkGroup, "InvalidRequestException", found)

    def get_table_bucket(self, *, tableBucketARN: str) -> Mapping[str, Any]:
        name = tableBucketARN.rpartition("/")[2]
        found = {"arn": tableBucketARN, "name": name, "ownerAccountId": ACCOUNT, "createdAt": "2026-01-14T00:00:00Z"}
        return self._answer("GetTableBucket", name, "NotFoundException", found)

    def _answer(
        self,
        operation: str,
        name: str,
        absent: str,
        found: Mapping[str, Any],
        denied: str = "AccessDeniedException",
    ) -> Mapping[str, Any]:
        for names, code in ((self.missing, absent), (self.denied, denied), (self.broken, "InternalServiceException")):
            if name in names:
                raise refusal(operation, code, "no")
        return found
