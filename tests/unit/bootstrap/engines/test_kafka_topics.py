from __future__ import annotations

import gc
import socket

import kafka
import pytest
from kafka import TopicPartition

from bootstrap.engines import kafka_topics
from bootstrap.remote.errors import Unreachable


def test_nobody_is_asked_for_nothing() -> None:
    assert kafka_topics.ends("127.0.0.1:1", []) == {}


def test_a_broker_that_is_down_is_named_and_no_socket_stays_open() -> None:
    """What the garbage collector finds is an error of this test, and of no other."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    for ask in (lambda: kafka_topics.ends(address, [("orders", 0)]), lambda: kafka_topics.behind(address, "a", "b")):
        with pytest.raises(Unreachable, match=f"Kafka at {address} cannot be reached"):
            ask()
    gc.collect()


def test_what_a_group_has_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Consumer:
        """A topic of three partitions, of the last of which the group has no place."""

        def __init__(self, **settings: object) -> None:
            assert settings["group_id"] == "seatunnel-orders"
            assert settings["allow_auto_create_topics"] is False

        def partitions_for_topic(self, topic: str) -> set[int] | None:
            return {0, 1, 2} if topic == "orders" else None

        def committed(self, partition: TopicPartition) -> int | None:
            return {0: 5, 1: 9, 2: None}[partition.partition]

        def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
            return dict.fromkeys(partitions, 8)

        def close(self) -> None:
            pass

    monkeypatch.setattr(kafka, "KafkaConsumer", Consumer)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert kafka_topics.behind(address, "seatunnel-orders", "orders") == 3
        assert kafka_topics.behind(address, "seatunnel-orders", "others") is None
