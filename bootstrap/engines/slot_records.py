"""The replication slots that pipelines of a stack have, a file for each in the state folder.

Kafka Connect knows them as long as it is in the stack. Once it is not, only these files say what it left in a database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bootstrap.engines.replication import SourceDatabase
from lakehouse.errors import LakehouseError
from lakehouse.kinds.pipelines.connectors import DELETABLE
from lakehouse.runtimes.state import State, write_private


@dataclass(frozen=True)
class SlotRecord:
    """A slot, and the pipeline that reads by it.

    ``dropped``: it is gone, but a Kafka Connect that comes back has kept the place at which its connector was.
    """

    pipeline: str
    deletable: bool
    source: SourceDatabase
    dropped: bool = False

    @property
    def name(self) -> str:
        """A name that is unique in a stack."""
        return f"{self.source.slot} of {self.source}"


class SlotRecords:
    """All that a stack has recorded."""

    def __init__(self, state: State) -> None:
        self._folder = state.root / "slots"

    def __iter__(self) -> Iterator[SlotRecord]:
        for path in sorted(self._folder.glob("*.json")):
            yield _read(path)

    def of(self, source: SourceDatabase) -> SlotRecord | None:
        """The record of a slot; None: there is none."""
        path = self.path(source)
        return _read(path) if path.is_file() else None

    def path(self, source: SourceDatabase) -> Path:
        """The file of a slot's record."""
        where = hashlib.sha256(json.dumps(source.place).encode()).hexdigest()[:8]
        return self._folder / f"{source.slot}-{where}.json"

    def connector(self, pipeline: str, config: Mapping[str, str]) -> None:
        """Record the slot that a connector with these settings makes, if it makes one.

        What the pipeline has left in another database can be deleted as this one can.
        """
        source = SourceDatabase.of(config)
        if source is None:
            return
        record = SlotRecord(pipeline, config.get(DELETABLE) == "true", source)
        for each in self:
            if each.pipeline == pipeline and each.deletable != record.deletable:
                self.keep(replace(each, deletable=record.deletable))
        self.keep(record)

    def keep(self, record: SlotRecord) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.path(record.source), json.dumps(asdict(record), indent=2) + "\n")

    def forget(self, source: SourceDatabase) -> None:
        self.path(source).unlink(missing_ok=True)


def _read(path: Path) -> SlotRecord:
    try:
        found = json.loads(path.read_text())
        return SlotRecord(**{**found, "source": SourceDatabase(**found["source"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LakehouseError(
            f"{path} cannot be read ({error}). It says which replication slot a pipeline has: restore it, or drop that "
            "slot in its database and delete the file."
        ) from None
