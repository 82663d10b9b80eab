"""Trino's drivers: JDBC, Python's DB-API and SQLAlchemy. https://trino.io/docs/current/client.html"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from urllib.parse import quote

from bootstrap.tools.reach import Reach, TrinoOwner
from lakehouse.kinds.engines import trino


def write(stack: Reach) -> str:
    """A program for SQLAlchemy, with the addresses of the other drivers as comments."""
    return "\n".join(_lines(stack))


def _lines(stack: Reach) -> Iterator[str]:
    at = stack.address(trino.NAME, "engines.trino", "a driver of Trino")
    name = stack.catalog.name
    if stack.owner is not None:
        yield from _with_password(stack, stack.owner, f"{at}", name)
        return
    yield "# Any user's name, no password. Catalogs: " + ", ".join(each.name for each in stack.catalogs)
    yield f"# JDBC (io.trino:trino-jdbc): jdbc:trino://{at}/{name}?user=me"
    yield f"# Trino's shell: trino --server http://{at} --catalog {name}"
    yield "from sqlalchemy import create_engine, text  # pip install 'trino[sqlalchemy]'"
    yield ""
    yield f'engine = create_engine("trino://me@{at}/{name}")'
    yield "with engine.connect() as connection:"
    yield '    print(connection.execute(text("SHOW SCHEMAS")).fetchall())'


def _with_password(stack: Reach, owner: TrinoOwner, at: str, name: str) -> Iterator[str]:
    file = str(stack.where(owner.password))
    read = f"$(cat {shlex.quote(file)})"
    yield "# Catalogs: " + ", ".join(each.name for each in stack.catalogs) + ". The owner's password is in a file."
    yield "# A principal's user and password: lakehouse access credentials NAME"
    address = f"jdbc:trino://{at}/{name}?SSL=true&SSLTrustStorePath={quote(owner.trust)}&user={owner.user}"
    yield f"# JDBC (io.trino:trino-jdbc), with the property `password`: {address}"
    options = f"--truststore-path {shlex.quote(owner.trust)} --user {owner.user} --password --catalog {name}"
    yield f'# Trino\'s shell: TRINO_PASSWORD="{read}" trino --server https://{at} {options}'
    yield "# Python: unset REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE, which would replace the certificate."
    yield "from pathlib import Path"
    yield ""
    yield "from sqlalchemy import create_engine, text  # pip install 'trino[sqlalchemy]'"
    yield "from trino.auth import BasicAuthentication"
    yield ""
    yield f"password = Path({json.dumps(file)}).read_text()"
    yield "engine = create_engine("
    yield f'    "trino://{owner.user}@{at}/{name}",'
    yield "    connect_args={"
    yield '        "http_scheme": "https",'
    yield f'        "auth": BasicAuthentication("{owner.user}", password),'
    yield f'        "verify": {json.dumps(owner.trust)},'
    yield "    },"
    yield ")"
    yield "with engine.connect() as connection:"
    yield '    print(connection.execute(text("SHOW SCHEMAS")).fetchall())'
