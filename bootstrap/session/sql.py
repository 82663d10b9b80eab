"""SQL on a running lakehouse, with Trino or Spark Connect: a text of statements in, printed rows out."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bootstrap.session import misspelt
from bootstrap.session.interrupts import TimedOut, ending, undisturbed
from bootstrap.session.printing import RowFormat, printed
from bootstrap.session.results import EngineName, SqlEngine, SqlFailure, SqlResult
from bootstrap.session.spark_sql import SparkEngine
from bootstrap.session.statements import SqlStatement
from bootstrap.session.target import Target
from bootstrap.session.trino_sql import TrinoEngine
from lakehouse.errors import LakehouseError, UsageError

_EXCERPT = 100  # characters of a long line around a fault


@dataclass(frozen=True)
class Printing:
    """How results are printed: ``null`` stands for NULL; ``room`` is the width of a terminal."""

    out: IO[str]
    notes: IO[str]
    form: RowFormat = "table"
    null: str | None = None
    room: int | None = None

    @classmethod
    def to(cls, out: IO[str], notes: IO[str], form: RowFormat = "table", null: str | None = None) -> Printing:
        """On a terminal, a table that is too wide for it is printed as records."""
        room = None
        with suppress(OSError, ValueError):
            room = os.get_terminal_size(out.fileno()).columns if out.isatty() else None
        return cls(out, notes, form, null, room)

    def show(self, result: SqlResult) -> None:
        """Print a result while its rows come; of a statement without one, what it did.

        That is no data: if a program may read the output, only a person at the terminal of the notes is told.
        """
        if result.columns:
            for piece in printed(self.form, result.columns, result.batches, self.null, self.room):
                self.out.write(piece)
                self.out.flush()
            return
        for _ in result.batches:  # Trino runs a statement to its end only while its rows are read
            pass
        if result.did and self.form in ("table", "vertical"):
            print(result.did, file=self.out, flush=True)
        elif result.did and self.notes.isatty():
            print(result.did, file=self.notes, flush=True)


def open_engine(target: Target, name: EngineName | None) -> SqlEngine:
    """A new session with :func:`engine_name`. In AWS it is Athena, whose SQL is Trino's.

    Raises UsageError if the stack has no such engine.
    """
    if target.in_aws:
        from bootstrap.session.athena_sql import AthenaEngine, workgroup

        if name == "spark":
            raise UsageError(
                f"--engine spark: stacks.{target.stack} is in AWS, where Spark has no sessions for SQL: it runs jobs, "
                "which take minutes to start and hand back no rows. Run one, `lakehouse run`, or leave the option out: "
                "then statements go to Athena, if the stack has it."
            )
        return AthenaEngine(target, workgroup(target))
    return TrinoEngine(target) if engine_name(target, name) == "trino" else SparkEngine(target)


def engine_name(target: Target, name: EngineName | None) -> EngineName:
    """The engine that is meant: by default Trino, or Spark if the file has no Trino."""
    if target.in_aws:
        return name or "trino"
    return name or ("trino" if target.lakehouse.engines.trino is not None else "spark")


def run(
    engine: SqlEngine,
    statements: Sequence[SqlStatement],
    printing: Printing,
    source: str,
    *,
    timing: bool = False,
    seconds: float | None = None,
    known: Collection[str] = (),
) -> None:
    """Runs the statements in order and prints their results; stops at the first that fails, and closes the session.

    ``timing``: note for each statement the seconds that it took, its rows included. ``seconds``: how long all may take.
    ``known``: names that a misspelt one may have meant.
    A signal, a lost reader of the output, and the end of the time cancel the statement that runs.

    Raises LakehouseError that names the statement of ``source`` that failed, where and why.
    """
    if not statements:
        raise UsageError(f"{source} contains no statement to run.")
    statement, which = statements[0], ""
    try:
        with ending(printing.out, seconds):
            for number, statement in enumerate(statements, 1):
                which = f" (statement {number} of {len(statements)})" if len(statements) > 1 else ""
                began = time.monotonic()
                try:
                    one(engine, statement.text, printing)
                except SqlFailure as error:
                    raise LakehouseError(explained(error, statement, source, which, known)) from error
                if timing:
                    print(f"{time.monotonic() - began:.2f} s", file=printing.notes)
    except TimedOut:
        raise LakehouseError(
            f"{source}:{statement.start}{which}: no end within {seconds:g} s; the statement was cancelled."
        ) from None
    finally:
        with undisturbed():
            engine.close()


def one(engine: SqlEngine, statement: str, printing: Printing) -> None:
    """Run a statement and print its result. Whatever ends it early, cancels it."""
    try:
        printing.show(engine.run(statement))
    except BaseException:
        with undisturbed():
            engine.cancel()
        raise


def explained(
    error: SqlFailure, statement: SqlStatement, source: str, which: str = "", known: Collection[str] = ()
) -> str:
    """The engine's message with the place in the user's text, and that line of it."""
    said = f"{error}{misspelt.hint(str(error), known)}"
    if error.place is None:
        return f"{source}:{statement.start}{which}: {said}"
    line, column = error.place
    message = f"{source}:{statement.at(line, column)}{which}: {said}"
    lines = statement.text.split("\n")
    if not 1 <= line <= len(lines) or not 1 <= column <= len(lines[line - 1]) + 1:
        return message
    text, before = lines[line - 1].replace("\t", " "), max(0, column - 1 - _EXCERPT // 2)
    return f"{message}\n    {text[before : before + _EXCERPT]}\n    {' ' * (column - 1 - before)}^"


def one_of(file: str | None, named: str | None) -> str | None:
    """The file, given as an argument or by its option. Raises UsageError if both are given."""
    if file is not None and named is not None:
        raise UsageError(f"Both {file} and --file {named} are given: choose one.")
    return named if file is None else file


def source_of(file: str | None, expressions: Sequence[str]) -> tuple[Sequence[str], str]:
    """The SQL to run and the name of its source: expressions, a file, or standard input (``-`` or a pipe).

    Raises UsageError if there is none, or both.
    """
    if expressions and file is not None:
        raise UsageError(f"Both -e and {file} are given: choose one.")
    if expressions:
        return expressions, "-e"
    if file is None and sys.stdin.isatty():
        raise UsageError("No SQL: give a FILE, -e SQL, or a pipe. To type SQL, use `lakehouse shell`.")
    if file is None or file == "-":
        return [_decoded(sys.stdin.buffer.read(), "standard input")], "standard input"
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        fix = " To run a statement, write -e before it." if " " in file else ""
        raise UsageError(f"{file} cannot be read: {error.strerror or error}.{fix}") from error
    return [_decoded(content, file)], file


def _decoded(content: bytes, source: str) -> str:
    """Text without the mark that some editors begin it with, and with line ends as in Unix."""
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{source}:{line}: this is not UTF-8 text. Save it as UTF-8.") from error
