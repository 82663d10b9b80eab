"""PostgreSQL as a service: what its server is reported, and what a start makes of its folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from lakehouse.kinds.platform.postgres import _TLS, Database, services
from lakehouse.packages import catalogue
from lakehouse.services.service import LOOPBACK, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.databases import DatabaseEntry
from lakehouse.spec.entries import KindEntry
from lakehouse.text.placeholders import Issued
from tests.unit.lakehouse.services.place import Somewhere, as_text

LAKEHOUSE = Lakehouse.model_validate(
    {
        "name": "demo",
        "buckets": {"warehouse": {}},
        "catalogs": {"lake": {"location": "s3://warehouse/lake"}},
        "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "rest"}}},
    }
)

# A PostgreSQL whose programs say how they were called, and whose single-user mode knows of the database "rest".
_INITDB = '#!/bin/sh\nmkdir -p "$2"\necho 18 >"$2/PG_VERSION"\necho initdb\n'
_POSTGRES = """#!/bin/sh
[ "$1" != --version ] || { echo "postgres (PostgreSQL) 18.4"; exit; }
[ "$1" = --single ] || { echo "server $*"; exit; }
while IFS= read -r line; do
    case $line in
        "SELECT datname"*) echo '1: datname = "rest"' ;;
        "CREATE DATABASE"*|ALTER*) echo "single $line" >&2 ;;
    esac
