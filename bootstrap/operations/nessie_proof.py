"""The calls of :mod:`lakehouse.access.engines` that a catalog can decide, made for real at Nessie.

Each principal makes them by Nessie's own interface, with its own token, on a branch of the test, which is deleted with
all that was written there. A grant holds on every branch. A catalog applies no filters and masks, so a table that has
one is closed there. A view is only listed and loaded.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from bootstrap.catalogs.nessie_tokens import NessieTokens
from bootstrap.operations.catalog_proof import CatalogOutcome
from bootstrap.operations.trino_proof import OURS
from bootstrap.remote.auth import NONE, Bearer
from bootstrap.remote.connections import CatalogConnection, Connections
from bootstrap.remote.errors import Refused, RemoteError
from bootstrap.remote.http import Http
from lakehouse.access.engines import EngineCall, EngineOperation, engine_calls
from lakehouse.errors import LakehouseError
from lakehouse.spec import Lakehouse

_ASKED: tuple[EngineOperation, ...] = ("list", "load", "write", "create", "drop")
_OF_VIEWS: tuple[EngineOperation, ...] = ("list", "load")
_DENIED = ("HTTP 401", "HTTP 403")  # in the errors of bootstrap.remote.http


def calls(lakehouse: Lakehouse, catalogs: Collection[str]) -> list[EngineCall]:
    """The calls that can be tried in these catalogs: on tables and views of the file, and to create others."""
    return [
        call
        for call in engine_calls(lakehouse)
        if call.catalog in catalogs
        and lakehouse.access.principals[call.principal].existing is None
        and call.operation in (_asked(lakehouse, call) if call.name else ("create",))
    ]


def _asked(lakehouse: Lakehouse, call: EngineCall) -> tuple[EngineOperation, ...]:
    view = call.name in lakehouse.catalogs[call.catalog].namespaces[call.namespace].views
    return _OF_VIEWS if view else tuple(each for each in _ASKED if each != "create")


def outcomes(wanted: Sequence[EngineCall], connections: Connections, tokens: NessieTokens) -> Iterator[CatalogOutcome]:
    """Make the calls, in their order. A table that is not there yet is not asked for.

    Raises LakehouseError if a server answers neither yes nor no.
    """
    with ExitStack() as until:
        tests = {
            name: until.enter_context(_branch(name, tokens.catalogs[name], connections))
            for name in dict.fromkeys(call.catalog for call in wanted)
        }
        for call in wanted:
            test = tests[call.catalog]
            token = tokens.token(call.principal) if tokens.made(call.principal) else ""
            allowed = test.may(call, test.by(token))
            if allowed is not None:
                yield CatalogOutcome(call, call.allowed and not call.filters and not call.masks, allowed)


@dataclass(frozen=True)
class _Test:
    """A branch of a catalog. ``owner`` may do everything there."""

    catalog: str
    at: CatalogConnection
    connections: Connections
    owner: Http
    branch: str

    def by(self, token: str) -> Http:
        """The server for who shows the token; an empty one: for nobody."""
        return _http(self.catalog, replace(self.at, auth=Bearer(token) if token else NONE), self.connections)

    def may(self, call: EngineCall, own: Http) -> bool | None:
        """Whether the server lets a client do it. None: there is nothing to do it to."""
        key = [*call.namespace.split("."), call.name or f"{OURS}{uuid.uuid4().hex[:8]}"]
        there = self._content(key)
        if call.name and there is None:
            return None
        match call.operation:
            case "list":
                return key in self._asked(lambda: list(self._names(own)))
            case "load":
                body = {"requestedKeys": [{"elements": key}]}
                return bool(self._asked(lambda: own.post(f"{self._tree}/contents", body)["contents"]))
            case "write":
                assert there is not None
                return self._commits(own, {**_put(key), "content": {**there, "snapshotId": there["snapshotId"] + 1}})
            case "create":
                return self._commits(own, {**_put(key), "content": _TABLE})
        dropped = self._commits(own, {**_put(key), "type": "DELETE"})
        if dropped and there is not None:  # the next principal looks for it
            again = {name: value for name, value in there.items() if name != "id"}
            self._commits(self.owner, {**_put(key), "content": again})
        return dropped

    @property
    def _tree(self) -> str:
        return f"/trees/{quote(self.branch, safe='')}"

    def _names(self, own: Http) -> Iterator[list[str]]:
        token: str | None = None
        while True:
            page = own.get(f"{self._tree}/entries", **{"page-token": token})
            yield from (each["name"]["elements"] for each in page["entries"])
            if not page.get("hasMore"):
                return
            token = page["token"]

    def _content(self, key: Sequence[str]) -> dict[str, Any] | None:
        found = self.owner.post(f"{self._tree}/contents", {"requestedKeys": [{"elements": key}]})["contents"]
        return found[0]["content"] if found else None

    def _commits(self, own: Http, operation: Mapping[str, Any]) -> bool:
        now = self.owner.get(self._tree)["reference"]["hash"]
        body = {"commitMeta": {"message": "lakehouse access test"}, "operations": [operation]}
        return bool(self._asked(lambda: [own.post(f"{self._tree}@{now}/history/commit", body)]))

    def _asked(self, ask: Callable[[], list[Any]]) -> list[Any]:
        """What the server answers; nothing if it refuses who asks. Raises LakehouseError for any other error."""
        try:
            return ask()
        except Refused as error:
            if any(status in str(error) for status in _DENIED):
                return []
            raise LakehouseError(f"Nessie answered neither yes nor no: {error}") from error
        except RemoteError as error:
            raise LakehouseError(f"Nessie answered neither yes nor no: {error}") from error


@contextmanager
def _branch(catalog: str, at: CatalogConnection, connections: Connections) -> Iterator[_Test]:
    """A branch that begins with the catalog's, for as long as the context lasts."""
    owner, name = _http(catalog, at, connections), f"{OURS}{uuid.uuid4().hex[:8]}"
    from_ = owner.get(f"/trees/{quote(at.branch, safe='')}")["reference"]
    owner.post("/trees", from_, name=name, type="BRANCH")
    try:
        yield _Test(catalog, at, connections, owner, name)
    finally:
        now = owner.get(f"/trees/{name}")["reference"]["hash"]
        owner.request("DELETE", f"/trees/{name}@{now}", query={"type": "BRANCH"})


def _http(catalog: str, at: CatalogConnection, connections: Connections) -> Http:
    what = f'catalog "{catalog}"'
    return Http(what, at.api, at.headers, connections.patience, auth=at.auth, trust=at.trust)


def _put(key: Sequence[str]) -> dict[str, Any]:
    return {"type": "PUT", "key": {"elements": key}}


#: Nobody reads its file: it is gone with the branch.
_TABLE = {
    "type": "ICEBERG_TABLE",
    "metadataLocation": "s3://none/of-a-test",
    **dict.fromkeys(("snapshotId", "schemaId", "specId", "sortOrderId"), 0),
}
