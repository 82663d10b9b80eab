"""The tables of the double: a JVM with Iceberg's own REST servlet for each catalog, on the realm's PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import urllib3

from tests.polaris.answers import Answer, PolarisError

_SCRIPT = Path(__file__).with_suffix(".bsh")
ENTITIES = "polaris.entities"  # a catalog of its own, one of whose namespaces keeps the double's entities


class Tables:
    """The JVM. It ends with this process, in whatever way that ends."""

    def __init__(self, java: str, jars: list[str], jdbc: Mapping[str, str], keys: Mapping[str, str]) -> None:
        self._jdbc, self._keys = jdbc, keys
        self._folder = Path(tempfile.mkdtemp(prefix="polaris-double-"))
        options = (
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        )
        command = [java, *options, "-cp", ":".join(jars), "bsh.Interpreter", str(_SCRIPT)]
        self._jvm = subprocess.Popen(command, cwd=self._folder, stdin=subprocess.PIPE)
        self._http = urllib3.PoolManager(num_pools=50, maxsize=16, retries=False)
        self._lock = threading.Lock()

    def serve(self, catalog: str, location: str, storage: Mapping[str, Any]) -> None:
        """Serve a catalog, with files at the location of its storage settings."""
        files = {
            "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
            "s3.endpoint": storage.get("endpointInternal") or storage.get("endpoint") or "",
            "s3.path-style-access": str(bool(storage.get("pathStyleAccess"))).lower(),
            "client.region": storage.get("region") or "us-east-1",
            **self._keys,
        }
        settings = {**self._jdbc, **_JDBC, "warehouse": location, **files, **_IMPLEMENTATION}
        path = self._folder / f"{catalog}.properties"
        text = "".join(f"{key}={value}\n" for key, value in settings.items() if value)
        with self._lock:
            new = self._folder / "new"
            new.write_text(text)
            new.chmod(0o600)
            new.rename(path)
            self._await(self._port(catalog), there=True)

    def forget(self, catalog: str) -> None:
        """Stop serving a catalog."""
        with self._lock:
            (self._folder / f"{catalog}.properties").unlink(missing_ok=True)
            self._await(self._port(catalog), there=False)

    def _port(self, catalog: str) -> Path:
        return self._folder / f"{catalog}.port"

    def _await(self, path: Path, *, there: bool) -> None:
        while path.exists() != there:
            if self._jvm.poll() is not None:
                raise SystemExit("the JVM of the tables has ended")
            time.sleep(0.01)

    def call(
        self, method: str, catalog: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """An answer of Iceberg's server; ``path`` begins with ``/v1`` and has its query."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        data = None if body is None else json.dumps(body)
        base = f"http://127.0.0.1:{self._port(catalog).read_text()}"
        answer = self._http.request(method, f"{base}{path}", body=data, headers=sent)
        try:
            return Answer(answer.status, json.loads(answer.data) if answer.data else None)
        except ValueError:
            return Answer(answer.status)

    def is_empty(self, catalog: str) -> bool:
        return not self.call("GET", catalog, "/v1/namespaces").body["namespaces"]

    def is_there(self, catalog: str, grant: Mapping[str, Any]) -> bool:
        """Whether the securable of a grant exists."""
        space = "/v1/namespaces/" + quote("\x1f".join(grant.get("namespace") or []), safe="")
        match grant["type"]:
            case "catalog":
                return True
            case "table":
                space += f"/tables/{quote(grant.get('tableName', ''), safe='')}"
            case "view":
                space += f"/views/{quote(grant.get('viewName', ''), safe='')}"
        status = self.call("GET", catalog, space).status
        if status >= 500:  # its database is down, which says nothing of what is there
            raise PolarisError(status, "RuntimeException", "the database does not answer")
        return status == 200

    def kept(self) -> dict[str, Any]:
        """The entities of the last run."""
        self.serve(ENTITIES, "s3://none/none", {})
        found = self.call("GET", ENTITIES, "/v1/namespaces/entities")
        if found.status == 404:
            self.call("POST", ENTITIES, "/v1/namespaces", {"namespace": ["entities"], "properties": {}})
            return {}
        pieces: dict[str, dict[int, str]] = {}
        for name, piece in found.body["properties"].items():
            number, _, key = name.partition(":")
            if number.isdigit():
                pieces.setdefault(key, {})[int(number)] = piece
        return {key: json.loads("".join(of[n] for n in sorted(of))) for key, of in pieces.items()}

    def keep(self, updates: Mapping[str, Any], removals: list[str]) -> None:
        """Store entities for the next run. A key that is both removed and set is set."""
        set_: dict[str, str] = {}
        for key, value in updates.items():
            text = json.dumps(value)
            set_ |= {f"{at // _PIECE}:{key}": text[at : at + _PIECE] for at in range(0, len(text), _PIECE)}
        names = {f"{n}:{key}" for key in (*updates, *removals) for n in range(_PIECES)}
        assert set_.keys() <= names, "an entity is too large for the double"
        body = {"updates": set_, "removals": sorted(names - set_.keys())}
        done = self.call("POST", ENTITIES, "/v1/namespaces/entities/properties", body)
        assert done.status == 200, done

    def stop(self) -> None:
        assert self._jvm.stdin is not None
        self._jvm.stdin.close()
        self._jvm.wait(10)
        for path in self._folder.iterdir():
            path.unlink()
        self._folder.rmdir()


_PIECE, _PIECES = 900, 50  # characters: the column of a namespace's properties has 1,000
#: PostgreSQL gives these codes when it stops. The pool then opens a new connection.
_JDBC = {"jdbc.schema-version": "V1", "retryable_status_codes": "57P01,57P02,57P03"}
_IMPLEMENTATION = {"catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog"}
