"""Where engines' lineage goes: the entry ``lineage`` of a stack.

https://openlineage.io/docs/ and https://docs.datahub.com/docs/lineage/openlineage
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, StrictStr, model_validator

from lakehouse.spec.base import Model
from lakehouse.spec.metadata import HttpAddress
from lakehouse.spec.paths import CredentialsFile
from lakehouse.text.openlineage import PATH


def _events(value: str) -> str:
    if not value.strip() or not value.isprintable() or "://" in value or value.endswith("/"):
        raise ValueError(f'"{value}" is not a file: write a path, as in lineage.jsonl')
    return value


EventsFile = Annotated[StrictStr, AfterValidator(_events)]


class Lineage(Model):
    """Who gets the lineage of each statement that Spark and Trino run: an OpenLineage server, or a file."""

    url: HttpAddress | None = None
    """Address of a server, as in http://marquez.example.com:5000, which gets events at /api/v1/lineage.

    With another path, events go to that: http://gms.example.com:8080/openapi/openlineage/api/v1/lineage of DataHub.
    """
    token: CredentialsFile | None = None
    """File with the server's key or token, relative to this one, with mode 0600; for `url`."""
    file: EventsFile | None = None
    """File that gets each event as a line of JSON, relative to this one, instead of `url`."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.url) == bool(self.file):
            both = "not both" if self.url else "and neither is there"
            raise ValueError(f"name `url` or `file`, {both}: each event goes to one place")
        if self.token and not self.url:
            raise ValueError("`token` is for `url`. Add its address, or remove `token`")
        return self

    @property
    def address(self) -> str:
        """Where events are sent; empty if they go to a file."""
        if self.url is None:
            return ""
        bare = self.url.rstrip("/")
        return bare if "/" in bare.partition("://")[2] else bare + PATH
