"""Tables that the store serves by itself: Iceberg REST with signed requests, and what such servers do otherwise.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-integrating-open-source-considerations.html. Seen on
SeaweedFS: several commits that create one table at the same time all succeed, and the last one has the table; dropping
a table deletes its files, whether or not the request says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from bootstrap.catalogs.base import Reading
from bootstrap.catalogs.rest import RestCatalog
from bootstrap.iceberg.metadata import CatalogFacts, TableFacts, compact
from bootstrap.remote.errors import Conflict, Missing, Refused, UnknownState
from lakehouse.kinds.catalogs.s3tables import S3TABLES
from lakehouse.spec.table_buckets import MAPPING

#: What SeaweedFS says, with status 500, of a bucket that is no table bucket. A plan reads the buckets too, and says so.
_ORDINARY = "attribute not found: s3tables.metadata"


class S3TablesCatalog(RestCatalog):
    """A table bucket."""

    # SeaweedFS refuses files in a folder with a dot in its name, such as address.city=X. The rule is not AWS'.
    limits = replace(S3TABLES.can, nested_partitions=False)

    def facts(self, tables: Collection[str] | None, reading: Reading) -> CatalogFacts:
        try:
            return super().facts(tables, reading)
        except Missing:  # only a missing bucket is reported so: a namespace that vanished is left out
            pass
        except UnknownState as error:
            if _ORDINARY not in str(error):
                raise
        return CatalogFacts({}, {}, limits=self.limits)

    def _namespaces(self, pool: ThreadPoolExecutor) -> list[str]:
        # There is one level. SeaweedFS nevertheless makes nested ones if it is asked to, and lists all at once.
        return list(dict.fromkeys(self._inside(None)))

    def _table(self, name: str) -> TableFacts | None:
        found = super()._table(name)
        if found is None or MAPPING not in found.properties:
            return found
        properties = {key: value for key, value in found.properties.items() if key != MAPPING}
        return TableFacts(found.metadata_location, compact({**found.metadata, "properties": properties}))

    def commit_table(self, name: str, commit: Mapping[str, Any]) -> None:
        super().commit_table(name, commit)
        ours = next((each["uuid"] for each in commit["updates"] if each["action"] == "assign-uuid"), None)
        if ours is not None:
            there = self._load(name)["metadata"]["table-uuid"]
            if there != ours:
                raise Conflict(f'catalog "{self.name}": somebody else created {name} at the same time')

    def drop_table(self, name: str, identity: str, *, purge: bool) -> str:
        if not purge:
            rule = f"{self.limits.kind} drops a table only with its files"
            raise Refused(f'catalog "{self.name}": {name} stays: {rule}. `--purge` deletes them')
        return super().drop_table(name, identity, purge=purge)
