"""`lakehouse metadata publish` of the default lakehouse, by DataHub's own program.

DataHub's server is in no package registry. A receiver takes its place: what it gets is checked with DataHub's models.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lakehouse.packages.environment import DATAHUB
from tests.integration.deployment import Deployment

#: Reads proposals as JSON; each aspect must be what DataHub's own class of it reads and finds valid.
CHECK = """
import json, sys
from datahub.metadata.schema_classes import ASPECT_NAME_MAP
found = json.load(sys.stdin)
for each in found:
    aspect = each["aspect"]
    value = aspect["json"] if "json" in aspect else json.loads(aspect["value"])
    made = ASPECT_NAME_MAP[each["aspectName"]].from_obj(value)
    assert made.validate(), each
print(len(found))
"""
BRONZE = "urn:li:dataset:(urn:li:dataPlatform:iceberg,lake.bronze.minute_aggs,PROD)"

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


class Receiver(ThreadingHTTPServer):
    """Takes what DataHub's emitter sends, and answers as its server does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proposals: list[dict[str, Any]] = []
        self.tokens: set[str | None] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_GET(self) -> None:
        self._answer({"noCode": "true", "versions": {"acryldata/datahub": {"version": "v1.7.0"}}})

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.tokens.add(self.headers["Authorization"])
        self.server.proposals += sent["proposals"] if "proposals" in sent else [sent["proposal"]]
        self._answer({})

    def _answer(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name in the base class
        """Nothing: pytest's output is for people."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def described(deployed: Deployment) -> Iterator[Deployment]:
    """The file with owners, tags and upstreams; afterwards as it was."""
    before = deployed.file.read_text()
    table = ("catalogs", "lake", "namespaces", "bronze", "tables", "minute_aggs")
    deployed.edit(
        before,
        {
            (*table, "owners"): ["group:data", "ada@example.com"],
            (*table, "tags"): ["raw"],
            (*table, "upstreams"): ["kafka://bars"],
            (*table, "columns", "ticker", "tags"): ["key"],
        },
    )
    yield deployed
    deployed.file.write_text(before)


def check(found: list[dict[str, Any]]) -> int:
    """How many proposals DataHub's models accept; all must be."""
    python = DATAHUB.program.with_name("python")
    done = subprocess.run(
        [python, "-c", CHECK], input=json.dumps(found), text=True, capture_output=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_every_table_is_published(described: Deployment, receiver: Receiver, tmp_path: Path) -> None:
    out = tmp_path / "metadata.json"
    printed = described.lakehouse("metadata", "publish", "--to-file", str(out))
    found = json.loads(out.read_text())
    urns = {each["entityUrn"] for each in found if each["entityType"] == "dataset"}
    assert {BRONZE, BRONZE.replace("bronze", "silver")} <= urns
    assert f"{out}: {len(urns)} tables." in printed
    bronze = {each["aspectName"]: each["aspect"]["json"] for each in found if each["entityUrn"] == BRONZE}
    assert bronze["datasetProperties"]["description"] == "One row a ticker and minute, as it arrived"
    owners = [each["owner"] for each in bronze["ownership"]["owners"]]
    assert owners == ["urn:li:corpGroup:data", "urn:li:corpuser:ada@example.com"]
    assert bronze["globalTags"]["tags"] == [{"tag": "urn:li:tag:raw"}]
    fields = {each["fieldPath"].rpartition(".")[2]: each for each in bronze["schemaMetadata"]["fields"]}
    assert fields["ticker"]["globalTags"]["tags"] == [{"tag": "urn:li:tag:key"}]
    assert fields["window_start"]["description"] == "Begin of the minute"
    upstreams = [each["dataset"] for each in bronze["upstreamLineage"]["upstreams"]]
    assert upstreams == ["urn:li:dataset:(urn:li:dataPlatform:kafka,bars,PROD)"]
    assert check(found) == len(found)
    for file in (described.local.state.root / "secrets").iterdir():
        assert file.is_dir() or file.read_bytes().strip() not in out.read_bytes()

    token = described.folder / "datahub.token"
    token.touch(0o600)
    token.write_text("a-token")
    described.change("stacks", "local", "metadata", to={"gms": receiver.address, "token": token.name})
    printed = described.lakehouse("metadata", "publish")
    assert f"{receiver.address}: {len(urns)} tables." in printed
    assert receiver.tokens == {"Bearer a-token"}
    assert {each["entityUrn"] for each in receiver.proposals} == {each["entityUrn"] for each in found}
    assert check(receiver.proposals) == len(receiver.proposals) >= len(found)


def test_a_server_that_does_not_answer_is_named(described: Deployment) -> None:
    described.change("stacks", "local", "metadata", to={"gms": "http://127.0.0.1:9"})
    printed = described.lakehouse("metadata", "publish", code=1)
    assert "DataHub failed, writing to http://127.0.0.1:9" in printed
    assert "Traceback" not in printed
