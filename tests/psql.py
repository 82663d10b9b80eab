"""PostgreSQL's own client, from the package."""

from __future__ import annotations

import os
import subprocess

from lakehouse import packages
from lakehouse.kinds.platform import postgres


def psql(port: int, database: str, user: str, password: str, statement: str) -> str:
    """A statement's result without a header, or the server's error."""
    home = packages.location(postgres.PACKAGE)
    at = f"host=127.0.0.1 port={port} dbname={database} user={user}"
    done = subprocess.run(
        [home / "bin/psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", statement, at],
        env={**os.environ, "LD_LIBRARY_PATH": str(home / "lib"), "PGPASSWORD": password},
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    return (done.stdout if done.returncode == 0 else done.stderr).strip()
