"""How many messages topics have, by Kafka's own protocol. https://kafka-python.readthedocs.io/"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable, Mapping

from bootstrap.remote.errors import UnknownState, Unreachable, first_line

Partition = tuple[str, int]  # of a topic
_SECONDS = 10


def ends(address: str, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
    """The position after the last message of each partition. Raises Unreachable if nobody answers there."""
    from kafka import KafkaConsumer, TopicPartition  # 0.2 s
    from kafka.errors import KafkaError, KafkaTimeoutError

    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what it cannot reach is an error here, in one line
    asked = [TopicPartition(*each) for each in partitions]
    if not asked:
        return {}
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
        )
        try:
            found = consumer.end_offsets(asked)
        finally:
            consumer.close()
    except KafkaTimeoutError as error:
        raise Unreachable("Kafka", address, error.args[0] if error.args else "no answer") from None
    except KafkaError as error:
        raise UnknownState(f"Kafka at {address}: {error}") from None
    return {(each.topic, each.partition): offset for each, offset in found.items()}
