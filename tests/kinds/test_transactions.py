"""Transactions without an end, as a killed broker leaves them: what Connect's worker makes of each, on a real Kafka.

`test_streams.py` has a whole pipeline that goes on by it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from lakehouse import packages
from lakehouse.kinds.pipelines import connect
from lakehouse.kinds.platform import kafka
from lakehouse.packages.fetch import fetch
from lakehouse.text.properties import properties
from tests.integration.deployment import until
from tests.kinds.lost_ends import cut_last_end, is_undecided
from tests.kinds.messages import close_sockets
from tests.kinds.streamed import SOCKETS
from tests.ports import free

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(600), SOCKETS]

SCRIPTS = Path(connect.__file__).parent


@dataclass(frozen=True)
class Case:
    """What a producer does, and what can be read of it in its topic at last. Steps are those of transactions.bsh."""

    before: Sequence[str]
    read: Sequence[str]
    lost: bool = True  # whether its topic loses its last end
    older: bool = False  # by a client that keeps its epoch from one transaction to the next
    after: Sequence[str] = ()  # when the end is lost
    open: bool = False  # whether it must stay without an end


FIRST = ("begin", "send {} 1")
CASES = {
    "committed": Case((*FIRST, "commit"), ["1"]),
    "aborted": Case((*FIRST, "abort"), []),
    "committed by an older client": Case((*FIRST, "commit"), ["1"], older=True),
    "aborted by an older client": Case((*FIRST, "abort"), [], older=True),
    "committed after another that was aborted": Case((*FIRST, "abort", "begin", "send {} 2", "commit"), ["2"]),
    "aborted after another that was committed": Case((*FIRST, "commit", "begin", "send {} 2", "abort"), ["1"]),
    "committed, then a new producer with its id": Case((*FIRST, "commit"), ["1"], after=("init {}",)),
    "aborted, then a new producer with its id": Case((*FIRST, "abort"), [], after=("init {}",)),
    "committed, then another aborted elsewhere": Case(
        (*FIRST, "commit"), ["1"], after=("init {}", "begin", "send elsewhere 1", "abort")
    ),
    "aborted, then another committed elsewhere": Case(
        (*FIRST, "abort"), [], after=("init {}", "begin", "send elsewhere 1", "commit")
    ),
    "aborted, then one at work elsewhere": Case((*FIRST, "abort"), [], after=("init {}", "begin", "send elsewhere 1")),
    "at work": Case((*FIRST, "commit"), ["1", "2"], lost=False, after=("init {}", "begin", "send {} 2"), open=True),
}


@dataclass(frozen=True)
class Broker:
    """A broker of Kafka's, as a lakehouse has it."""

    folder: Path
    port: int
    controller: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "log"

    @contextmanager
    def up(self) -> Iterator[None]:
        """Started, and at last killed (`kill -9`)."""
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self.controller}",
            "listeners": f"OUTER://{self.address},CONTROLLER://127.0.0.1:{self.controller}",
            "listener.security.protocol.map": "OUTER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "OUTER",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.data),
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "8",
        }
        (self.folder / "server.properties").write_text(str(properties(settings)))
        script = Path(kafka.__file__).with_suffix(".sh")
        with (self.folder / "kafka.log").open("a") as log:
            process = subprocess.Popen(
                ["/bin/sh", script, self.data, self.folder / "server.properties", packages.java(kafka.JAVA),
                 "-Xmx384m", *kafka.LOGGING],
                env={**os.environ, "CLASSPATH": f"{packages.location(kafka.PACKAGE)}/*"},
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            until(self.answers, 120, (self.folder / "kafka.log").read_text)
            yield
        finally:
            process.kill()
            process.wait(30)

    def answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2):
            return True
        return False

    def steps(self, *steps: str) -> None:
        """Let a producer do these, and the worker's script what it does."""
        classes = [str(packages.location(each)) for each in connect.PACKAGES]
        path = ":".join(each if each.endswith(".jar") else f"{each}/*" for each in classes)
        done = subprocess.run(
            [packages.java(connect.JAVA), "-XX:TieredStopAtLevel=1", *kafka.LOGGING, "bsh.Interpreter",
             Path(__file__).with_name("transactions.bsh"), self.address, SCRIPTS / "transactions.bsh", *steps],
            env={**os.environ, "CLASSPATH": path},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert "all steps done" in done.stdout, done.stdout + done.stderr

    def older(self, name: str, steps: Sequence[str]) -> None:
        """The same by a client of the protocol before KIP-890."""
        producer = KafkaProducer(bootstrap_servers=self.address, bootstrap_timeout_ms=60_000, transactional_id=name)
        producer.init_transactions()
        for each in steps:
            match each.split():
                case ["begin"]:
                    producer.begin_transaction()
                case ["send", topic, word]:
                    producer.send(topic, word.encode()).get(30)
                case ["commit"]:
                    producer.commit_transaction()
                case ["abort"]:
                    producer.abort_transaction()
        producer.close()

    def is_undecided(self, topic: str) -> bool:
        return is_undecided(self.address, f"{topic}-0")

    def read(self, topic: str) -> list[str]:
        """The values in a topic, for who reads what is committed."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.address,
            bootstrap_timeout_ms=60_000,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            group_id=None,
        )
        at, found = TopicPartition(topic, 0), []
        consumer.assign([at])
        end = consumer.end_offsets([at])[at]
        while consumer.position(at) < end:
            found += [each.value.decode() for each in consumer.poll(timeout_ms=1000).get(at, [])]
        consumer.close()
        return found


def topic(name: str) -> str:
    return name.replace(" ", "-").replace(",", "")


def filled(name: str, steps: Sequence[str]) -> list[str]:
    return [each.format(topic(name)) for each in steps]


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """All cases at once, because a broker takes its time: their ends are lost, and the worker looks."""
    fetch(connect.PACKAGES)
    port, controller = free(2)
    broker = Broker(tmp_path_factory.mktemp("kafka"), port, controller)
    with broker.up():
        for name, case in CASES.items():
            if case.older:
                broker.older(topic(name), filled(name, case.before))
        by_java = {name: case for name, case in CASES.items() if not case.older}
        broker.steps(*(step for name, case in by_java.items() for step in filled(name, ("init {}", *case.before))))
        until(lambda: not any(broker.is_undecided(topic(each)) for each in CASES), 60)
        time.sleep(2)  # until the broker has noted that they are complete
    for name, case in CASES.items():
        if case.lost:
            cut_last_end(broker.data, f"{topic(name)}-0")
    with broker.up():
        assert [each for each, case in CASES.items() if broker.is_undecided(topic(each)) != case.lost] == []
        after = [step for name, case in CASES.items() for step in filled(name, case.after)]
        broker.steps(*after, "end")
        yield broker
    close_sockets()


@pytest.mark.parametrize("name", CASES)
def test_a_transaction_has_the_end_that_was_decided(looked_at: Broker, name: str) -> None:
    assert looked_at.is_undecided(topic(name)) == CASES[name].open
    if not CASES[name].open:
        assert looked_at.read(topic(name)) == CASES[name].read
