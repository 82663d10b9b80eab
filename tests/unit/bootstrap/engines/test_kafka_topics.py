from __future__ import annotations

import socket

import pytest

from bootstrap.engines import kafka_topics
from bootstrap.remote.errors import Unreachable


def test_nobody_is_asked_for_nothing() -> None:
    assert kafka_topics.ends("127.0.0.1:1", []) == {}


def test_a_broker_that_is_down_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_topics, "_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(Unreachable, match=f"Kafka at {address} cannot be reached"):
        kafka_topics.ends(address, [("orders", 0)])
