"""Messages for a lakehouse's Kafka, also while its broker is killed and starts again."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterable

from kafka import KafkaProducer

from tests.integration.deployment import Deployment


def publish(stack: Deployment, topic: str, messages: Iterable[tuple[bytes | None, bytes]]) -> None:
    """Send messages, each with its key, and wait until the broker has them."""
    _publish(stack.port("kafka"), topic, messages)
    close_sockets()


def publish_in_a_transaction(stack: Deployment, topic: str, messages: Iterable[bytes]) -> None:
    """Send messages in one transaction, whose end is the last that the topic has then."""
    at = f"127.0.0.1:{stack.port('kafka')}"
    producer = KafkaProducer(bootstrap_servers=at, bootstrap_timeout_ms=60_000, transactional_id=topic)
    producer.init_transactions()
    producer.begin_transaction()
    for each in messages:
        producer.send(topic, each)
    producer.commit_transaction()
    producer.close()
    close_sockets()


def _publish(port: int, topic: str, messages: Iterable[tuple[bytes | None, bytes]]) -> None:
    producer = KafkaProducer(
        bootstrap_servers=f"127.0.0.1:{port}",
        bootstrap_timeout_ms=180_000,  # a killed broker starts
        acks="all",
        retries=200,
        delivery_timeout_ms=120_000,
    )
    sent = [producer.send(topic, value, key=key) for key, value in messages]
    producer.flush(timeout=120)
    assert all(each.succeeded() for each in sent)
    producer.close()


def close_sockets() -> None:
    """kafka-python leaves the sockets of its tries while the broker is killed to the garbage collector."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
