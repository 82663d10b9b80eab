"""Mistakes, made one at a time in a synthesised stack: the contract must report each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.synth.aws import bindings
from tests.synth.aws.contract import blocks, references

Stack = dict[str, Any]


def mutants(stack: Mapping[str, Any]) -> Iterator[tuple[str, Stack]]:
    """Each mutant of the stack with what was done to it: one of each kind for every resource that can have it."""
    for address, type, data, _ in blocks(stack):
        for name, mutate in KINDS.items():
            path = [*([] if data else ["resource"]), *address.split(".")]
            mutant = copy.deepcopy(dict(stack))
            target = mutant
            for key in path[:-1]:
                target = target[key]
            if mutate(target, path[-1], type, data):
                yield f"{address}: {name}", mutant


def _misspelt(named: Stack, name: str, type: str, data: bool) -> bool:
    keys = [key for key in named[name] if key != "//"]
    if keys:
        named[name][f"{keys[0]}s"] = named[name].pop(keys[0])
    return bool(keys)


def _missing(named: Stack, name: str, type: str, data: bool) -> bool:
    definition = bindings.definition(type, data=data)
    assert definition is not None
    required = [key for key, each in definition.arguments.items() if each.required]
    if required:
        del named[name][required[0]]
    return bool(required)


def _extra(named: Stack, name: str, type: str, data: bool) -> bool:
    named[name]["no_such_block"] = [{"enabled": True}]
    return True


def _wrong_type(named: Stack, name: str, type: str, data: bool) -> bool:
    """Replace a block or list with a scalar, or a scalar with a mapping."""
    keys = [key for key in named[name] if key not in ("//", "depends_on", "lifecycle")]
    if keys:
        value = named[name][keys[-1]]
        named[name][keys[-1]] = True if isinstance(value, dict | list) else {"nested": value}
    return bool(keys)


def _inner(named: Stack, name: str, type: str, data: bool) -> bool:
    """Add a key that a nested block does not have, in the deepest block."""
    definition = bindings.definition(type, data=data)
    assert definition is not None
    for key, argument in definition.arguments.items():
        if key in named[name]:
            kind = argument.type.of or argument.type
            block = named[name][key]
            block = block[0] if isinstance(block, list) and block else block
            if kind.kind == "block" and isinstance(block, dict):
                block["enabledd"] = True
                return True
    return False


def _dangling(named: Stack, name: str, type: str, data: bool) -> bool:
    return _refer(named[name], lambda target, attribute: f"${{{target}_gone.{attribute}}}")


def _wrong_attribute(named: Stack, name: str, type: str, data: bool) -> bool:
    return _refer(named[name], lambda target, _: f"${{{target}.arnn}}")


def _refer(block: Stack, make: Callable[[str, str], str]) -> bool:
    for key, value in block.items():
        found = list(references(value)) if key not in ("//", "depends_on") and isinstance(value, str) else []
        if found:
            block[key] = make(*found[0])
            return True
    return False


def _cycle(named: Stack, name: str, type: str, data: bool) -> bool:
    named[name]["depends_on"] = [f"{'data.' if data else ''}{type}.{name}"]
    return not data


KINDS: dict[str, Callable[[Stack, str, str, bool], bool]] = {
    "a misspelt argument": _misspelt,
    "a missing argument": _missing,
    "a block that is not there": _extra,
    "a value of another type": _wrong_type,
    "a misspelt key of a nested block": _inner,
    "a dangling reference": _dangling,
    "an attribute that is not there": _wrong_attribute,
    "a cycle": _cycle,
}
