from __future__ import annotations

import gc
import socket

import pytest

from bootstrap.engines import kafka_topics
from bootstrap.remote.errors import Unreachable


def test_nobody_is_asked_for_nothing() -> None:
    assert kafka_topics.ends("127.0.0.1:1", []) == {}


def test_a_broker_that_is_down_is_named_and_no_socket_stays_open() -> None:
    """What the garbage collector finds is an error of this test, and of no other."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(Unreachable, match=f"Kafka at {address} cannot be reached"):
        kafka_topics.ends(address, [("orders", 0)])
    gc.collect()
