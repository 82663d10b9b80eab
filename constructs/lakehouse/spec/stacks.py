"""The entries of ``stacks`` in lakehouse.yaml: deployments of a lakehouse on this machine or in AWS."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    field_serializer,
    model_validator,
)

from lakehouse.spec.base import Model, YesNoOr, neither
from lakehouse.spec.chosen import Chosen
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.hosts import Client, Host, HostName, OrInventory, PackagesUrl, Placement
from lakehouse.spec.kinds import AWS, known
from lakehouse.spec.lineage import Lineage
from lakehouse.spec.metadata import Metadata
from lakehouse.spec.monitoring import Monitoring, or_default
from lakehouse.spec.paths import CertificateFile, CredentialsFile, LicenseFile, StateFolder
from lakehouse.spec.schedule import Schedule
from lakehouse.spec.values import (
    BucketName,
    CatalogName,
    Cidr,
    ContainerPrefix,
    Email,
    EmrRelease,
    PortNumber,
    Region,
    Repository,
    TagText,
    Zone,
)

_LOCAL = ("process", "docker", "hosts")


class Secure(Model):
    """TLS, and who a client is, on every port that has a way to."""

    accept: list[StrictStr] = []
    """Weaknesses that are known and accepted, by their words, as in `minio-keys`; docs/stores.md has them."""
    certificate: CertificateFile | None = None
    """File in PEM, relative to this one: a certificate for all services, then each between it and `authority`.

    Default: the stack makes its certificates. `certificate`, `key` and `authority` belong together.
    """
    key: CertificateFile | None = None
    """File in PEM with the key of `certificate`, with mode 0600."""
    authority: CertificateFile | None = None
    """File in PEM with the root authority of `certificate`, which clients trust."""

    @property
    def is_given(self) -> bool:
        """Whether the user gives the certificate of the services."""
        return self.certificate is not None

    @model_validator(mode="after")
    def _together(self) -> Secure:
        files = {"certificate": self.certificate, "key": self.key, "authority": self.authority}
        missing = [name for name, file in files.items() if file is None]
        if 0 < len(missing) < len(files):
            raise ValueError(
                f"certificate, key and authority belong together, and {' and '.join(missing)} is missing. "
                "Name all three files, or none: the stack makes its certificates then"
            )
        return self


def _secure(value: Any) -> Any:
    """``true`` is a stack that is secure without exceptions, ``false`` is an open one."""
    if isinstance(value, bool):
        return {} if value else None
    if not isinstance(value, dict | Secure):
        raise ValueError(neither(value, "{accept: [minio-keys]}"))
    return value


class LocalStack(Model):
    """A lakehouse on this machine, or on machines that it reaches by SSH."""

    runtime: Literal["process", "docker", "hosts"]
    """process: processes under a supervisor; docker: containers; hosts: systemd units on other machines."""
    hosts: Annotated[dict[HostName, Host], OrInventory()] = {}
    """The machines, by name, as in `a: {address: 10.0.0.11, user: admin}`; only for `runtime: hosts`.

    {inventory: FILE, group: WORD} takes those of an inventory of Ansible's.
    """
    place: Placement = Placement()
    """Which services are on which of `hosts`, as in `trino: {coordinator: a, workers: [b, c]}`."""
    clients: list[Client] = []
    """IPv4 addresses and networks that reach the services on `hosts`: this machine, and people's."""
    network: Literal["trusted"] | None = None
    """trusted: who is on the network between `hosts` and `clients` may see keys and rows.

    A stack on hosts has this or `secure`.
    """
    harden: list[Literal["ssh", "sysctl", "upgrades"]] = []
    """What is hardened of `hosts` themselves. Default: nothing, because it changes machines beyond the stack.

    ssh: logins by keys only; sysctl: values of the kernel; upgrades: security updates each day.
    """
    packages: PackagesUrl | None = None
    """URL of a folder from which `hosts` fetch packages. `lakehouse setup --archives FOLDER` writes what belongs there.

    Default: this machine uploads them to each host.
    """
    store: Annotated[KindEntry, Chosen("stores", _LOCAL)]
    """The object store."""
    license: LicenseFile | None = None
    """File with AIStor's licence, relative to this one; only for `store: aistor`."""
    credentials: CredentialsFile | None = None
    """File with names and secrets to use instead of generated ones, relative to this one, with mode 0600."""
    secure: Annotated[
        Secure | None,
        BeforeValidator(_secure),
        YesNoOr(Secure),
    ] = None
    """TLS and authentication on every port that has a way to: true, false, or {accept: [...]}. Default: false.

    {certificate: FILE, key: FILE, authority: FILE} gives the services a certificate of your own.
    """
    monitoring: Annotated[Monitoring | None, BeforeValidator(or_default), YesNoOr(Monitoring)] = None
    """Metrics of its services and tables, and alerts: true, false, or {webhook: FILE, ...}. Default: false."""
    catalogs: dict[CatalogName, Annotated[KindEntry, Chosen("catalogs", _LOCAL)]]
    """The kind of each of `catalogs`."""
    ports: dict[StrictStr, PortNumber] = {}
    """Ports to use instead of the defaults, by name: s3proxy, minio, nessie, spark-master, trino and more."""
    container_prefix: ContainerPrefix | None = None
    """Prefix of its containers' names. Default: `NAME-STACK-`. If empty, they have the names of their services."""
    state: StateFolder | None = None
    """Folder for data, catalog state, logs and secrets. Default: `.lakehouse` beside lakehouse.yaml.

    For a file with another name, such as `orders.yaml`, the default is `.lakehouse/orders` beside it.
    """

    metadata: Metadata | None = None
    """The DataHub to which `lakehouse metadata publish` publishes the tables' metadata."""
    lineage: Lineage | None = None
    """Who gets the lineage of each statement that Spark and Trino run, as OpenLineage's events."""
    schedule: Schedule | None = None
    """When it is maintained, published, backed up and compared with the file, and who gets a message if that fails."""

    @field_serializer("secure", "monitoring")
    def _short(self, entry: Secure | Monitoring | None) -> Any:
        """True or false unless there is more to say, as in the file."""
        return (entry.model_dump(exclude_defaults=True) if entry else None) or entry is not None


