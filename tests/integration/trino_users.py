"""Users of a Trino that asks for passwords, as their own programs reach it."""

from __future__ import annotations

import configparser
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from trino.auth import BasicAuthentication
from trino.dbapi import Connection
from trino.exceptions import TrinoUserError

from bootstrap.engines.trino_files import TrinoFiles
from lakehouse.kinds.engines.trino_password import SECONDS
from tests.integration.deployment import Deployment

READ_AGAIN = SECONDS + 3.0  # seconds until Trino has certainly read its files again


def login(stack: Deployment, principal: str) -> tuple[str, str]:
    """A principal's password, and the file of the authority's certificate, as they are handed out."""
    stack.lakehouse("access", "credentials", principal)
    handed = configparser.ConfigParser()
    handed.read(stack.local.state.root / "access" / f"{principal}.ini")
    given = handed["trino"]
    assert given["uri"] == f"https://127.0.0.1:{stack.port('trino')}"
    assert given["user"] == principal
    return given["password"], given["ca"]


@contextmanager
def connected(stack: Deployment, user: str, password: str, ca: str, acting: str = "") -> Iterator[Any]:
    """A cursor of Trino's DB-API, perhaps ``acting`` as another user.

    The variables of a test machine would replace the certificate.
    """
    session = requests.Session()
    session.trust_env, session.verify = False, ca
    with Connection(
        host="127.0.0.1",
        port=stack.port("trino"),
        user=acting or user,
        http_scheme="https",
        auth=BasicAuthentication(user, password),
        http_session=session,
    ) as connection:
        yield connection.cursor()


@contextmanager
def unfinished_query(stack: Deployment, principal: str, table: str, rows: int) -> Iterator[None]:
    """A query by the present password runs meanwhile, and ends well. ``rows`` are those of the table.

    Its answer (120 MB for two rows) is larger than what Trino keeps for a client that does not read on: 32 MiB each
    in `sink.max-buffer-size` and `exchange.max-buffer-size`. So the query cannot end meanwhile. Each row's text is
    another one, because Trino keeps one value once if it is the same in many rows.
    """
    password, ca = login(stack, principal)
    numbers = "UNNEST(sequence(1, 10000)) AS a(a), UNNEST(sequence(1, 6)) AS b(b)"
    with connected(stack, principal, password, ca) as cursor:
        cursor.execute(f"SELECT rpad(CAST(a * 10 + b AS varchar), 1000, 'x') FROM {table}, {numbers}")
        yield
        begun = len(cursor.fetchmany(10_000))  # more than what came with the first answer: the state is the present one
        assert cursor.stats["state"] == "RUNNING"
        assert begun + len(cursor.fetchall()) == rows * 10_000 * 6


def run(stack: Deployment, principal: str, sql: str) -> list[list[Any]]:
    """The rows that a principal gets, by its present password."""
    password, ca = TrinoFiles(stack.local.state).password(principal), authority_of(stack)
    assert password is not None
    with connected(stack, principal, password, ca) as cursor:
        return list(cursor.execute(sql).fetchall())


def denied(stack: Deployment, principal: str, sql: str) -> bool:
    try:
        run(stack, principal, sql)
    except TrinoUserError as error:
        if error.error_name != "PERMISSION_DENIED":
            raise
        return True
    return False


def status(stack: Deployment, **more: Any) -> int:
    """The answer to a query that is sent without Trino's client."""
    session = requests.Session()
    session.trust_env = False
    url = f"https://127.0.0.1:{stack.port('trino')}/v1/statement"
    return session.post(url, data="SELECT 1", verify=authority_of(stack), timeout=60, **more).status_code


def authority_of(stack: Deployment) -> str:
    """The file of the authority's certificate."""
    return str(stack.local.state.root / "certificates" / "authority" / "certificate.pem")


def soon(condition: Callable[[], object], seconds: float = READ_AGAIN) -> bool:
    end = time.monotonic() + seconds
    while not (found := bool(condition())) and time.monotonic() < end:
        time.sleep(0.3)
    return found
