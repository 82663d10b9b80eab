"""Rules of a stack with `secure`: each of its kinds has TLS and asks who a client is, or the file accepts that not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lakehouse.spec.further import covers
from lakehouse.spec.kinds import KindRules, known
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem, dotted
from lakehouse.spec.stacks import LocalStack
from lakehouse.text.words import listed, suggest


def check_secure(name: str, stack: LocalStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """What a stack with `secure` cannot have."""
    if stack.secure is None:
        return
    at: KeyPath = ("stacks", name)
    yield from _accepted(at, stack)
    yield from _kind(at, ("store",), known().stores[stack.store.kind], known().stores, stack)
    yield from _properties(at, (*at, "store"), stack.store.properties, known().stores[stack.store.kind])
    for catalog, entry in stack.catalogs.items():
        kind = known().catalogs[entry.kind]
        yield from _kind(at, ("catalogs", catalog), kind, known().catalogs, stack)
        yield from _properties(at, (*at, "catalogs", catalog), entry.properties, kind)
        for need in kind.needs if kind.unsecured is None else ():
            yield from _kind(at, ("catalogs", catalog), known().platform[need], {}, stack)
    for word, engine in known().engines.items():
        entry = getattr(lakehouse.engines, word)
        if entry is None:
            continue
        yield from _kind(at, (), engine, {}, stack)
        yield from engine.insecure(lakehouse)
        yield from _properties(at, ("engines", word), entry.properties, engine)
        if engine.unsecured is None and getattr(entry, "authentication", "") is None:
            message = f"{engine.label} asks nobody for a password, but stacks.{name} is `secure`. "
            place: KeyPath = ("engines", word)
            yield Problem(place, message + "Add authentication: password", ((*place, "authentication"),))

    for pipelines in (known().pipelines[word] for word in lakehouse.pipeline_engines):
        for part in (*(known().platform[need] for need in pipelines.needs), pipelines):
            yield from _kind(at, (), part, {}, stack)


def _accepted(at: KeyPath, stack: LocalStack) -> Iterator[Problem]:
    """Words of ``accept`` that mean nothing here, so that the file accepts only what there is."""
    assert stack.secure is not None
    here = known().stores[stack.store.kind].unsecured
    words = {here.accept} if here is not None and here.accept else set()
    for nth, word in enumerate(stack.secure.accept):
        if word not in words:
            message = f'"{word}" is no weakness of this stack.{suggest(word, words)} Remove it'
            yield Problem((*at, "secure", "accept", nth), message, ((*at, "store"),))


def _kind(
    stack_at: KeyPath, key: KeyPath, kind: KindRules, others: Mapping[str, KindRules], stack: LocalStack
) -> Iterator[Problem]:
    """The problem of a kind that is not secured. ``others`` are those that the file might name in its place."""
    lack = kind.unsecured
    assert stack.secure is not None
    if lack is None or (lack.accept and lack.accept in stack.secure.accept):
        return
    fixes = [f"write {listed(fitting)}"] if (fitting := _secured(others, stack)) else []
    if lack.accept:
        fixes.append(f"accept it with `secure: {{accept: [{lack.accept}]}}`")
    fix = ", or ".join((*fixes, "remove `secure`"))
    place = (*stack_at, *key) if key else (*stack_at, "secure")
    message = f"the stack is `secure`, and {kind.label} cannot be: {lack.why}. {fix[0].upper()}{fix[1:]}"
    yield Problem(place, message, ((*stack_at, "secure"),))


def _properties(stack_at: KeyPath, at: KeyPath, properties: Mapping[str, str], kind: KindRules) -> Iterator[Problem]:
    """Properties of the entry at ``at`` that would open again what `secure` closes."""
    for name, value in properties.items():
        if any(covers(each, name) for each in kind.secured):
            why = f'"{value}" could open what that closes'
            message = f"{name} is for `secure` of {dotted(stack_at)} to set, and {why}. Remove it"
            yield Problem((*at, "properties", name), message, ((*stack_at, "secure"),))


def _secured(kinds: Mapping[str, KindRules], stack: LocalStack) -> list[str]:
    return [word for word, kind in kinds.items() if kind.unsecured is None and stack.runtime in kind.on]
