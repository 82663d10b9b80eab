"""Publishes the metadata of a stack's tables: DataHub reads the catalogs, the file's part is added, DataHub writes."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bootstrap.catalogs.metadata_files import file_settings
from bootstrap.metadata import proposals
from bootstrap.metadata.destination import Destination
from bootstrap.metadata.proposals import Proposal, Urns
from bootstrap.session.connect import connect
from bootstrap.session.target import Target
from bootstrap.tools import datahub as recipes
from bootstrap.tools import env, reach
from lakehouse.errors import LakehouseError
from lakehouse.packages.environment import DATAHUB
from lakehouse.runtimes.state import write_private
from lakehouse.spec import AwsStack, Lakehouse
from lakehouse.spec.metadata import Metadata

_MINUTES = 30  # a run that takes longer is ended


@dataclass(frozen=True)
class Published:
    """What DataHub got: how many tables, which of the file's DataHub did not find, and its warnings."""

    tables: int
    removed: int
    unseen: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Publisher:
    """Publishes a stack's metadata to one place."""

    target: Target
    to: Destination
    report: Callable[[str], None] = field(default=lambda what: None)

    def publish(self) -> Published:
        """Publish it.

        Raises LakehouseError if DataHub's program cannot be installed, cannot read a catalog or cannot write.
        """
        stack = reach.of(self.target)
        lakehouse = self.target.lakehouse
        own = lakehouse.stacks[self.target.stack].metadata or Metadata()
        naming = Urns(own.environment, own.instance)
        variables = env.values(stack) | self._files(lakehouse)  # which may fail, unlike minutes of set-up
        run = _Runs(DATAHUB.set_up(), variables)
        found: list[Proposal] = []
        unseen: list[str] = []
        warnings: list[str] = []
        with tempfile.TemporaryDirectory(prefix="metadata-", dir=self.target.scratch) as scratch:
            for at in stack.catalogs:
                self.report(f"reading {at.name}")
                file = Path(scratch) / f"{at.name}.json"
                sink = {"type": "file", "config": {"filename": str(file)}}
                recipe = recipes.recipe(at, sink, naming.environment, naming.prefix(at.name))
                warnings += run(recipe, f"reading the catalog {at.name}")
                catalog, now = lakehouse.catalogs[at.name], int(time.time() * 1000)
                more, missing = proposals.enriched(
                    _read(file), at.name, catalog, naming, now, lakehouse.pipelines.values()
                )
                found += more
                unseen += missing
            tables = proposals.published(found)
            gone = list(proposals.removed(self._former(), tables))
            self.report(f"writing to {self.to}")
            warnings += self.to.write([*found, *gone], Path(scratch), run)
        self._note(tables)
        return Published(len(tables), len(gone), tuple(unseen), tuple(warnings))

    def _files(self, lakehouse: Lakehouse) -> dict[str, str]:
        """What DataHub's PyIceberg needs for tables' files in AWS.

        It reads them by Arrow, which finds fewer kinds of credentials than boto3, and no AWS_ENDPOINT_URL. A table
        whose files it cannot read is one that it does not find.
        """
        own = lakehouse.stacks[self.target.stack]
        if not isinstance(own, AwsStack) or own.store_has_tables:
            return {}
        settings = file_settings(connect(self.target.path, self.target.stack)[1])
        return {env.of_pyiceberg(name, key): value for name in lakehouse.catalogs for key, value in settings.items()}

    def _recorded(self) -> dict[str, list[str]]:
        try:
            found = json.loads(self.target.published.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _former(self) -> Sequence[str]:
        return self._recorded().get(str(self.to), ()) if self.to.keeps else ()

    def _note(self, tables: Sequence[str]) -> None:
        if self.to.keeps:
            write_private(self.target.published, json.dumps(self._recorded() | {str(self.to): list(tables)}))


@dataclass(frozen=True)
class _Runs:
    """Runs recipes with DataHub's program. A recipe goes to its standard input: secrets are in the environment."""

    program: Path
    values: Mapping[str, str]

    def __call__(self, recipe: Mapping[str, Any], doing: str, secrets: Mapping[str, str] | None = None) -> list[str]:
        """Run a recipe. Returns its warnings; raises LakehouseError with the first failures."""
        values = {**self.values, **(secrets or {})}
        quiet = {"DATAHUB_TELEMETRY_ENABLED": "false"}
        with tempfile.TemporaryDirectory() as scratch:
            report = Path(scratch) / "report.json"
            command = [str(self.program), "ingest", "run", "-c", "-", "--report-to", str(report)]
            command += ["--no-spinner", "--no-progress"]
            try:
                done = subprocess.run(
                    command, input=json.dumps(recipe), env={**os.environ, **quiet, **values}, cwd=scratch, text=True,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=_MINUTES * 60,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise LakehouseError(f"DataHub did not end in {_MINUTES} minutes, {doing}.") from None
            failures, warnings = _said(report)
        if done.returncode or failures:
            why = "; ".join(failures[:3]) or _last(done.stdout)
            raise LakehouseError(f"DataHub failed, {doing}: {_without(why, values)}")
        return [_without(each, values) for each in warnings]


def _said(report: Path) -> tuple[list[str], list[str]]:
    """The failures and warnings in DataHub's report of a run."""
    try:
        found = json.loads(report.read_text())
    except (OSError, ValueError):
        return [], []
    parts = [found.get(each, {}).get("report", {}) for each in ("source", "sink")]
    return _messages(parts, "failures"), _messages(parts, "warnings")


def _messages(parts: Sequence[Mapping[str, Any]], kind: str) -> list[str]:
    messages = []
    for part in parts:
        for each in part.get(kind) or ():
            if isinstance(each, dict):
                context = each.get("context") or ()
                said = [each.get("message", ""), *([str(context[0])] if context else [])]
                messages.append(": ".join(filter(None, map(str, said))))
            else:
                messages.append(str(each))
    return messages


def _last(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _without(text: str, values: Mapping[str, str]) -> str:
    """The text without values that may be secret: all that are in the environment because a tool needs them."""
    for each in sorted(values.values(), key=len, reverse=True):
        if len(each) > 7 and "://" not in each:
            text = text.replace(each, "***")
    return text


def _read(file: Path) -> list[Proposal]:
    found: list[Proposal] = json.loads(file.read_text()) if file.exists() else []
    return found
