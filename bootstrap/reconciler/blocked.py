"""Changes that need what is refused: they are refused too, with the reason, instead of failing in the middle. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bootstrap.reconciler.changes import Change, Diff, Note
from bootstrap.reconciler.kind import Changes, ObjectKind, Registry


def unblocked(diff: Diff, kinds: Registry) -> Diff:
    """The diff without what needs something refused, directly or through others. Of a change, a part may be left."""
    if not diff.barred:
        return diff
    barred, absent, notes = set(diff.barred), set(diff.absent), list(diff.refused)
    # What is refused is not created, whichever kind has planned that.
    left = [change for change in diff.changes if change.op != "create" or change.address not in barred]
    while True:
        changes, kept = Changes(left, frozenset(barred)), []
        for change in left:
            kind = kinds.of(change)
            lacking = [each for each in kind.needs(change, changes) if each in absent]
            lacking += [each for each in kind.reads(change, changes) if each in barred]
            part = kind.without(change, frozenset(lacking)) if lacking else change
            if part is not None:
                kept.append(part)
            if lacking:
                notes.append(_note(change, lacking, notes, kind.part_of(change)))
                barred.add(change.address)
                absent |= {change.address} if part is None and makes(change, kind) else set()
        if kept == left:
            return replace(diff, changes=tuple(kept), refused=tuple(notes), barred=frozenset(barred))
        left = kept


def makes(change: Change, kind: ObjectKind) -> bool:
    """Whether something exists only after the change, under its name: an update of an object changes what is there."""
    return change.op == "create" or bool(kind.part_of(change))


def _note(change: Change, lacking: Iterable[str], notes: Iterable[Note], part_of: str) -> Note:
    """Names what the reader has to fix: of several, one with a note of its own."""
    explained = {note.object for note in notes}
    need = min(lacking, key=lambda each: each not in explained)
    return Note(change.address, f'it needs what is refused: first fix "{need}"', about=part_of)
