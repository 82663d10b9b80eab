"""From the file and the name of a stack in AWS to what the bootstrap talks to.

Credentials and addresses come from where all AWS tools take them: the environment, profiles, the machine's role.
``AWS_ENDPOINT_URL`` selects another endpoint than AWS's own, for example a double in tests.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore import exceptions

from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from lakehouse.access.names import Names, names
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.kinds import STORES
from lakehouse.runtimes.state import folder
from lakehouse.spec import AwsStack, Lakehouse
from lakehouse.spec.claims import PATHS
from lakehouse.spec.model import Table

if TYPE_CHECKING:
    from pyiceberg.catalog.glue import GlueCatalog as PyIceberg

#: The codes with which AWS says that the caller may not.
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403")
#: The account that the stack is in, as the stack passes it to its bootstrap.
ACCOUNT = "LAKEHOUSE_AWS_ACCOUNT"


def connect(lakehouse: Lakehouse, stack: str, path: Path) -> tuple[Lakehouse, Connections]:
    """The lakehouse with its names in AWS, and the connections to it.

    Raises UsageError if the credentials are for another account than the stack's or the store has the tables,
    LakehouseError if there are no credentials.
    """
    options = lakehouse.stacks[stack]
    assert isinstance(options, AwsStack)
    if options.store_has_tables:
        label = STORES[options.store.kind].label
        raise UsageError(
            f"{path.name}: stacks.{stack} keeps its tables in {label}, whose contents the bootstrap does not manage. "
            "Create the tables by Spark, or set `store: s3`"
        )
    located = in_aws(lakehouse, names(lakehouse, stack, account(options.region, stack)))
    store, catalogs = _connections(located, stack)
    cache = folder(path, stack) / "cache"
    return located, Connections(store, catalogs, cache=cache, folder=path.resolve().parent)


def _connections(located: Lakehouse, stack: str) -> tuple[StoreConnection, dict[str, CatalogConnection]]:
    options = located.stacks[stack]
    assert isinstance(options, AwsStack)
    # Without an address botocore takes the shell's, and the shell's credentials with it.
    catalogs = {
        name: CatalogConnection(options.catalogs[name].kind, uri="", warehouse=each.location)
        for name, each in located.catalogs.items()
    }
    return StoreConnection(endpoint=None, region=options.region), catalogs


def iceberg(lakehouse: Lakehouse, stack: str, name: str) -> PyIceberg:
    """PyIceberg's client of a catalog, for a lakehouse with its names in AWS (:func:`in_aws`)."""
    from bootstrap.catalogs.glue import pyiceberg

    store, catalogs = _connections(lakehouse, stack)
    return pyiceberg(name, catalogs[name], Connections(store, catalogs))


def in_aws(lakehouse: Lakehouse, own: Names) -> Lakehouse:
    """The same contents at their places in AWS. Terraform manages its buckets, so none are left here."""
    catalogs = {}
    for name, catalog in lakehouse.catalogs.items():
        namespaces = {}
        for namespace, inner in catalog.namespaces.items():
            tables = {table: _table_in_aws(each, own) for table, each in inner.tables.items()}
            properties = dict(inner.properties)
            if "location" in properties:
                properties["location"] = own.location(properties["location"])
            namespaces[namespace] = inner.model_copy(update={"tables": tables, "properties": properties})
        update = {"location": own.location(catalog.location), "namespaces": namespaces}
        catalogs[name] = catalog.model_copy(update=update)
    return lakehouse.model_copy(update={"buckets": {}, "catalogs": catalogs})


def _table_in_aws(table: Table, own: Names) -> Table:
    said = {key: own.location(table.properties[key]) for key in PATHS if key in table.properties}
    location = own.location(table.location) if table.location else None
    return table.model_copy(update={"location": location, "properties": {**table.properties, **said}})


def account(region: str, stack: str) -> str:
    """The account of the credentials; it must be the one that the stack passed."""
    return identity(region, stack)[0]


def identity(region: str, stack: str) -> tuple[str, str]:
    """The account of the credentials, which must be the one that the stack passed, and the ARN of whose they are."""
    with plainly(f"stacks.{stack} is in AWS", "the credentials", region):
        found = client("sts", region).get_caller_identity()
    account = str(found["Account"])
    named = os.environ.get(ACCOUNT)
    if named and named != account:
        raise UsageError(f"the credentials are for account {account}, but stacks.{stack} is in {named}. Use others")
    return account, str(found["Arn"])


@dataclass(frozen=True)
class AwsCaller:
    """Who asks AWS: the names of the stack in the caller's account, the caller's ARN, and the principal it is.

    ``principal`` is empty if the caller has the role of none.
    """

    own: Names
    arn: str
    principal: str


def caller(lakehouse: Lakehouse, stack: str) -> AwsCaller:
    """Whose credentials the shell has. Raises LakehouseError if there are none, UsageError if of another account."""
    there = lakehouse.stacks[stack]
    assert isinstance(there, AwsStack)
    account, arn = identity(there.region, stack)
    own = names(lakehouse, stack, account)
    return AwsCaller(own, arn, principal(lakehouse, own, arn))


def client(service: str, region: str) -> Any:
    """A client of AWS's for the service of that name. All commands get theirs here, so AWS_ENDPOINT_URL holds."""
    session: Any = boto3  # its types know a method for each name
    return session.client(service, region_name=region)


def applications(emr: Any) -> dict[str, Mapping[str, Any]]:
    """The account's applications of EMR Serverless, by name. AWS also lists those that were deleted, for some time."""
    pages = emr.get_paginator("list_applications").paginate()
    there = (each for page in pages for each in page["applications"] if each["state"] != "TERMINATED")
    return {each["name"]: each for each in there if "name" in each}


def principal(lakehouse: Lakehouse, own: Names, arn: str) -> str:
    """The principal whose role the caller has assumed; empty if it is another role or a user."""
    role = arn.partition(":assumed-role/")[2].partition("/")[0]
    return next((each for each in lakehouse.access.principals if own.role(each) == role), "")


@contextmanager
def plainly(why: str, what: str, region: str) -> Iterator[None]:
    """Errors of AWS as a line for the user. ``why`` credentials are needed; ``what`` AWS refuses."""
    try:
        yield
    except exceptions.NoCredentialsError:
        raise LakehouseError(
            f"{why}, and there are no credentials for it. `aws sso login`, AWS_PROFILE or a role provides them"
        ) from None
    except (exceptions.EndpointConnectionError, exceptions.HTTPClientError) as error:
        where = error.kwargs.get("endpoint_url") or region
        raise LakehouseError(
            f"AWS at {where} cannot be reached ({type(error).__name__}). Look at the network, at the region, and at "
            "AWS_ENDPOINT_URL if it is set"
        ) from None
    except (exceptions.ClientError, exceptions.BotoCoreError) as error:
        raise LakehouseError(f"AWS refuses {what}: {error}") from None
