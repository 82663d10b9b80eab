"""Interactive shells of the engines."""

from __future__ import annotations

import atexit
import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from bootstrap.session import clients
from bootstrap.session.interrupts import ending, handled, interruptible, noticed, undisturbed
from bootstrap.session.results import SqlEngine, SqlFailure
from bootstrap.session.sql import Printing, explained, one
from bootstrap.session.statements import is_complete, split
from bootstrap.session.target import Target
from bootstrap.session.trino_login import trino_login
from lakehouse import packages
from lakehouse.errors import LakehouseError
from lakehouse.text.terminal import shown_lines

_LEAVE = re.compile(r"^(?:exit|quit)\s*;?\s*$", re.IGNORECASE | re.MULTILINE)


def trino(target: Target) -> NoReturn:
    """Trino's own command line, which replaces this process. https://trino.io/docs/current/client/cli.html"""
    at = target.address("trino", "engines.trino")
    engine = target.lakehouse.engines.trino
    assert engine is not None
    login = trino_login(target)
    package = f"trino-cli-{engine.version}"
    java = next(each.java for each in target.local.services if each.name == "trino")
    assert java is not None
    packages.set_up([package], [java])
    command = [
        str(packages.java(java)),
        "--enable-native-access=ALL-UNNAMED",  # its line editor calls into the terminal
        *("-jar", str(packages.location(package)), "--server", at.url("https" if login.password else "http")),
        *("--user", login.user, "--catalog", next(iter(target.lakehouse.catalogs)), "--timezone", "UTC"),
    ]
    if login.password:
        command += ["--truststore-path", login.trust, "--password"]
        os.environ["TRINO_PASSWORD"] = login.password  # in an argument, every user of the machine could read it
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
    """A prompt for SQL: a statement ends with a semicolon.

    On a terminal an error or Ctrl-C ends the statement, not the shell; Ctrl-C at the prompt clears what was typed, and
    Ctrl-D leaves. On a pipe the first error ends the shell, with the exit code of `lakehouse sql`.
    """
    printing = Printing.to(sys.stdout, sys.stderr)
    try:
        with ending(sys.stdout):
            if sys.stdin.isatty():
                _prompt(engine, printing)
            else:
                _script(engine, printing)
    finally:
        with undisturbed():
            engine.close()


def _script(engine: SqlEngine, printing: Printing) -> None:
    text = sys.stdin.read()
    if found := _LEAVE.search(text):
        text = text[: found.start()]
    for statement in split(text, engine.dialect, "standard input"):
        try:
            one(engine, statement.text, printing)
        except SqlFailure as error:
            raise LakehouseError(explained(error, statement, "standard input")) from error


def _prompt(engine: SqlEngine, printing: Printing) -> None:
    _history(f"{engine.dialect}_history")
    pending = ""
    with handled({signal.SIGINT: lambda *_: None}):  # it has a meaning only in two places
        while True:
            try:
                with noticed():
                    pending += input("    -> " if pending.strip() else f"{engine.dialect}> ") + "\n"
            except KeyboardInterrupt:
                pending = ""
                print()
                continue
            except EOFError:
                print()
                return
            if _LEAVE.fullmatch(pending.strip()):
                return
            if is_complete(pending, engine.dialect):
                _run(engine, printing, pending)
                pending = ""


def _history(name: str) -> None:
    """Line editing, with the lines of earlier shells: only this user can read them, because SQL may have secrets."""
    try:
        import readline
    except ImportError:  # a Python without readline works, but cannot edit lines
        return
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "lakehouse"
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / name
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
        readline.read_history_file(file)
        readline.set_history_length(1000)
        atexit.register(_save_history, file)


def _save_history(file: Path) -> None:
    import readline

    with suppress(OSError):
        readline.write_history_file(file)
        file.chmod(0o600)


def _run(engine: SqlEngine, printing: Printing, sql: str) -> None:
    try:
        with interruptible():
            for statement in split(sql, engine.dialect, "line"):
                try:
                    one(engine, statement.text, printing)
                except SqlFailure as error:
                    raise LakehouseError(explained(error, statement, "line")) from error
    except KeyboardInterrupt:
        print("\nCancelled.", file=sys.stderr)
    except LakehouseError as error:
        print(f"Error: {shown_lines(error)}", file=sys.stderr)
