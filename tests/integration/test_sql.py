"""`lakehouse sql` and the shells on real engines: values, what statements did, places of errors, cancelling."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.deployment import BIN, Deployment, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

# The same values, as each engine writes them.
COMMON = {
    "nan": ("nan()", "double('nan')", "NaN"),
    "infinite": ("-infinity()", "double('-inf')", "-Infinity"),
    "float": ("real '0.1'", "float(0.1)", 0.1),
    "large": ("9223372036854775807", "9223372036854775807", 2**63 - 1),
    "decimal": ("decimal '1.10'", "1.10BD", "1.10"),
    "bytes": ("x'01ff'", "x'01ff'", "0x01ff"),
    "row": (
        "CAST(ROW(1, 'a') AS ROW(x int, \"y z\" varchar))", "named_struct('x', 1, 'y z', 'a')", {"x": 1, "y z": "a"},
    ),
    "map": ("MAP(ARRAY['k'], ARRAY[ARRAY[nan(), NULL]])", "map('k', array(double('nan'), null))", {"k": ["NaN", None]}),
    "by_time": (
        "MAP(ARRAY[TIMESTAMP '2026-01-01 10:00:00.50'], ARRAY[1])", "map(timestamp_ntz'2026-01-01 10:00:00.50', 1)",
        {"2026-01-01 10:00:00.5": 1},
    ),
    "by_double": ("MAP(ARRAY[1e0], ARRAY[true])", "map(1D, true)", {"1.0": True}),
    "nested": ("ARRAY[ROW(DATE '2026-01-01')]", "array(struct(date'2026-01-01'))", None),
    "json": ("JSON '{\"a\": [1, null]}'", "parse_json('{\"a\": [1, null]}')", {"a": [1, None]}),
    "empty": ("''", "''", ""),
    "null": ("NULL", "NULL", None),
    "date": ("DATE '12026-01-01'", "date'+12026-01-01'", "+12026-01-01"),
    "ides": ("DATE '-0044-03-15'", "date'-0044-03-15'", "-0044-03-15"),
    "far": ("TIMESTAMP '12026-01-01 00:00:00'", "timestamp_ntz'+12026-01-01 00:00:00'", "+12026-01-01 00:00:00"),
    "instant": (
        "TIMESTAMP '2026-01-01 10:00:00.500 UTC'", "timestamp'2026-01-01 10:00:00.5'", "2026-01-01 10:00:00.5+00:00",
    ),
    "months": ("INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '1-2' YEAR TO MONTH", "1-2"),
    "days": ("INTERVAL '-2 03:04:05.678' DAY TO SECOND", "INTERVAL '-2 03:04:05.678' DAY TO SECOND", "-2 03:04:05.678"),
}  # fmt: skip
# What only Trino has.
FINE = {
    "timestamp": ("TIMESTAMP '2026-01-01 10:00:00.123456789'", "2026-01-01 10:00:00.123456789"),
    "picoseconds": ("TIMESTAMP '2026-01-01 10:00:00.123456789012'", "2026-01-01 10:00:00.123456789012"),
    "time": ("TIME '10:00:00.123456789'", "10:00:00.123456789"),
    "zone": ("TIMESTAMP '2026-01-01 10:00:00.0 Europe/Berlin'", "2026-01-01 10:00:00 Europe/Berlin"),
    "offset": ("TIMESTAMP '2026-01-01 10:00:00 +02:00'", "2026-01-01 10:00:00+02:00"),
    "uuid": ("UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59'", "12151fd2-7586-11e9-8f9e-2a86e4085a59"),
    "unnamed": ("ROW(1, ROW(2))", {"field0": 1, "field1": {"field0": 2}}),
}


def strict(text: str) -> Any:
    """The JSON, without the words that only Python takes for numbers."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("engine", ["trino", "spark"])
