"""SQL with Athena, against a double whose requests and answers botocore's model checks."""

from __future__ import annotations

import io
import os
import signal
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bootstrap.session import sql
from bootstrap.session.athena_sql import AthenaEngine, workgroup
from bootstrap.session.results import SqlFailure
from bootstrap.session.statements import split
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec import load
from tests.athena_double import AthenaDouble, Result
from tests.aws_double import AwsDouble, Caller, refusal
from tests.synth.synthesised import AWS

GROUP = "employees-aws-etl"


@pytest.fixture
def target() -> Target:
    return Target(AWS, load(AWS), "aws")


@pytest.fixture
def athena() -> AthenaDouble:
    return AthenaDouble()


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch, athena: AthenaDouble) -> AwsDouble:
    return AwsDouble(monkeypatch, athena=athena, sts=Caller("employees-aws-etl-eu-west-1"))


@pytest.fixture
def engine(target: Target) -> AthenaEngine:
    return AthenaEngine(target, GROUP, waits=(0,))


VALUES = [
    ("integer", "1", 1),
    ("bigint", "9223372036854775807", 2**63 - 1),
    ("double", "1.5E300", 1.5e300),
    ("double", "NaN", "NaN"),
    ("decimal", "1.10", Decimal("1.10")),
    ("boolean", "true", True),
    ("varbinary", "01 ff", b"\x01\xff"),
    ("varchar", "a b", "a b"),
    ("varchar", "", ""),
    ("bigint", None, None),
    ("date", "2026-01-14", "2026-01-14"),
    ("timestamp", "2026-01-14 10:00:00.500000", "2026-01-14 10:00:00.5"),
    ("timestamp with time zone", "2026-01-14 10:00:00.000000 UTC", "2026-01-14 10:00:00+00:00"),
    ("timestamp with time zone", "2026-01-14 10:00:00.000 Europe/Berlin", "2026-01-14 10:00:00 Europe/Berlin"),
    ("array", "[1, 2]", "[1, 2]"),
    ("row", "{a=1}", "{a=1}"),
]


@pytest.mark.parametrize(("of", "sent", "value"), VALUES)
def test_values_have_their_types(
    engine: AthenaEngine, athena: AthenaDouble, of: str, sent: str | None, value: object
) -> None:
    athena.results["SELECT 1"] = Result(columns={"x": of}, rows=[[sent]])
    [[found]] = list(engine.run("SELECT 1").rows)
    assert str(found).lower() == "nan" if value == "NaN" else (found, type(found)) == (value, type(value))


def test_rows_of_several_pages_without_the_names_of_columns(engine: AthenaEngine, athena: AthenaDouble) -> None:
    athena.results["SELECT n"] = Result(columns={"n": "bigint"}, rows=[[str(n)] for n in range(5)])
    result = engine.run("SELECT n")
    assert result.columns == ("n",)
    assert [row[0] for row in result.rows] == [0, 1, 2, 3, 4]


def test_what_shows_has_no_row_of_names(engine: AthenaEngine, athena: AthenaDouble) -> None:
    columns = {"tab_name": "string"}
    athena.results["SHOW TABLES"] = Result("SHOW_TABLES", columns, [["employees"]], kind="UTILITY")
    assert list(engine.run("SHOW TABLES").rows) == [["employees"]]


@pytest.mark.parametrize(
    ("statement", "result", "did"),
    [
        ("INSERT", Result("INSERT", {"rows": "bigint"}, count=2), "INSERT: 2 rows"),
        ("DELETE", Result("DELETE", {"rows": "bigint"}, count=1), "DELETE: 1 row"),
        ("CREATE", Result("CREATE_TABLE", kind="DDL", count=0), "CREATE TABLE"),
    ],
)
def test_what_has_no_result_says_what_it_did(
    engine: AthenaEngine, athena: AthenaDouble, statement: str, result: Result, did: str
) -> None:
    athena.results[statement] = result
    found = engine.run(statement)
    assert (found.columns, list(found.rows), found.did) == ((), [], did)


@pytest.mark.parametrize("used", ["USE people", "use glue_catalog.people;", 'USE "people"'])
def test_use_holds_for_what_follows(engine: AthenaEngine, athena: AthenaDouble, account: AwsDouble, used: str) -> None:
    athena.results["SELECT 1"] = Result(columns={"x": "integer"}, rows=[["1"]])
    assert engine.run(used).columns == ()
    engine.run("SELECT 1")
    [sent] = account.called("athena", "StartQueryExecution")
    assert sent == {
        "QueryString": "SELECT 1",
        "WorkGroup": GROUP,
        "QueryExecutionContext": {"Database": "people"},
    }


