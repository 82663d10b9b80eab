"""PostgreSQL as the lakehouse starts it: databases and users get the names of the file, and rows stay, with TLS too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakehouse import packages
from lakehouse.kinds.catalogs import rest
from lakehouse.kinds.platform import postgres
from lakehouse.kinds.platform.postgres import Database
from lakehouse.runtimes import certificates
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import TRUSTED
from lakehouse.spec.databases import DatabaseEntry
from lakehouse.spec.entries import KindEntry
from tests.behaviour.servers import awaited, started
from tests.ports import free
from tests.psql import jdbc, psql

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]

PLAIN = KindEntry(kind="rest")
KEYS = {f"postgres-{server}": f"of-{server}" for server in ("rest", "hive", "other")}


@dataclass(frozen=True)
class Server:
    """A state folder, and the server that is started repeatedly on it."""

    state: State
    port: int

    def place(self, *, secure: bool = False) -> ProcessPlace:
        trust = str(self.state.kept(TRUSTED.kept)) if secure else ""
        return ProcessPlace(self.state, {"postgres": self.port}, trust=trust)

    @contextmanager
    def up(self, entries: Mapping[str, KindEntry], *, secure: bool = False) -> Iterator[None]:
        [service] = postgres.services(self.place(secure=secure), entries)
        certificates.issue(self.state, [service])
        with started(service, self.state, KEYS) as process:
            awaited(service, process, self.state)
            yield

    def sql(self, server: str, statement: str, *, database: str = "", user: str = "") -> str:
        """The result of a statement of a catalog's server, with the server's password, whatever its names are."""
        name, password = database or server, KEYS[f"postgres-{server}"]
        return psql(self.port, name, user or name, password, statement)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    packages.set_up([postgres.PACKAGE], [], progress=False)
    state = State(tmp_path / "state")
    state.prepare()
    return Server(state, free(1)[0])


def test_databases_and_users_are_renamed_and_keep_their_rows(server: Server) -> None:
    with server.up({"rest": PLAIN, "hive": PLAIN}):
        for name in ("rest", "hive"):
            server.sql(name, f"CREATE TABLE t AS SELECT '{name}' AS of")
        server.sql("hive", "COMMENT ON DATABASE hive IS NULL")  # as an earlier version made it
        assert "password authentication failed" in server.sql("rest", "SELECT 1", database="hive")
        assert "permission denied for database" in server.sql("rest", "SELECT 1", database="hive", user="rest")
    swapped = {"rest": DatabaseEntry(kind="rest", database="hive"), "hive": DatabaseEntry(kind="rest", database="rest")}
    with server.up(swapped):
        assert server.sql("rest", "TABLE t", database="hive") == "rest"
        assert server.sql("hive", "TABLE t", database="rest") == "hive"
    with server.up({"rest": DatabaseEntry(kind="rest", database="tables", user="writer")}):
        assert server.sql("rest", "INSERT INTO t VALUES ('more'); TABLE t", database="tables", user="writer") == (
            "INSERT 0 1\nrest\nmore"
        )
        roles = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_'"
        assert server.sql("rest", roles, database="tables", user="writer") == "postgres rest writer"
    # A database that a catalog left behind when it left the file goes to another catalog that names it.
    with server.up({"other": DatabaseEntry(kind="rest", database="rest", user="reader")}):
        assert server.sql("other", "TABLE t", database="rest", user="reader") == "hive"


def test_a_name_that_another_database_has_is_refused_and_nothing_changes(server: Server) -> None:
    with server.up({"rest": PLAIN, "hive": PLAIN}):
        server.sql("rest", "CREATE TABLE t AS SELECT 1")
    with (
        pytest.raises(AssertionError, match='database "hive" already exists'),
        server.up({"rest": DatabaseEntry(kind="rest", database="hive", user="rest")}),
    ):
        pass
    with server.up({"rest": PLAIN, "hive": PLAIN}):
        assert server.sql("rest", "TABLE t") == "1"


def test_a_cluster_becomes_secure_and_open_again_and_rows_stay(server: Server, tmp_path: Path) -> None:
    packages.set_up([postgres.SECURE_PACKAGE, *rest.PACKAGES[1:]], [rest.JAVA], progress=False)
    strange = State(tmp_path / "strange")
    certificates.make(strange, TRUSTED)

    def asked(statement: str, trusting: State = server.state) -> str:
        url = Database.of("rest").jdbc(server.place(secure=True))
        trust = trusting.kept(TRUSTED.kept)
        return jdbc(url, "rest", KEYS["postgres-rest"], statement, trust=trust, folder=tmp_path)

    with server.up({"rest": PLAIN}):
        server.sql("rest", "CREATE TABLE t AS SELECT 1 AS a; CREATE INDEX ON t (a)")
    with server.up({"rest": PLAIN}, secure=True):
        assert asked("SELECT a || ' ' || version FROM t, pg_stat_ssl WHERE pid = pg_backend_pid()") == "1 TLSv1.3"
        assert "no encryption" in server.sql("rest", "SELECT 1")
        assert "PKIX path" in asked("SELECT 1", strange)
        assert asked("INSERT INTO t VALUES (2) RETURNING a") == "2"
    with server.up({"rest": PLAIN}):
        assert server.sql("rest", "SELECT count(*) FROM t WHERE a > 0") == "2"
    assert {each.name for each in server.state.root.glob("certificates/*")} == {"authority", "postgres"}


def test_a_cluster_that_begins_secure_is_read_when_it_is_open(server: Server) -> None:
    packages.set_up([postgres.SECURE_PACKAGE], [], progress=False)
    with server.up({"rest": PLAIN}, secure=True):
        pass
    with server.up({"rest": PLAIN}):
        assert server.sql("rest", "SELECT 1 FROM pg_database WHERE datname = 'rest'") == "1"
