"""To where metadata is published: DataHub's server, the Kafka that it reads, or a file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bootstrap.metadata.proposals import Proposal
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec.metadata import TOKEN, Metadata
from lakehouse.text.private import token

RunRecipe = Callable[[Mapping[str, Any], str, Mapping[str, str]], list[str]]


class Destination(Protocol):
    """A place. ``keeps``: it keeps what it got before, so tables that are gone must be hidden there."""

    @property
    def keeps(self) -> bool: ...

    def write(self, found: Sequence[Proposal], scratch: Path, run: RunRecipe) -> list[str]:
        """Write the proposals. Returns DataHub's warnings. Raises LakehouseError if they cannot be written."""


@dataclass(frozen=True)
class ToFile:
    """A file in the format of DataHub's file sink, which `datahub ingest` and DataHub's file source read."""

    path: Path
    keeps: bool = False

    def __str__(self) -> str:
        return str(self.path)

    def write(self, found: Sequence[Proposal], scratch: Path, run: RunRecipe) -> list[str]:
        draft = self.path.with_name(f".{self.path.name}.new")
        try:
            draft.write_text(json.dumps(found, indent=1) + "\n")
            draft.replace(self.path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise LakehouseError(f"{self.path} cannot be written: {error.strerror}.") from error
        return []


@dataclass(frozen=True)
class ToDataHub:
    """DataHub's server (GMS), or brokers of Kafka with their schema registry."""

    address: str
    registry: str = ""
    token: Path | None = None
    keeps: bool = True

    def __str__(self) -> str:
        return self.address

    def write(self, found: Sequence[Proposal], scratch: Path, run: RunRecipe) -> list[str]:
        file = scratch / "proposals.json"
        file.write_text(json.dumps(found))
        recipe = {"source": {"type": "file", "config": {"path": str(file)}}, "sink": self._sink}
        secrets = {} if self.token is None else {TOKEN: _token(self.token)}
        return run(recipe, f"writing to {self.address}", secrets)

    @property
    def _sink(self) -> dict[str, Any]:
        if self.registry:
            connection = {"bootstrap": self.address, "schema_registry_url": self.registry}
            return {"type": "datahub-kafka", "config": {"connection": connection}}
        token = {"token": f"${{{TOKEN}}}"} if self.token is not None else {}
        return {"type": "datahub-rest", "config": {"server": self.address, **token}}


def chosen(own: Metadata | None, file: Path, stack: str, path: Path | None) -> Destination:
    """The file of an option, or else what the stack's entry says. Raises UsageError if neither says where."""
    if path is not None:
        return ToFile(path)
    if own is not None and own.gms:
        return ToDataHub(own.gms, token=file.parent / Path(own.token).expanduser() if own.token else None)
    if own is not None and own.kafka:
        return ToDataHub(own.kafka, registry=own.schema_registry or "")
    raise UsageError(
        f"stacks.{stack} of {file.name} does not say where its metadata goes. Add `metadata: {{gms: "
        "http://ADDRESS:8080}` to it, or write a file: `lakehouse metadata publish --to-file FILE`."
    )


def _token(file: Path) -> str:
    """The token in the environment, else in the file. Raises UsageError if others may read it, or if it is not one."""
    if given := os.environ.get(TOKEN):
        return given
    return token(file, f"metadata.token: {file}", "token")
