"""Where the services of a stack in AWS are reached."""

from __future__ import annotations

from bootstrap.operations.endpoints import ServiceEndpoint
from bootstrap.session.aws_parts import AwsParts


def endpoints(account: AwsParts) -> list[ServiceEndpoint]:
    """The addresses of the stack's services: the same for everybody."""
    found = [("glue", "glue", account.url("glue"), "Glue Data Catalog: the catalogs of engines")]
    if not account.options.store_has_tables:
        at = f"{account.url('glue')}/iceberg"
        found.append(
            ("glue", "iceberg-rest", at, f"the same as Iceberg's REST catalog, warehouse {account.own.account}")
        )
    for name, content in account.target.lakehouse.catalogs.items():
        found.append(("s3", f"catalog-{name}", account.own.location(content.location), "its tables' files"))
    if account.athena:
        for each in account.principals:
            group = account.own.workgroup(each)
            found.append(("athena", f"athena-{each}", account.url("athena"), f"SQL, in the workgroup {group}"))
    if account.spark:
        for each in account.principals:
            name = account.own.workgroup(each)
            found.append(("spark", f"spark-{each}", account.url("emr-serverless"), f"jobs, in the application {name}"))
    return [ServiceEndpoint(service, name, meaning, at, at) for service, name, at, meaning in found]
