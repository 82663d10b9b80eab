"""Where the metadata of a stack is published: the entry ``metadata`` of a stack.

https://docs.datahub.com/docs/metadata-ingestion/sink_docs/datahub
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictStr, model_validator

from lakehouse.spec.base import Model
from lakehouse.spec.paths import CredentialsFile
from lakehouse.spec.values import Matching

#: The variable with the token of DataHub, which counts before the file: builds in AWS have no such file.
TOKEN = "_".join(("LAKEHOUSE", "DATAHUB", "TOKEN"))  # its name, not a secret


def _address(value: str) -> str:
    if "@" in value:
        raise ValueError("an address has no password in it. Name a file with the token: `token: FILE`")
    return value


HttpAddress = Annotated[
    StrictStr,
    Matching("an address", r"https?://[^\s/?#]+(/[^\s?#]*)?", "it looks like http://gms.example.com:8080"),
    AfterValidator(_address),
]
Broker = Annotated[
    StrictStr, Matching("brokers of Kafka", r"[^\s,/@]+:\d+(,[^\s,/@]+:\d+)*", "it looks like broker:9092")
]


class Metadata(Model):
    """A DataHub that gets the metadata of the stack's tables: its server (GMS), or the Kafka that it reads."""

    gms: HttpAddress | None = None
    """Address of DataHub's metadata service (GMS), as in http://gms.example.com:8080."""
    token: CredentialsFile | None = None
    """File with a personal access token of DataHub, relative to this one, with mode 0600; for `gms`."""
    kafka: Broker | None = None
    """Brokers of the Kafka that DataHub reads, as in broker:9092, instead of `gms`."""
    schema_registry: HttpAddress | None = None
    """Address of its schema registry; for `kafka`."""
    environment: Literal["PROD", "STG", "TEST", "QA", "UAT", "DEV"] = "PROD"
    """DataHub's environment (fabric) of the tables."""
    instance: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][\w-]*$")] | None = None
    """Begins the tables' names in DataHub, before the catalog's, if several lakehouses publish to one DataHub."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.gms and self.kafka:
            raise ValueError("name `gms` or `kafka`, not both: DataHub would get everything twice")
        if self.token and not self.gms:
            raise ValueError("`token` is for `gms`. Add its address, or remove `token`")
        if bool(self.kafka) != bool(self.schema_registry):
            missing = "schema_registry" if self.kafka else "kafka"
            raise ValueError(f"`kafka` and `schema_registry` belong together, and {missing} is missing")
        return self