done
"""


class Here(Somewhere):
    """As a process on this machine."""

    def bind(self) -> str:
        return LOOPBACK


def postgres(*servers: str, **named: DatabaseEntry) -> Service:
    entries = {server: KindEntry(kind="rest") for server in servers} | named
    [service] = services(Somewhere(LAKEHOUSE), entries)
    return service


def secured() -> Service:
    [service] = services(Somewhere(LAKEHOUSE, "/state/authority.pem"), {"rest": KindEntry(kind="rest")})
    return service


def test_a_renewed_certificate_is_read_at_a_signal_unless_its_key_is_a_copy() -> None:
    [process] = services(Here(LAKEHOUSE, "/state/authority.pem"), {"rest": KindEntry(kind="rest")})
    [open_process] = services(Here(LAKEHOUSE), {"rest": KindEntry(kind="rest")})
    assert (process.renewal, open_process.renewal) == ("HUP", "")
    assert secured().renewal == "", "in a container"


def test_in_a_secure_stack_it_takes_only_connections_with_tls() -> None:
    service, start = secured(), written(secured(), "start.sh")
    assert service.ports[0].closed
    assert not postgres("rest").ports[0].closed
    assert written(service, "hba.conf") == "hostssl all all all scram-sha-256\n"
    own_part = _TLS.read_text()
    assert start.count(own_part) == 1
    assert start.replace(own_part, "") == written(postgres("rest"), "start.sh")
    own = {each.path: each.text for each in service.files}
    names = ("postgres.internal", "lakehouse.example", "localhost", "127.0.0.1")
    assert own["certificate.pem"] == Issued("postgres", "certificate", names)
    assert own["key.pem"] == Issued("postgres", "key", names)


def test_in_a_secure_stack_its_clients_verify_who_it_is() -> None:
    address, rule = "jdbc:postgresql://postgres.internal:5432/rest", "sslmode=verify-full"
    assert Database.of("rest").jdbc(Somewhere(LAKEHOUSE)) == address
    secure = Database.of("rest").jdbc(Somewhere(LAKEHOUSE, "/state/authority.pem"))
    assert secure == f"{address}?{rule}&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory"


def test_the_server_with_tls_is_of_the_same_release_and_only_for_secure_stacks() -> None:
    assert postgres("rest").packages == ("postgres-18.4",)
    [package] = secured().packages
    assert package == "postgres-tls-18.4"
    versions = {catalogue.package(each).version for each in (package, *postgres("rest").packages)}
    assert versions == {"18.4"}, "each reads what the other wrote"


def written(service: Service, name: str) -> str:
    return next(as_text(each.text) for each in service.files if each.path == name)


def test_each_catalog_server_has_a_user_and_a_password_of_its_own() -> None:
    statements = written(postgres("rest", "rest-other"), "databases.sql")
    assert "ALTER ROLE \"rest\" LOGIN PASSWORD '<secret:postgres-rest>';\n\n" in statements
    assert "ALTER ROLE \"rest-other\" LOGIN PASSWORD '<secret:postgres-rest-other>';\n\n" in statements
    assert 'REVOKE ALL ON DATABASE "rest-other" FROM PUBLIC;\n\n' in statements
    assert "SUPERUSER" not in statements


def test_the_file_names_the_database_and_its_user_and_the_password_stays_the_servers() -> None:
    service = postgres(rest=DatabaseEntry(kind="rest", database="tables", user="writer"))
    assert service.command[-1] == "tables"
    assert "ALTER ROLE \"writer\" LOGIN PASSWORD '<secret:postgres-rest>';\n\n" in written(service, "databases.sql")
    assert 'ALTER DATABASE "tables" OWNER TO "writer";\n\n' in written(service, "databases.sql")
    names = written(service, "names.sql")
    for aside in ("true", "false"):
        assert f"SELECT pg_temp.rename('rest', 'rest', 'tables', 'writer', {aside});\n\n" in names
    assert names.count(";\n\n") == 4, "single-user mode ends a statement there: one function, two calls, one list"


def test_nobody_logs_in_without_a_password_and_nothing_secret_is_in_the_command() -> None:
    service = postgres("rest")
    assert {each.path: each.text for each in service.files}["hba.conf"] == "host all all all scram-sha-256\n"
    assert service.stop_signal == "INT"
    assert all(isinstance(word, str) for word in service.command)
    assert service.environment == ()


def test_long_names_stay_apart() -> None:
    first, second = (Database.of(f"rest-{'a' * 60}{end}").name for end in "xy")
    assert first != second
    assert {len(first), len(second)} == {63}
    assert Database.of("rest").name == "rest"


def _start(folder: Path, *databases: str, code: int = 0, key: int = 0) -> list[str]:
    """What the start script and the programs it called said, as an ordinary user."""
    programs = {"bin/initdb": _INITDB, "bin/postgres": _POSTGRES, "path/id": "#!/bin/sh\necho 1000\n"}
    for name, text in programs.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    for file in (secured() if key else postgres(*databases)).files:
        (folder / file.path).write_text(as_text(file.text))
        (folder / file.path).chmod(key or 0o600)
    (folder / "databases.sql").write_text("ALTER ROLE x\n")
    done = subprocess.run(
        ["/bin/sh", "start.sh", str(folder), str(folder / "data"), "127.0.0.1", "5432", *databases],
        cwd=folder, env={"PATH": f"{folder}/path:{os.environ['PATH']}", "TMPDIR": str(folder)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return (done.stdout + done.stderr).splitlines()


def test_a_start_makes_what_is_missing_and_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    (folder / "data" / "new").mkdir(parents=True)  # of a start that was cut short
    said = _start(folder, "rest", "rest-other")
    assert said[0] == "initdb"
    assert said[-2:] == ['single CREATE DATABASE "rest-other"', "single ALTER ROLE x"]
    assert "-c listen_addresses=127.0.0.1 -p 5432 -k " in said[1]
    assert f"-D {folder}/data/cluster " in said[1]
    assert "initdb" not in _start(folder, "rest")


def test_a_key_that_others_may_read_is_copied_for_the_server(tmp_path: Path) -> None:
    def key(mode: int) -> Path:
        [options] = [line for line in _start(tmp_path, "rest", key=mode) if line.startswith("server ")]
        assert f"-c ssl=on -c ssl_min_protocol_version=TLSv1.3 -c ssl_cert_file={tmp_path}/certificate.pem " in options
        return Path(options.rpartition("-c ssl_key_file=")[2])

    assert key(0o600) == tmp_path / "key.pem"
    copy = key(0o644)  # as in a container's folder
    assert copy.read_text() == (tmp_path / "key.pem").read_text()
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_cluster_of_another_release_is_left_as_it_is(tmp_path: Path) -> None:
    _start(tmp_path, "rest")
    (tmp_path / "data" / "cluster" / "PG_VERSION").write_text("15\n")
    [why] = _start(tmp_path, "rest", code=1)
    assert "PostgreSQL 18 cannot read" in why
    assert "which PostgreSQL 15 wrote" in why


def test_the_mark_of_a_killed_server_is_removed_and_that_of_a_running_one_is_not(tmp_path: Path) -> None:
    _start(tmp_path, "rest")
    mark = tmp_path / "data" / "cluster" / "postmaster.pid"
    mark.write_text(f"{os.getpid()}\n")  # the number is by now that of another program
    _start(tmp_path, "rest")
    assert not mark.exists()
    with _named("postgres", tmp_path) as up:
        mark.write_text(f"{up.pid}\n")
        _start(tmp_path, "rest")
        up.kill()
    assert mark.exists()


def _named(name: str, folder: Path) -> subprocess.Popen[bytes]:
    """A process of that name that sleeps."""
    program = folder / name
    program.symlink_to("/bin/sleep")
    return subprocess.Popen([program, "60"])