def test_both_engines_print_the_same_values(deployed: Deployment, engine: str) -> None:
    spark = engine == "spark"
    wanted = ", ".join(f"{values[spark]} AS a_{name}" for name, values in COMMON.items())
    expected = {f"a_{name}": values[2] for name, values in COMMON.items()}
    expected["a_nested"] = [{"col1" if spark else "field0": "2026-01-01"}]
    if not spark:
        wanted += ", " + ", ".join(f"{value} AS b_{name}" for name, (value, _) in FINE.items())
        expected |= {f"b_{name}": value for name, (_, value) in FINE.items()}
    run = ("sql", "--engine", engine, "--format")
    assert strict(deployed.lakehouse(*run, "json", "-e", f"SELECT {wanted}")) == expected
    both = deployed.lakehouse(
        *run, "csv", "-e", f"SELECT '' e, NULL n, 'x\ny' l, {COMMON['row'][spark]} r, {COMMON['nan'][spark]} d"
    )
    assert both == 'e,n,l,r,d\n"",,"x\ny","{""x"": 1, ""y z"": ""a""}",NaN\n'


def test_statements_say_what_they_did_and_long_texts_keep_their_lines(deployed: Deployment) -> None:
    said = deployed.lakehouse(
        "sql", "-e",
        """
        USE lake.bronze; CREATE TABLE told AS SELECT 1 a; INSERT INTO told VALUES 2, 3;
        UPDATE told SET a = 9 WHERE a = 3;
        MERGE INTO told USING (VALUES 4) AS new(a) ON told.a = new.a WHEN NOT MATCHED THEN INSERT VALUES (new.a);
        DELETE FROM told WHERE a = 1; SHOW CREATE TABLE told; EXPLAIN SELECT * FROM told; DROP TABLE told
        """,
    )  # fmt: skip
    lines = said.splitlines()
    assert lines[:5] == ["CREATE TABLE: 1 row", "INSERT: 2 rows", "UPDATE: 1 row", "MERGE: 1 row", "DELETE: 1 row"]
    assert lines[-1] == "DROP TABLE"
    assert " CREATE TABLE lake.bronze.told (" in lines
    assert "    a integer" in lines
    assert "\\n" not in said
    told = deployed.lakehouse(
        "sql", "--engine", "spark", "-e",
        "CREATE TABLE lake.bronze.told (a int); INSERT INTO lake.bronze.told VALUES (1); DROP TABLE lake.bronze.told;"
        "EXPLAIN SELECT 1",
    )  # fmt: skip
    assert told.splitlines()[:3] == ["CREATE TABLE", "INSERT", "DROP TABLE"]
    assert "\n == Physical Plan ==\n" in told


