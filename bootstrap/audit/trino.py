"""Trino's own list of queries. https://trino.io/docs/476/connector/system.html#runtime-queries

Trino's event listeners have a longer memory, but each needs a further service: one that takes HTTP requests, MySQL,
Kafka, or a collector of OpenLineage (docs/decisions.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from bootstrap.audit.event import DENIED, OK, AccessEvent, Redact, shortened
from bootstrap.session.results import SqlEngine
from bootstrap.session.statements import command, outline
from lakehouse.kinds.engines.trino_rules import OWNER

LAYER = "trino"
# A statement is shown by its beginning only, and may have megabytes.
QUESTION = (
    'SELECT to_iso8601(created), "user", substr(query, 1, 4000), state, error_code '
    "FROM system.runtime.queries ORDER BY created DESC"
)
_KEPT = {"query.max-history": "100", "query.min-expire-age": "15m"}  # settings, with Trino's own values
_PART = r'(?:"(?:[^"]|"")+"|[^\W\d]\w*)'
_NAMES = re.compile(
    rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|VIEW|SCHEMA|DESCRIBE|DESC)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?({_PART}(?:\.{_PART})+)",
    re.IGNORECASE,
)
# The settings of a table or a catalog, with what follows them: somebody may have forgotten a password's quotes.
_PROPERTIES = re.compile(r"\bWITH\s*\(.*", re.IGNORECASE | re.DOTALL)
#: The words by which a statement begins.
_KINDS = (
    *("ALTER", "ANALYZE", "CALL", "COMMENT", "COMMIT", "CREATE", "DEALLOCATE", "DELETE", "DENY", "DESCRIBE", "DROP"),
    *("EXECUTE", "EXPLAIN", "GRANT", "INSERT", "MERGE", "PREPARE", "REFRESH", "RESET", "REVOKE", "ROLLBACK", "SELECT"),
    *("SET", "SHOW", "START", "TABLE", "TRUNCATE", "UPDATE", "USE", "VALUES", "WITH"),
)

QueryRow = Sequence[str | None]  # a row of QUESTION


@dataclass(frozen=True)
class TrinoQueries:
    """The queries that Trino still knows. ``named``: it asks for passwords, so users are who they say they are.

    ``open`` begins a session as the owner, who sees everybody's queries. ``properties`` are those that the file gives
    Trino.
    """

    open: Callable[[], SqlEngine]
    redact: Redact
    named: bool
    properties: Mapping[str, str] = field(default_factory=dict)
    layer: str = LAYER

    @property
    def note(self) -> str:
        most, age = (self.properties.get(key, usual) for key, usual in _KEPT.items())
        known = f"queries since its start: the last {most}, and all of the last {age}"
        return known if self.named else f"{known}. It asks for no password: WHO is the name that the client gave"

    def read(self, since: datetime | None) -> Iterator[AccessEvent]:
        with closing(self.open()) as engine:
            for row in engine.run(QUESTION).rows:
                if (found := event(row, self.redact)) is not None:
                    yield found


def event(row: QueryRow, redact: Redact) -> AccessEvent | None:
    """A row of QUESTION; None for the query that asks it."""
    created, who, text, state, error = (each or "" for each in row)
    if (who, text) == (OWNER, QUESTION):
        return None
    what, on = _kind(text), ""
    if error != "SYNTAX_ERROR":  # in what Trino cannot read, anything may be a secret
        line = outline(redact(text), "trino")
        what, on = shortened(_PROPERTIES.sub("WITH (…)", line)), _names(line)
    return AccessEvent(datetime.fromisoformat(created), LAYER, who, what, on, _result(state, error))


def _kind(text: str) -> str:
    word = command(text, "trino").partition(" ")[0]
    return word if word in _KINDS else "a statement"


def _names(line: str) -> str:
    found = [each.replace('"', "") for each in _NAMES.findall(line)]
    return ", ".join(dict.fromkeys(found))


def _result(state: str, error: str) -> str:
    if error == "PERMISSION_DENIED":
        return DENIED
    if error:
        return f"failed: {error}"
    return OK if state == "FINISHED" else state.lower()