class Backend(Model):
    """The place of a team's Terraform state: a bucket that exists before the first deploy (`lakehouse aws prepare`)."""

    bucket: BucketName
    """Name of the bucket. It should keep versions and be in a separate account."""
    key: StrictStr | None = None
    """Key of the object. Default: `NAME/STACK.tfstate`."""
    region: Region | None = None
    """Region of the bucket. Default: the region of the stack."""


def _with_ids(value: Any) -> Any:
    """Refuse a repository without ids: GitHub's tokens name new repositories by their ids."""
    if isinstance(value, str):
        raise ValueError(
            f'"{value}" lacks the ids of owner and repository: GitHub\'s tokens have them in the names of repositories '
            "that were made, renamed or moved since July 2026. "
            f"Write {{repository: {value}, owner_id: ..., repository_id: ...}}; "
            f"`gh api repos/{value} --jq '{{owner_id: .owner.id, repository_id: .id}}'` prints them"
        )
    return value


class GitHub(Model):
    """The repository whose workflows may plan and deploy by OIDC. Names can pass to somebody else; ids cannot."""

    repository: Repository
    """`owner/repository`"""
    owner_id: Annotated[StrictInt, Field(ge=1)]
    """The id of the owner: `gh api repos/OWNER/REPOSITORY --jq .owner.id`"""
    repository_id: Annotated[StrictInt, Field(ge=1)]
    """The id of the repository: `gh api repos/OWNER/REPOSITORY --jq .id`"""


