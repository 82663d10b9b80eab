"""Athena in a verification: the statements that it sends, and how it reads the answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.stub import Stubber

from bootstrap.session.aws import in_aws
from bootstrap.session.target import Target
from bootstrap.verify import chosen
from bootstrap.verify.athena import VerifiedAthena
from bootstrap.verify.engines import VerifiedTable
from lakehouse.access.names import names
from lakehouse.errors import LakehouseError
from lakehouse.spec import load
from tests.synth.synthesised import AWS

TABLE = VerifiedTable("glue_catalog", "verify_1", "by_athena")
LOCATION = "s3://employees-aws-warehouse-123456789012-eu-west-1/glue-warehouse/verify_1/by_athena/"


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Target:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nothing")
    lakehouse = load(AWS)
    return Target(AWS, in_aws(lakehouse, names(lakehouse, "aws", "123456789012")), "aws")


class Answers:
    """Athena's answers, and the statements that it should get."""

    def __init__(self, target: Target) -> None:
        self.engine = VerifiedAthena(target, wait=0)
        self.stub = Stubber(self.engine._client)

    def statement(self, sql: str, *states: str, reason: str = "") -> None:
        sent = {"QueryString": sql, "WorkGroup": "employees-aws-operators"}
        self.stub.add_response("start_query_execution", {"QueryExecutionId": "q"}, sent)
        for state in states or ("QUEUED", "RUNNING", "SUCCEEDED"):
            status: dict[str, Any] = {"State": state, **({"StateChangeReason": reason} if reason else {})}
            self.stub.add_response(
                "get_query_execution", {"QueryExecution": {"Status": status}}, {"QueryExecutionId": "q"}
            )

    def rows(self, name: str, *values: int) -> None:
        rows = [{"Data": [{"VarCharValue": str(each)}]} for each in (name, *values)]
        answer = {"ResultSet": {"Rows": rows}}
        self.stub.add_response("get_query_results", answer, {"QueryExecutionId": "q"})


@pytest.fixture
def answers(target: Target) -> Iterator[Answers]:
    made = Answers(target)
    with made.stub:
        yield made
        made.stub.assert_no_pending_responses()


def test_it_writes(answers: Answers) -> None:
    kind = "TBLPROPERTIES ('table_type' = 'ICEBERG')"
    answers.statement(f"CREATE TABLE `verify_1`.`by_athena` (number bigint) LOCATION '{LOCATION}' {kind}")
    answers.statement('INSERT INTO "verify_1"."by_athena" VALUES (1)')
    answers.statement('INSERT INTO "verify_1"."by_athena" VALUES (2)')
    answers.engine.write(TABLE, (1, 2))


@pytest.mark.parametrize(("snapshot", "more"), [(None, ""), (7, " FOR VERSION AS OF 7")])
def test_it_reads(answers: Answers, snapshot: int | None, more: str) -> None:
    answers.statement(f'SELECT number FROM "verify_1"."by_athena"{more}')
    answers.rows("number", 2, 1)
    assert answers.engine.read(TABLE, snapshot) == [1, 2]


def test_it_sees_snapshots(answers: Answers) -> None:
    answers.statement('SELECT snapshot_id FROM "verify_1"."by_athena$snapshots" ORDER BY committed_at')
    answers.rows("snapshot_id", 5, 9)
    assert answers.engine.snapshots(TABLE) == [5, 9]


def test_what_fails_is_reported(answers: Answers) -> None:
    answers.statement('SELECT number FROM "verify_1"."by_athena"', "FAILED", reason="TABLE_NOT_FOUND")
    with pytest.raises(LakehouseError, match="Athena: TABLE_NOT_FOUND"):
        answers.engine.read(TABLE)


@pytest.mark.parametrize(("stack", "engines"), [("aws", ["Athena", "PyIceberg"]), ("clusters", ["PyIceberg"])])
def test_engines_of_a_stack_in_aws(target: Target, stack: str, engines: list[str]) -> None:
    assert [each.name for each in chosen.engines(replace(target, stack=stack))] == engines
