"""Chains of edits: the bootstrap plans and commits each, and Iceberg's own Java library judges the result."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from bootstrap.catalogs.metadata_files import committed
from bootstrap.iceberg.metadata import CatalogFacts, Facts, TableFacts, compact
from bootstrap.reconciler.changes import Change, Diff
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.objects.table import TableCommit
from lakehouse.spec import Lakehouse
from lakehouse.spec.checks import check
from lakehouse.spec.kinds import Limits
from tests.behaviour.chains.edits import Edits, Entry, in_file
from tests.behaviour.chains.java import Java

#: The kinds of change, and the lines of a plan that are examples of them.
KINDS = {
    "a column is added": r"\+ column [^.]+ ",
    "a column is added first or between others": r"",  # counted by its place
    "a column is renamed": r"~ column [^.]+ -> [^.]+ \(renamed\)",
    "columns are reordered": r"~ order of columns",
    "a column is widened": r"~ column [^.]+: (int -> long|float -> double|decimal.* -> decimal.*)$",
    "a column is made optional": r"~ column [^.]+: required -> optional",
    "a column is dropped": r"- column [^.]+ ",
    "a nested field is added": r"\+ column .*\..* ",
    "a nested field is widened": r"~ column .*\..*: (int -> long|float -> double)",
    "a nested field is renamed": r"~ column .*\..* -> .*\..* \(renamed\)",
    "a nested field's doc changes": r"~ column .*\..*: doc",
    "a nested field is made optional": r"~ column .*\..*: required -> optional",
    "partitions change": r"~ partition_by",
    "the sort order changes": r"~ sort_by",
    "a property is set or changed": r"[+~] property (write|owner)",
    "a table's doc changes": r"[+~] property comment",
    "a column's doc changes": r"~ column [^.]+: doc",
    "identifier columns change": r"~ identifier",
    "the format version changes": r"~ format_version 1 -> 2",
    **{f"partitions by {each}": rf"~ partition_by .* -> .*{each}\(" for each in
       ("year", "month", "day", "hour", "bucket", "truncate", "void")},
    "partitions by a column": r"~ partition_by .* -> .*[\[ ]\w+[,\]]",
    "partitions by a struct's field": r"~ partition_by .* -> .*\w\.a",
    "partitions end": r"~ partition_by .* -> \[\]",
}  # fmt: skip


class Chain:
    """One table and its file, edited repeatedly. Only ``seed`` decides what happens, except for snapshots' ids."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed, self.random, self.name = seed, Random(seed), f"t{seed}"
        self.folder = folder / "n" / self.name
        (self.folder / "metadata").mkdir(parents=True)
        self.edits = Edits(self.random)
        self.entry: Entry = {}
        self.counts: Counter[str] = Counter()
        self.story: list[str] = []

    def step(self) -> list[dict[str, Any]]:
        """Edit the file and carry out its plan. Returns the questions for Java."""
        engine = self.by_an_engine() if self.entry and self.random.random() < 0.15 else None
        if engine is not None:
            return [engine, self.question("write")]
        for _ in range(20):
            entry = self.edits.edited(self.entry) if self.entry else self.edits.first()
            lakehouse = self.lakehouse(entry)
            if list(check(lakehouse)):
                self.counts["refused in the file"] += 1
                continue
            found = self.diff(lakehouse)
            if found.refused:
                self.counts["refused in the plan"] += 1
            elif changes := [change for change in found.changes if change.kind == "table"]:
                self.carry_out(changes[0])
                self.entry = entry
                return [self.question("write")]
        return []

    def question(self, do: str) -> dict[str, Any]:
        return {"do": do, "table": str(self.folder), "seed": self.random.randrange(2**31), "name": self.name}

    def by_an_engine(self) -> dict[str, Any] | None:
        """Add a partition field whose name an engine chose; the file then gets the same."""
        plain = [n for n, of in self.entry["columns"].items() if of["type"] in ("int", "long", "string", "date")]
        if not plain:
            return None
        column = self.random.choice(plain)
        # Java lets an engine use the name of a former column, and then cannot travel to the time of that column. It
        # also allows the name of another former partition field, and then Spark cannot read the partitions.
        content = self.metadata()
        parts = [*content[1]["schemas"], *content[1]["partition-specs"]] if content else []
        were = {field["name"] for part in parts for field in part["fields"]}
        names = [name for name in (f"{column}_bucket", f"{column}_part", "x", "y", "z", "note") if name not in were]
        if not names:
            return None
        name = self.random.choice(names)
        by = self.random.choice(["bucket", "identity"])
        self.story.append(f"engine: partition by {by} of {column} as {name}")
        self.counts["an engine partitions"] += 1
        return {**self.question("partition"), "column": column, "name": name, "by": by, "may_fail": True}

    def lakehouse(self, entry: Entry) -> Lakehouse:
        catalog = {"location": "s3://warehouse/lake", "namespaces": {"n": {"tables": {self.name: in_file(entry)}}}}
        stack = {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}
        return Lakehouse.model_validate(
            {
                "name": "chains",
                "buckets": {"warehouse": {}},
                "catalogs": {"lake": catalog},
                "engines": {"spark": {}, "trino": {}},
                "stacks": {"local": stack},
            }
        )

    def diff(self, lakehouse: Lakehouse) -> Diff:
        content = self.metadata()
        tables = {f"n.{self.name}": TableFacts("", compact(content[1]))} if content else {}
        facts = CatalogFacts({"n": {}}, tables, limits=Limits("chains", format_version=2))
        return diff(lakehouse, Facts({}, {"lake": facts}), allow_destroy=True)

    def metadata(self) -> tuple[int, dict[str, Any]] | None:
        """The number and content of the newest metadata file."""
        hint = self.folder / "metadata" / "version-hint.text"
        if not hint.exists():
            return None
        number = int(hint.read_text())
        content: dict[str, Any] = json.loads((self.folder / "metadata" / f"v{number}.metadata.json").read_text())
        return number, content

    def carry_out(self, change: Change) -> None:
        """Write the next metadata file as a catalog with such files does, with the code that commits to Nessie."""
        now = self.metadata()
        assert isinstance(change.body, TableCommit)
        updates = [
            {**each, "location": f"file:{self.folder}"} if each["action"] == "set-location" else each
            for each in change.body.updates
        ]
        commit = {"requirements": list(change.body.requirements), "updates": updates}
        made = committed(self.name, commit, now[1] if now else None, None)
        content = made.model_dump(mode="json", by_alias=True, exclude_none=True)
        content["current-snapshot-id"] = -1 if made.current_snapshot_id is None else made.current_snapshot_id
        number = now[0] + 1 if now else 1
        (self.folder / "metadata" / f"v{number}.metadata.json").write_text(json.dumps(content))
        (self.folder / "metadata" / "version-hint.text").write_text(str(number))
        lines = [f"{detail.symbol} {detail.text}" for detail in change.details]
        self.story += ["apply:", *lines]
        if now is not None:
            self.counts.update(kind for kind, pattern in KINDS.items() if pattern
                               for line in lines if re.match(pattern, line))  # fmt: skip
            self.count_places(now[1], content)

    def count_places(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        old = {field["id"] for field in _fields(before)}
        places = [field["id"] in old for field in _fields(after)]
        if False in places and True in places[places.index(False) :]:
            self.counts["a column is added first or between others"] += 1


def _fields(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    current = metadata["current-schema-id"]
    return next(each["fields"] for each in metadata["schemas"] if each["schema-id"] == current)


def run(java: Java, folder: Path, seeds: range, steps: int, spark: int) -> Iterator[Chain]:
    """A chain for each seed; Spark checks the end of every ``spark``-th.

    A chain that fails stops, and the others go on. Raises AssertionError with the stories of the failed ones.
    """
    chains = [Chain(seed, folder) for seed in seeds]
    failed: dict[int, str] = {}
    for _ in range(steps):
        well = [chain for chain in chains if chain.seed not in failed]
        failed |= _ask(java, [(chain, chain.step()) for chain in well])
    failed |= _ask(java, [(chain, [chain.question("spark")]) for chain in chains[::spark] if chain.seed not in failed])
    assert not failed, "\n\n".join(failed.values())
    yield from chains


def _ask(java: Java, asked: list[tuple[Chain, list[dict[str, Any]]]]) -> dict[int, str]:
    """Ask each chain's first question, then each one's second, in batches. Returns the failures, by seed."""
    failed: dict[int, str] = {}
    for turn in range(2):
        batch = [(chain, questions[turn]) for chain, questions in asked if len(questions) > turn]
        batch = [(chain, question) for chain, question in batch if chain.seed not in failed]
        answers = java.ask([question for _, question in batch]) if batch else []
        for (chain, question), answer in zip(batch, answers, strict=True):
            if question.get("may_fail"):
                chain.story.append(f"  {answer.splitlines()[0] if answer else 'done'}")
            elif answer:
                story = "\n".join(chain.story)
                failed[chain.seed] = f"seed {chain.seed}, {chain.folder}: {question['do']}: {answer}\n{story}"
    return failed
