"""The addresses of an object store, and the interface of a kind of store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lakehouse.services.service import Place, Service
from lakehouse.spec import LocalStack
from lakehouse.spec.kinds import StoreRules
from lakehouse.text.placeholders import Text

#: The role that whoever asks a store's STS for keys names. Only SeaweedFS has roles; other stores take any name.
ROLE = "arn:aws:iam::000000000000:role/lakehouse"
#: The kind of catalog that a store serves by itself.
S3TABLES = "s3tables"


@dataclass(frozen=True)
class StoreEndpoint:
    """The store's addresses: ``internal`` for services, ``external`` for users and the bootstrap.

    The keys are placeholders of :meth:`Place.secret`, never the secrets. In AWS the addresses and keys are empty:
    clients know the address and use the environment's credentials. ``trust`` is the file of the certificate by which
    users trust it; empty: one that the system trusts. Services know it by their JVM (:mod:`lakehouse.services.jvm`).
    """

    service: str
    internal: str
    external: str
    region: str
    access_key: Text
    secret_key: Text
    sts: bool = False  # it issues temporary keys to clients that have the keys of its owner
    trust: str = ""

    def for_spark(self) -> dict[str, Text]:
        """Settings of a Spark catalog's S3FileIO: https://iceberg.apache.org/docs/latest/aws/#s3-fileio"""
        return {
            ".io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
            ".s3.endpoint": self.internal,
            ".s3.path-style-access": "true",
            ".s3.access-key-id": self.access_key,
            ".s3.secret-access-key": self.secret_key,
            ".client.region": self.region,
        }

    def for_trino(self, switch: str) -> dict[str, Text]:
        """Settings of Trino's S3 file system. ``switch`` is the property that turns it on in this version of Trino.

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
        """Settings of PyIceberg's FileIO for users: https://py.iceberg.apache.org/configuration/#s3"""
        return {
            "s3.endpoint": self.external,
            "s3.region": self.region,
            "s3.access-key-id": self.access_key,
            "s3.secret-access-key": self.secret_key,
        }


@dataclass(frozen=True, kw_only=True)
class StoreKind(StoreRules):
    """A kind of object store. ``service`` is None if AWS provides the store.

    ``tables`` returns the base addresses of its Iceberg REST endpoint, for services and from outside; None: it has no
    such endpoint. ``warehouses`` is the path in there by which table buckets are made; empty: the store has the API of
    S3 Tables for that.
    """

    service: Callable[[Place, LocalStack], Service] | None = None
    tables: Callable[[Place], tuple[str, str]] | None = None
    warehouses: str = ""

    @property
    def has_tables(self) -> bool:
        return self.tables is not None
