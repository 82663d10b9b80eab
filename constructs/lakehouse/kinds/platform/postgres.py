"""PostgreSQL: the database of the catalogs that keep their state in one. https://www.postgresql.org/docs/18/"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lakehouse.kinds.platform import PlatformKind
from lakehouse.services.service import File, Place, Port, Probe, Service
from lakehouse.spec.kinds import Listener
from lakehouse.text import sql
from lakehouse.text.placeholders import Part, Secret, joined

WORD, PACKAGE = "postgres", "postgres-18.4"
_LONGEST = 63  # bytes of a name; PostgreSQL cuts off the rest
_START = Path(__file__).with_suffix(".sh")


@dataclass(frozen=True)
class Database:
    """A catalog server's own database. The user that owns it has its name."""

    name: str
    password: Secret

    @classmethod
    def of(cls, server: str) -> Database:
        """The database of the catalog server of that name."""
        name = server
        if len(name) > _LONGEST:
            digest = hashlib.sha256(server.encode()).hexdigest()[:8]
            name = f"{server[: _LONGEST - len(digest) - 1]}-{digest}"
        return cls(name, Secret(f"{WORD}-{server}"))

    def jdbc(self, place: Place) -> str:
        """Its address for Java programs."""
        return f"jdbc:postgresql://{place.host(WORD)}:{place.port(WORD)}/{self.name}"


def services(place: Place, servers: tuple[str, ...]) -> tuple[Service, ...]:
    """One server, with a database for each of the catalog servers. Users and databases are made before it starts."""
    port, config, data = place.port(WORD), place.config(WORD), place.data(WORD)
    databases = [Database.of(server) for server in servers]
    statements: list[Part] = [part for each in databases for part in _statements(each)]
    service = Service(
        name=WORD,
        image=PACKAGE,
        packages=(PACKAGE,),
        command=(
            *("/bin/sh", f"{config}/start.sh", place.package(PACKAGE), data, place.bind(), str(port)),
            *(each.name for each in databases),
        ),
        files=(
            File("start.sh", _START.read_text()),
            File("databases.sql", joined(statements)),
            File("hba.conf", "host all all all scram-sha-256\n"),
        ),
        data=(data,),
        ports=(Port(WORD, port, "tcp", label="PostgreSQL"),),
        probe=Probe("tcp", port),
        memory_mb=192,
        stop_signal="INT",  # SIGTERM would wait until every client has gone
    )
    return (service,)


def _statements(database: Database) -> Iterator[Part]:
    """A statement a line, each of which may run again."""
    name, text = sql.name(database.name, "trino"), sql.string(database.name, "trino")  # both as in the standard
    missing = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {text})"
    yield f"DO $$BEGIN IF {missing} THEN CREATE ROLE {name}; END IF; END$$\n"
    yield f"ALTER ROLE {name} LOGIN PASSWORD '"
    yield database.password  # what a secret may hold needs no escape
    yield "'\n"
    yield f"ALTER DATABASE {name} OWNER TO {name}\n"
    yield f"REVOKE ALL ON DATABASE {name} FROM PUBLIC\n"


POSTGRES = PlatformKind(
    word=WORD,
    label="PostgreSQL",
    listeners=(Listener(WORD, 5432, 5432, "database of the catalogs; each has a user of its own"),),
    services=services,
)
