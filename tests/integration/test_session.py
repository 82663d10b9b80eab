"""The session of docs/session.md, replayed from its own text, and the queries of the reference system."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.integration.deployment import BIN, PROJECT, Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

PAGE = PROJECT / "docs" / "session.md"


@dataclass(frozen=True)
class Block:
    """A fenced block of the document."""

    language: str
    code: str


def session(heading: str) -> list[Block]:
    """The fenced blocks under that heading of the page."""
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert section, f"{PAGE.name} has no {heading}"
    return blocks_of(section[1])


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks of a text."""
    return [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)]


@pytest.fixture(scope="module")
def fresh(deployed: Deployment) -> Deployment:
    """The tables as a first deploy leaves them, whatever other tests wrote."""
    deployed.lakehouse(
        "sql", "--engine", "spark", "-e", "DELETE FROM lake.bronze.minute_aggs; DELETE FROM lake.silver.minute_aggs"
    )
    return deployed


def replay(block: Block, deployed: Deployment) -> str:
    """The output that a user gets from the block."""
    if block.language == "bash":
        environment = f'export PATH="{BIN}:$PATH"; set -e\n'
        return deployed.run("bash", "-c", environment + block.code)
    if block.language == "sql":
        engine = block.code.partition("\n")[0].removeprefix("-- ").lower()
        return deployed.lakehouse("sql", "--engine", engine, "-e", block.code)
    assert block.language == "python"
    code = block.code.replace("localhost:15002", f"localhost:{deployed.port('spark-connect')}")
    assert code != block.code
    return deployed.run(sys.executable, "-c", code)


def test_the_session_of_the_page_does_what_it_says(fresh: Deployment) -> None:
    blocks = session("A session")
    assert [block.language for block in blocks] == ["bash", "sql", "text", "python", "sql", "sql"]
    shown = ""
    for block in blocks:
        if block.language == "text":
            assert shown == block.code
        else:
            shown = replay(block, fresh)
            assert shown.strip(), block.code


@pytest.mark.parametrize(
    ("engine", "sql", "rows"),
    [
        ("trino", "USE lake.bronze; SELECT COUNT(*) FROM minute_aggs WHERE date = '2026-01-14'", 1),
        ("trino", "USE lake.bronze; SELECT ticker, AVG(close) FROM minute_aggs GROUP BY ticker LIMIT 10", 10),
        ("trino", 'SELECT * FROM lake.bronze."minute_aggs$history"', None),
        ("trino", 'SELECT * FROM lake.bronze."minute_aggs$snapshots"', None),
        ("spark", "CALL lake.system.rewrite_data_files('bronze.minute_aggs')", 1),
        ("spark", "CALL lake.system.expire_snapshots('bronze.minute_aggs', TIMESTAMP '2026-01-01')", 1),
    ],
)
def test_queries_of_the_reference_system(fresh: Deployment, engine: str, sql: str, rows: int | None) -> None:
    if fresh.trino("SELECT COUNT(*) FROM lake.bronze.minute_aggs") == [[0]]:
        fresh.lakehouse("generate", "--rows", "10000")
    answer = fresh.lakehouse("sql", "--engine", engine, "--format", "json", "-e", sql)
    found = [json.loads(line) for line in answer.splitlines()]
    assert len(found) == rows if rows else found


def test_silver_holds_what_is_valid_once_each(fresh: Deployment) -> None:
    fresh.lakehouse("generate", "--rows", "20000", "--seed", "5", "--replace")
    again = fresh.lakehouse("generate", "--rows", "20000", "--seed", "5")
    assert "20000 rows appended" in again
    counts = fresh.lakehouse(
        "sql", "--format", "json", "-e",
        """
        SELECT (SELECT COUNT(*) FROM lake.bronze.minute_aggs) AS bronze,
               (SELECT COUNT(DISTINCT (ticker, window_start)) FROM lake.bronze.minute_aggs
                WHERE close BETWEEN low AND high AND open BETWEEN low AND high) AS valid,
               (SELECT COUNT(*) FROM lake.silver.minute_aggs) AS silver,
               (SELECT COUNT(*) FROM lake.silver.minute_aggs WHERE close <= 0) AS wrong
        """,
    )  # fmt: skip
    found = json.loads(counts)
    assert found["bronze"] == 40000
    assert 19000 < found["silver"] == found["valid"] < 20000
    assert found["wrong"] == 0


def test_sql_works_on_a_pipe_and_fails_with_the_engines_message(fresh: Deployment) -> None:
    done = subprocess.run(
        [str(BIN / "lakehouse"), "sql", "--format", "csv"],
        cwd=fresh.folder, text=True, capture_output=True, check=True,
        input="SELECT 1 AS a, 'x;y' AS b; SELECT 2 AS c", env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.stdout == "a,b\n1,x;y\nc\n2\n"
    for engine, message in (("trino", "COLUMN_NOT_FOUND"), ("spark", "UNRESOLVED_COLUMN")):
        failed = fresh.lakehouse("sql", "--engine", engine, "-e", "SELECT 1; SELECT nope; SELECT 3", code=1)
        assert "-e:1:18 (statement 2 of 3): " in failed
        assert message in failed
        assert "Traceback" not in failed
        assert "JVM stacktrace" not in failed


def test_the_shells_take_a_pipe(fresh: Deployment) -> None:
    for shell, line, expected in (
        ("trino", "SELECT 40 + 2;\n", "42"),
        ("spark", "SELECT\n40 + 2;\nexit\n", " 42\n"),
        ("pyspark", "print(spark.range(42).count())\n", "42"),
    ):
        done = subprocess.run(
            [str(BIN / "lakehouse"), "shell", shell], cwd=fresh.folder, text=True, capture_output=True, check=True,
            input=line, env={**os.environ, "NO_COLOR": "1"}, timeout=120,
        )  # fmt: skip
        assert expected in done.stdout
