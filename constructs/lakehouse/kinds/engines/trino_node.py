"""What all servers of a Trino have: the coordinator, and the workers that run the parts of its queries.

Coordinator and workers know each other by a secret that is only in their files: without it, a worker takes no part of a
query, and a coordinator no worker. Between them, catalogs with their keys are sent. They have TLS if Trino has.

https://trino.io/docs/476/installation/deployment.html and https://trino.io/docs/476/security/internal-communication.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lakehouse.kinds.engines import trino_password, trino_work
from lakehouse.kinds.engines.trino_rules import OWNER
from lakehouse.kinds.platform.lineage import Receiver
from lakehouse.kinds.store import StoreEndpoint
from lakehouse.services import jvm
from lakehouse.services.service import File, Numbers, Place, Port, Probe, Service
from lakehouse.spec.engines import Trino
from lakehouse.text.placeholders import Text
from lakehouse.text.properties import properties

COORDINATOR = "trino"

# Bootstrap prints the whole configuration at each start; Iceberg logs each query.
_QUIET = ("io.trino", "io.airlift", "org.apache.iceberg", "Bootstrap")

_READY = '"starting":false'
_NUMBERS = Numbers("/metrics", user=OWNER)
_WITH_PASSWORD = replace(_NUMBERS, password=trino_password.PASSWORD)


@dataclass(frozen=True)
class TrinoNode:
    """A server. ``secure``: it has TLS and asks for passwords. ``engine`` is the entry of the file, for all servers."""

    place: Place
    name: str
    engine: Trino
    java: int
    environment: str
    store: StoreEndpoint | None = None  # of the stack; None in AWS
    lineage: Receiver | None = None  # to where the coordinator sends lineage

    @property
    def secure(self) -> bool:
        return self.engine.authentication is not None

    @property
    def heap_mb(self) -> int:
        return self.engine.memory.mb

    @property
    def package(self) -> str:
        """The smallest that has the plugins that it needs."""
        more = self.secure or self.lineage or self.engine.exchange is not None or self.engine.resource_groups
        return f"trino-{'full-' if more else ''}{self.engine.version}"

    @property
    def etc(self) -> str:
        return self.place.config(self.name)

    @property
    def port(self) -> int:
        return self.place.port(self.name)

    @property
    def coordinator(self) -> str:
        """The address of the coordinator for other servers."""
        scheme = "https" if self.secure else "http"
        return f"{scheme}://{self.place.host(COORDINATOR)}:{self.place.port(COORDINATOR)}"

    def config(self, own: Mapping[str, Text]) -> File:
        """config.properties, which begins with what is the server's ``own``."""
        config: dict[str, Text] = {
            **own,
            # CREATE CATALOG works, and the catalogs that it creates are kept as files beside the static ones.
            "catalog.management": "dynamic",
            "plugin.dir": f"{self.place.package(self.package)}/plugin",
            "node.environment": self.environment,
            "node.id": self.name,
            "node.bind-ip": self.place.bind(),
            "node.internal-address": self.place.host(self.name),
            "query.max-memory-per-node": f"{self.heap_mb * 4 // 10}MB",
            "memory.heap-headroom-per-node": f"{self.heap_mb * 3 // 10}MB",
            **trino_work.settings(self.engine, self.place.data(self.name)),
            **self.engine.properties,
        }
        return File("config.properties", properties(config))

    def service(
        self, files: Sequence[File], listening: Port, further: Sequence[File] = (), needs: tuple[str, ...] = ()
    ) -> Service:
        """The server with its ``files``, those by which it trusts the stack, and ``further`` ones."""
        trusting, trusted = jvm.trust(self.place, self.name)
        probe = Probe("http", self.port, "/v1/info", expect=_READY)
        if self.secure:
            probe = replace(probe, kind="https", trust=trino_password.AUTHORITY)
            listening = replace(listening, scheme="https")
        config, *others = files
        logs = File("log.properties", properties(dict.fromkeys(_QUIET, "WARN")))
        number = _WITH_PASSWORD if self.secure else _NUMBERS
        return Service(
            name=self.name,
            image=f"trino-{self.engine.version}",
            packages=(self.package,),
            java=self.java,
            command=(
                self.place.java(self.java),
                *(jvm.heap(self.heap_mb), *jvm.FRUGAL, *trusting, "-XX:+ExitOnOutOfMemoryError"),
                # It measures objects by an agent in itself. The second option: it does not also start three JVMs, one
                # after the other, that read its memory, for addresses of objects which it never asks for.
                *("-Djdk.attach.allowAttachSelf=true", "-Djol.skipHotspotSAAttach=true"),
                *(f"-Dconfig={self.etc}/config.properties", f"-Dlog.levels-file={self.etc}/log.properties"),
                *(f"-Dcatalog.config-dir={self.etc}/catalog", "-cp", f"{self.place.package(self.package)}/lib/*"),
                "io.trino.server.TrinoServer",
            ),
            environment=jvm.ENVIRONMENT,
            files=(config, logs, *others, *trusted, *further, *trino_work.exchange(self.engine, self.store)),
            data=(self.place.data(self.name),),
            ports=(replace(listening, numbers=(number,)),),
            probe=probe,
            memory_mb=self.heap_mb + 400,
            renewal="itself",
            needs=needs,
        )
