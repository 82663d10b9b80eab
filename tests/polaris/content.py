"""The requests that the double passes to Iceberg's own server, and those that real Polaris answers differently."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from tests.polaris.answers import Answer, PolarisError, bad
from tests.polaris.catalog import overlap, within
from tests.polaris.realm import Realm
from tests.polaris.tables import Tables

_CONTENT = "CATALOG_MANAGE_CONTENT"
#: By which other privileges each one is given too, besides those that manage all metadata or all content.
_GIVEN_BY: Mapping[str, tuple[str, ...]] = {
    "LIST": ("CREATE", "READ_PROPERTIES", "WRITE_PROPERTIES", "READ_DATA", "WRITE_DATA"),
    "READ_PROPERTIES": ("WRITE_PROPERTIES", "READ_DATA", "WRITE_DATA"),
    "WRITE_PROPERTIES": ("WRITE_DATA",),
    "READ_DATA": ("WRITE_DATA",),
}
_DELEGATION = "x-iceberg-access-delegation"


class Content:
    """Iceberg REST of every catalog of a realm."""

    def __init__(self, realm: Realm, tables: Tables, keys: Mapping[str, str]) -> None:
        self._realm, self._tables, self._keys = realm, tables, keys
        self._locations: dict[tuple[str, tuple[str, ...], str], str] = {}  # of tables that were looked at

    def config(self, query: Mapping[str, str]) -> Answer:
        """The first thing that a client asks for."""
        name = query.get("warehouse")
        if not name:
            raise bad("Please specify a warehouse")
        catalog = self._realm.catalog(name)
        if catalog is None:
            raise PolarisError(404, "NotFoundException", f"Unable to find warehouse {name}")
        settings = self._tables.call("GET", name, "/v1/config").body
        overrides = {"prefix": name, "namespace-separator": "%1F"}
        return Answer(200, {**settings, "defaults": catalog["properties"], "overrides": overrides})

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
            raise PolarisError(404, "NoSuchNamespaceException", "Namespace does not exist: ''")
        delegated = "vended-credentials" in headers.get(_DELEGATION, "")
        if parts == ["namespaces"]:  # on the parent
            parent = (query.get("parent") or "").split("\x1f") if method == "GET" else (body or {})["namespace"][:-1]
            on = [each for each in parent if each]
        else:
            on = namespace
        self._allow(who, catalog, on, table, _asked(method, parts, query, delegated))
        self._check(method, catalog, parts, namespace, body or {}, query)
        if parts[2:] == ["properties"] and body.get("updates") and body.get("removals"):
            return self._half_changed(catalog, path, namespace, body)
        asked = "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items())
        answer = self._tables.call(method, catalog, f"/v1/{path.strip('/')}{'?' + asked if asked else ''}", body)
        if method not in ("GET", "HEAD"):
            self._forget(catalog, namespace, parts)
            if answer.status < 300:
                self._regrant(method, catalog, parts, namespace, body)
        if answer.status == 200 and answer.body is None:
            return Answer(204)  # Iceberg's own server answers 200, with an empty body
        loaded = answer.status == 200 and isinstance(answer.body, dict) and "metadata" in answer.body
        if not (delegated and loaded and "tables" in parts):
            return answer
        have = self._realm.privileges(who, catalog, namespace, table)
        return self._vended(catalog, answer, writes=bool(have & _give("TABLE_WRITE_DATA")))

    def _regrant(self, method: str, catalog: str, parts: list[str], namespace: list[str], body: Any) -> None:
        """Polaris keeps grants by the identity of what they are on, not by its name."""
        match method, parts:
            case "POST", [("tables" | "views") as what, "rename"]:
                was, now = (_on(what, of["namespace"], of["name"]) for of in (body["source"], body["destination"]))
                self._realm.regrant(catalog, was, now)
            case "DELETE", ["namespaces", _, ("tables" | "views") as what, name]:
                self._realm.regrant(catalog, _on(what, namespace, name), None)
            case "DELETE", ["namespaces", _]:
                self._realm.regrant(catalog, {"type": "namespace", "namespace": namespace}, None)

    def _allow(self, who: str, catalog: str, namespace: list[str], table: str, asked: set[str]) -> None:
        have = self._realm.privileges(who, catalog, namespace, table)
        if not all(have & _give(each) for each in asked):
            raise PolarisError(
                403, "ForbiddenException", f"Principal '{who}' is not authorized for op {'/'.join(asked)}"
            )

    def _half_changed(self, catalog: str, path: str, namespace: list[str], body: Any) -> Answer:
        """A request that sets and removes properties: the server sets, and then takes its own change for another's."""
        if same := body["updates"].keys() & set(body["removals"]):
            why = f"Invalid namespace update, cannot simultaneously set and remove keys: {sorted(same)}"
            raise PolarisError(422, "UnprocessableEntityException", why)
        answer = self._tables.call("POST", catalog, f"/v1/{path.strip('/')}", {**body, "removals": []})
        if answer.status != 200:
            return answer
        name = ".".join(namespace)
        raise PolarisError(409, "CommitConflictException", f"Concurrent modification of namespace: {name}")

    def _check(
        self, method: str, catalog: str, parts: list[str], namespace: list[str], body: Any, query: Mapping[str, str]
    ) -> None:
        entity = self._realm.catalog(catalog)
        assert entity is not None
        match method, parts:
            case "POST", ["namespaces"]:
                self._check_namespace(entity, body["namespace"], body.get("properties") or {})
            case "POST", ["namespaces", _, "properties"] if "location" in (body.get("updates") or {}):
                why = f"Namespace {'.'.join(namespace)} has a custom location, which is not enabled"
                raise PolarisError(400, "IllegalArgumentException", why)
            case (("GET" | "POST"), ["namespaces", _, ("tables" | "views" | "register")]):
                self._need(catalog, namespace)
            case "POST", [("tables" | "views"), "rename"]:
                self._need(catalog, body["destination"]["namespace"])
            case "DELETE", ["namespaces", _, ("tables" | "views") as what, name]:
                purges = what == "views" or query.get("purgeRequested") == "true"  # of a view, its metadata
                if purges and self._tables.is_there(catalog, _on(what, namespace, name)):
                    self._purges(entity, name)
        if method == "POST" and parts[2:3] in (["tables"], ["register"]):
            self._check_locations(entity, namespace, parts[3] if len(parts) > 3 else "", body)

    def _need(self, catalog: str, namespace: list[str]) -> None:
        if not self._tables.is_there(catalog, {"type": "namespace", "namespace": namespace}):
            raise PolarisError(404, "NoSuchNamespaceException", f"Namespace does not exist: {'.'.join(namespace)}")

    def _check_locations(self, catalog: Mapping[str, Any], namespace: list[str], table: str, body: Any) -> None:
        """Those of a request to create, register or change a table."""
        for location in _locations(body):
            self._inside(catalog, namespace, table, location)
        metadata = (body.get("metadata-location") or "").rpartition("/metadata/")[0]
        if not table and (location := body.get("location") or metadata):
            self._apart(catalog["name"], namespace, location)

    def _check_namespace(self, catalog: Mapping[str, Any], levels: list[str], properties: Mapping[str, str]) -> None:
        if not levels:
            why = "Cannot create root namespace, as it already exists implicitly."
            raise PolarisError(409, "AlreadyExistsException", why)
        if "/" in levels[-1]:
            why = f"Entity name must not contain '/': {levels[-1]}"
            raise PolarisError(400, "IllegalArgumentException", why)
        if parent := levels[:-1]:
            self._need(catalog["name"], parent)
        default = "/".join([catalog["properties"]["default-base-location"].rstrip("/"), *levels])
        if (location := properties.get("location")) and not within(location, default):
            why = f"Namespace {levels[-1]} has a custom location, which is not enabled"
            where = f"Expected a location in: [{default}/]. Got location: {location}"
            raise PolarisError(400, "IllegalArgumentException", f"{why}. {where}")

    def _purges(self, catalog: Mapping[str, Any], name: str) -> None:
        if catalog["properties"].get("polaris.config.drop-with-purge.enabled") != "true":
            fix = "set the Polaris configuration DROP_WITH_PURGE_ENABLED"
            raise PolarisError(403, "ForbiddenException", f"Unable to purge entity: {name}. To enable this, {fix}")

    def _inside(self, catalog: Mapping[str, Any], namespace: list[str], table: str, location: str) -> None:
        """A table's files are in its namespace's folder; those of one that is there stay in its own."""
        if catalog["properties"].get("polaris.config.allow.unstructured.table.location") == "true":
            allowed = catalog["storageConfigInfo"]["allowedLocations"]
        elif there := self._location(catalog["name"], namespace, table):
            allowed = [there]
        else:
            allowed = ["/".join([catalog["properties"]["default-base-location"].rstrip("/"), *namespace])]
        if not any(within(location, each) for each in allowed):
            why = f"{location} is not in the list of allowed locations: {allowed}"
            raise PolarisError(403, "ForbiddenException", f"Invalid locations '[{location}]' for identifier: {why}")

    def _apart(self, catalog: str, namespace: list[str], location: str) -> None:
        found = self._tables.call("GET", catalog, f"/v1/namespaces/{quote(chr(31).join(namespace), safe='')}/tables")
        for each in (found.body or {}).get("identifiers", ()):
            other = self._location(catalog, namespace, each["name"])
            if other and overlap(location, other):
                why = f"because it conflicts with existing table or namespace at location '{other}/'"
                raise PolarisError(403, "ForbiddenException", f"Unable to create entity at location '{location}' {why}")

    def _location(self, catalog: str, namespace: list[str], table: str) -> str:
        """The location of a table; empty if it is not there."""
        if not table:
            return ""
        key = (catalog, tuple(namespace), table)
        if key not in self._locations:
            space = quote("\x1f".join(namespace), safe="")
            found = self._tables.call("GET", catalog, f"/v1/namespaces/{space}/tables/{quote(table, safe='')}")
            if found.status != 200:
                return ""
            self._locations[key] = str(found.body["metadata"]["location"])
        return self._locations[key]

    def _forget(self, catalog: str, namespace: list[str], parts: list[str]) -> None:
        """Forget the locations that a request may have changed."""
        match parts:
            case ["namespaces", _, "tables", name, *_]:
                self._locations.pop((catalog, tuple(namespace), name), None)
            case ["tables" | "transactions", _]:
                self._locations.clear()

    def _vended(self, catalog: str, answer: Answer, *, writes: bool) -> Answer:
        """The answer with keys for the table's folder: for who may only read the table, keys that only read."""
        entity = self._realm.catalog(catalog)
        assert entity is not None
        storage = entity["storageConfigInfo"]
        if storage.get("stsUnavailable"):
            why = "Credential vending was requested for table, but no credentials are available"
            raise PolarisError(400, "IllegalArgumentException", why)
        keys = assumed(storage, answer.body["metadata"]["location"], self._keys, writes=writes)
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


