"""The contract of a synthesised stack with its provider: the provider knows everything in cdk.tf.json."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from tests.synth.aws import bindings
from tests.synth.aws.bindings import Argument, Definition, Type

_REFERENCE = re.compile(r"\$\{((?:data\.|ephemeral\.)?\w+\.\w+)\.(\w+)[^}]*\}")
_META = {"//", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"}


def breaches(stack: Mapping[str, Any]) -> list[str]:
    """What the provider does not accept of the stack, each as ``address: what``; empty if the contract holds."""
    found = [problem for address, type, data, block in blocks(stack) for problem in _block(address, type, data, block)]
    return [*found, *_references(stack), *_cycles(stack), *_provider(stack)]


def blocks(stack: Mapping[str, Any]) -> Iterator[tuple[str, str, bool, Mapping[str, Any]]]:
    """Every resource, data source and ephemeral resource: address, type, whether it is read as data, arguments."""
    for kind in ("resource", "data", "ephemeral"):
        start = "" if kind == "resource" else f"{kind}."
        for type, named in stack.get(kind, {}).items():
            for name, block in named.items():
                # The bindings have no ephemeral resources; their data sources take the same arguments.
                yield f"{start}{type}.{name}", type, kind != "resource", block


def _block(address: str, type: str, data: bool, block: Mapping[str, Any]) -> Iterator[str]:
    definition = bindings.definition(type, data=data)
    if definition is None:
        yield f"{address}: the provider has no {type}"
        return
    arguments = {key: value for key, value in block.items() if key not in _META}
    yield from _arguments(address, definition.arguments, arguments, definition)


def _arguments(
    at: str, known: Mapping[str, Argument], given: Mapping[str, Any], definition: Definition
) -> Iterator[str]:
    yield from (f"{at}: no argument {key}" for key in given if key not in known)
    yield from (f"{at}: {key} is missing" for key, each in known.items() if each.required and key not in given)
    for key, value in given.items():
        if key in known:
            yield from _value(f"{at}.{key}", known[key].type, value, definition)


def _value(at: str, type: Type, value: Any, definition: Definition) -> Iterator[str]:
    expression = isinstance(value, str) and "${" in value
    right = {
        "string": isinstance(value, str),
        "number": (isinstance(value, int | float) and not isinstance(value, bool)) or expression,
        "bool": isinstance(value, bool) or expression,
        "list": isinstance(value, list),
        "map": isinstance(value, dict),
        "block": isinstance(value, dict),
        "any": True,
    }[type.kind]
    if not right:
        yield f"{at}: {value!r} is not a {type.kind}"
    elif type.kind == "block":
        yield from _arguments(at, definition.blocks[type.block], value, definition)
    elif type.of is not None:
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for key, member in members:
            yield from _value(f"{at}[{key}]", type.of, member, definition)


def references(value: Any) -> Iterator[tuple[str, str]]:
    """Every (address, attribute) that a value refers to, in strings at any depth, and in JSON inside strings."""
    if isinstance(value, str):
        yield from ((match[1], match[2]) for match in _REFERENCE.finditer(value))
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "depends_on":
                yield from ((address, "id") for address in each)
            elif key != "//":
                yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def _references(stack: Mapping[str, Any]) -> Iterator[str]:
    known = {address: (type, data) for address, type, data, _ in blocks(stack)}
    sources = [(address, block) for address, _, _, block in blocks(stack)]
    sources += [(f"output.{name}", block) for name, block in stack.get("output", {}).items()]
    sources.append(("provider", stack.get("provider", {})))
    for address, block in sources:
        for target, attribute in references(block):
            if target not in known:
                yield f"{address}: {target} is not declared"
                continue
            type, data = known[target]
            definition = bindings.definition(type, data=data)
            if definition and attribute not in definition.attributes:
                yield f"{address}: {target} has no attribute {attribute}"


def _cycles(stack: Mapping[str, Any]) -> Iterator[str]:
    graph = {address: {target for target, _ in references(block)} for address, _, _, block in blocks(stack)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"{error.args[1][0]}: a cycle: {' -> '.join(error.args[1])}"


def _provider(stack: Mapping[str, Any]) -> Iterator[str]:
    if "version" not in stack["terraform"]["required_providers"].get("aws", {}):
        yield "terraform.required_providers.aws: version is missing"
