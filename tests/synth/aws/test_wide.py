"""A lakehouse of 100 namespaces and 50 principals fits into IAM, and each principal has what the file grants it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lakehouse.access.names import names
from lakehouse.spec import Lakehouse
from lakehouse.spec.checks import check
from tests.synth.aws.attached import ACCOUNT, policies, resolved
from tests.synth.aws.conftest import synthesise
from tests.synth.aws.oracle import may
from tests.synth.aws.rules import refused
from tests.synth.aws.simulator import allowed, glue, s3

SPACES = [f"namespace_{nth:03}" for nth in range(100)]
TABLES = ["orders", "customers"]
STACK = "production"
LONGEST = "mixed_with_all_that_fits_it"  # as many characters as IAM leaves
_REPOSITORY = {"repository": "example/lakehouse", "owner_id": 123456, "repository_id": 456789}
#: A role for each way to grant on everything, and one for each namespace.
ROLES: dict[str, Any] = {
    "owner": {"lake": ["manage"]},
    "auditor": {"lake": ["read"]},
    "stewards": {f"lake.{space}": ["manage"] for space in SPACES},
    "readers": {f"lake.{space}": ["read"] for space in SPACES},
    "clerks": {f"lake.{space}.orders": ["write"] for space in SPACES},
    **{f"of_{space}": {f"lake.{space}": ["write"]} for space in SPACES},
}
PRINCIPALS = {
    **{role: [role] for role in ("owner", "auditor", "stewards", "readers", "clerks")},
    LONGEST: ["readers", "clerks", f"of_{SPACES[0]}"],
    **{f"team_{nth:02}": [f"of_{SPACES[nth]}", f"of_{SPACES[-1 - nth]}"] for nth in range(44)},
}


def wide() -> dict[str, Any]:
    """The file: AWS's longest names of regions, a name as long as S3 leaves, and all that takes room in a policy."""
    tables = {table: {"columns": {"id": "long"}} for table in TABLES}
    there = {"region": "ap-southeast-2", "store": "s3", "catalogs": {"lake": "glue"}}
    return {
        "name": "warehouses",
        "buckets": {"warehouse": {}},
        "catalogs": {
            "lake": {
                "location": "s3://warehouse/lake",
                "namespaces": {space: {"tables": tables} for space in SPACES},
            }
        },
        "engines": {"spark": {}, "trino": {}},
        "access": {
            "roles": {role: {"grants": grants} for role, grants in ROLES.items()},
            "principals": {principal: {"roles": roles} for principal, roles in PRINCIPALS.items()},
        },
        "stacks": {STACK: {**there, "github": _REPOSITORY, "backend": {"bucket": "example-state"}}},
    }


@pytest.fixture(scope="module")
def lakehouse() -> Lakehouse:
    return Lakehouse.model_validate(wide())


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    folder = tmp_path_factory.mktemp("wide")
    (folder / "lakehouse.yaml").write_text(json.dumps(wide()))  # JSON is YAML
    found: Mapping[str, Any] = synthesise(folder, folder / "lakehouse.yaml")[STACK]
    return found


def test_the_names_are_as_long_as_they_may_be(lakehouse: Lakehouse) -> None:
    longer = wide() | {"name": "warehouses1"}
    assert {each.at for each in check(Lakehouse.model_validate(longer))} == {
        ("name",),
        ("access", "principals", LONGEST),
    }
    assert check(lakehouse) == []


def test_it_fits_into_iam(stack: Mapping[str, Any]) -> None:
    assert len(PRINCIPALS) == 50
    assert refused(stack) == []


@pytest.mark.parametrize("principal", ["owner", "auditor", "stewards", "readers", "clerks", LONGEST, "team_07"])
def test_each_has_what_the_file_grants(stack: Mapping[str, Any], lakehouse: Lakehouse, principal: str) -> None:
    own = names(lakehouse, STACK, ACCOUNT)
    where = f"arn:aws:glue:ap-southeast-2:{ACCOUNT}"
    documents = [json.loads(resolved(each)) for each in policies(stack, f"principal_{principal}")]
    requests = [
        (request, may(lakehouse, principal, verb, "lake", space, table))
        for space in (SPACES[0], SPACES[7], SPACES[50], SPACES[-1])
        for table in TABLES
        for verb, request in (
            ("read", glue(where, "GetTable", space, table)),
            ("write", glue(where, "UpdateTable", space, table)),
            ("manage", glue(where, "DeleteTable", space, table)),
            ("read", s3("GetObject", own.bucket("warehouse"), f"lake/{space}/{table}/data/0.parquet")),
            ("write", s3("PutObject", own.bucket("warehouse"), f"lake/{space}/{table}/data/0.parquet")),
            ("read", s3("ListBucket", own.bucket("warehouse"), prefix=f"lake/{space}/{table}/")),
        )
    ]
    assert [(request, granted) for request, granted in requests if allowed(documents, request) is not granted] == []


def test_a_grant_on_a_catalog_names_its_folder_once(stack: Mapping[str, Any]) -> None:
    for principal in ("owner", "auditor"):
        statements = [
            each for policy in policies(stack, f"principal_{principal}") for each in json.loads(policy)["Statement"]
        ]
        folders = [each for statement in statements for each in statement["Resource"] if "s3:::" in each]
        assert len([each for each in folders if each.endswith("/lake/*")]) == 1
        assert not [each for each in folders if "namespace" in each]
