"""Who decides about a stack's Glue databases: IAM, or Lake Formation, which an account may have made the default.

The stack's permissions are IAM's. In an account that gives new databases to Lake Formation, nobody could use the
stack's databases until somebody grants them there, so they are given to IAM: only they, and no setting of the account.
https://docs.aws.amazon.com/lake-formation/latest/dg/change-settings.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from bootstrap.session import aws
from lakehouse.access.names import Names
from lakehouse.errors import LakehouseError
from lakehouse.spec import Lakehouse

#: The group of all users and roles that IAM allows; ALL is what the console calls Super.
_GROUP, _ALL = "IAM_ALLOWED_PRINCIPALS", "ALL"
NEEDS = (
    "who deploys must be a data lake administrator there, or have CREATE_DATABASE on the catalog "
    "(`aws lakeformation grant-permissions --permissions CREATE_DATABASE --resource '{\"Catalog\": {}}' "
    "--principal DataLakePrincipalIdentifier=ARN`)"
)
DOES = "The deploy then gives the stack's own databases to IAM, and leaves the account's setting"


def only_iam(region: str, account: str) -> bool | None:
    """Whether new databases of the account are IAM's. None if the caller may not know."""
    try:
        settings = aws.client("lakeformation", region).get_data_lake_settings(CatalogId=account)["DataLakeSettings"]
    except ClientError as error:
        if error.response["Error"]["Code"] in aws.DENIED:
            return None
        raise
    return any(_is_iam(each) for each in settings.get("CreateDatabaseDefaultPermissions", ()))


def said(own: Names) -> Iterator[str]:
    """What the account's setting means for a deploy, if it means anything."""
    if only_iam(own.region, own.account) is False:
        yield f"Lake Formation decides about new databases of account {own.account}: {NEEDS}. {DOES}"


def give_to_iam(lakehouse: Lakehouse, own: Names) -> Sequence[str]:
    """Give the stack's databases to IAM if the account does not. Returns the names of those that were given.

    Raises LakehouseError if the caller may not, with who may.
    """
    if only_iam(own.region, own.account) is not False:  # who may not know will see AWS's refusal
        return ()
    client = aws.client("lakeformation", own.region)
    return [database for database in _databases(lakehouse, own) if _give(client, own, database)]


def _databases(lakehouse: Lakehouse, own: Names) -> Iterator[str]:
    for content in lakehouse.catalogs.values():
        yield from (own.database(namespace) for namespace in content.namespaces)


def _give(client: Any, own: Names, database: str) -> bool:
    resource = {"Database": {"CatalogId": own.account, "Name": database}}
    principal = {"DataLakePrincipalIdentifier": _GROUP}
    try:
        answer = client.list_permissions(CatalogId=own.account, Principal=principal, Resource=resource)
        if any(_ALL in each["Permissions"] for each in answer["PrincipalResourcePermissions"]):
            return False
        client.grant_permissions(CatalogId=own.account, Principal=principal, Resource=resource, Permissions=[_ALL])
    except ClientError as error:
        raise LakehouseError(
            f"Lake Formation decides about new databases of account {own.account}, and {database} cannot be given to "
            f"IAM: {error}. A data lake administrator can: aws lakeformation grant-permissions --principal "
            f"DataLakePrincipalIdentifier={_GROUP} --permissions {_ALL} --resource "
            f'\'{{"Database": {{"Name": "{database}"}}}}\' --region {own.region}'
        ) from None
    return True


def _is_iam(entry: Mapping[str, Any]) -> bool:
    return entry["Principal"]["DataLakePrincipalIdentifier"] == _GROUP and _ALL in entry["Permissions"]
