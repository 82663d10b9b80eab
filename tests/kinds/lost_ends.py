"""Takes the end of a transaction out of a partition of Kafka's, as a broker loses it that is killed while it commits:
it has noted that the transaction is complete, and the partition has no marker."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from tests.kinds.messages import close_sockets

_CONTROL = 0x20  # of a batch's attributes: it is a marker, and has no records of anybody


def cut_last_end(data: Path, partition: str) -> None:
    """Cut the last marker out of a partition (``TOPIC-NUMBER``), and what follows it. The broker must be down.

    All that the broker would know without reading the partition is removed, so it reads it.
    """
    folder = data / partition
    [segment] = folder.glob("*.log")
    content = segment.read_bytes()
    last = [start for start, attributes in _batches(content) if attributes & _CONTROL][-1]
    segment.write_bytes(content[:last])
    for kind in ("*index", "*.snapshot"):
        for each in folder.glob(kind):
            each.unlink()
    for name in (".kafka_cleanshutdown", "recovery-point-offset-checkpoint"):
        (data / name).unlink(missing_ok=True)


def partition_of_group(group: str, partitions: int) -> str:
    """The partition with the places of a group of consumers: by the hash that Java's texts have."""
    hashed = 0
    for each in group:
        hashed = (31 * hashed + ord(each)) & 0xFFFFFFFF
    signed = hashed - (1 << 32) if hashed >= 1 << 31 else hashed
    return f"__consumer_offsets-{abs(signed) % partitions}"


def is_undecided(broker: str, partition: str) -> bool:
    """Whether a partition has records of which nobody knows yet if they will ever be."""
    decided, there = (_end(broker, partition, each) for each in ("read_committed", "read_uncommitted"))
    close_sockets()
    return decided < there


def _end(broker: str, partition: str, isolation: str) -> int:
    topic, _, number = partition.rpartition("-")
    consumer = KafkaConsumer(bootstrap_servers=broker, bootstrap_timeout_ms=60_000, isolation_level=isolation)
    at = TopicPartition(topic, int(number))
    end = consumer.end_offsets([at])[at]
    consumer.close()
    return int(end)


def _batches(content: bytes) -> Iterator[tuple[int, int]]:
    """Where each batch starts, and its attributes. https://kafka.apache.org/43/implementation/message-format/"""
    start = 0
    while start + 61 <= len(content):
        [length] = struct.unpack_from(">i", content, start + 8)
        if length <= 0:
            return  # room that the broker has reserved
        yield start, struct.unpack_from(">h", content, start + 21)[0]
        start += 12 + length
