"""What Athena's clients send passes in a principal's own workgroup, and in no other one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from lakehouse.aws.observe import ACTIVATE
from tests.synth.aws.attached import ACCOUNT, policies, resolved
from tests.synth.aws.conftest import synthesise
from tests.synth.aws.simulator import Request, allowed

WHERE = f"arn:aws:athena:eu-west-1:{ACCOUNT}"
#: By client. The drivers' from https://docs.aws.amazon.com/athena/latest/ug/jdbc-v3-driver.html and the policies of
#: https://docs.aws.amazon.com/athena/latest/ug/example-policies-workgroup.html
IN_WORKGROUP = {
    "API": "GetQueryExecution GetQueryResults GetWorkGroup StartQueryExecution StopQueryExecution",
    "JDBC and ODBC": "GetQueryResultsStream GetQueryRuntimeStatistics CreatePreparedStatement GetPreparedStatement",
    "console": "BatchGetQueryExecution ListQueryExecutions ListNamedQueries BatchGetNamedQuery CreateNamedQuery",
}
OF_CATALOG = "GetDataCatalog ListDatabases GetDatabase ListTableMetadata GetTableMetadata"
OF_ALL = "ListDataCatalogs ListWorkGroups ListEngineVersions"
STREAM = "GetQueryResultsStream"  # an action of IAM, of an interface for drivers that botocore does not know


@pytest.fixture(scope="module")
def documents(stacks: Mapping[str, Any]) -> list[Any]:
    return [json.loads(resolved(each)) for each in policies(stacks["aws"], "principal_bi")]


@pytest.mark.parametrize("client", IN_WORKGROUP)
def test_a_client_works_in_its_own_workgroup(documents: list[Any], client: str) -> None:
    for action in IN_WORKGROUP[client].split():
        for workgroup, may in (("employees-aws-bi", True), ("employees-aws-etl", False), ("primary", False)):
            assert allowed(documents, Request(f"athena:{action}", (f"{WHERE}:workgroup/{workgroup}",))) is may, action


def test_a_client_shows_databases_and_tables(documents: list[Any]) -> None:
    for action in OF_CATALOG.split():
        assert allowed(documents, Request(f"athena:{action}", (f"{WHERE}:datacatalog/AwsDataCatalog",))), action
        assert not allowed(documents, Request(f"athena:{action}", (f"{WHERE}:datacatalog/other",))), action
    for action in OF_ALL.split():
        assert allowed(documents, Request(f"athena:{action}", ("*",))), action


def test_nobody_changes_workgroups(documents: list[Any]) -> None:
    for action in ("UpdateWorkGroup", "DeleteWorkGroup", "CreateWorkGroup"):
        assert not allowed(documents, Request(f"athena:{action}", (f"{WHERE}:workgroup/employees-aws-bi",)))


def test_athena_finds_or_makes_the_database_default(documents: list[Any]) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html"""
    where = f"arn:aws:glue:eu-west-1:{ACCOUNT}"
    for action in ("GetDatabase", "CreateDatabase"):
        assert allowed(documents, Request(f"glue:{action}", (f"{where}:catalog", f"{where}:database/default")))
    assert not allowed(documents, Request("glue:CreateTable", (f"{where}:catalog", f"{where}:database/default")))


def test_athena_has_these_operations() -> None:
    model = botocore.session.get_session().get_service_model("athena")
    named = " ".join([*IN_WORKGROUP.values(), OF_CATALOG, OF_ALL]).split()
    assert set(named) - set(model.operation_names) == {STREAM}


def test_a_budget_says_how_its_tag_is_activated(stacks: Mapping[str, Any]) -> None:
    assert stacks["aws"]["output"]["activate_budget"]["value"] == ACTIVATE
    assert "activate_budget" not in stacks["tables"]["output"]
    model = botocore.session.get_session().get_service_model("ce")
    shape: Any = model.operation_model("UpdateCostAllocationTagsStatus").input_shape
    [listed] = shape.members.values()
    assert set(listed.member.members) == {"TagKey", "Status"}
    assert "Active" in listed.member.members["Status"].enum


def test_s3_tables_have_no_athena(stacks: Mapping[str, Any], tmp_path: Path) -> None:
    """It would need Glue's federated catalog and Lake Formation. The synth says so."""
    synthesise(tmp_path)
    said = json.loads((tmp_path / "cdktf.out" / "manifest.json").read_text())["stacks"]
    assert "stacks.tables has no Athena, which reads S3 Tables only by" in json.dumps(said["tables"]["annotations"])
    assert "Athena" not in json.dumps(said["aws"]["annotations"])
    assert "aws_athena_workgroup" not in stacks["tables"]["resource"]
    assert "athena_workgroups" not in stacks["tables"]["output"]
    for role in ("principal_bi", "github_deploy"):
        assert "athena:" not in "".join(policies(stacks["tables"], role)), role
