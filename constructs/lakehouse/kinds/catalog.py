"""An Iceberg catalog for its clients, and the interface of a kind of catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakehouse.kinds.platform.proxy import Route
from lakehouse.kinds.store import StoreEndpoint
from lakehouse.services.secrets import Pair, shared_credentials
from lakehouse.services.service import File, Place, Service, scheme
from lakehouse.spec import Lakehouse
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import CatalogRules
from lakehouse.text.placeholders import Secret, Text


@dataclass(frozen=True)
class CatalogEndpoint:
    """A catalog. ``internal`` is its base address for services, ``external`` the one for users and the bootstrap.

    In AWS both are empty, or select another endpoint than AWS's own. ``service`` is empty if the stack runs no server
    for the catalog.
    """

    name: str
    kind: CatalogKind = field(repr=False)
    service: str
    internal: str
    external: str
    warehouse: str  # the catalog's name on its server; for a ``located`` kind, the address of its tables
    location: str  # of its tables
    store: StoreEndpoint
    branches: tuple[str, ...] = ()  # those that the file names, in addition to the catalog's default branch
    entry: KindEntry | None = None  # its entry in the file
    rules: Mapping[str, Text] = field(default_factory=dict)  # who may do what, if its server decides that here
    warehouses: str = ""  # path of the API by which the store makes warehouses, if the store serves the catalog

    @property
    def secure(self) -> bool:
        """Whether its server has TLS."""
        return self.internal.startswith("https:")

    @property
    def uri(self) -> str:
        """The Iceberg REST address for users and the bootstrap, without ``/v1``."""
        return f"{self.external}{self.kind.rest}"

    @property
    def trust(self) -> str:
        """The file of the certificate by which users trust its server; empty: it has one that the system trusts."""
        return self.store.trust if self.secure else ""

    @property
    def api(self) -> str:
        """The address of the server's own API for users and the bootstrap; empty if it has none."""
        path = self.kind.api or self.warehouses
        return f"{self.external}{path}" if path else ""


def served(place: Place, server: str, entry: KindEntry) -> tuple[str, str]:
    """The base addresses of a server's first port, for services and from outside: HTTP, with TLS if secure."""
    how = scheme(place)
    return f"{how}://{place.host(server)}:{place.port(server)}", place.external(server).url(how)


def job_name(server: str, what: str) -> str:
    """The name of a one-shot job of a server. No server has such a name, because catalogs' names have no hyphen.

    A job runs again if its definition changes (a new version of its program, a replaced password), so it must find out
    what is already done.
    """
    return f"{server}-{what}-job"


def credentials(catalogs: Sequence[CatalogEndpoint]) -> tuple[File, ...]:
    """The file with the keys of catalogs that AWS runs, for AWS_SHARED_CREDENTIALS_FILE of a service.

    Iceberg has no settings for these keys. All catalogs have the same: a stack has one account.
    """
    accounts = [found for each in catalogs if (found := each.kind.account(each)) is not None]
    return tuple(File("aws-credentials", shared_credentials(each.keys.name, each.keys.value)) for each in accounts[:1])


@dataclass(frozen=True)
class Login:
    """OAuth2 client credentials for a catalog's server. ``tokens`` is the path of its token endpoint."""

    credential: Pair
    tokens: str
    scope: str


@dataclass(frozen=True)
class Account:
    """The region and the keys with which clients ask AWS for a catalog, apart from those of the store."""

    region: str
    keys: Pair


@dataclass(frozen=True)
class CatalogAddress:
    """An address of a catalog's server, for `lakehouse endpoints`; ``path`` is appended to the base address."""

    path: str
    label: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class CatalogKind(CatalogRules):
    """A kind of catalog.

    ``services`` returns the services of a catalog, each after those that it needs; None if the stack runs none. One is
    the server, with the endpoint's name. One-shot jobs before it have names of :func:`job_name`, and the server needs
    them. ``bases`` returns the base addresses for services and from outside, given the server's name and its entry.
    ``for_spark``, ``for_trino`` and ``for_pyiceberg`` return the settings of each client. Spark's keys are ends of
    ``spark.sql.catalog.NAME``, or whole keys of Spark (``spark.``). Trino's functions also get a branch, and the
    property that turns on its S3 file system, whose name changed with Trino's versions. ``storage``
    returns the storage configuration of a catalog, if the server creates catalogs on request. ``account`` returns the
    account of a catalog that AWS runs, if it is apart from the store's. ``routes`` returns the ways to its server
    through the proxy of a secure stack, and ``token`` the token that the toolkit's clients show its server or the
    proxy; None: they ask for none. ``rules`` returns who may do what in a catalog of the lakehouse, as the server's
    configuration has it in a secure stack.
    """

    for_spark: Callable[[CatalogEndpoint], Mapping[str, Text]]
    for_trino: Callable[[CatalogEndpoint, str, str], Mapping[str, Text]]
    for_pyiceberg: Callable[[CatalogEndpoint], Mapping[str, Text]] | None = None
    services: Callable[[Place, CatalogEndpoint, KindEntry], tuple[Service, ...]] | None = None
    bases: Callable[[Place, str, KindEntry], tuple[str, str]] = served
    routes: Callable[[Place, CatalogEndpoint], Sequence[Route]] = lambda place, at: ()
    token: Callable[[CatalogEndpoint], Secret | None] = lambda at: None
    rules: Callable[[Lakehouse, str], Mapping[str, Text]] = lambda lakehouse, catalog: {}
    located: bool = False  # its server identifies the catalog by the location of its tables
    rest: str = ""  # path of its Iceberg REST endpoint, without /v1
    api: str = ""  # path of its own API
    reads: str = ""  # path of a GET without keys for which its server reads its database; empty: there is none
    addresses: Callable[[CatalogEndpoint], tuple[CatalogAddress, ...]] = lambda at: ()
    # Catalogs and their locations, from the configuration that a release before owner.json wrote into a state folder.
    former: Callable[[Path], Iterator[tuple[str, str]]] | None = None
    login: Login | None = None  # None: the server requires no login
    account: Callable[[CatalogEndpoint], Account | None] = lambda at: None
    signs: str = ""  # the service that clients sign requests for by AWS's SigV4; empty: requests are not signed
    storage: Callable[[CatalogEndpoint], Mapping[str, Any]] | None = None  # None: its catalogs need not be created
    trino_views: bool = True  # whether Trino can create views, be they Iceberg's or its own

    @property
    def makes_catalogs(self) -> bool:
        return self.storage is not None