def test_an_error_names_its_place_in_the_users_file(deployed: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "report.sql"
    file.write_text("-- a report\nSELECT 1;\n  SELECT a,\n    nope FROM (SELECT 1 AS a) x; SELECT 3\n")
    for engine in ("trino", "spark"):
        failed = deployed.lakehouse("sql", "--engine", engine, "-f", str(file), code=1)
        assert f"Error: {file}:4:5 (statement 2 of 3): " in failed
        assert "\n        nope FROM (SELECT 1 AS a) x\n        ^\n" in failed
    file.write_text("SELECT 1;\n\n\nSELECT 'open;\nSELECT 2;\nSELECT 'a' || 'b'")
    failed = deployed.lakehouse("sql", str(file), code=2)
    assert failed.startswith(f"Error: {file}:4:8: the quote ' that begins here")


@contextmanager
def running(deployed: Deployment, engine: str, sql: str, **further: Any) -> Iterator[subprocess.Popen[str]]:
    """The command, once its statement runs in the engine, which it no longer does at the end."""
    command = [str(BIN / "lakehouse"), "sql", "--engine", engine, "-e", sql]
    process = subprocess.Popen(command, cwd=deployed.folder, text=True, start_new_session=True, **further)
    try:
        until(lambda: runs(deployed, engine, sql))
        yield process
        until(lambda: not runs(deployed, engine, sql), 120)
    finally:
        process.kill()
        process.wait()
        for pipe in filter(None, (process.stdout, process.stderr)):
            pipe.close()


def runs(deployed: Deployment, engine: str, sql: str) -> bool:
    if engine == "trino":
        rows = deployed.trino("SELECT query FROM system.runtime.queries WHERE state = 'RUNNING'")
        return any(sql.endswith(query) for (query,) in rows)
    ui = f"http://127.0.0.1:{deployed.port('spark-connect-ui')}/api/v1/applications"
    [application] = ask(ui)
    return bool(ask(f"{ui}/{application['id']}/jobs?status=running"))


def ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


ENDLESS = {
    "trino": "SELECT sum(a.x * b.x * c.x) FROM UNNEST(sequence(1, 10000)) a(x), UNNEST(sequence(1, 10000)) b(x),"
    " UNNEST(sequence(1, 10000)) c(x)",
    "spark": "SELECT sum(a.id * b.id) FROM range(0, 10000000, 1, 1) a, range(0, 10000000, 1, 1) b",  # on one core
}


@pytest.mark.parametrize(
    ("engine", "number", "code"),
    [("trino", signal.SIGINT, 130), ("trino", signal.SIGTERM, 143), ("spark", signal.SIGINT, 130)],
)
def test_a_signal_cancels_the_query(deployed: Deployment, engine: str, number: signal.Signals, code: int) -> None:
    with running(deployed, engine, ENDLESS[engine]) as process:
        process.send_signal(number)
        assert process.wait(120) == code


@pytest.mark.parametrize("engine", ["trino", "spark"])
def test_a_reader_that_goes_cancels_the_query_even_while_nothing_is_printed(deployed: Deployment, engine: str) -> None:
    sql = f"SELECT 1; {ENDLESS[engine]}"
    with running(deployed, engine, sql, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(120) == 141
        assert process.stderr.read() == ""


def test_the_timeout_cancels_the_query(deployed: Deployment) -> None:
    failed = deployed.lakehouse("sql", "--timeout", "1", "-e", ENDLESS["trino"], code=1)
    assert "-e:1:1: no end within 1 s; the statement was cancelled" in failed
    until(lambda: not runs(deployed, "trino", ENDLESS["trino"]), 120)


def test_the_table_does_not_wait_for_the_whole_result(deployed: Deployment) -> None:
    """The first rows of a result that never ends."""
    sql = (
        "SELECT a.x FROM UNNEST(sequence(1, 10000)) a(x), UNNEST(sequence(1, 10000)) b(x), UNNEST(sequence(1, 9)) c(x)"
    )
    with running(deployed, "trino", sql, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        heading, _, first = (process.stdout.readline().strip() for _ in range(3))
        assert heading == "x"
        assert first.isdigit()
        process.stdout.close()
        assert process.wait(120) == 141


def test_the_shell_takes_several_lines_and_cancels_and_goes_on(deployed: Deployment, tmp_path: Path) -> None:
    here, there = pty.openpty()
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "TERM": "dumb", "NO_COLOR": "1"}
    shell = subprocess.Popen(
        [str(BIN / "lakehouse"), "shell", "spark"], cwd=deployed.folder, stdin=there, stdout=there, stderr=there,
        start_new_session=True, env=environment,
    )  # fmt: skip
    os.close(there)
    seen = ""

    def expect(text: str, *, interrupting: bool = False) -> None:
        """Read until the text comes. With ``interrupting``, press Ctrl-C, and again if nothing has come of it."""
        nonlocal seen
        deadline, next_press = time.monotonic() + 120, time.monotonic()
        while text not in seen:
            assert time.monotonic() < deadline, seen
            if interrupting and time.monotonic() >= next_press:
                shell.send_signal(signal.SIGINT)
                next_press = time.monotonic() + 20  # a second one too early would clear what is typed next
            if select.select([here], [], [], 2)[0]:
                seen += os.read(here, 65536).decode()
        seen = seen.partition(text)[2]

    try:
        expect("spark> ")
        os.write(here, b"SELECT nonsense\n")
        expect("    -> ")
        expect("spark> ", interrupting=True)  # clears what was typed
        os.write(here, b"SELECT 40\n")
        expect("    -> ")
        os.write(here, b"+ 2;\n")
        expect(" 42\r\n(1 row)")
        expect("spark> ")
        os.write(here, b"SELECT nope;\n")
        expect("Error: line:1:8: [UNRESOLVED_COLUMN")
        expect("spark> ")
        os.write(here, f"{ENDLESS['spark']};\n".encode())
        until(lambda: runs(deployed, "spark", ""))
        shell.send_signal(signal.SIGINT)
        expect("Cancelled.")
        expect("spark> ")
        until(lambda: not runs(deployed, "spark", ""), 120)
        os.write(here, b"\x04")
        assert shell.wait(120) == 0
    finally:
        shell.kill()
        os.close(here)
    history = tmp_path / "lakehouse" / "spark_history"
    assert "SELECT 40" in history.read_text()
    assert history.stat().st_mode & 0o777 == 0o600
