"""Read lakehouse.yaml, and report all of its problems at once, each with its line."""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lakehouse.spec import catalogs, enforced, existing, inventoried, limits, tables, views, wording
from lakehouse.spec.checks import found
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.ports import moved
from lakehouse.spec.problems import Key, KeyPath, Problem, SpecError, line
from lakehouse.spec.source import AGAIN, SourceText, read

_MOST = 250  # problems that are reported at once
_MORE = Problem((), "there are more problems than these. Correct these first")


def load(path: Path, *, engines: bool = True) -> Lakehouse:
    """The lakehouse that the file at ``path`` describes.

    Raises SpecError with all problems, sorted by line. Without ``engines``, what an engine does not support and what
    would harm live tables are no problems, so that a deployed lakehouse can always be read, exported and destroyed.
    """
    source = read(path)
    unknown = inventoried.expand(source)
    lakehouse, problems, left_out = _validate(source)
    left_out |= unknown
    problems = [*source.problems, *source.tags][:_MOST] + problems
    if lakehouse is not None:
        missing = catalogs.missing(lakehouse, path.parent) if engines else ()
        further = (
            problem for problem in chain(found(lakehouse, engines=engines), missing) if not _follows(problem, left_out)
        )
        problems += islice(further, max(0, _MOST + 1 - len(problems)))
    if problems:
        listed = [(source.line(problem.at), _shown(problem, source)) for problem in dict.fromkeys(problems)]
        raise SpecError(path, [*listed[:_MOST], *[(number, _MORE) for number, _ in listed[_MOST:][:1]]])
    assert lakehouse is not None
    return lakehouse


def cautions(path: Path, lakehouse: Lakehouse, further: Iterable[Problem] = ()) -> list[str]:
    """What has no effect in a valid file, or no engine sees or reads, each as ``file:line: location: message``.

    ``further`` warnings about the file, from outside it, follow.
    """
    found = [*limits.warnings(lakehouse), *tables.warnings(lakehouse), *catalogs.warnings(lakehouse)]
    found += [
        *views.warnings(lakehouse),
        *enforced.warnings(lakehouse),
        *existing.warnings(lakehouse),
        *moved(lakehouse),
        *further,
    ]
    if not found:
        return []
    source = read(path)
    return [line(path, source.line(problem.at), problem) for problem in found]


def _shown(problem: Problem, source: SourceText) -> Problem:
    """The problem with the line of its other place, and without the mark of a duplicate key."""
    at = problem.at[:-1] if problem.at[-1:] == (AGAIN,) else problem.at
    if problem.beside is None:
        return Problem(at, problem.message)
    end = "" if problem.message.endswith(".") else "."
    return Problem(at, f"{problem.message}{end} The other is on line {source.line(problem.beside)}.")


def _follows(problem: Problem, left_out: Set[KeyPath]) -> bool:
    """Whether a problem may only follow from what was left out: at its place, or at or in one that it is about."""
    around = {entry[:depth] for entry in left_out for depth in range(1, len(entry))}
    return any(_within(place, left_out) for place in (problem.at, *problem.about)) or bool(around & {*problem.about})


def _within(place: KeyPath, entries: Set[KeyPath]) -> bool:
    return any(place[:depth] in entries for depth in range(len(place) + 1))


def _validate(source: SourceText) -> tuple[Lakehouse | None, list[Problem], set[KeyPath]]:
    """The lakehouse without its invalid parts, the problems of those, and their places.

    So the rest is still checked, and the user gets the whole list at once.
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
    """The entry to leave out for an error at ``at``: it, or the innermost one around it that is in the file."""
    for depth, key in enumerate(at):
        if not isinstance(data, dict) or key not in data:
            return at[:depth]
        data = data[key]
    return at


def _without(data: dict[str, Any], entries: Iterable[KeyPath]) -> dict[str, Any]:
    """A copy of ``data`` without the entries."""
    within: dict[Key, list[KeyPath]] = {}
    for entry in filter(None, entries):
        within.setdefault(entry[0], []).append(entry[1:])
    return {
        key: _without(value, within[key]) if key in within else value
        for key, value in data.items()
        if () not in within.get(key, [])
    }
