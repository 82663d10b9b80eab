"""The official SDK of Polaris, from its wheel: it cannot be installed beside this project's pydantic and boto3.

Its models are a witness of what the management API may answer.
"""

from __future__ import annotations

import sys
from typing import Any

import requests

from lakehouse.packages import cached, registries
from lakehouse.packages.download import check, download
from lakehouse.packages.package import Artifact

WHEEL = Artifact(
    "pypi",
    "apache-polaris",
    "1.8.0",
    "apache_polaris-1.8.0-py3-none-any.whl",
    "f2fef0f0e0b2fe25b5529c2dd3c0b575746c096c7e4badbb762b026fce73bc3a",
    631683,
)


def management(base: str, token: str) -> Any:
    """The SDK's client of a server's management API, at the address ``base``."""
    path = cached.scratch() / WHEEL.file
    if not path.exists():
        with requests.Session() as session:
            session.verify = registries.certificates()
            download(WHEEL, registries.addresses(WHEEL, session), path, session)
    check(WHEEL, path)
    if str(path) not in sys.path:
        sys.path.append(str(path))  # pure Python, read from the archive
    from apache_polaris.sdk.management import (  # type: ignore[import-not-found, unused-ignore]
        ApiClient,
        Configuration,
        PolarisDefaultApi,
    )

    return PolarisDefaultApi(ApiClient(Configuration(host=base, access_token=token)))
