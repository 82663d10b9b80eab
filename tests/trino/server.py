"""A real Trino whose tables are in a folder, with a rules file and without passwords: who asks says a name."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from lakehouse import packages
from lakehouse.kinds.engines.trino import JAVA
from lakehouse.text.properties import properties
from tests.ports import free

PACKAGE = "trino-476"
#: How Trino says no: to a user, and to ALTER TABLE ... EXECUTE on a table with a filter or mask.
DENIED = ("PERMISSION_DENIED", "NOT_SUPPORTED")


@dataclass(frozen=True)
class RealTrino:
    """A server, by its address."""

    uri: str

    def ask(self, user: str, statement: str) -> list[list[Any]] | None:
        """The rows; None if they are refused. Raises AssertionError if the statement fails otherwise."""
        with requests.Session() as session:
            session.trust_env = False
            headers = {"X-Trino-User": user, "X-Trino-Catalog": "lake", "X-Trino-Schema": "n"}
            answer = session.post(f"{self.uri}/v1/statement", statement.encode(), headers=headers, timeout=60).json()
            rows = list(answer.get("data", ()))
            while "nextUri" in answer:
                answer = session.get(answer["nextUri"], timeout=60).json()
                rows += answer.get("data", ())
        if (error := answer.get("error")) is None:
            return rows
        assert error["errorName"] in DENIED, f"{statement}: {error['message']}"
        return None


@contextmanager
def running(folder: Path, rules: Mapping[str, Any], catalogs: Mapping[str, Mapping[str, str]]) -> Iterator[RealTrino]:
    """Trino with these rules, and Iceberg catalogs of these names with these settings, for tables in ``folder``."""
    packages.set_up([PACKAGE], [JAVA], progress=False)
    home, (port,) = packages.location(PACKAGE), free(1)
    uri = f"http://127.0.0.1:{port}"
    tables = {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "TESTING_FILE_METASTORE",
        "hive.metastore.catalog.dir": "local:///",
        "fs.native-local.enabled": "true",
        "local.location": str(folder / "tables"),
    }
    files = {
        "config": {
            "coordinator": "true",
            "node-scheduler.include-coordinator": "true",
            "http-server.http.port": str(port),
            "discovery.uri": uri,
            "catalog.management": "dynamic",
            "plugin.dir": f"{home}/plugin",
            "node.environment": "test",
            "node.id": "trino",
            "node.bind-ip": "127.0.0.1",
            "node.internal-address": "127.0.0.1",
        },
        "log": {"io.trino": "WARN", "io.airlift": "WARN"},
        "access-control": {"access-control.name": "file", "security.config-file": str(folder / "rules.json")},
        **{f"catalog/{name}": {**tables, **each} for name, each in catalogs.items()},
        "catalog/tpch": {"connector.name": "tpch"},
    }
    (folder / "tables").mkdir()
    (folder / "rules.json").write_text(json.dumps(rules))
    for name, each in files.items():
        path = folder / "etc" / f"{name}.properties"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(properties(each)))
    command = [
        *(packages.java(JAVA), "-Xmx900m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        *("-Djdk.attach.allowAttachSelf=true", "-Djol.skipHotspotSAAttach=true"),
        *(f"-Dconfig={folder}/etc/config.properties", f"-Dlog.levels-file={folder}/etc/log.properties"),
        *(f"-Dcatalog.config-dir={folder}/etc/catalog", "-cp", f"{home}/lib/*", "io.trino.server.TrinoServer"),
    ]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*map(str, command)], cwd=folder, stdout=log, stderr=log)
    try:
        _await(uri, server, folder / "log")
        yield RealTrino(uri)
    finally:
        server.terminate()
        server.wait(60)


def _await(uri: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 180
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < end:
            assert server.poll() is None, log.read_text()[-3000:]
            try:
                if session.get(f"{uri}/v1/info", timeout=5).json()["starting"] is False:
                    return
            except (requests.RequestException, KeyError):  # on a busy machine it also answers late
                pass
            time.sleep(0.5)
    raise AssertionError(log.read_text()[-3000:])
