from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from lakehouse.errors import LakehouseError
from lakehouse.packages.download import _say, download
from lakehouse.packages.package import Artifact
from tests.unit.lakehouse.packages.registry import Registry, artifact

CONTENT = os.urandom(300_000)
THING = artifact(CONTENT)


class Client:
    """Downloads without waiting, and records the pauses that it would have made."""

    def __init__(self, part: Path) -> None:
        self.part, self.pauses, self.seen = part, list[float](), list[int]()

    def get(self, thing: Artifact, *urls: str) -> None:
        with requests.Session() as session:
            download(thing, urls, self.part, session, seen=self.seen.append, pause=self.pauses.append)


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path / "thing.part")


@pytest.fixture
def url(registry: Registry) -> str:
    registry.files["/thing"] = CONTENT
    return f"{registry.url}/thing"


def test_a_file_arrives_whole(client: Client, url: str) -> None:
    client.get(THING, url)
    assert client.part.read_bytes() == CONTENT
    assert client.seen[0] == 0
    assert client.seen[-1] == len(CONTENT)


def test_a_cut_connection_goes_on_where_it_stopped(client: Client, url: str, registry: Registry) -> None:
    registry.cut_at = [2 << 16, 1 << 16]
    client.get(THING, url)
    assert client.part.read_bytes() == CONTENT
    assert [wanted for _, wanted in registry.log] == [None, "bytes=131072-", "bytes=196608-"]


def test_the_next_run_goes_on_where_the_last_one_stopped(client: Client, url: str, registry: Registry) -> None:
    client.part.write_bytes(CONTENT[:1000])
    client.get(THING, url)
    assert client.part.read_bytes() == CONTENT
    assert registry.log == [("/thing", "bytes=1000-")]


def test_a_server_without_ranges_sends_it_all_again(client: Client, url: str, registry: Registry) -> None:
    registry.ranges = False
    client.part.write_bytes(CONTENT[:1000])
    client.get(THING, url)
    assert client.part.read_bytes() == CONTENT


def test_a_refused_range_starts_over(client: Client, url: str, registry: Registry) -> None:
    registry.statuses = [416]
    client.part.write_bytes(CONTENT[:1000])
    client.get(THING, url)
    assert client.part.read_bytes() == CONTENT
    assert registry.log[-1] == ("/thing", None)


@pytest.mark.parametrize("start", [b"x" * 10, b"x" * (len(CONTENT) + 1)])
def test_what_was_there_is_checked_too(client: Client, url: str, start: bytes) -> None:
    client.part.write_bytes(start)
    if len(start) > len(CONTENT):
        client.get(THING, url)  # longer than the file: cannot be a beginning of it
        assert client.part.read_bytes() == CONTENT
    else:
        with pytest.raises(LakehouseError, match="SHA-256"):
            client.get(THING, url)


def test_another_checksum_is_an_error_and_the_file_goes(client: Client, url: str, registry: Registry) -> None:
    pinned = replace(THING, sha256="0" * 64)
    with pytest.raises(LakehouseError) as caught:
        client.get(pinned, url)
    for part in ("org.example:thing:1.0", "thing-1.0.jar", "0" * 64, THING.sha256, "Run again"):
        assert part in str(caught.value)
    assert not client.part.exists()
    assert len(registry.log) == 1


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_final_answer_is_not_asked_for_again(client: Client, url: str, registry: Registry, status: int) -> None:
    registry.statuses = [status]
    with pytest.raises(LakehouseError, match=f"127.0.0.1 answers {status} for thing-1.0.jar. Use a mirror"):
        client.get(THING, url)
    assert len(registry.log) == 1
    assert client.pauses == []


def test_a_final_answer_leads_to_the_next_address(client: Client, url: str, registry: Registry) -> None:
    client.get(THING, f"{registry.url}/elsewhere", url)
    assert [path for path, _ in registry.log] == ["/elsewhere", "/thing"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_is_tried_again(client: Client, url: str, registry: Registry, status: int) -> None:
    registry.statuses = [status, status]
    client.get(THING, url)
    assert client.part.read_bytes() == CONTENT
    assert client.pauses == [1, 2]


def test_a_failure_that_stays_keeps_what_has_arrived(client: Client, url: str, registry: Registry) -> None:
    registry.cut_at = [1 << 16, 0, 0, 0, 0]
    with pytest.raises(LakehouseError, match="in 5 attempts .* the downloaded part is kept"):
        client.get(THING, url)
    assert client.part.read_bytes() == CONTENT[: 1 << 16]
    assert client.pauses == [1, 2, 4, 8]


def test_no_network_is_reported(client: Client, free_port: int) -> None:
    with pytest.raises(LakehouseError, match=r"127.0.0.1 in 5 attempts \(no connection\). Check the network"):
        client.get(THING, f"http://127.0.0.1:{free_port}/thing")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_is_reported(url: str) -> None:
    with pytest.raises(
        LakehouseError, match="the disk with /dev is full. Free some space there, or set XDG_CACHE_HOME"
    ):
        Client(Path("/dev/full")).get(THING, url)


def test_a_proxy_that_is_not_there_is_named() -> None:
    assert "proxy that http_proxy" in _say(requests.exceptions.ProxyError())
    assert _say(requests.exceptions.ReadTimeout()) == "no answer in time"
    assert _say(requests.exceptions.InvalidURL()) == "InvalidURL"
