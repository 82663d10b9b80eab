from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from bootstrap.remote.auth import SigV4
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from bootstrap.remote.errors import Exists
from bootstrap.stores.tables import TableBuckets

STORE = StoreConnection("http://127.0.0.1:1", "us-east-1", "key", "secret")


class _Aistor(BaseHTTPRequestHandler):
    """Answers as AIStor's documentation says: it creates a warehouse once."""

    made: list[str]

    def do_POST(self) -> None:
        assert self.path == "/_iceberg/v1/warehouses"
        assert "/s3tables/aws4_request" in self.headers["Authorization"]
        name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["name"]
        status = 409 if name in self.made else 200
        self.made.append(name)
        failure = {"error": {"message": "it exists", "type": "AlreadyExistsException", "code": 409}}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps({"name": name} if status == 200 else failure).encode())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def aistor() -> Iterator[HTTPServer]:
    _Aistor.made = []
    with HTTPServer(("127.0.0.1", 0), _Aistor) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_warehouse_of_aistor_is_made_by_a_signed_request(aistor: HTTPServer) -> None:
    uri = f"http://127.0.0.1:{aistor.server_port}/_iceberg"
    auth = SigV4.of("key", "secret", "s3tables", "us-east-1")
    lake = CatalogConnection("s3tables", uri, "tables", f"{uri}/v1/warehouses", auth=auth)
    tables = TableBuckets(Connections(STORE, {"lake": lake}))
    assert "tables" in tables
    assert tables.present is None
    assert tables.unfit("tables") == ""
    tables.create("tables")
    assert _Aistor.made == ["tables"]
    with pytest.raises(Exists):
        tables.create("tables")


def test_buckets_of_other_catalogs_are_no_table_buckets() -> None:
    tables = TableBuckets(Connections(STORE, {"lake": CatalogConnection("nessie", "http://127.0.0.1:1", "lake")}))
    assert "lake" not in tables
    assert tables.present is None
