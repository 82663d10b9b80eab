"""The object store, whatever kind it is: where it answers, and which service it is."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.kinds.stores.aistor import aistor
from lakehouse.kinds.stores.minio import minio
from lakehouse.kinds.stores.rustfs import rustfs
from lakehouse.kinds.stores.s3proxy import s3proxy
from lakehouse.services.service import Place, Service
from lakehouse.spec import LocalStack
from lakehouse.text.placeholders import Secret


@dataclass(frozen=True)
class StoreEndpoint:
    """Where the store answers: ``internal`` for services, ``external`` for a person and the bootstrap.

    The keys are placeholders of :meth:`Place.secret`, never the secrets themselves.
    """

    service: str
    internal: str
    external: str
    region: str
    access_key: Secret
    secret_key: Secret


def store(stack: LocalStack, place: Place) -> Service:
    """The service of the stack's kind of store."""
    match stack.store:
        case "s3proxy":
            return s3proxy(place)
        case "minio":
            return minio(place)
        case "rustfs":
            return rustfs(place)
        case "aistor":
            assert stack.license is not None  # lakehouse.spec.checks asks for it
            return aistor(place, stack.license)
