"""Where a lakehouse stands: the entries of ``stacks`` in lakehouse.yaml, on this machine or in AWS."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StrictBool, StrictInt, StrictStr, Tag

from lakehouse.spec.base import Model
from lakehouse.spec.chosen import Chosen
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import AWS
from lakehouse.spec.values import (
    BucketName,
    CatalogName,
    Cidr,
    ContainerPrefix,
    CredentialsFile,
    Email,
    LicenseFile,
    PortNumber,
    Region,
    Repository,
    StateFolder,
    TagText,
)

_LOCAL = ("process", "docker")


class LocalStack(Model):
    """The lakehouse on this machine."""

    runtime: Literal["process", "docker"]
    """process: plain processes under a supervisor; docker: containers."""
    store: Annotated[KindEntry, Chosen("stores", _LOCAL)]
    """The object store."""
    license: LicenseFile | None = None
    """The file with AIStor's licence, beside this one; for `store: aistor` alone."""
    credentials: CredentialsFile | None = None
    """A file beside this one, mode 0600, with names and secrets that are to be used instead of made ones."""
    catalogs: dict[CatalogName, Annotated[KindEntry, Chosen("catalogs", _LOCAL)]]
    """Which kind of catalog carries each of `catalogs`."""
    ports: dict[StrictStr, PortNumber] = {}
    """Ports other than the defaults, by name: s3proxy, minio, nessie, spark-master, spark-connect, trino and more."""
    container_prefix: ContainerPrefix | None = None
    """What its containers' names begin with; left out, `NAME-STACK-`; empty, they are called as their services."""
    state: StateFolder | None = None
    """Folder for data, catalog state, logs and secrets; left out, `.lakehouse` beside lakehouse.yaml.

    Beside another file, such as `orders.yaml`, it is `.lakehouse/orders`.
    """


class Backend(Model):
    """Where a team keeps Terraform's state: a bucket that is there before the first deploy."""

    bucket: BucketName
    """The bucket; best one with versions, in a separate account."""
    key: StrictStr | None = None
    """The object; left out, `NAME/STACK.tfstate`."""
    region: Region | None = None
    """The bucket's region; left out, the stack's."""


class AwsStack(Model):
    """The lakehouse in an AWS account."""

    region: Region
    """AWS region."""
    store: Annotated[KindEntry, Chosen("stores", (AWS,))]
    """The object store."""
    catalogs: dict[CatalogName, Annotated[KindEntry, Chosen("catalogs", (AWS,))]]
    """Which kind of catalog carries each of `catalogs`."""
    engines: Literal["managed", "ec2"] = "managed"
    """managed: Spark on EMR Serverless and SQL by Athena, paid by use; ec2: Spark and Trino clusters on instances."""
    owner: TagText | None = None
    """Who answers for it, a tag on everything; left out, the lakehouse's name."""
    cost_center: TagText | None = None
    """Who pays for it, a tag on everything; left out, the lakehouse's name."""
    budget_usd: Annotated[StrictInt, Field(ge=1, le=1_000_000_000)] | None = None
    """US dollars a month; at 80 percent (forecast) and at 100 percent an alert is sent. Left out, no budget."""
    alerts: list[Email] = []
    """Addresses that get alarms and budget alerts; each confirms a mail from AWS once."""
    cidr: Cidr = IPv4Network("10.20.0.0/16")
    """Addresses of the network (VPC), a private range that no peer of it uses: /16 to /20."""
    zones: Annotated[StrictInt, Field(ge=2, le=3)] = 2
    """Availability zones that it spans."""
    backend: Backend | None = None
    """State in S3, locked, for teams; left out, a file of this machine."""
    github: Repository | None = None
    """`owner/repository` whose workflows may plan and deploy by OIDC, with `backend`; left out, no role for them."""
    allow_destroy: StrictBool = False
    """The first key to deletion in AWS: what is also `deletable: true` can be destroyed with its data."""


def _kind_of_stack(value: Any) -> str:
    named = "region" in value if isinstance(value, dict) else isinstance(value, AwsStack)
    return "<aws>" if named else "<local>"


Stack = Annotated[
    Annotated[LocalStack, Tag("<local>")] | Annotated[AwsStack, Tag("<aws>")], Discriminator(_kind_of_stack)
]
