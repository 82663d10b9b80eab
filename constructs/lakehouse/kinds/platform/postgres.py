"""PostgreSQL, for catalogs that keep their state in a database. https://www.postgresql.org/docs/18/"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lakehouse.kinds.platform import PlatformKind
from lakehouse.services.certificate import Certificate
from lakehouse.services.service import LOOPBACK, File, Place, Port, Probe, Service
from lakehouse.spec import databases
from lakehouse.spec.databases import DatabaseNames
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import Listener
from lakehouse.text import sql
from lakehouse.text.placeholders import Part, Secret, joined

WORD, PACKAGE = databases.POSTGRES, "postgres-18.4"
SECURE_PACKAGE = "postgres-tls-18.4"  # of a secure stack: the same release, built with TLS
_START = Path(__file__).with_suffix(".sh")
_NAMES = Path(__file__).with_suffix(".sql")
_CERTIFICATE, _KEY = "certificate.pem", "key.pem"
_TLS = Path(__file__).with_name("postgres-tls.sh")
_LAST = "-c shared_buffers=32MB -c log_checkpoints=off\n"  # of the options in the start script
# The client proves who the server is by what its JVM trusts (lakehouse.services.jvm).
_VERIFIED = "?sslmode=verify-full&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory"


@dataclass(frozen=True)
class Database:
    """A catalog server's own database, and the user that owns it."""

    server: str
    name: str
    user: str
    password: Secret

    @classmethod
    def of(cls, server: str, entry: KindEntry | None = None) -> Database:
        """The database of the catalog server of that name. The entry of its catalog may set other names."""
        names = DatabaseNames.of(server, entry)
        return cls(server, names.database, names.user, Secret(f"{WORD}-{server}"))

    def jdbc(self, place: Place) -> str:
        """The JDBC address of the database. In a secure stack the client's JVM must trust the stack.

        https://jdbc.postgresql.org/documentation/ssl/
        """
        parameters = _VERIFIED if place.secure else ""
        return f"jdbc:postgresql://{place.host(WORD)}:{place.port(WORD)}/{self.name}{parameters}"


def services(place: Place, servers: Mapping[str, KindEntry]) -> tuple[Service, ...]:
    """One server, with a database for each catalog server. Users and databases are created before it starts."""
    port, config, data = place.port(WORD), place.config(WORD), place.data(WORD)
    every = [Database.of(server, entry) for server, entry in servers.items()]
    statements: list[Part] = [part for each in every for part in _statements(each)]
    package = SECURE_PACKAGE if place.secure else PACKAGE
    service = Service(
        name=WORD,
        image=PACKAGE,
        packages=(package,),
        command=(
            *("/bin/sh", f"{config}/start.sh", place.package(package), data, place.bind(), str(port)),
            *(each.name for each in every),
        ),
        files=(
            File("start.sh", _start(place)),
            File("names.sql", _NAMES.read_text() + "\n" + "".join(_renaming(every))),
            File("databases.sql", joined(statements)),
            File("hba.conf", f"{'hostssl' if place.secure else 'host'} all all all scram-sha-256\n"),
            *(_certificate(place) if place.secure else ()),
        ),
        data=(data,),
        ports=(Port(WORD, port, "tcp", label="PostgreSQL", gives="", tls=place.secure),),
        probe=Probe("tcp", port),
        memory_mb=192,
        stop_signal="INT",  # SIGTERM would wait until every client has gone
        unprivileged=True,
        # In a container it serves a copy of its key, made at its start (postgres-tls.sh).
        renewal="HUP" if place.secure and place.bind() == LOOPBACK else "",
    )
    return (service,)


def _start(place: Place) -> str:
    """The start script."""
    text = _START.read_text()
    return text.replace(_LAST, f"{_LAST}{_TLS.read_text()}") if place.secure else text


def _certificate(place: Place) -> tuple[File, ...]:
    own = Certificate.of(WORD, place.host(WORD), [place.external(WORD)])
    return File(_CERTIFICATE, own.chain), File(_KEY, own.key)


_LISTING = "SELECT datname FROM pg_database"
_END = ";\n\n"  # of a statement, in PostgreSQL's single-user mode


def _renaming(every: list[Database]) -> Iterator[str]:
    """Calls that rename databases and their users as the file sets them.

    First all get temporary names, so that two can swap their names.
    """
    for aside in ("true", "false"):
        for each in every:
            words = (each.server, databases.default(each.server), each.name, each.user)
            yield f"SELECT pg_temp.rename({', '.join(sql.string(word, 'trino') for word in words)}, {aside}){_END}"
    yield _LISTING + _END


def _statements(database: Database) -> Iterator[Part]:
    """The statements of each start, which may run several times."""
    name, user = sql.name(database.name, "trino"), sql.name(database.user, "trino")  # both as in the standard
    missing = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {sql.string(database.user, 'trino')})"
    yield f"DO $$BEGIN IF {missing} THEN CREATE ROLE {user}; END IF; END$${_END}"
    yield f"ALTER ROLE {user} LOGIN PASSWORD '"
    yield database.password  # the characters that a secret may have need no escape
    yield f"'{_END}"
    yield f"ALTER DATABASE {name} OWNER TO {user}{_END}"
    yield f"REVOKE ALL ON DATABASE {name} FROM PUBLIC{_END}"
    yield f"COMMENT ON DATABASE {name} IS {sql.string(f'lakehouse {database.server}', 'trino')}{_END}"


POSTGRES = PlatformKind(
    word=WORD,
    label="PostgreSQL",
    listeners=(Listener(WORD, 5432, 5432, "database of the catalogs; each has its own user"),),
    unsecured=None,
    services=services,
)
