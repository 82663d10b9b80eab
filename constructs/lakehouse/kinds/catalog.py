"""An Iceberg catalog as its clients see it, and what a kind of catalog defines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lakehouse.kinds.store import StoreEndpoint
from lakehouse.services.service import Place, Service
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import CatalogRules
from lakehouse.text.placeholders import Text


@dataclass(frozen=True)
class CatalogEndpoint:
    """A catalog. ``internal`` is its base address for services, ``external`` for a person and the bootstrap.

    In AWS both are empty, or select another endpoint than AWS's own. ``service`` is empty if the stack runs no server
    for it.
    """

    name: str
    kind: CatalogKind = field(repr=False)
    service: str
    internal: str
    external: str
    warehouse: str  # the name its server knows the catalog by
    location: str  # where its tables are
    store: StoreEndpoint
    branches: tuple[str, ...] = ()  # those that the file names, apart from the catalog's own

    @property
    def uri(self) -> str:
        """The Iceberg REST address for a person and the bootstrap, without ``/v1``."""
        return f"{self.external}{self.kind.rest}"

    @property
    def api(self) -> str:
        """The address of the server's own interface, likewise; empty if it has none."""
        return f"{self.external}{self.kind.api}" if self.kind.api else ""


def served(place: Place, server: str) -> tuple[str, str]:
    """The base addresses of a server's first port, for services and from outside, if it speaks HTTP."""
    return f"http://{place.host(server)}:{place.port(server)}", f"http://{place.external(server)}"


def job_name(server: str, what: str) -> str:
    """The name of a one-shot job of a server: no server has it, as no catalog's name has a hyphen.

    A job is run again if its definition changes (a new version of its program, a password that was replaced), so it
    must find out what is done already.
    """
    return f"{server}-{what}-job"


@dataclass(frozen=True)
class CatalogAddress:
    """An address of a catalog's server, for `lakehouse endpoints`; ``path`` is appended to the base address."""

    path: str
    label: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class CatalogKind(CatalogRules):
    """A kind of catalog.

    ``services`` are those that carry a catalog, each after its needs; None if the stack runs none. One is the server,
    with the endpoint's name. One-shot jobs before it have names of :func:`job_name`, and the server needs them.
    ``bases`` are the base addresses for services and from outside, given the server's name. ``for_spark``,
    ``for_trino`` and ``for_pyiceberg`` are the settings of each client; Trino's take the property that turns its S3
    file system on, whose name changed with its versions, and a branch.
    """

    for_spark: Callable[[CatalogEndpoint], Mapping[str, Text]]
    for_trino: Callable[[CatalogEndpoint, str, str], Mapping[str, Text]]
    for_pyiceberg: Callable[[CatalogEndpoint], Mapping[str, Text]] | None = None
    services: Callable[[Place, CatalogEndpoint, KindEntry], tuple[Service, ...]] | None = None
    bases: Callable[[Place, str], tuple[str, str]] = served
    rest: str = ""  # path of its Iceberg REST endpoint, without /v1
    api: str = ""  # path of an interface of its own
    addresses: Callable[[CatalogEndpoint], tuple[CatalogAddress, ...]] = lambda at: ()