class Executors(Model):
    """How many executors a job of Spark on EMR Serverless has. It takes more as it needs them, and gives them back."""

    min: Annotated[StrictInt, Field(ge=1, le=1000)] = 1
    """So many it keeps."""
    max: Annotated[StrictInt, Field(ge=1, le=1000)]
    """So many it has at most; the application's limit follows from it."""

    @model_validator(mode="after")
    def _in_order(self) -> Executors:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is more than max {self.max}. Exchange them, or lower min")
        return self


class AwsStack(Model):
    """A lakehouse in an AWS account."""

    region: Region
    """AWS region."""
    store: Annotated[KindEntry, Chosen("stores", (AWS,))]
    """The object store."""
    catalogs: dict[CatalogName, Annotated[KindEntry, Chosen("catalogs", (AWS,))]]
    """The kind of each of `catalogs`."""
    engines: Literal["managed", "ec2"] = "managed"
    """managed: Spark on EMR Serverless and SQL by Athena, paid by use; ec2: Spark and Trino clusters on instances."""
    emr_release: EmrRelease = "emr-7.10.0"
    """The release of EMR Serverless, with AWS's own Spark and Iceberg: emr-7.x.y has Spark 3.5,
    emr-spark-8.0.0 Spark 4.0, emr-spark-8.1.0 Spark 4.1. Only with `engines: managed`."""
    executors: Executors | None = None
    """How many executors a job has. Default: 1 to `engines.spark.workers`. Only with `engines: managed`."""
    spot: StrictBool = False
    """Workers are spot instances, which cost less, and which AWS takes back at two minutes' notice.
    Only with `engines: ec2`."""
    max_workers: Annotated[StrictInt, Field(ge=1, le=1000)] | None = None
    """How many workers an engine has at most, by its load; the least is its `workers`. Default: 4, or `workers`.
    Only with `engines: ec2`."""
    optimizers: StrictBool = False
    """Glue's table optimizers do what `maintenance` says, by themselves; `lakehouse maintain` sets them."""
    owner: TagText | None = None
    """Who is responsible for it, as a tag on every resource. Default: the lakehouse's name."""
    cost_center: TagText | None = None
    """Who pays for it, as a tag on every resource. Default: the lakehouse's name."""
    budget_usd: Annotated[StrictInt, Field(ge=1, le=1_000_000_000)] | None = None
    """US dollars per month. Alerts are sent at 80 percent (forecast) and at 100 percent. Default: no budget."""
    alerts: list[Email] = []
    """Addresses that get alarms and budget alerts. Each must confirm a mail from AWS once."""
    cidr: Cidr = IPv4Network("10.20.0.0/16")
    """Address range of the network (VPC): private, used by none of its peers, /16 to /20."""
    zones: Annotated[StrictInt, Field(ge=2, le=3)] = 2
    """Number of availability zones."""
    zone_names: Annotated[list[Zone], Field(max_length=3)] = []
    """Which availability zones, if AWS does not have all that the stack needs in the first ones. Default: the first."""
    backend: Backend | None = None
    """Terraform state in S3, locked, for teams. Default: a file on this machine."""
    github: Annotated[GitHub | None, BeforeValidator(_with_ids)] = None
    """The repository whose workflows may plan and deploy by OIDC; needs `backend`. Default: none."""
    metadata: Metadata | None = None
    """The DataHub to which `lakehouse metadata publish` publishes the tables' metadata."""
    schedule: Schedule | None = None
    """When it is maintained, published and compared with the file, by EventBridge and CodeBuild; `alerts` are told."""
    allow_destroy: StrictBool = False
    """The first key to deletion in AWS: what is also `deletable: true` can be destroyed with its data."""

    @property
    def store_has_tables(self) -> bool:
        """Whether the store serves the tables, with its own catalog that the bootstrap does not manage."""
        return bool(known().stores[self.store.kind].catalog)


def _kind_of_stack(value: Any) -> str:
    named = "region" in value if isinstance(value, dict) else isinstance(value, AwsStack)
    return "<aws>" if named else "<local>"


Stack = Annotated[
    Annotated[LocalStack, Tag("<local>")] | Annotated[AwsStack, Tag("<aws>")], Discriminator(_kind_of_stack)
]
