"""What a tool must know to reach a stack: its catalogs, its engines, and where the keys are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bootstrap.session.target import Target
from bootstrap.session.trino_login import authority
from lakehouse.errors import UsageError
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.engines import spark, trino
from lakehouse.kinds.engines.spark_secure import TLS
from lakehouse.kinds.engines.trino_password import PASSWORD
from lakehouse.kinds.engines.trino_rules import OWNER
from lakehouse.kinds.store import StoreEndpoint
from lakehouse.runtimes.certificates import bundle
from lakehouse.services.service import Address
from lakehouse.text.placeholders import Secret, Text, secrets
from lakehouse.text.words import listed

#: The variable of that shell with the password of Trino's owner.
TRINO_PASSWORD = "_".join(("LAKEHOUSE", "TRINO", "PASSWORD"))  # its name, not a secret
#: What a user does before a tool that needs keys.
EVAL = 'eval "$(lakehouse endpoints --for env)"'


@dataclass(frozen=True)
class TrinoOwner:
    """The user of a Trino that asks for passwords: the files of its password and of the certificate to trust."""

    user: str
    password: Secret
    trust: str


@dataclass(frozen=True)
class Reach:
    """A stack as other people's tools see it.

    ``first`` is the catalog for tools that know only one. ``where`` returns the file of a secret, or the value of a
    name that nobody set and that is no secret.
    """

    name: str
    stack: str
    catalogs: tuple[CatalogEndpoint, ...]
    store: StoreEndpoint
    addresses: Mapping[str, Address]  # of the engines, by the name of the port
    where: Callable[[Secret], Path | str]
    token: Secret | None = None  # that Spark Connect asks for
    owner: TrinoOwner | None = None  # None: Trino asks for no password
    first: CatalogEndpoint | None = None
    account: str = ""  # of a stack in AWS
    trust: str = ""  # the file of the certificates that programs must trust; empty: those of the system

    @property
    def catalog(self) -> CatalogEndpoint:
        return self.first or self.catalogs[0]

    def choose(self, name: str | None) -> Reach:
        """The same, with that catalog as the first. Raises UsageError if there is none of that name."""
        if name is None:
            return self
        for each in self.catalogs:
            if each.name == name:
                return replace(self, first=each)
        known = listed(each.name for each in self.catalogs)
        raise UsageError(f'--catalog: there is no catalog "{name}" in the file; it has {known}.')

    @property
    def connect(self) -> str:
        """The end of the address of Spark Connect."""
        return TLS if self.trust else ""

    def address(self, port: str, entry: str, tool: str) -> Address:
        """The address of an engine. Raises UsageError if the stack has no such engine."""
        if port in self.addresses:
            return self.addresses[port]
        if not self.store.service:
            raise UsageError(
                f"stacks.{self.stack} is in AWS, and {tool} needs an engine: the addresses of its engines are in "
                "Terraform's outputs (docs/aws.md)."
            )
        raise UsageError(f"{tool} needs {entry}: add it to the file and deploy the stack again.")


def of(target: Target) -> Reach:
    """What the tools need for the target's stack. In AWS this asks for the account of the shell's credentials."""
    return _in_aws(target) if target.in_aws else _local(target)


def _local(target: Target) -> Reach:
    local = target.local
    engines = (trino.NAME, spark.CONNECT, spark.THRIFT)
    engine = target.lakehouse.engines.spark
    token = engine is not None and engine.connect is not None and engine.connect.token

    def where(part: Secret) -> Path | str:
        path = local.state.kept(part.secret)
        return part.default if part.default and not path.is_file() else path

    return Reach(
        name=target.lakehouse.name,
        stack=target.stack,
        catalogs=local.endpoints.catalogs,
        store=local.endpoints.store,
        addresses={each: local.place.external(each) for each in engines if each in local.ports},
        where=where,
        token=Secret(spark.TOKEN) if token else None,
        trust=str(bundle(local.state)) if local.place.secure else "",
        owner=TrinoOwner(OWNER, PASSWORD, str(authority(target))) if target.asks_in_trino else None,
    )


def _in_aws(target: Target) -> Reach:
    from bootstrap.session.aws import account
    from lakehouse.access.names import names
    from lakehouse.aws.endpoints import endpoints

    own = names(target.lakehouse, target.stack, account(target.region, target.stack))
    found = endpoints(target.lakehouse, own)
    return Reach(
        target.lakehouse.name, target.stack, found, found[0].store, {}, lambda part: part.default, account=own.account
    )


def client(at: CatalogEndpoint) -> dict[str, Text]:
    """PyIceberg's settings of a catalog. Raises UsageError if PyIceberg cannot use its kind."""
    if at.kind.for_pyiceberg is None:
        raise UsageError(f"catalogs.{at.name} is of kind {at.kind.word}, which PyIceberg cannot use.")
    return {key: value for key, value in at.kind.for_pyiceberg(at).items() if value or key.startswith("header.")}


def open_settings(at: CatalogEndpoint) -> Iterator[tuple[str, str]]:
    """Those of PyIceberg's settings that contain no secret."""
    for key, value in client(at).items():
        if not secrets(value):
            yield key, str(value)


def clients_name(name: str) -> str:
    """A catalog's name for PyIceberg, whose environment variables know no underscore."""
    return name.replace("_", "-")
