"""Glue databases, one per namespace. The bootstrap creates their tables."""

from __future__ import annotations

from lakehouse.access.names import Names
from lakehouse.cdk import Construct, Declared, resource
from lakehouse.spec import Lakehouse


class Databases(Construct):
    """The namespaces of every catalog, in the account's Glue Data Catalog.

    https://docs.aws.amazon.com/glue/latest/dg/define-database.html
    """

    def __init__(self, scope: Construct, name: str, *, names: Names, lakehouse: Lakehouse, allow_destroy: bool) -> None:
        super().__init__(scope, name)
        self.databases: dict[str, Declared] = {}
        for catalog, content in lakehouse.catalogs.items():
            for namespace, inner in content.namespaces.items():
                self.databases[f"{catalog}.{namespace}"] = resource(
                    self,
                    f"{catalog}_{namespace}",
                    "aws_glue_catalog_database",
                    name=names.database(namespace),
                    description=inner.properties.get("comment") or f"{catalog}.{namespace} of {names.prefix}",
                    location_uri=f"{names.location(content.location)}/{namespace}",
                    parameters=dict(inner.properties) or None,
                    # IAM controls access, not Lake Formation, which may be the account's default.
                    create_table_default_permission=[
                        {
                            "permissions": ["ALL"],
                            "principal": {"data_lake_principal_identifier": "IAM_ALLOWED_PRINCIPALS"},
                        }
                    ],
                    lifecycle={
                        "ignore_changes": ["description", "parameters"],  # later, the bootstrap manages them
                        **({} if inner.deletable and allow_destroy else {"prevent_destroy": True}),
                    },
                )
