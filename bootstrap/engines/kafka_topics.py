"""How many messages topics have, by Kafka's own protocol. https://kafka-python.readthedocs.io/"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bootstrap.remote.errors import UnknownState, Unreachable, first_line

Partition = tuple[str, int]  # of a topic
_SECONDS = 10


def ends(address: str, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
    """The position after the last message of each partition. Raises Unreachable if nobody answers there."""
    from kafka import TopicPartition  # 0.2 s

    asked = [TopicPartition(*each) for each in partitions]
    if not asked:
        return {}
    with _consumer(address) as consumer:
        return {(each.topic, each.partition): offset for each, offset in consumer.end_offsets(asked).items()}


def behind(address: str, group: str, topic: str) -> int | None:
    """Messages of a topic that are after the place which a group of consumers has written down.

    None: there is no such topic, or no place. Raises Unreachable if nobody answers there.
    """
    from kafka import TopicPartition

    with _consumer(address, group_id=group, allow_auto_create_topics=False) as consumer:
        partitions = [TopicPartition(topic, each) for each in consumer.partitions_for_topic(topic) or ()]
        done: Mapping[TopicPartition, int | None] = {each: consumer.committed(each) for each in partitions}
        places = {each: offset for each, offset in done.items() if offset is not None}
        if not places:
            return None
        last: Mapping[TopicPartition, int] = consumer.end_offsets(list(places))
        return sum(max(0, end - places[each]) for each, end in last.items())


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
