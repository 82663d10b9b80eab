from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator

import kafka
import pytest
from kafka import TopicPartition

from bootstrap.engines import kafka_topics
from bootstrap.remote.errors import Unreachable


def test_a_broker_that_is_down_is_named_and_no_socket_stays_open() -> None:
    """What the garbage collector finds is an error of this test, and of no other."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    asks: list[Callable[[], object]] = [
        lambda: kafka_topics.after(address, "orders", {}),
        lambda: kafka_topics.behind(address, "a", "b"),
    ]
    for ask in asks:
        with pytest.raises(Unreachable, match=f"Kafka at {address} cannot be reached"):
            ask()
    gc.collect()


class Consumer:
    """A topic of three partitions, of the last of which the group has no place. Kafka has deleted its first message."""

    def __init__(self, **settings: object) -> None:
        assert settings.get("group_id", "seatunnel-orders") == "seatunnel-orders"
        assert settings["allow_auto_create_topics"] is False

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return {0, 1, 2} if topic == "orders" else None

    def committed(self, partition: TopicPartition) -> int | None:
        return (5, 9, None)[partition.partition]

    def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 1)

    def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 8)

    def close(self) -> None:
        pass


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(kafka, "KafkaConsumer", Consumer)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_what_a_group_has_not_read(address: str) -> None:
    assert kafka_topics.behind(address, "seatunnel-orders", "orders") == 3 + 0 + 7
    assert kafka_topics.behind(address, "seatunnel-orders", "others") is None


def test_what_is_after_places(address: str) -> None:
    assert kafka_topics.after(address, "orders", {("orders", 0): 5, ("orders", 1): 0}) == 3 + 7 + 7
    assert kafka_topics.after(address, "orders", {}) == 21
    assert kafka_topics.after(address, "others", {}) is None
