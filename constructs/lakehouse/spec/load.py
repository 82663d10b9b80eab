"""Read lakehouse.yaml: everything that is wrong with it at once, each with its line."""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lakehouse.spec import limits, tables, wording
from lakehouse.spec.checks import found
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import Key, KeyPath, Problem, SpecError, line
from lakehouse.spec.source import AGAIN, SourceText, read

_MOST = 250  # problems that are told at once
_MORE = Problem((), "there are more problems than these. Correct these first")


def load(path: Path, *, engines: bool = True) -> Lakehouse:
    """The lakehouse that the file at ``path`` describes.

    Raises SpecError with all problems, sorted by line. Without ``engines`` neither what an engine cannot carry nor what
    would harm live tables is one: what is deployed already must be looked at, exported and destroyed all the same.
    """
    source = read(path)
    lakehouse, problems, left_out = _validate(source)
    problems = source.problems[:_MOST] + problems
    if lakehouse is not None:
        further = (
            problem
            for problem in found(lakehouse, engines=engines)
            if not any(_within(place, left_out) for place in (problem.at, *problem.about))
        )
        problems += islice(further, max(0, _MOST + 1 - len(problems)))
    if problems:
        told = [(source.line(problem.at), _shown(problem, source)) for problem in dict.fromkeys(problems)]
        raise SpecError(path, [*told[:_MOST], *[(number, _MORE) for number, _ in told[_MOST:][:1]]])
    assert lakehouse is not None
    return lakehouse


def cautions(path: Path, lakehouse: Lakehouse) -> list[str]:
    """What an engine will not see, do or read of a valid file, each as ``file:line: location: message``."""
    found = [*limits.warnings(lakehouse), *tables.warnings(lakehouse)]
    if not found:
        return []
    source = read(path)
    return [line(path, source.line(problem.at), problem) for problem in found]


def _shown(problem: Problem, source: SourceText) -> Problem:
    """With the line of the other place, and without the mark that tells a duplicate key from the first."""
    at = problem.at[:-1] if problem.at[-1:] == (AGAIN,) else problem.at
    beside = f" The other is on line {source.line(problem.beside)}." if problem.beside else ""
    return Problem(at, problem.message + beside)


def _within(place: KeyPath, entries: Set[KeyPath]) -> bool:
    return any(place[:depth] in entries for depth in range(len(place) + 1))


def _validate(source: SourceText) -> tuple[Lakehouse | None, list[Problem], set[KeyPath]]:
    """The lakehouse without its wrong parts, what is wrong with them, and which were left out.

    So the rest is checked all the same, and the user gets the whole list at once.
    """
    data = source.data
    problems: list[Problem] = []
    left_out: set[KeyPath] = set()
    while True:
        try:
            return Lakehouse.model_validate(data), problems, left_out
        except ValidationError as error:
            details = error.errors(include_url=False)
        if not problems:
            problems = [wording.problem(detail) for detail in details[: _MOST + 1]]
        entries = {_entry(data, wording.location(detail)) for detail in details}
        without = _without(data, entries)
        left_out |= entries
        if not any(entries) or not without:
            return None, problems, left_out
        data = without


def _entry(data: Any, at: KeyPath) -> KeyPath:
    """The entry to leave out for an error at ``at``: it, or the nearest one around it that is in the file."""
    for depth, key in enumerate(at):
        if not isinstance(data, dict) or key not in data:
            return at[:depth]
        data = data[key]
    return at


def _without(data: dict[str, Any], entries: Iterable[KeyPath]) -> dict[str, Any]:
    """A copy of ``data`` in which the entries are left out."""
    within: dict[Key, list[KeyPath]] = {}
    for entry in filter(None, entries):
        within.setdefault(entry[0], []).append(entry[1:])
    return {
        key: _without(value, within[key]) if key in within else value
        for key, value in data.items()
        if () not in within.get(key, [])
    }