@pytest.mark.parametrize(
    ("reason", "message", "place"),
    [
        ("TABLE_NOT_FOUND: line 2:6: Table 'x' does not exist", "TABLE_NOT_FOUND: Table 'x' does not exist", (2, 6)),
        ("line 1:8: mismatched input", "mismatched input", (1, 8)),
        ("Query exhausted resources", "Query exhausted resources", None),
        (
            "CATALOG_NOT_FOUND: line 1:15: Catalog 'glue_catalog' does not exist",
            "CATALOG_NOT_FOUND: Catalog 'glue_catalog' does not exist. "
            "In Athena a table is called NAMESPACE.TABLE, without glue_catalog",
            (1, 15),
        ),
    ],
)
def test_a_failure_has_athenas_message_and_the_place(
    engine: AthenaEngine, athena: AthenaDouble, reason: str, message: str, place: tuple[int, int] | None
) -> None:
    athena.results["SELECT\n FROM x"] = Result(reason=reason)
    with pytest.raises(SqlFailure) as caught:
        engine.run("SELECT\n FROM x")
    assert str(caught.value) == message
    assert caught.value.place == place


def test_what_aws_refuses_is_a_failure_of_the_statement(
    engine: AthenaEngine, athena: AthenaDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: object) -> None:
        raise refusal("StartQueryExecution", "AccessDeniedException", "not yours")

    monkeypatch.setattr(athena, "start_query_execution", refused)
    with pytest.raises(SqlFailure, match="AWS refuses the statement: .*not yours"):
        engine.run("SELECT 1")


@pytest.mark.parametrize(("number", "ends"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_cancels_the_statement(
    engine: AthenaEngine,
    athena: AthenaDouble,
    account: AwsDouble,
    number: signal.Signals,
    ends: type[BaseException],
) -> None:
    athena.results["SELECT 1"] = Result(columns={"x": "integer"})
    athena.looked = lambda look: os.kill(os.getpid(), number) if look == 1 else None
    out = io.StringIO()
    with pytest.raises(ends):
        sql.run(engine, split("SELECT 1", "trino", "-e"), sql.Printing(out, out), "-e")
    assert account.called("athena", "StopQueryExecution") == [{"QueryExecutionId": "q1"}]


def test_a_statement_that_takes_too_long_is_cancelled(target: Target, athena: AthenaDouble, account: AwsDouble) -> None:
    athena.results["SELECT 1"] = Result(columns={"x": "integer"})
    with pytest.raises(SqlFailure, match="did not end this within -1 s"):
        AthenaEngine(target, GROUP, waits=(0,), seconds=-1).run("SELECT 1")
    assert account.called("athena", "StopQueryExecution")


def test_an_ended_statement_is_not_stopped(engine: AthenaEngine, athena: AthenaDouble, account: AwsDouble) -> None:
    athena.results["SELECT 1"] = Result(columns={"x": "integer"})
    engine.run("SELECT 1")
    engine.close()
    assert account.called("athena", "StopQueryExecution") == []


@pytest.mark.parametrize(
    ("role", "group"), [("employees-aws-etl-eu-west-1", GROUP), ("other", "employees-aws-operators")]
)
def test_whose_workgroup_it_is(target: Target, account: AwsDouble, role: str, group: str) -> None:
    account.services["sts"] = Caller(role)
    assert workgroup(target) == group


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ("clusters", "stacks.clusters has no Athena, but clusters on instances"),
        ("tables", "stacks.tables has no Athena, as its tables are in S3 Tables. Query them in a job: `lakehouse run`"),
    ],
)
def test_a_stack_without_athena_says_so(target: Target, stack: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        workgroup(replace(target, stack=stack))


def test_a_file_without_trino_has_no_athena(target: Target) -> None:
    engines = target.lakehouse.engines.model_copy(update={"trino": None})
    without = replace(target, lakehouse=target.lakehouse.model_copy(update={"engines": engines}))
    with pytest.raises(UsageError, match="has no engines.trino"):
        workgroup(without)


def test_the_command_prints_what_it_prints_locally(
    target: Target, athena: AthenaDouble, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from bootstrap.cli.main import app

    athena.results["SELECT * FROM people.employees"] = Result(
        columns={"id": "bigint", "name": "varchar"}, rows=[["1", "Ada"], ["2", None]]
    )
    command = ["--file", str(AWS), "--stack", "aws", "sql", "--format", "csv", "-e", "SELECT * FROM people.employees"]
    done = CliRunner().invoke(app, command)
    assert done.output == "id,name\n1,Ada\n2,\n"


@pytest.mark.parametrize("words", [["--engine", "spark", "-e", "SELECT 1"]])
def test_spark_has_no_sessions_there(words: list[str]) -> None:
    from typer.testing import CliRunner

    from bootstrap.cli.main import app

    done: Any = CliRunner().invoke(app, ["--file", str(AWS), "--stack", "aws", "sql", *words])
    assert done.exit_code == 2
    assert "--engine spark: stacks.aws is in AWS, where Spark has no sessions for SQL: it runs jobs" in done.output


def test_errors_are_those_of_the_toolkit(engine: AthenaEngine, athena: AthenaDouble) -> None:
    athena.results["SELECT x"] = Result(reason="line 1:8: COLUMN_NOT_FOUND: Column 'x' cannot be resolved")
    out = io.StringIO()
    with pytest.raises(LakehouseError, match=r"-e:1:8: COLUMN_NOT_FOUND.*\n    SELECT x\n           \^"):
        sql.run(engine, split("SELECT x", "trino", "-e"), sql.Printing(out, out), "-e")
