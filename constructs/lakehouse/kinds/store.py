"""The object store, whatever its kind: its addresses, and what a kind of store defines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lakehouse.services.service import Place, Service
from lakehouse.spec import LocalStack
from lakehouse.spec.kinds import StoreRules
from lakehouse.text.placeholders import Text


@dataclass(frozen=True)
class StoreEndpoint:
    """The store's addresses: ``internal`` for services, ``external`` for a person and the bootstrap.

    The keys are placeholders of :meth:`Place.secret`, never the secrets themselves. In AWS the addresses and keys are
    empty: clients know the address, and use the environment's credentials.
    """

    service: str
    internal: str
    external: str
    region: str
    access_key: Text
    secret_key: Text

    def for_spark(self) -> dict[str, Text]:
        """How a catalog of Spark reaches files here, by S3FileIO: https://iceberg.apache.org/docs/latest/aws/#s3-fileio"""
        return {
            ".io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
            ".s3.endpoint": self.internal,
            ".s3.path-style-access": "true",
            ".s3.access-key-id": self.access_key,
            ".s3.secret-access-key": self.secret_key,
            ".client.region": self.region,
        }

    def for_trino(self, switch: str) -> dict[str, Text]:
        """Trino's S3 file system, with the property that turns it on: its name changed with Trino's versions.

        https://trino.io/docs/current/object-storage/file-system-s3.html
        """
        return {
            switch: "true",
            "s3.endpoint": self.internal,
            "s3.path-style-access": "true",
            "s3.region": self.region,
            "s3.aws-access-key": self.access_key,
            "s3.aws-secret-key": self.secret_key,
        }

    def for_pyiceberg(self) -> dict[str, Text]:
        """PyIceberg's FileIO, on the user's side: https://py.iceberg.apache.org/configuration/#s3"""
        return {
            "s3.endpoint": self.external,
            "s3.region": self.region,
            "s3.access-key-id": self.access_key,
            "s3.secret-access-key": self.secret_key,
        }


@dataclass(frozen=True, kw_only=True)
class StoreKind(StoreRules):
    """A kind of object store. ``service`` is None if it is AWS's own."""

    service: Callable[[Place, LocalStack], Service] | None = None
