"""How many messages topics have, by Kafka's own protocol. https://kafka-python.readthedocs.io/"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bootstrap.remote.errors import UnknownState, Unreachable, first_line

Partition = tuple[str, int]  # of a topic
_SECONDS = 10


def after(address: str, topic: str, places: Mapping[Partition, int]) -> int | None:
    """Messages of a topic that are after these places, or after its beginning in a partition that has none.

    None: there is no such topic. Raises Unreachable if nobody answers there.
    """
    with _consumer(address, allow_auto_create_topics=False) as consumer:
        return _after(consumer, topic, places)


def behind(address: str, group: str, topic: str) -> int | None:
    """Messages of a topic that are after the places which a group of consumers has written down, as :func:`after`."""
    from kafka import TopicPartition  # 0.2 s

    with _consumer(address, group_id=group, allow_auto_create_topics=False) as consumer:
        done = {each: consumer.committed(TopicPartition(topic, each)) for each in _partitions(consumer, topic)}
        return _after(consumer, topic, {(topic, each): at for each, at in done.items() if at is not None})


def _partitions(consumer: Any, topic: str) -> list[int]:
    return sorted(consumer.partitions_for_topic(topic) or ())


def _after(consumer: Any, topic: str, places: Mapping[Partition, int]) -> int | None:
    from kafka import TopicPartition

    asked = [TopicPartition(topic, each) for each in _partitions(consumer, topic)]
    if not asked:
        return None
    first: Mapping[TopicPartition, int] = consumer.beginning_offsets(asked)
    last: Mapping[TopicPartition, int] = consumer.end_offsets(asked)
    at = {each: max(first[each], places.get((topic, each.partition), 0)) for each in asked}
    return sum(max(0, last[each] - at[each]) for each in asked)


@contextmanager
def _consumer(address: str, **settings: Any) -> Iterator[Any]:
    from kafka import KafkaConsumer
    from kafka.errors import KafkaError, KafkaTimeoutError

    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what it cannot reach is an error here, in one line
    host, _, port = address.rpartition(":")
    try:  # the client asks a broker that is down for long, and leaves sockets open
        socket.create_connection((host, int(port)), _SECONDS).close()
    except OSError as error:
        raise Unreachable("Kafka", address, first_line(error)) from None
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=address,
            bootstrap_timeout_ms=_SECONDS * 1000,
            isolation_level="read_committed",
            enable_auto_commit=False,
            **settings,
        )
        try:
            yield consumer
        finally:
            consumer.close()
    except KafkaTimeoutError as error:
        raise Unreachable("Kafka", address, error.args[0] if error.args else "no answer") from None
    except KafkaError as error:
        raise UnknownState(f"Kafka at {address}: {error}") from None