def assumed(storage: Mapping[str, Any], location: str, keys: Mapping[str, str], *, writes: bool) -> Mapping[str, str]:
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
    on_files = ["s3:GetObject", *(["s3:PutObject", "s3:DeleteObject"] if writes else [])]
    statements = [
        {"Effect": "Allow", "Action": on_files, "Resource": everything},
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
    """The privileges that an operation needs."""
    reads = method in ("GET", "HEAD")
    match parts:
        case ["namespaces"]:
            return {"NAMESPACE_LIST" if reads else "NAMESPACE_CREATE"}
        case ["namespaces", _]:
            return {"NAMESPACE_READ_PROPERTIES" if reads else "NAMESPACE_DROP"}
        case ["namespaces", _, "properties"]:
            return {"NAMESPACE_WRITE_PROPERTIES"}
        case ["namespaces", _, "tables", _, "metrics"]:
            return {"TABLE_READ_DATA"}
        case ["namespaces", _, ("tables" | "views" | "register") as what, *name]:
            thing = "VIEW" if what == "views" else "TABLE"
            if reads:
                data = {"TABLE_READ_DATA"} if delegated and name and thing == "TABLE" else set()
                return {f"{thing}_{'READ_PROPERTIES' if name else 'LIST'}"} | data
            if method == "DELETE":
                purges = query.get("purgeRequested") == "true"
                return {f"{thing}_DROP"} | ({"TABLE_WRITE_DATA"} if purges else set())
            data = {"TABLE_WRITE_DATA"} if delegated and not name and thing == "TABLE" else set()
            return {f"{thing}_{'WRITE_PROPERTIES' if name else 'CREATE'}"} | data
        case [("tables" | "views") as what, "rename"]:
            return {f"{what[:-1].upper()}_DROP"}
    return {"TABLE_WRITE_PROPERTIES"}  # several tables in one transaction


def _on(what: str, namespace: list[str], name: str) -> dict[str, Any]:
    """One of the ``tables`` or ``views``, as a grant names it."""
    kind = what[:-1]
    return {"type": kind, "namespace": namespace, f"{kind}Name": name}


def _give(privilege: str) -> set[str]:
    """The privileges each of which gives this one.

    https://github.com/apache/polaris/blob/main/polaris-core/src/main/java/org/apache/polaris/core/auth/PolarisAuthorizerImpl.java
    """
    thing, _, what = privilege.partition("_")
    found = {privilege, _CONTENT, *(f"{thing}_{each}" for each in _GIVEN_BY.get(what, ()))}
    return found if what.endswith("_DATA") else found | {"CATALOG_MANAGE_METADATA", f"{thing}_FULL_METADATA"}


def _locations(body: Mapping[str, Any]) -> list[str]:
    """The locations that a request to create or change a table names."""
    changes = body.get("updates") or ()
    found = [body.get("location"), body.get("metadata-location")]
    found += [each.get("location") for each in changes if each.get("action") == "set-location"]
    for set_ in (body.get("properties") or {}, *(each["updates"] for each in changes if _sets(each))):
        found += [set_.get(f"write.{what}.path") for what in ("data", "metadata")]
    return [each for each in found if each]


def _sets(change: Mapping[str, Any]) -> bool:
    return change.get("action") == "set-properties"
