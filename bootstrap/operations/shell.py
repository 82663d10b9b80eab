"""Interactive shells of the engines."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn

from bootstrap.session import clients
from bootstrap.session.sql import SqlEngine, show
from bootstrap.session.statements import is_complete, split
from bootstrap.session.target import Target
from lakehouse import packages
from lakehouse.errors import LakehouseError
from lakehouse.text.terminal import shown_lines


def trino(target: Target) -> NoReturn:
    """Trino's own command line, which replaces this process. https://trino.io/docs/current/client/cli.html"""
    at = target.address("trino", "engines.trino")
    engine = target.lakehouse.engines.trino
    assert engine is not None
    package = f"trino-cli-{engine.version}"
    java = next(each.java for each in target.local.services if each.name == "trino")
    assert java is not None
    packages.set_up([package], [java])
    command = [
        str(packages.java(java)),
        "--enable-native-access=ALL-UNNAMED",  # its line editor calls into the terminal
        *("-jar", str(packages.location(package)), "--server", at.url("http")),
        *("--user", clients.USER, "--catalog", next(iter(target.lakehouse.catalogs)), "--timezone", "UTC"),
    ]
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


def pyspark(target: Target) -> None:
    """A Python prompt with ``spark`` bound to a session of Spark Connect."""
    import code
    import importlib
    import rlcompleter

    url = clients.spark_url(target)
    session = clients.spark(target)
    names = {"spark": session, "functions": importlib.import_module("pyspark.sql.functions")}
    with suppress(ImportError):  # a Python without readline works, but cannot edit lines
        import readline

        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")
    code.interact(f"Spark {session.version} at {url}: `spark` is the session. Ctrl-D leaves.", local=names, exitmsg="")


def spark(engine: SqlEngine) -> None:
    """A prompt for SQL: a statement ends with a semicolon; an error ends the statement, not the shell."""
    with suppress(ImportError):
        import readline  # noqa: F401 - input() edits lines with it
    prompt = "spark> " if sys.stdin.isatty() else ""
    pending = ""
    while True:
        try:
            pending += input("    -> " if pending.strip() and prompt else prompt) + "\n"
        except KeyboardInterrupt:
            pending = ""
            print()
            continue
        except EOFError:
            _run(engine, pending)
            return
        if pending.strip().rstrip(";").lower() in ("exit", "quit"):
            return
        if is_complete(pending, engine.dialect):
            _run(engine, pending)
            pending = ""


def _run(engine: SqlEngine, sql: str) -> None:
    for statement in split(sql, engine.dialect):
        try:
            show(engine.run(statement.text), "table", sys.stdout)
        except LakehouseError as error:
            print(f"Error: {shown_lines(error)}", file=sys.stderr)
            return
