"""What a lakehouse of processes listens on, compared with what it declares."""

from __future__ import annotations

import socket
from dataclasses import dataclass

import psutil

from lakehouse.runtimes import processes
from tests.integration.deployment import Deployment

LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")


@dataclass(frozen=True)
class Listener:
    """A socket of a service that accepts connections or datagrams."""

    service: str
    command: str
    ip: str
    port: int

    @property
    def of_spark(self) -> bool:
        """Spark's drivers and executors listen to each other on ports that they choose themselves."""
        return any(name in self.command for name in ("SparkSubmit", "CoarseGrainedExecutorBackend"))


def listeners(deployment: Deployment) -> set[Listener]:
    """All listeners of all services, with those of the processes that they started."""
    own = {each.pid: each for each in processes.belonging(deployment.local.state)}
    return {
        Listener(
            own[each.pid].environ().get("LAKEHOUSE_SERVICE", "supervisord"),
            " ".join(own[each.pid].cmdline()),
            each.laddr.ip,
            each.laddr.port,
        )
        for each in psutil.net_connections("inet")
        if each.pid in own
        and each.laddr
        and (each.status == psutil.CONN_LISTEN or (each.type == socket.SOCK_DGRAM and not each.raddr))
    }


def further(deployment: Deployment) -> list[Listener]:
    """Listeners on undeclared ports. Each declared port has its own service; all are on the loopback address."""
    found = listeners(deployment)
    assert {each.ip for each in found} <= set(LOOPBACK)
    declared = {port.number: each.name for each in deployment.local.services for port in each.ports}
    assert {(each.port, each.service) for each in found if each.port in declared} == set(declared.items())
    return [each for each in found if each.port not in declared]
