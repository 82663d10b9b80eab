"""Clients of PostgreSQL: its own, from the package, and that of the catalogs' servers, for a secure stack."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from lakehouse import packages
from lakehouse.kinds.catalogs import rest
from lakehouse.kinds.platform import postgres
from lakehouse.services import jvm
from lakehouse.text import pkcs12

# The first column of each row, or the error with its cause, which has what TLS says.
_SCRIPT = """
asked = System.getenv();
try {
    connection = java.sql.DriverManager.getConnection(asked.get("URL"), asked.get("NAME"), asked.get("PASSWORD"));
    found = connection.createStatement().executeQuery(asked.get("STATEMENT"));
    while (found.next()) {
        System.out.println(found.getString(1));
    }
} catch (java.sql.SQLException error) {
    System.out.println(error.getMessage() + " " + error.getCause());
}
"""


def psql(port: int, database: str, user: str, password: str, statement: str, *, host: str = "127.0.0.1") -> str:
    """A statement's result without a header, or the server's error. It has no TLS."""
    home = packages.location(postgres.PACKAGE)
    at = f"host={host} port={port} dbname={database} user={user}"
    done = subprocess.run(
        [home / "bin/psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", statement, at],
        env={**os.environ, "LD_LIBRARY_PATH": str(home / "lib"), "PGPASSWORD": password},
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    return (done.stdout if done.returncode == 0 else done.stderr).strip()


def jdbc(url: str, user: str, password: str, statement: str, *, trust: Path, folder: Path) -> str:
    """The first column of a statement's result, or the error: what a catalog's server gets at that address.

    ``trust`` is the certificate of the authority that it trusts, ``folder`` one for temporary files.
    """
    script, store = folder / "client.bsh", folder / "trust.p12"
    script.write_text(_SCRIPT)
    store.write_bytes(pkcs12.truststore(trust.read_text()))
    trusting = (f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStoreType=PKCS12")
    classes = ":".join(str(packages.location(each)) for each in rest.PACKAGES[1:])
    asked = {"CLASSPATH": classes, "URL": url, "NAME": user, "PASSWORD": password, "STATEMENT": statement}
    done = subprocess.run(
        [packages.java(rest.JAVA), *jvm.QUICK, *trusting, "bsh.Interpreter", script],
        env=asked, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return (done.stdout + done.stderr).strip()
