"""The requests that the double passes to Iceberg's own server, and those that real Polaris answers differently."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from tests.polaris.answers import Answer, PolarisError, bad
from tests.polaris.realm import Realm
from tests.polaris.tables import Tables

_CONTENT = "CATALOG_MANAGE_CONTENT"
_METADATA = {_CONTENT, "CATALOG_MANAGE_METADATA"}
_THINGS = ("NAMESPACE", "TABLE", "VIEW")
_FULL = {f"{each}_FULL_METADATA" for each in _THINGS}
_DATA = {"TABLE_READ_DATA", "TABLE_WRITE_DATA"}
#: The privileges that allow an operation, by operation.
_NEEDED: Mapping[str, set[str]] = {
    "list": _METADATA | {f"{each}_LIST" for each in _THINGS} | _FULL | _DATA,
    "read": _METADATA | {f"{each}_{may}" for each in _THINGS for may in ("READ_PROPERTIES", "LIST")} | _FULL | _DATA,
    "write": _METADATA
    | {f"{each}_{may}" for each in _THINGS for may in ("CREATE", "WRITE_PROPERTIES")}
    | _FULL
    | _DATA,
    "drop": _METADATA | {f"{each}_DROP" for each in _THINGS} | _FULL,
    "read data": {_CONTENT, *_DATA},
    "write data": {_CONTENT, "TABLE_WRITE_DATA"},
}
_DELEGATION = "x-iceberg-access-delegation"


class Content:
    """Iceberg REST of every catalog of a realm."""

    def __init__(self, realm: Realm, tables: Tables, keys: Mapping[str, str]) -> None:
        self._realm, self._tables, self._keys = realm, tables, keys

    def config(self, query: Mapping[str, str]) -> Answer:
        """The first thing that a client asks for."""
        name = query.get("warehouse")
        if not name:
            raise bad("Please specify a warehouse")
        catalog = self._realm.catalog(name)
        if catalog is None:
            raise PolarisError(404, "NotFoundException", f"Unable to find warehouse {name}")
        settings = self._tables.call("GET", name, "/v1/config").body
        defaults = {k: v for k, v in catalog["properties"].items() if not k.startswith("polaris.")}
        return Answer(200, {**settings, "defaults": defaults, "overrides": {"prefix": name}})

    def handle(
        self,
        who: str,
        method: str,
        catalog: str,
        path: str,
        query: Mapping[str, str],
        body: Any,
        headers: Mapping[str, str],
    ) -> Answer:
        """A request below ``/v1/CATALOG``, whose ``path`` is still quoted. Raises PolarisError."""
        parts = [unquote(each) for each in path.strip("/").split("/")]
        namespace = parts[1].split("\x1f") if len(parts) > 1 and parts[0] == "namespaces" else []
        table = parts[3] if len(parts) > 3 and parts[2] in ("tables", "views") else ""
        if self._realm.catalog(catalog) is None:
            raise PolarisError(404, "NotFoundException", f"Catalog {catalog} not found")
        delegated = "vended-credentials" in headers.get(_DELEGATION, "")
        self._allow(who, catalog, namespace, table, _asked(method, parts, query, delegated))
        self._check(method, catalog, parts, namespace, body or {}, query)
        asked = "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items())
        answer = self._tables.call(method, catalog, f"/v1/{path.strip('/')}{'?' + asked if asked else ''}", body)
        if method == "DELETE" and answer.status == 200:
            return Answer(204)  # Iceberg's own server answers 200, with an empty body
        loaded = answer.status == 200 and isinstance(answer.body, dict) and "metadata" in answer.body
        return self._vended(catalog, answer) if delegated and loaded and "tables" in parts else answer

    def _allow(self, who: str, catalog: str, namespace: list[str], table: str, asked: set[str]) -> None:
        have = self._realm.privileges(who, catalog, namespace, table)
        if not all(have & _NEEDED[each] for each in asked):
            raise PolarisError(
                403, "ForbiddenException", f"Principal '{who}' is not authorized for op {'/'.join(asked)}"
            )

    def _check(
        self, method: str, catalog: str, parts: list[str], namespace: list[str], body: Any, query: Mapping[str, str]
    ) -> None:
        entity = self._realm.catalog(catalog)
        assert entity is not None
        match method, parts:
            case "POST", ["namespaces"] if len(body["namespace"]) > 1:
                parent = body["namespace"][:-1]
                if not self._tables.is_there(catalog, {"type": "namespace", "namespace": parent}):
                    raise PolarisError(404, "NoSuchNamespaceException", f"Namespace does not exist: {'.'.join(parent)}")
            case "POST", ["namespaces", _, "properties"]:
                there = self._tables.call("GET", catalog, f"/v1/namespaces/{quote(parts[1], safe='')}")
                known = (there.body or {}).get("properties", {})
                if there.status == 200 and any(each not in known for each in body.get("removals") or ()):
                    raise PolarisError(409, "CommitConflictException", "Concurrent modification on namespace")
            case "DELETE", ["namespaces", _, "tables", _] if query.get("purgeRequested") == "true":
                if entity["properties"].get("polaris.config.drop-with-purge.enabled") != "true":
                    raise PolarisError(
                        403, "ForbiddenException", "Unable to purge entity: DROP_WITH_PURGE_ENABLED is false"
                    )
            case "POST", ["namespaces", _, ("tables" | "register"), *_]:
                for location in _locations(body):
                    self._inside(entity, namespace, location)

    def _inside(self, entity: Mapping[str, Any], namespace: list[str], location: str) -> None:
        allowed = entity["storageConfigInfo"]["allowedLocations"]
        loose = entity["properties"].get("polaris.config.allow.unstructured.table.location") == "true"
        base = entity["properties"]["default-base-location"].rstrip("/")
        within = [*allowed] if loose else ["/".join([base, *namespace])]
        if not any(f"{location.rstrip('/')}/".startswith(f"{each.rstrip('/')}/") for each in within):
            why = f"{location} is not in the list of allowed locations: {within}"
            raise PolarisError(403, "ForbiddenException", f"Invalid locations '[{location}]' for identifier: {why}")

    def _vended(self, catalog: str, answer: Answer) -> Answer:
        entity = self._realm.catalog(catalog)
        assert entity is not None
        storage = entity["storageConfigInfo"]
        if storage.get("stsUnavailable"):
            raise bad("Credential vending was requested for table, but no credentials are available")
        keys = assumed(storage, answer.body["metadata"]["location"], self._keys)
        config = {
            **(answer.body.get("config") or {}),
            "s3.access-key-id": keys["AccessKeyId"],
            "s3.secret-access-key": keys["SecretAccessKey"],
            "s3.session-token": keys["SessionToken"],
            "s3.endpoint": storage["endpoint"],
            "s3.path-style-access": str(bool(storage.get("pathStyleAccess"))).lower(),
            "client.region": storage.get("region") or "us-east-1",
        }
        return Answer(answer.status, {**answer.body, "config": config})


def assumed(storage: Mapping[str, Any], location: str, keys: Mapping[str, str]) -> Mapping[str, str]:
    """Keys of the store for a table's folder, by its STS."""
    import boto3

    client = boto3.client(
        "sts",
        endpoint_url=storage.get("stsEndpoint") or storage["endpoint"],
        region_name=storage.get("region") or "us-east-1",
        aws_access_key_id=keys["s3.access-key-id"],
        aws_secret_access_key=keys["s3.secret-access-key"],
    )
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    everything = [f"arn:aws:s3:::{bucket}/{prefix}/*"]
    statements = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": everything},
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
            "Resource": [f"arn:aws:s3:::{bucket}"],
        },
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    answer = client.assume_role(RoleArn=storage["roleArn"], RoleSessionName="polaris", Policy=policy)
    found: Mapping[str, str] = answer["Credentials"]
    return found


def _asked(method: str, parts: list[str], query: Mapping[str, str], delegated: bool) -> set[str]:
    """The operation, as a key of ``_NEEDED``."""
    match method, parts:
        case "GET" | "HEAD", ["namespaces"] | ["namespaces", _, ("tables" | "views")]:
            return {"list"}
        case "GET" | "HEAD", ["namespaces", _, "tables", _]:
            return {"read", "read data"} if delegated else {"read"}
        case "GET" | "HEAD", _:
            return {"read"}
        case "POST", ["namespaces", _, "tables"]:
            return {"write", "write data"} if delegated else {"write"}
        case "DELETE", _:
            return {"drop", "write data"} if query.get("purgeRequested") == "true" else {"drop"}
    return {"write"}


def _locations(body: Mapping[str, Any]) -> list[str]:
    """The locations that a request to create or change a table names."""
    found = [body.get("location"), body.get("metadata-location")]
    found += [each.get("location") for each in body.get("updates") or () if each.get("action") == "set-location"]
    return [each for each in found if each]
